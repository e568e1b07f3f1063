//! Two sets of pieces for the same items.

use std::fs;

use crate::support::{GENERATE, Lab};

const COMPARE: &str = "\
experiment: lab
task: compare
sets:
  - { name: first, from: made }
  - { name: second, from: again }
text: \"{taste} music\"
tastes: [sweet, bitter]
arms: [{ name: plain, model: plain }]
permutations: 200
";

fn lab() -> Lab {
    let lab = Lab::generating();
    let again = GENERATE.replace("experiment: made", "experiment: again");
    lab.write(
        "again.yaml",
        &again.replace("\"{taste} music\"", "\"a {taste} tune\""),
    );
    lab.write("lab.yaml", COMPARE);
    lab
}

#[test]
fn both_sets_are_made_first_and_paired_by_their_ids() {
    let lab = lab();
    let ran = lab.run(&[]);
    for name in ["made", "again"] {
        let told = format!(
            "lab takes its pieces from {name}, which has no finished run: it is made first (4 pieces, "
        );
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    }
    assert!(ran.stdout.contains("first less second: "), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("plain: Fréchet distance "),
        "{}",
        ran.stdout
    );

    let scores = lab.csv("runs/lab/scores.csv");
    let made = lab.csv("runs/made/scores.csv");
    assert_eq!(scores.len(), 8);
    assert_eq!(
        (scores[0]["set"].as_str(), scores[4]["condition"].as_str()),
        ("first", "second")
    );
    assert_eq!(scores[4]["own_prompt"], "a sweet tune");
    assert_eq!(
        (scores[4]["prompt"].as_str(), scores[4]["id"].as_str()),
        ("sweet music", "sweet_01")
    );
    // Short pieces have no crops, so the first set scores as it did in its own run.
    assert_eq!(scores[0]["clap_score"], made[0]["clap_score"]);

    let stats = lab.csv("runs/lab/stats.csv");
    let pairs: Vec<_> = stats.iter().filter(|row| row["kind"] == "pair").collect();
    assert_eq!(pairs.len(), 3);
    let mean: f64 = (0..4)
        .map(|i| {
            let score = |row: usize| scores[row]["clap_score"].parse::<f64>().unwrap();
            (score(i) - score(i + 4)) / 4.0
        })
        .sum();
    assert!((pairs[0]["mean"].parse::<f64>().unwrap() - mean).abs() < 1e-9);
    assert_eq!(
        (pairs[0]["arm"].as_str(), pairs[0]["arm_b"].as_str()),
        ("first", "second")
    );

    let distances = lab.csv("runs/lab/distances.csv");
    let tastes: Vec<&str> = distances.iter().map(|row| row["taste"].as_str()).collect();
    assert_eq!(tastes, ["all", "bitter", "sweet"]);
    assert!(distances[0]["frechet"].parse::<f64>().unwrap() > 0.0);
    assert_eq!(distances[0]["small_sample"], "true");
    let manifest = lab.json("runs/lab/manifest.json");
    assert_eq!(manifest["sets"][1]["from"]["experiment"], "again");
    for figure in ["scores", "differences", "histogram", "similarity", "tsne"] {
        assert!(
            lab.at(&format!("runs/lab/figures/{figure}.svg")).is_file(),
            "{figure}"
        );
    }

    let results = lab.made("runs/lab");
    lab.run(&["--fresh"]);
    assert!(lab.made("runs/lab") == results);
}

#[test]
fn a_set_against_itself_differs_in_nothing() {
    let lab = lab();
    lab.make(&[]);
    lab.run(&["--set", "sets.1.from=runs/made"]);
    for row in lab
        .csv("runs/lab/stats.csv")
        .iter()
        .filter(|row| row["kind"] == "pair")
    {
        let numbers =
            ["mean", "sd", "ci_low", "ci_high"].map(|column| row[column].parse::<f64>().unwrap());
        assert_eq!(numbers, [0.0; 4]);
        assert_eq!((row["t_p"].as_str(), row["cohens_d"].as_str()), ("", ""));
    }
    for row in lab.csv("runs/lab/distances.csv") {
        assert!(row["frechet"].parse::<f64>().unwrap() < 1e-9, "{row:?}");
        assert_ne!(row["kernel"], "NaN");
    }
}

