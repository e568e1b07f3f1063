//! What cannot be compared: exit code 2, and a message that says what to do.

use serde_json::json;

use crate::support::{Runs, SCORES, TEXTS, row};

fn one() -> Runs {
    Runs::with(&row("1", 0.5, "sweet", "on"), &row("1", 0.5, "sweet", "on"))
}

/// Exit code 2, and this message alone.
fn refused(runs: &Runs, args: &[&str], message: &str) {
    runs.diff(args).assert_fails(2, message);
}

#[test]
fn a_tolerance_is_a_number_from_0() {
    for wrong in ["-0.1", "NaN", "inf", "much"] {
        let ran = one().diff(&["--tolerance", wrong]);
        assert_eq!(ran.code, Some(2), "{wrong}");
        assert!(
            ran.stderr.contains("it must be a number, 0 or more"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn folders_that_hold_no_run() {
    let runs = Runs::empty();
    refused(
        &runs,
        &[],
        "a is no run folder: it has neither scores.csv nor embeddings.csv; name one, such as runs/weights",
    );
    std::fs::remove_dir(runs.at("a")).unwrap();
    refused(
        &runs,
        &[],
        "a is no run folder: there is no such folder; name one, such as runs/weights",
    );
    runs.write("a", "x");
    refused(
        &runs,
        &[],
        "a is no run folder: it is a file; name one, such as runs/weights",
    );
}

#[test]
fn a_manifest_of_a_newer_program() {
    let runs = one();
    runs.manifest("b", |m| m["format"] = json!(99));
    refused(
        &runs,
        &[],
        "cannot read b/manifest.json: a newer harness wrote it (format 99; this one knows up to 1); update harness",
    );
}

#[test]
fn runs_that_share_no_row() {
    let runs = one();
    runs.write(
        "b/scores.csv",
        format!("{SCORES}{}", row("1", 0.5, "sweet", "off")),
    );
    runs.manifest("b", |m| m["experiment"] = json!("other"));
    refused(
        &runs,
        &[],
        "the two runs share no row, and there is nothing to compare: a is of experiment lab (task clap_scores) and has rows \
         of on; b is of experiment other (task clap_scores) and has rows of off. Rows are matched by arm and id",
    );
    std::fs::remove_file(runs.at("b/scores.csv")).unwrap();
    runs.write("b/embeddings.csv", TEXTS);
    runs.manifest("b", |m| m["settings"]["task"] = json!("texts"));
    refused(
        &runs,
        &[],
        "the two runs share no row, and there is nothing to compare: a is of experiment lab (task clap_scores) and has a \
         scores.csv; b is of experiment lab (task texts) and has no scores.csv. Rows are matched by arm and id",
    );
}

#[test]
fn csvs_that_were_edited() {
    let runs = one();
    let wrong = |text: &str, message: &str| {
        runs.write("b/scores.csv", text);
        refused(&runs, &[], message);
    };
    let header = SCORES.trim_end();
    wrong(
        "id,prompt,audio_path,clap_score,taste\n1,p,x,0.5,sweet\n",
        &format!(
            "cannot read b/scores.csv: it has no column `arm`; a scores.csv begins with the line {header}"
        ),
    );
    wrong(
        "",
        &format!(
            "cannot read b/scores.csv: it has no column `id`; a scores.csv begins with the line {header}"
        ),
    );
    wrong(
        &format!("{SCORES}1,p,x,high,sweet,on,,,,\n"),
        "cannot read b/scores.csv, line 2: column `clap_score`: invalid float literal; mend that line, or run the experiment \
         again with --fresh",
    );
    wrong(
        &format!("{SCORES}1,p,x,NaN,sweet,on,,,,\n"),
        "cannot read b/scores.csv, line 2: NaN is not a finite number; mend that line, or run the experiment again with --fresh",
    );
    wrong(
        &format!("{SCORES}1,p,x,7,sweet,on,,,,\n"),
        "cannot compare b/scores.csv: the score of 1 under on is 7, and a cosine is -1 to 1",
    );
    wrong(
        &format!("{SCORES}1,p,x,0.5,sweet,on,,,,\n1,p,x,0.5,sweet,on,,,,\n"),
        "b/scores.csv has two rows of 1 under on: every row needs an id of its own",
    );
    wrong(
        SCORES,
        "the two runs share no row, and there is nothing to compare: a is of experiment lab (task clap_scores) and has rows \
         of on; b is of experiment lab (task clap_scores) and has a scores.csv. Rows are matched by arm and id",
    );
    runs.write(
        "b/scores.csv",
        format!("{SCORES}{}", row("1", 0.5, "sweet", "on")),
    );
    runs.write("a/embeddings.csv", "id\n");
    runs.write("b/embeddings.csv", "id\n");
    let ran = runs.diff(&[]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .contains("a/embeddings.csv: it has no column `prompt`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn rows_are_never_written_over_a_run() {
    let runs = one();
    refused(
        &runs,
        &["--out", "b/scores.csv"],
        "--out b/scores.csv is a file of a run that is read; name another one",
    );
    refused(
        &runs,
        &["--out", "no/rows.csv"],
        "cannot write --out no/rows.csv: there is no folder no; make it first",
    );
}
