//! A run folder on a disk without room. Needs the right to mount; elsewhere it says that it was skipped.

use std::fs;

use crate::small_disk::SmallDisk;
use crate::support::Lab;

#[test]
fn what_was_finished_stays_and_a_rerun_with_room_completes() {
    let lab = Lab::new();
    lab.run(&["--out", "roomy"]);
    let Some(disk) = SmallDisk::mount(&lab.at("disk")) else {
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
