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
    let sha256 = files::sha256_bytes(&lab.read("first/scores.csv"));
    assert_eq!(
        manifest["crops"],
        serde_json::json!({ "policy": "recorded", "file": "first/scores.csv", "sha256": sha256 })
    );
}

#[test]
fn a_long_piece_without_its_crops_is_named() {
    let lab = Lab::new();
    let rows = "id,front,middle,back,offset\nbitter_03,0,1,2,3\nsalty_03,0,1,2,3\n";
    for (row, arm, crops) in [
        ("", "fused", "front, middle and back"),
        ("sweet_02,0,1,2,\n", "plain", "offset"),
    ] {
        lab.write("crops.csv", &format!("{rows}{row}"));
        lab.refused(
            &["--crops", "crops.csv"],
            2,
            &format!(
                "crops.csv has no {crops} for sweet_02: the piece is 15.0 s long, and arm '{arm}' hears 10 s of it; \
                 add the row, or leave out --crops"
            ),
        );
    }
    assert!(!lab.at("runs").exists() && !lab.at("models/graphs").exists());
}

#[test]
fn a_crop_of_another_piece_is_named() {
    let lab = Lab::with(&[("sweet_02.ogg", "sweet_02.ogg")]);
    lab.write(
        "crops.csv",
        "id,front,middle,back,offset\nsweet_02,0,1,2,240001\n",
    );
    lab.refused(
        &["--crops", "crops.csv"],
        1,
        "arm 'plain': cannot use pieces/sweet_02.ogg: crop `offset` begins at 240001; in a clip of 720000 samples at \
         48 kHz it can begin at 240000 at most, or these are the crops of another clip",
    );
    assert!(!lab.at("runs/lab/scores.csv").exists());
}

#[test]
fn a_crops_file_that_is_none_is_refused_before_the_pieces_are_read() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    lab.write("crops.csv", "id,offset\nsweet_01,0\n");
    lab.refused(
        &["--crops", "crops.csv"],
        2,
        "crops.csv:1: the header must name the columns id,front,middle,back,offset; front,middle,back is missing, and there are id,offset",
    );
    assert!(!lab.at("runs").exists());
}
