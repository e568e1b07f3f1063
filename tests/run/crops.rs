//! `--crops`: the crops of an earlier run again.

use crate::support::Lab;

#[test]
fn recorded_crops_give_the_same_scores_under_any_seed() {
    let lab = Lab::new();
    lab.run(&["--out", "first"]);
    lab.run(&["--out", "drawn", "--seed", "9"]);
    assert_ne!(lab.read("first/scores.csv"), lab.read("drawn/scores.csv"));
    lab.run(&[
        "--out",
        "again",
        "--seed",
        "9",
        "--crops",
        "first/scores.csv",
    ]);
    assert!(lab.read("first/scores.csv") == lab.read("again/scores.csv"));
    assert!(lab.read("first/embeddings.csv") == lab.read("again/embeddings.csv"));
    let manifest = lab.json("again/manifest.json");
    let sha256 = harness::files::sha256_bytes(&lab.read("first/scores.csv"));
    assert_eq!(
        manifest["crops"],
        serde_json::json!({ "policy": "recorded", "file": "first/scores.csv", "sha256": sha256 })
    );
}

#[test]
fn a_long_piece_without_its_crops_is_named() {
    let lab = Lab::new();
    lab.write(
        "crops.csv",
        "id,front,middle,back,offset\nbitter_03,0,1,2,3\nsalty_03,0,1,2,3\n",
    );
    lab.refused(&["--crops", "crops.csv"], 1, "CROPS");
    assert!(!lab.at("runs/lab/scores.csv").exists());
}

#[test]
fn a_crops_file_that_is_none_is_refused_before_the_pieces_are_read() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    lab.write("crops.csv", "id,offset\nsweet_01,0\n");
    lab.refused(
        &["--crops", "crops.csv"],
        2,
        "crops.csv:1: the header must name the columns id,front,middle,back,offset; front,middle,back is missing",
    );
    assert!(!lab.at("runs").exists());
}