#[test]
fn folders_are_compared_and_must_be_about_the_same_items() {
    let lab = lab();
    for folder in ["a", "b"] {
        fs::create_dir(lab.at(folder)).unwrap();
    }
    lab.piece("sweet_01.wav", "sweet_01.wav");
    lab.piece("sweet_01.wav", "bitter_01.wav");
    for name in ["sweet_01.wav", "bitter_01.wav"] {
        for folder in ["a", "b"] {
            fs::copy(lab.at("pieces").join(name), lab.at(folder).join(name)).unwrap();
        }
    }
    let args = ["--set", "sets.0.files=a", "--set", "sets.1.files=b"];
    lab.run(&args);
    assert_eq!(lab.csv("runs/lab/scores.csv").len(), 4);
    // One item a taste: no spread, and no test.
    let stats = lab.csv("runs/lab/stats.csv");
    let sweet = stats
        .iter()
        .find(|row| row["kind"] == "pair" && row["taste"] == "sweet")
        .unwrap();
    for column in ["sd", "ci_low", "t_p", "wilcoxon_p", "t_p_holm"] {
        assert_eq!(sweet[column], "", "{column}");
    }

    fs::remove_file(lab.at("b/sweet_01.wav")).unwrap();
    lab.refused(
        &args,
        2,
        "lab.yaml:3: the set 'second' has no piece for sweet_01, which 'first' has; both need a piece for each item, \
         called by the same id",
    );
    fs::write(lab.at("b/sweet_01.wav"), "no audio").unwrap();
    lab.run(&[&args[..], &["--skip-bad", "--out", "skipped"]].concat());
    assert_eq!(lab.csv("skipped/scores.csv").len(), 2);
    let left_out = lab.csv("skipped/skipped.csv");
    assert_eq!(left_out.len(), 2);
    assert_eq!(left_out[1]["path"], "a/sweet_01.wav");
    fs::write(lab.at("a/bitter_01.wav"), "no audio").unwrap();
    let none = lab.harness(&[&["run", "lab.yaml", "--skip-bad"], &args[..]].concat());
    assert_eq!(none.code, Some(1));
    assert!(
        none.stderr
            .ends_with("no item has a usable piece in both sets\n"),
        "{}",
        none.stderr
    );
}

/// The sets have their items in another order, and tastes in one set only; a limit counts the items of the first.
#[test]
fn a_limit_counts_items_and_tastes_come_from_either_set() {
    let lab = lab();
    lab.piece("sweet_01.wav", "p.wav");
    lab.write(
        "a.csv",
        "path,prompt,id,taste\npieces/p.wav,x,1,sweet\npieces/p.wav,y,2,\npieces/p.wav,z,10,sour\n",
    );
    lab.write(
        "b.csv",
        "path,prompt,id,taste\npieces/p.wav,x,10,\npieces/p.wav,y,2,salty\npieces/p.wav,z,1,\n",
    );
    lab.write(
        "lab.yaml",
        "experiment: lab\ntask: compare\nsets: [{ name: a, csv: a.csv }, { name: b, csv: b.csv }]\narms: [{ name: plain, model: plain }]\n",
    );
    lab.run(&["--limit", "2"]);
    let scores = lab.csv("runs/lab/scores.csv");
    let rows: Vec<_> = scores
        .iter()
        .map(|row| {
            (
                row["set"].as_str(),
                row["id"].as_str(),
                row["taste"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("a", "1", "sweet"),
            ("a", "2", "salty"),
            ("b", "1", "sweet"),
            ("b", "2", "salty")
        ]
    );

    lab.write("a.csv", "path,prompt,id,taste\npieces/p.wav,x,1,all\n");
    lab.refused(
        &[],
        2,
        "a.csv:2: 'all' stands for all tastes together in every table; rename that taste",
    );
    lab.refused(
        &["--set", "sets.1.csv=none.csv"],
        2,
        "a.csv:2: 'all' stands for all tastes together in every table; rename that taste",
    );
    lab.refused(
        &["--set", "sets.0.from=../x"],
        2,
        "../x holds no finished run that made pieces: its manifest.json is missing or tells of none; name the folder of one \
         with sets.0.from, or an experiment, such as sets.0.from=gen_spanio_base",
    );
}
