//! A run folder on a disk without room. Needs the right to mount; elsewhere it says that it was skipped.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::small_disk::SmallDisk;
use crate::support::{GENERATE, Lab, finished};

#[test]
fn what_was_finished_stays_and_a_rerun_with_room_completes() {
    let lab = Lab::new();
    lab.run(&["--out", "roomy"]);
    let Some(disk) = SmallDisk::mount(&lab.at("disk"), 4) else {
        return;
    };
    let no_space = "No space left on device (os error 28)";
    let journal = "cannot write disk/r/.journal.jsonl; what was finished is kept, and the same command goes on from there";

    // Room for the embeddings of one arm.
    disk.fill(12 << 10);
    lab.refused(
        &["--out", "disk/r"],
        1,
        &format!("arm 'plain': {journal}: {no_space}"),
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
        [
            ".embeddings.f32",
            ".identity",
            ".journal.jsonl",
            ".lock",
            "scores.csv"
        ]
    );
    for file in [".journal.jsonl", ".embeddings.f32"] {
        assert!(lab.read(&format!("disk/r/{file}")) == lab.read(&format!("roomy/{file}")));
    }

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

#[test]
fn pieces_that_do_not_fit_are_told_with_numbers_before_one_is_made() {
    let lab = Lab::generating();
    let Some(disk) = SmallDisk::mount(&lab.at("disk"), 4) else {
        return;
    };
    disk.fill(200 << 10);
    for command in ["check", "run"] {
        lab.harness(&[command, "made.yaml", "--out", "disk/r"]).assert_fails(
            1,
            "4 pieces need about 0.3 MB in disk/r, and 0.2 MB are free there; free some space, choose another disk with \
             --out, or make fewer or shorter pieces",
        );
    }
    assert!(!lab.at("disk/r").exists());
}

/// The disk fills up after the first pieces: they stay, and the next run makes the others only.
#[test]
fn pieces_that_were_finished_stay_when_the_disk_fills_up() {
    let lab = Lab::generating();
    let experiment = GENERATE.replace("draws: 2", "draws: 4");
    lab.write("made.yaml", &experiment);
    lab.make(&["--out", "roomy"]);
    let Some(disk) = SmallDisk::mount(&lab.at("disk"), 4) else {
        return;
    };
    let args = ["run", "made.yaml", "--out", "disk/r", "--batch", "1"];
    let mut run = lab.command(&args);
    let child = run
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !lab.at("disk/r/audio/sweet_01.wav").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let send = |signal: &str| {
        let sent = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    };
    send("-STOP");
    disk.fill(8 << 10);
    send("-CONT");
    let ran = finished(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(
        ran.stderr.starts_with("error: cannot write disk/r/audio/")
            && ran.stderr.contains(
                "; the pieces that were finished are kept, and the same command goes on from there: No space left"
            ),
        "{}",
        ran.stderr
    );
    let kept = lab.files("disk/r/audio");
    assert!(!kept.is_empty() && kept.len() < 8, "{kept:?}");
    for piece in &kept {
        let piece = format!("audio/{piece}");
        assert!(lab.read(&format!("disk/r/{piece}")) == lab.read(&format!("roomy/{piece}")));
    }
    fs::remove_file(lab.at("disk/filler")).unwrap();
    lab.make(&["--out", "disk/r"]);
    assert!(lab.made("disk/r") == lab.made("roomy"));
}
