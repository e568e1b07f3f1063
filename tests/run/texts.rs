//! Experiments that embed texts, and `nearest` on what they wrote.

use std::fs;

use crate::support::{Lab, repository};

const TEXTS: &str = "\
experiment: lab
task: texts
model: music
captions: { path: captions.csv }
queries: [\"sweet music\", \"a slow piano\"]
nearest: 3
";

fn lab() -> Lab {
    let lab = Lab::with(&[]);
    lab.write("lab.yaml", TEXTS);
    fs::copy(
        repository("assets/demo/captions.csv"),
        lab.at("captions.csv"),
    )
    .unwrap();
    lab
}

#[test]
fn captions_and_descriptors_are_embedded_and_searched() {
    let lab = lab();
    let ran = lab.run(&[]);
    assert!(
        ran.stdout.contains("captions nearest to 'sweet music': "),
        "{}",
        ran.stdout
    );
    let text = String::from_utf8(lab.read("runs/lab/embeddings.csv")).unwrap();
    assert!(text.starts_with("text,embedding,kind,id,count\n"));
    let rows = lab.csv("runs/lab/embeddings.csv");
    let captions = rows.iter().filter(|row| row["kind"] == "caption").count();
    assert_eq!((captions, rows.len()), (48, 89));
    let numbers =
        |row: usize| -> Vec<f32> { serde_json::from_str(&rows[row]["embedding"]).unwrap() };
    let length: f32 = numbers(0).iter().map(|x| x * x).sum();
    assert!((length - 1.0).abs() < 1e-5);
    let npy = lab.read("runs/lab/embeddings.npy");
    let values: Vec<u8> = (0..89)
        .flat_map(numbers)
        .flat_map(f32::to_le_bytes)
        .collect();
    assert!(npy.ends_with(&values) && npy.len() < values.len() + 200);

    let near = lab.csv("runs/lab/nearest.csv");
    assert_eq!(near.len(), 2 * 2 * 3);
    assert_eq!(
        (near[0]["query"].as_str(), near[0]["rank"].as_str()),
        ("sweet music", "1")
    );
    let pairs: u64 = lab
        .csv("runs/lab/histogram.csv")
        .iter()
        .filter(|row| row["set"] == "caption")
        .map(|row| row["count"].parse::<u64>().unwrap())
        .sum();
    assert_eq!(pairs, 48 * 47 / 2);
    assert_eq!(lab.csv("runs/lab/maps.csv").len(), 48);

    // The same as the run's own list, and others.
    let nearest = |args: &[&str]| lab.harness(&[&["nearest", "runs/lab"], args].concat());
    let found = nearest(&["sweet music", "-k", "3"]);
    assert_eq!((found.code, found.stderr.as_str()), (Some(0), ""));
    let first = format!(
        "{:.4}  {}  ",
        near[0]["similarity"].parse::<f64>().unwrap(),
        near[0]["id"]
    );
    assert!(
        found.stdout.lines().nth(1).unwrap().starts_with(&first),
        "{}{first}",
        found.stdout
    );
    assert_eq!(found.stdout.lines().count(), 2 + 2 * 3);
    assert_eq!(nearest(&["x", "-k", "1"]).stdout.lines().count(), 4);

    // What a kill leaves is completed to the same bytes.
    let results = lab.made("runs/lab");
    let journal = lab.read("runs/lab/.journal.jsonl");
    fs::write(
        lab.at("runs/lab/.journal.jsonl"),
        &journal[..journal.len() / 3],
    )
    .unwrap();
    lab.run(&[]);
    assert!(lab.made("runs/lab") == results);
}

#[test]
fn mistakes_are_told() {
    let lab = lab();
    lab.refused(
        &["--set", "captions.path=none.csv"],
        2,
        "cannot read none.csv: No such file or directory (os error 2)",
    );
    lab.write("captions.csv", "ytid,aspect_list,caption\na,slow,x\n");
    lab.refused(
        &[],
        2,
        "captions.csv:2: 'aspect_list' is 'slow'; it must be a Python list of texts, such as ['slow', 'piano']",
    );
    let nowhere = lab.harness(&["nearest", "runs/lab", "x"]);
    nowhere.assert_fails(
        2,
        "runs/lab holds no finished run: it has no manifest.json; name a run folder, such as runs/musiccaps_text",
    );
}

#[test]
fn only_the_checkpoint_of_the_run_answers() {
    let lab = lab();
    lab.run(&["--limit", "5"]);
    lab.card("music", "{ path: ../plain.pt }", false);
    let other = lab.harness(&["nearest", "runs/lab", "sweet"]);
    assert_eq!(other.code, Some(2));
    assert!(
        other
            .stderr
            .contains("the card music is another checkpoint than the run's"),
        "{}",
        other.stderr
    );
    lab.card("moved", "{ path: ../music.pt }", false);
    let named = lab.harness(&[
        "nearest", "runs/lab", "sweet", "--model", "moved", "-k", "1",
    ]);
    assert_eq!(named.code, Some(0), "{}", named.stderr);
}

#[test]
fn pieces_are_searched_too() {
    let lab = Lab::generating();
    lab.make(&[]);
    let found = lab.harness(&["nearest", "runs/made", "sweet", "-k", "2", "--arm", "plain"]);
    assert_eq!(found.code, Some(0), "{}", found.stderr);
    assert!(
        found
            .stdout
            .starts_with("pieces nearest to 'sweet' under plain\n"),
        "{}",
        found.stdout
    );
    let none = lab.harness(&["nearest", "runs/made", "sweet", "--arm", "plan"]);
    none.assert_fails(
        2,
        "the run has no arm 'plan'; did you mean 'plain'? (valid here: plain)",
    );
}
