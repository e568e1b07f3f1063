//! A run folder on a disk without room. Needs the right to mount; elsewhere it says that it was skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Lab;

/// A disk of 1 MB in memory, gone with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(at);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| SmallDisk(at.to_owned()))
    }

    /// Leave `free` bytes, a whole number of pages.
    fn fill(&self, free: usize) {
        let filler = self.0.join("filler");
        let _ = fs::remove_file(&filler);
        let output = Command::new("df")
            .arg("--output=avail")
            .arg("-B1")
            .arg(&self.0)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let room: usize = text.lines().nth(1).unwrap().trim().parse().unwrap();
        fs::write(filler, vec![0; room - free]).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn what_was_finished_stays_and_a_rerun_with_room_completes() {
    let lab = Lab::new();
    lab.run(&["--out", "roomy"]);
    let Some(disk) = SmallDisk::mount(&lab.at("disk")) else {
        println!("skipped: this user may not mount");
        return;
    };
    let no_space = "No space left on device (os error 28)";
    let journal = "cannot write disk/r/.journal.jsonl; what was finished is kept, and the same command goes on from there";

    disk.fill(8 << 10);
    lab.refused(
        &["--out", "disk/r"],
        1,
        &format!("arm 'fused': {journal}: {no_space}"),
    );
    let kept = lab.read("disk/r/.journal.jsonl");
    assert!(!kept.is_empty() && kept.ends_with(b"\n"));
    assert!(lab.read("roomy/.journal.jsonl").starts_with(&kept));

    // Room for the journal and not for the tables: no half of a table is left.
    disk.fill(36 << 10);
    lab.refused(
        &["--out", "disk/r"],
        1,
        &format!("cannot write disk/r/embeddings.csv: {no_space}"),
    );
    assert_eq!(
        lab.files("disk/r"),
        [".identity", ".journal.jsonl", ".lock", "scores.csv"]
    );
    assert!(lab.read("disk/r/.journal.jsonl") == lab.read("roomy/.journal.jsonl"));

    fs::remove_file(lab.at("disk/filler")).unwrap();
    lab.run(&["--out", "disk/r"]);
    assert!(lab.drawn_results("disk/r") == lab.drawn_results("roomy"));
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_anything_runs() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    lab.write("file", "");
    let file = lab.at("file");
    lab.refused(
        &["--out", "file/r"],
        2,
        &format!(
            "the folder for the results cannot be file/r: {} is a file",
            file.display()
        ),
    );
    assert!(!lab.at("models/graphs").exists());
}
