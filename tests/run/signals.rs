//! Signals that ask for an end, at any moment: the exit codes that shells know, and nothing left behind.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Lab, finished, ran};

const SIGNALS: [(&str, i32); 3] = [("-INT", 130), ("-TERM", 143), ("-HUP", 129)];

fn send(id: u32, signal: &str) {
    // It may have ended by itself.
    let _ = Command::new("kill")
        .args([signal, &id.to_string()])
        .stderr(Stdio::null())
        .status()
        .unwrap();
}

/// No part of a file is left in the lab, and none of a folder.
fn assert_clean(lab: &Lab) {
    let left = lab.files("");
    let left: Vec<&String> = left.iter().filter(|name| name.contains(".part-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// While libraries are loaded, graphs are exported, sessions compute: an end that runs destructors crashed in a fifth.
#[test]
fn a_signal_at_any_moment_ends_in_order_and_the_next_run_completes() {
    let lab = Lab::generating();
    lab.make(&["--out", "whole"]);
    let whole = lab.made("whole");
    lab.write("prompts.txt", "a\nb\nc\n");
    let commands: [&[&str]; 3] = [
        &["run", "made.yaml", "--out", "r"],
        &[
            "generate",
            "--model",
            "tiny",
            "--prompts",
            "prompts.txt",
            "--duration",
            "0.4",
            "--out",
            "g",
        ],
        &["export", "tiny", "plain", "--precision", "int8"],
    ];
    for (c, command) in commands.into_iter().enumerate() {
        for i in 0..12u64 {
            let (signal, code) = SIGNALS[(i as usize + c) % 3];
            for made in ["models/graphs", "r", "g"] {
                let _ = fs::remove_dir_all(lab.at(made));
            }
            let mut child = lab.command(command);
            child
                .env("TMPDIR", lab.at(""))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let child = child.spawn().unwrap();
            // From before the program listens to behind the end, in steps that no two have in common.
            std::thread::sleep(Duration::from_millis(7 + 31 * i));
            send(child.id(), signal);
            if i % 2 == 1 {
                send(child.id(), signal);
            }
            let ran = finished(child.wait_with_output().unwrap());
            // Without a code: before the program could answer, the system did.
            assert!(
                ran.code == Some(0) || ran.code == Some(code) || (ran.code.is_none() && i == 0),
                "{command:?} {i} {signal}: {:?} {}",
                ran.code,
                ran.stderr
            );
            if ran.code == Some(code) {
                assert_clean(&lab);
            }
        }
    }
    lab.make(&["--out", "r"]);
    assert!(lab.made("r") == whole);
    assert_clean(&lab);
}

#[test]
fn a_schedulers_signal_saves_what_is_in_flight() {
    let lab = Lab::generating();
    let experiment = crate::support::GENERATE.replace("draws: 2", "draws: 8");
    lab.write("made.yaml", &experiment.replace("0.4", "6"));
    let child = lab
        .command(&["run", "made.yaml", "--out", "r", "--batch", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !lab.at("r/audio/sweet_01.wav").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    send(child.id(), "-TERM");
    finished(child.wait_with_output().unwrap()).assert_fails(
        143,
        "terminated; what was finished is saved, and the same command goes on from there",
    );
    let made = lab.files("r/audio");
    assert!(!made.is_empty() && made.len() < 16, "{made:?}");
    assert_clean(&lab);
}

#[test]
fn what_the_parent_process_ignores_stays_ignored() {
    let lab = Lab::generating();
    let program = env!("CARGO_BIN_EXE_harness");
    let mut shell = Command::new("sh");
    shell
        .current_dir(lab.at(""))
        .arg("-c")
        .arg("trap '' HUP; \"$0\" run made.yaml --out r & p=$!; for i in 1 2 3 4 5 6; do sleep 0.05; kill -HUP $p; done; wait $p")
        .arg(program);
    let ran = ran(&mut shell);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(lab.at("r/manifest.json").exists());
}
