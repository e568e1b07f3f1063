//! `harness figures`: from the CSVs alone.

use std::fs;

use crate::support::{Lab, ran};

#[test]
fn figures_come_out_the_same_without_any_runtime() {
    let lab = Lab::new();
    lab.run(&["--out", "r"]);
    let names = [
        "scores.svg",
        "scores.png",
        "differences.svg",
        "differences.png",
    ];
    let read = || names.map(|name| lab.read(&format!("r/figures/{name}")));
    let first = read();
    fs::remove_dir_all(lab.at("r/figures")).unwrap();
    fs::remove_dir_all(lab.at("models")).unwrap();
    fs::remove_dir_all(lab.at("pieces")).unwrap();

    let mut figures = lab.command(&["figures", "r"]);
    figures
        .env("HARNESS_CACHE", lab.at("cache"))
        .env("PATH", "");
    let drawn = ran(&mut figures);
    assert_eq!((drawn.code, drawn.stderr.as_str()), (Some(0), ""));
    let listed: Vec<_> = names
        .iter()
        .map(|name| format!("r/figures/{name}"))
        .collect();
    assert_eq!(drawn.stdout.lines().collect::<Vec<_>>(), listed);
    assert!(read() == first);
    assert!(!lab.at("cache").exists());
}

#[test]
fn a_folder_that_is_no_run_is_named() {
    let lab = Lab::with(&[]);
    let none = "No such file or directory (os error 2)";
    lab.harness(&["figures", "pieces"])
        .assert_fails(1, &format!("cannot read pieces/scores.csv: {none}"));
    assert_eq!(lab.files("pieces").len(), 0);
    lab.harness(&["figures", "nowhere"])
        .assert_fails(1, &format!("cannot read nowhere/scores.csv: {none}"));
    assert!(!lab.at("nowhere").exists());
}
