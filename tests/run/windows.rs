//! `crops: windows`: whole pieces, window by window.

use std::collections::HashMap;

use crate::support::{Lab, ran};

const EVERY_4_S: &str = "crops={windows: {hop_s: 4}}";

type Row = HashMap<String, String>;

fn of<'r>(rows: &'r [Row], id: &str, arm: &str) -> Vec<&'r Row> {
    let own = |row: &&Row| row["id"] == id && row["arm"] == arm;
    rows.iter().filter(own).collect()
}

fn score(row: &Row) -> f64 {
    row["clap_score"].parse().unwrap()
}

#[test]
fn every_part_of_a_piece_is_heard_and_scored() {
    let lab = Lab::new();
    let told = lab.run(&["--out", "whole", "--set", EVERY_4_S]).stdout;
    lab.run(&["--out", "start", "--set", "crops=start"]);
    let (windows, scores) = (lab.csv("whole/windows.csv"), lab.csv("whole/scores.csv"));
    let start = lab.csv("start/scores.csv");
    // 15 s.
    let long = of(&windows, "sweet_02", "plain");
    let starts: Vec<&str> = long.iter().map(|row| row["start_s"].as_str()).collect();
    assert_eq!(starts, ["0.0", "4.0", "5.0"]);
    assert_eq!(
        long[0]["clap_score"],
        of(&start, "sweet_02", "plain")[0]["clap_score"]
    );
    // What has no more than ten seconds is one window, and scores as it did.
    for arm in ["plain", "fused"] {
        let short = of(&windows, "sweet_01", arm);
        let piece = of(&scores, "sweet_01", arm);
        assert_eq!((short.len(), short[0]["window"].as_str()), (1, "1"));
        assert_eq!(short[0]["clap_score"], piece[0]["clap_score"]);
        assert_eq!(
            piece[0]["clap_score"],
            of(&start, "sweet_01", arm)[0]["clap_score"]
        );
    }
    assert!(
        scores
            .iter()
            .all(|row| row["offset"].is_empty() && row["front"].is_empty())
    );
    assert!(
        told.contains("plain: windows of one piece differ with sd "),
        "{told}"
    );
    let spread = lab.csv("whole/window_spread.csv");
    assert_eq!((spread.len(), spread[1]["pieces"].as_str()), (2, "12"));
    let report = String::from_utf8(lab.read("whole/report.html")).unwrap();
    assert!(report.contains("class=\"along\"") && report.contains("Within a piece"));
    let policy = &lab.json("whole/manifest.json")["crops"]["policy"];
    assert_eq!(policy, "windows every 4 s, pool mean");
}

#[test]
fn a_score_without_pooling_is_the_mean_of_the_windows() {
    let lab = Lab::with(&[("sweet_02.ogg", "sweet_02.ogg")]);
    let mut scores = Vec::new();
    for pool in ["none", "mean", "max"] {
        let crops = format!("crops={{windows: {{hop_s: 4, pool: {pool}}}}}");
        lab.run(&["--out", pool, "--set", &crops]);
        let windows = lab.csv(&format!("{pool}/windows.csv"));
        let own: Vec<f64> = of(&windows, "sweet_02", "plain")
            .into_iter()
            .map(score)
            .collect();
        let of_piece = score(of(&lab.csv(&format!("{pool}/scores.csv")), "sweet_02", "plain")[0]);
        let mean = own.iter().sum::<f64>() / own.len() as f64;
        if pool == "none" {
            assert!((of_piece - mean).abs() < 2e-6, "{of_piece} {own:?}");
        }
        scores.push(of_piece);
    }
    // The mean of directions is shorter than they are, and the largest values are other ones.
    assert!(
        scores[1].abs() > scores[0].abs() && scores[2] != scores[1],
        "{scores:?}"
    );
}

#[test]
fn the_same_bytes_on_any_number_of_threads_and_from_shares() {
    let lab = Lab::new();
    lab.run(&["--out", "whole", "--set", EVERY_4_S, "--threads", "2"]);
    lab.run(&["--out", "one", "--set", EVERY_4_S, "--threads", "1"]);
    for shard in ["2/2", "1/2"] {
        lab.run(&["--out", "shares", "--set", EVERY_4_S, "--shard", shard]);
    }
    lab.run(&["--out", "shares", "--set", EVERY_4_S, "--no-compute"]);
    for file in [
        "windows.csv",
        "window_spread.csv",
        "scores.csv",
        "embeddings.csv",
    ] {
        let whole = lab.read(&format!("whole/{file}"));
        for other in ["one", "shares"] {
            assert!(
                whole == lab.read(&format!("{other}/{file}")),
                "{other} {file}"
            );
        }
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let lab = Lab::with(&[("sweet_02.ogg", "sweet_02.ogg")]);
    for hop in ["0", "10.5", "-1"] {
        let set = format!("crops={{windows: {{hop_s: {hop}}}}}");
        let message = format!(
            "--set {set}: 'hop_s' is {hop}; windows of 10 s begin every 0.1 to 10 s, so that all of a piece is heard"
        );
        lab.refused(&["--set", &set], 2, &message);
    }
    lab.refused(
        &["--set", "crops={windows: {pool: median}}"],
        2,
        "--set crops={windows: {pool: median}}: 'crops.windows.pool' cannot be 'median'; did you mean 'mean'? (valid here: mean, max, none)",
    );
    lab.write(
        "crops.csv",
        "id,front,middle,back,offset\nsweet_02,0,1,2,3\n",
    );
    lab.refused(
        &["--crops", "crops.csv", "--set", "crops=windows"],
        2,
        "crops.csv states parts of pieces, and 'crops: windows' hears all of them; leave out --crops, or set crops=seeded",
    );
}

#[test]
fn embed_writes_one_embedding_a_piece_or_all_of_its_windows() {
    let lab = Lab::with(&[
        ("sweet_02.ogg", "sweet_02.ogg"),
        ("sweet_01.wav", "sweet_01.wav"),
    ]);
    let embed = |out: &str, args: &[&str]| {
        let all = [
            &[
                "embed", "--model", "plain", "--audio", "pieces", "--out", out,
            ],
            args,
        ]
        .concat();
        ran(&mut lab.command(&all))
    };
    assert_eq!(
        embed("pooled.csv", &["--windows", "--hop", "4"]).code,
        Some(0)
    );
    let every = ["--windows", "--hop", "4", "--pool", "none"];
    assert_eq!(embed("all.csv", &every).code, Some(0));
    let (pooled, all) = (lab.csv("pooled.csv"), lab.csv("all.csv"));
    assert_eq!((pooled.len(), all.len()), (2, 4));
    let starts: Vec<&str> = all.iter().map(|row| row["start_s"].as_str()).collect();
    assert_eq!(starts, ["0", "0", "4", "5"]);
    let vector = |row: &Row| -> Vec<f64> { serde_json::from_str(&row["embedding"]).unwrap() };
    let windows: Vec<Vec<f64>> = all[1..].iter().map(vector).collect();
    let sum: Vec<f64> = (0..windows[0].len())
        .map(|i| windows.iter().map(|window| window[i]).sum())
        .collect();
    let length = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
    for (found, sum) in vector(&pooled[1]).iter().zip(&sum) {
        assert!((found - sum / length).abs() < 1e-6);
    }
    let refused = embed("none.csv", &["--windows", "--hop", "11"]);
    assert!(
        refused.code == Some(2) && refused.stderr.contains("0.1 to 10"),
        "{}",
        refused.stderr
    );
    assert_eq!(embed("none.csv", &["--hop", "5"]).code, Some(2));
}
