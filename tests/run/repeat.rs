//! The same settings give the same bytes; other settings never mix with them.

use std::fs;

use crate::support::Lab;

#[test]
fn neither_the_folder_nor_the_threads_change_a_byte() {
    let lab = Lab::new();
    lab.run(&["--out", "a", "--threads", "1"]);
    let results = lab.drawn_results("a");
    for (folder, threads) in [("b", "1"), ("c", "2")] {
        lab.run(&["--out", folder, "--threads", threads]);
        assert!(lab.drawn_results(folder) == results, "{threads} threads");
        assert_eq!(
            lab.json(&format!("{folder}/manifest.json"))["runtime"]["threads"].to_string(),
            threads
        );
    }
    assert_eq!(lab.read("a/.identity"), lab.read("c/.identity"));
}

#[test]
fn other_settings_go_to_a_folder_beside() {
    let lab = Lab::new();
    let limited = lab.run(&["--limit", "5"]);
    assert!(
        limited.stdout.ends_with("\nruns/lab\n"),
        "{}",
        limited.stdout
    );
    assert_eq!(lab.csv("runs/lab/scores.csv").len(), 10);
    let results = lab.drawn_results("runs/lab");

    let mut folders = vec!["runs/lab".to_owned()];
    for (args, rows) in [
        (&[][..], 24),
        (&["--seed", "7"], 24),
        (&["--set", "crops=start"], 24),
    ] {
        let ran = lab.run(args);
        let folder = ran.stdout.lines().last().unwrap().to_owned();
        let hash = folder.strip_prefix("runs/lab-").unwrap();
        assert!(
            hash.len() == 12 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
            "{folder}"
        );
        assert_eq!(
            ran.stderr,
            format!("runs/lab holds a run with other settings; this one goes to {folder}\n")
        );
        let identity = String::from_utf8(lab.read(&format!("{folder}/.identity"))).unwrap();
        assert!(identity.starts_with(hash));
        assert_eq!(lab.csv(&format!("{folder}/scores.csv")).len(), rows);
        assert!(!folders.contains(&folder));
        folders.push(folder);
    }
    // The limited run goes on in its own folder, untouched by the others.
    lab.run(&["--limit", "5"]);
    assert!(lab.drawn_results("runs/lab") == results);
    assert_eq!(fs::read_dir(lab.at("runs")).unwrap().count(), 4);

    // Another seed draws other crops of the long pieces, and nothing else changes.
    let (zero, seven) = (
        lab.csv(&format!("{}/scores.csv", folders[1])),
        lab.csv(&format!("{}/scores.csv", folders[2])),
    );
    for (a, b) in zero.iter().zip(&seven) {
        let long = !(a["offset"].is_empty() && a["front"].is_empty());
        assert_eq!(a["clap_score"] != b["clap_score"], long, "{}", a["id"]);
    }
}

#[test]
fn results_of_unknown_origin_are_not_written_over() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    fs::create_dir(lab.at("r")).unwrap();
    lab.write("r/scores.csv", "mine");
    let ran = lab.run(&["--out", "r"]);
    let folder = ran.stdout.lines().last().unwrap();
    assert!(folder.starts_with("r-"), "{folder}");
    assert_eq!(lab.read("r/scores.csv"), b"mine");
    assert_eq!(lab.csv(&format!("{folder}/scores.csv")).len(), 2);

    lab.write("scores.csv", "mine");
    lab.refused(
        &["--out", "."],
        1,
        ". holds a run with other settings; name an empty folder with --out",
    );
    assert_eq!(lab.read("scores.csv"), b"mine");
}

#[test]
fn a_run_of_the_first_pieces_has_the_same_numbers() {
    let lab = Lab::new();
    lab.run(&["--out", "few", "--limit", "5"]);
    lab.run(&["--out", "all"]);
    let (few, all) = (lab.csv("few/scores.csv"), lab.csv("all/scores.csv"));
    assert_eq!(few[..5], all[..5]);
    assert_eq!(few[5..], all[12..17]);
}
