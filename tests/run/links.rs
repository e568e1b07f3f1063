//! Run folders that were passed on with links in them: nothing is read, written or emptied outside the folder.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::Lab;

const VICTIM: &str = "a thesis of three years\n";

/// A lab with `outside/victim`, a file that nobody may touch.
fn lab() -> Lab {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    fs::create_dir(lab.at("outside")).unwrap();
    lab.write("outside/victim", VICTIM);
    lab
}

fn assert_untouched(lab: &Lab, name: &str) {
    assert_eq!(lab.read("outside/victim"), VICTIM.as_bytes(), "{name}");
    assert_eq!(lab.files("outside"), ["victim"], "{name}");
}

#[test]
fn a_run_follows_no_link_out_of_its_folder() {
    let lab = lab();
    for fresh in [true, false] {
        for name in [
            ".lock",
            ".identity",
            ".embeddings.f32",
            ".journal.jsonl",
            "scores.csv",
            "manifest.json",
            "report.html",
        ] {
            // A folder that was begun here, or one that is new to this machine.
            let _ = fs::remove_dir_all(lab.at("r"));
            match fresh {
                true => fs::create_dir(lab.at("r")).unwrap(),
                false => drop(lab.run(&["--out", "r"])),
            }
            let _ = fs::remove_file(lab.at("r").join(name));
            symlink(lab.at("outside/victim"), lab.at("r").join(name)).unwrap();
            let ran = lab.harness(&["run", "lab.yaml", "--out", "r", "--fresh"]);
            assert_untouched(&lab, name);
            // What looks like another's run is left alone as such.
            let said = match fresh && !name.starts_with('.') {
                true => "r holds a run with other settings; this one goes to r-".to_owned(),
                false => format!(
                    "r/{name} is a link out of its folder, which is not followed; remove it"
                ),
            };
            assert!(ran.stderr.contains(&said), "{name}: {}", ran.stderr);
        }
    }
    for name in ["figures", "audio"] {
        let _ = fs::remove_dir_all(lab.at("r"));
        fs::create_dir(lab.at("r")).unwrap();
        symlink(lab.at("outside"), lab.at("r").join(name)).unwrap();
        let ran = lab.harness(&["run", "lab.yaml", "--out", "r"]);
        assert_untouched(&lab, name);
        // Pieces are another run's, wherever they lie.
        let said = match name {
            "audio" => "r holds a run with other settings; this one goes to r-",
            _ => "r/figures is a link out of its folder",
        };
        assert!(ran.stderr.contains(said), "{name}: {}", ran.stderr);
    }
}

#[test]
fn leftovers_behind_a_link_are_not_swept() {
    let lab = lab();
    lab.write("outside/.part-harness-x", "");
    fs::create_dir_all(lab.at("r/audio")).unwrap();
    symlink(lab.at("outside"), lab.at("r/audio/set")).unwrap();
    lab.run(&["--out", "r"]);
    assert!(lab.at("outside/.part-harness-x").exists());
}

#[test]
fn pieces_are_made_in_the_folder_itself() {
    let lab = Lab::generating();
    fs::create_dir(lab.at("outside")).unwrap();
    lab.write("outside/victim", VICTIM);
    fs::create_dir_all(lab.at("r/audio")).unwrap();
    symlink(lab.at("outside/victim"), lab.at("r/audio/sweet_01.wav")).unwrap();
    // The folder holds something, and no word of whose it is.
    let ran = lab.harness(&["run", "made.yaml", "--out", "r"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_untouched(&lab, "audio/sweet_01.wav");

    // A folder of this run's, in which a piece was replaced.
    let first = lab.make(&["--out", "mine"]);
    let whole = lab.read("mine/audio/sweet_01.wav");
    fs::remove_file(lab.at("mine/audio/sweet_01.wav")).unwrap();
    symlink(lab.at("outside/victim"), lab.at("mine/audio/sweet_01.wav")).unwrap();
    let ran = lab.harness(&["run", "made.yaml", "--out", "mine"]);
    assert_untouched(&lab, "mine/audio/sweet_01.wav");
    assert!(
        ran.code == Some(1)
            && ran
                .stderr
                .contains("mine/audio/sweet_01.wav is a link out of its folder"),
        "{}",
        ran.stderr
    );
    fs::remove_file(lab.at("mine/audio/sweet_01.wav")).unwrap();
    assert_eq!(lab.make(&["--out", "mine"]).stdout, first.stdout);
    assert!(lab.read("mine/audio/sweet_01.wav") == whole);
}

#[test]
fn generate_follows_no_link_out_of_its_folder() {
    let lab = Lab::generating();
    fs::create_dir(lab.at("outside")).unwrap();
    lab.write("outside/victim", VICTIM);
    lab.write("prompts.txt", "sweet music\n");
    let args = [
        "generate",
        "--model",
        "tiny",
        "--prompts",
        "prompts.txt",
        "--duration",
        "0.2",
        "--out",
        "out",
    ];
    for name in [".lock", ".identity", ".journal.jsonl", "1.wav"] {
        let _ = fs::remove_dir_all(lab.at("out"));
        let ran = lab.harness(&args);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        fs::remove_file(lab.at("out").join(name)).unwrap();
        symlink(lab.at("outside/victim"), lab.at("out").join(name)).unwrap();
        let ran = lab.harness(&args);
        assert_untouched(&lab, name);
        let said = format!("out/{name} is a link out of its folder");
        assert!(
            ran.code == Some(1) && ran.stderr.contains(&said),
            "{name}: {}",
            ran.stderr
        );
    }
}

#[test]
fn devices_and_pipes_in_a_run_folder_are_neither_read_nor_waited_for() {
    let lab = lab();
    for name in [
        ".lock",
        ".identity",
        ".journal.jsonl",
        ".embeddings.f32",
        "scores.csv",
    ] {
        for pipe in [true, false] {
            let code = if name == "scores.csv" { 0 } else { 1 };
            let _ = fs::remove_dir_all(lab.at("r"));
            fs::create_dir(lab.at("r")).unwrap();
            let path = lab.at("r").join(name);
            match pipe {
                true => assert!(
                    Command::new("mkfifo")
                        .arg(&path)
                        .status()
                        .unwrap()
                        .success()
                ),
                false => symlink("/dev/zero", &path).unwrap(),
            }
            let ran = lab.harness(&["run", "lab.yaml", "--out", "r"]);
            assert!(
                ran.code == Some(code)
                    && (code == 0 || ran.stderr.contains(&format!("r/{name} is "))),
                "{name}: {}",
                ran.stderr
            );
        }
    }
}

#[test]
fn a_run_folder_that_is_a_link_and_links_within_it_are_the_users_own() {
    let lab = lab();
    fs::create_dir(lab.at("scratch_disk")).unwrap();
    symlink(lab.at("scratch_disk"), lab.at("r")).unwrap();
    fs::create_dir(lab.at("scratch_disk/drawn")).unwrap();
    symlink("drawn", lab.at("scratch_disk/figures")).unwrap();
    lab.run(&["--out", "r"]);
    assert!(lab.at("scratch_disk/scores.csv").exists());
    assert!(lab.at("scratch_disk/drawn/scores.svg").exists());
}
