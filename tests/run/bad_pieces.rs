//! Pieces that cannot be used are found before any model is opened.

use std::fs;

use crate::support::Lab;

const GOOD: [(&str, &str); 3] = [
    ("sweet_01.wav", "sweet_01.wav"),
    ("sour_01.wav", "sour_01.wav"),
    ("bitter_01.wav", "bitter_01.wav"),
];

#[test]
fn a_folder_without_pieces_and_a_taste_that_is_unknown() {
    let lab = Lab::with(&[]);
    lab.refused(
        &[],
        2,
        "lab.yaml:3: pieces has no .wav, .flac, .ogg or .mp3 file; folders below it are not searched",
    );
    lab.refused(
        &["--set", "audio.files=nowhere"],
        2,
        "--set audio.files=nowhere: there is no folder nowhere; say where the pieces are: --set audio.files=DIR",
    );
    lab.piece("sweet_01.wav", "swet_01.wav");
    lab.refused(
        &[],
        2,
        "cannot use pieces/swet_01.wav: the taste in its name is 'swet'; did you mean 'sweet'? \
         (valid here: bitter, sour, sweet, salty); call it TASTE_NUMBER, such as bitter_01",
    );
    assert!(!lab.at("runs").exists());
}

/// The checkpoint is as bad as the piece, and the card says so after the pieces only.
#[test]
fn one_bad_piece_is_told_before_a_checkpoint_is_opened() {
    let lab = Lab::with(&GOOD);
    lab.write("plain.pt", "not a checkpoint");
    fs::write(lab.at("pieces/salty_01.wav"), b"RIFF\x04\0\0\0WAVE").unwrap();
    let ran = lab.harness(&["run", "lab.yaml"]);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ran.stderr);
    assert!(
        lines[0].starts_with("cannot read pieces/salty_01.wav: "),
        "{}",
        lines[0]
    );
    assert_eq!(
        lines[1],
        "error: 1 of 4 pieces cannot be used; repair or remove them, or leave them out with --skip-bad"
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(!lab.at("runs").exists() && !lab.at("models/graphs").exists());
}

#[test]
fn skip_bad_lists_what_it_left_out_and_goes_on() {
    let lab = Lab::with(&GOOD);
    lab.run(&["--out", "good"]);
    lab.write("pieces/salty_01.wav", "");
    lab.write("pieces/salty_02.mp3", "not music");
    let ran = lab.run(&["--out", "r", "--skip-bad"]);
    let skipped = lab.csv("r/skipped.csv");
    let paths: Vec<&str> = skipped.iter().map(|row| row["path"].as_str()).collect();
    assert_eq!(paths, ["pieces/salty_01.wav", "pieces/salty_02.mp3"]);
    let reasons: Vec<&str> = skipped.iter().map(|row| row["reason"].as_str()).collect();
    assert_eq!(ran.stderr.lines().collect::<Vec<_>>(), reasons);
    assert!(
        reasons
            .iter()
            .zip(paths)
            .all(|(reason, path)| reason.contains(path))
    );
    assert!(lab.results("r") == lab.results("good"));
    assert_eq!(lab.json("r/manifest.json")["skipped"], 2);

    // Once the bad pieces are gone, the same folder no longer claims that some were left out.
    fs::remove_file(lab.at("pieces/salty_01.wav")).unwrap();
    fs::remove_file(lab.at("pieces/salty_02.mp3")).unwrap();
    lab.run(&["--out", "r"]);
    assert_eq!(lab.json("r/manifest.json")["skipped"], 0);
    assert!(!lab.at("r/skipped.csv").exists());
}

#[test]
fn only_bad_pieces_are_an_error_also_with_skip_bad() {
    let lab = Lab::with(&[]);
    lab.write("pieces/salty_01.wav", "");
    let ran = lab.harness(&["run", "lab.yaml", "--skip-bad"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr
            .ends_with("error: none of the 1 pieces can be used\n"),
        "{}",
        ran.stderr
    );
    assert!(!lab.at("runs").exists());
}
