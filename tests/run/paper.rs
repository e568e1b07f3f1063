//! `harness table` and `harness cite`: what a paper takes from finished runs.

use std::fs;

use crate::support::{Lab, Ran};

/// A finished run `NAME` whose arms and tastes have names that no format takes as they are.
fn strange(lab: &Lab, name: &str, random: bool) {
    fs::create_dir_all(lab.at(name)).unwrap();
    let mut scores =
        "id,prompt,audio_path,clap_score,taste,arm,front,middle,back,offset\n".to_owned();
    for arm in ["a_b & 50% {x}", "=c|d\\e", "[f]*"] {
        for i in 0..16 {
            let shift = f64::from(arm.len() as u32) / 50.0;
            let score = shift + f64::from(i * i).sin() / 100.0;
            let taste = ["sweet", "bit#ter"][i as usize % 2];
            scores += &format!("{i},p,{i}.wav,{score:.6},{taste},{arm},,,,\n");
        }
    }
    lab.write(&format!("{name}/scores.csv"), &scores);
    let manifest = format!(
        "{{\"format\": 1, \"experiment\": \"my_{name}\", \"seed\": 0, \"identity\": \"0123456789abcdef\", \"random_weights\": {random}, \
         \"harness\": {{\"version\": \"0.1.0\"}}, \"settings\": {{\"task\": \"clap_scores\"}}}}"
    );
    lab.write(&format!("{name}/manifest.json"), &manifest);
}

fn done(ran: Ran) -> Ran {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran
}

#[test]
fn a_table_in_latex_is_escaped_and_says_what_it_needs() {
    let lab = Lab::empty();
    strange(&lab, "r", false);
    let ran = done(lab.harness(&["table", "r"]));
    assert_eq!(ran.stderr, "");
    let lines: Vec<&str> = ran.stdout.lines().map(str::trim).collect();
    assert!(lines[0].starts_with("% Made by `harness table` of harness "));
    assert_eq!(
        lines[1],
        "%   my_r (r), identity 0123456789ab, seed 0, computed by harness 0.1.0"
    );
    assert!(
        lines[2].contains("\\usepackage{booktabs}") && lines[2].contains("\\usepackage{siunitx}")
    );
    assert!(lines.contains(&"\\label{tab:my-r-scores}"));
    assert!(
        lines.contains(&"arm & {all} & {sweet} & {bit\\#ter} \\\\"),
        "{}",
        ran.stdout
    );
    // The one with the longest name is the best, for each taste.
    let best = "a\\_b \\& 50\\% \\{x\\} & \\bfseries 0.2";
    assert!(
        lines.iter().any(|line| line.starts_with(best)),
        "{}",
        ran.stdout
    );
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("=c\\textbar{}d\\textbackslash{}e & 0.1"))
    );
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("{[}f{]}{*} & 0.0"))
    );
    assert_eq!(ran.stdout.matches("\\bfseries").count(), 3);
    // Braces pair off, and every row has as many cells.
    let groups = ran.stdout.replace("\\{", "").replace("\\}", "");
    assert_eq!(groups.matches('{').count(), groups.matches('}').count());
    let cells = |line: &&&str| line.ends_with("\\\\");
    for line in lines.iter().filter(cells) {
        assert_eq!(line.replace("\\&", "").matches('&').count(), 3, "{line}");
    }
}

#[test]
fn tables_in_markdown_and_csv() {
    let lab = Lab::empty();
    strange(&lab, "r", true);
    strange(&lab, "s", false);
    let ran = done(lab.harness(&["table", "r", "s", "r", "--format", "markdown"]));
    assert_eq!(ran.stderr, "random weights: the numbers mean nothing\n");
    let warning = "**Warning: random weights in my\\_r: their numbers mean nothing.**";
    assert!(ran.stdout.contains(warning), "{}", ran.stdout);
    let heading = "| run | arm | all (n = 16) | sweet (n = 8) | bit\\#ter (n = 8) |\n";
    assert!(ran.stdout.contains(heading), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("| my\\_s | =c\\|d\\\\e | 0.1"),
        "{}",
        ran.stdout
    );
    assert_eq!(
        ran.stdout
            .lines()
            .filter(|line| line.starts_with("| my"))
            .count(),
        6
    );

    let args = [
        "table",
        "r",
        "--what",
        "differences",
        "--baseline",
        "[f]*",
        "--format",
        "csv",
        "--out",
        "t.csv",
    ];
    let ran = done(lab.harness(&args));
    assert_eq!(ran.stdout, "");
    let rows = lab.csv("t.csv");
    assert_eq!(rows.len(), 2 * 3);
    for row in &rows {
        assert_eq!(
            (row["arm_b"].as_str(), row["measure"].as_str()),
            ("[f]*", "difference")
        );
        let [value, low, high] =
            ["value", "ci_low", "ci_high"].map(|name| row[name].parse::<f64>().unwrap());
        assert!(0.0 < low && low <= value && value <= high, "{row:?}");
        assert_eq!(row["warning"], "random weights: the numbers mean nothing");
    }
    assert!(
        rows.iter().any(|row| row["arm"] == "'=c|d\\e"),
        "a formula is no text"
    );
}

#[test]
fn the_numbers_are_those_of_the_run() {
    let lab = Lab::new();
    lab.run(&["--out", "r"]);
    done(lab.harness(&["table", "r", "--format", "csv", "--out", "scores.csv"]));
    let stats = lab.csv("r/stats.csv");
    let arms: Vec<_> = stats.iter().filter(|row| row["kind"] == "arm").collect();
    let scores = lab.csv("scores.csv");
    assert_eq!((scores.len(), arms.len()), (10, 10));
    for (score, stat) in scores.iter().zip(arms) {
        for (ours, theirs) in [
            ("arm", "arm"),
            ("taste", "taste"),
            ("n", "n"),
            ("value", "mean"),
            ("ci_low", "ci_low"),
            ("ci_high", "ci_high"),
        ] {
            assert_eq!(score[ours], stat[theirs], "{ours}");
        }
        // Of three pieces of a taste nothing is marked.
        assert!(score["bold"] == "false" || score["taste"] == "all");
    }
    let ran = done(lab.harness(&["table", "r", "--what", "separation", "--format", "csv"]));
    let clusters = lab.csv("r/clusters.csv");
    let silhouette = clusters.iter().find(|row| {
        row["kind"] == "audio"
            && row["metric"] == "silhouette"
            && row["taste"] == "all"
            && row["pieces_per_taste"].is_empty()
    });
    let silhouette = silhouette.unwrap();
    let line = format!(
        "lab,{},,all,silhouette,12,,{},",
        silhouette["arm"], silhouette["value"]
    );
    assert!(ran.stdout.contains(&line), "no {line} in {}", ran.stdout);
    assert!(
        ran.stdout.contains(",matched_similarity,")
            && ran.stdout.contains(",silhouette_difference,")
    );
}

#[test]
fn what_cannot_be_had_is_said_with_what_can() {
    let lab = Lab::empty();
    let refused = |args: &[&str], code, message: &str| {
        lab.harness(&[&["table"], args].concat())
            .assert_fails(code, message);
    };
    fs::create_dir(lab.at("empty")).unwrap();
    for folder in ["empty", "nowhere"] {
        let message = format!(
            "{folder} is no run folder: it has neither a manifest.json nor results; give the folder that `harness run` printed"
        );
        refused(&[folder], 1, &message);
        lab.harness(&["cite", folder]).assert_fails(1, &message);
    }
    strange(&lab, "r", false);
    fs::rename(lab.at("r/manifest.json"), lab.at("manifest.json")).unwrap();
    let message = "r holds no finished run: it has no manifest.json; run the same experiment again, it goes on where it stopped";
    refused(&["r"], 1, message);
    fs::rename(lab.at("manifest.json"), lab.at("r/manifest.json")).unwrap();
    let message = "r has no separation of tastes for a table; it has scores and paired differences";
    refused(&["r", "--what", "separation"], 2, message);
    let message = "r has no arm '[g]*' to compare with; did you mean '[f]*'? (valid here: a_b & 50% {x}, =c|d\\e, [f]*)";
    refused(
        &["r", "--what", "differences", "--baseline", "[g]*"],
        2,
        message,
    );
    refused(
        &["r", "--baseline", "[f]*"],
        2,
        "--baseline goes with --what differences",
    );
    let message = "--out r/scores.csv is a file of a run that is read; name another one";
    refused(&["r", "--out", "r/scores.csv"], 2, message);

    let header = "id,prompt,audio_path,clap_score,taste,arm,front,middle,back,offset\n";
    lab.write("r/scores.csv", header);
    refused(
        &["r"],
        2,
        "r has no scores for a table; its CSVs hold no row for any table",
    );
    fs::remove_file(lab.at("r/scores.csv")).unwrap();
    lab.write("r/nearest.csv", "query,kind,rank,similarity,text,id\n");
    refused(
        &["r"],
        2,
        "r has no scores for a table; it is a run of texts: see its nearest.csv",
    );
    lab.write("r/stats.csv", "kind\n");
    assert!(
        lab.harness(&["table", "r"])
            .stderr
            .contains("cannot read r/stats.csv: it has no column `arm`")
    );
}

/// Strictly: entries of `key = {value}` fields, with braces that pair off and keys that are unique.
fn entries(bib: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let blocks = bib
        .split("\n\n")
        .map(str::trim)
        .filter(|block| !block.starts_with('%'));
    for block in blocks {
        let inside = block
            .strip_prefix('@')
            .and_then(|block| block.strip_suffix("\n}"))
            .unwrap();
        let (kind, rest) = inside.split_once('{').unwrap();
        assert!(kind.chars().all(|c| c.is_ascii_lowercase()), "{kind}");
        let (key, fields) = rest.split_once(",\n").unwrap();
        assert!(
            key.chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)),
            "{key}"
        );
        assert!(
            found
                .iter()
                .all(|(other, _)| !other.eq_ignore_ascii_case(key)),
            "{key} twice"
        );
        for field in fields.split(",\n") {
            let (name, value) = field.trim().split_once(" = ").unwrap();
            assert!(
                name.trim().chars().all(|c| c.is_ascii_lowercase()),
                "{field}"
            );
            let mut depth = 0;
            for (i, c) in value.char_indices() {
                depth += i32::from(c == '{') - i32::from(c == '}');
                assert!(depth > 0 || i + 1 == value.len(), "{field}");
            }
            assert_eq!(depth, 0, "{field}");
        }
        found.push((key.to_owned(), block.to_owned()));
    }
    found
}

#[test]
fn references_are_of_the_models_of_the_run_and_of_the_one_that_made_its_pieces() {
    let lab = Lab::generating();
    let card = fs::read_to_string(lab.at("models/fused.yaml")).unwrap();
    lab.write("models/fused.yaml", &format!("{card}cite: [wu2023clap]\n"));
    lab.make(&[]);
    lab.run(&[]);
    let cited = done(lab.harness(&["cite", "runs/lab"]));
    assert_eq!(cited.stderr, "");
    let all = entries(&cited.stdout);
    let keys: Vec<&str> = all.iter().map(|(key, _)| key.as_str()).collect();
    let expected = [
        "harness",
        "onnxruntime",
        "checkpoint-fused",
        "wu2023clap",
        "checkpoint-plain",
        "checkpoint-tiny",
    ];
    assert_eq!(keys, expected);
    let manifest = lab.json("runs/lab/manifest.json");
    let hash = manifest["arms"][0]["checkpoint_sha256"].as_str().unwrap();
    assert!(
        all[2].1.contains(&format!(
            "checkpoint fused.pt; SHA-256 {hash}; licence cc0-1.0"
        )),
        "{}",
        all[2].1
    );
    // A model of a folder, with the hash of each file.
    assert!(
        all[5].1.contains("SHA-256 of config.json ")
            && all[5].1.contains("SHA-256 of model.safetensors ")
    );

    // Given beside it, the other run is cited once.
    let both = done(lab.harness(&["cite", "runs/lab", "runs/made", "--out", "both.bib"]));
    assert_eq!((both.stdout.as_str(), both.stderr.as_str()), ("", ""));
    assert_eq!(
        entries(&String::from_utf8(lab.read("both.bib")).unwrap()),
        all
    );

    fs::remove_dir_all(lab.at("runs/made")).unwrap();
    let alone = done(lab.harness(&["cite", "runs/lab"]));
    assert_eq!(
        alone.stderr,
        "the run made that made the pieces of runs/lab is not in runs/made; add its folder to cite what made them\n"
    );
    assert_eq!(entries(&alone.stdout), all[..5]);
}

#[test]
fn what_a_manifest_says_is_escaped_and_what_is_old_is_told() {
    let lab = Lab::empty();
    fs::create_dir(lab.at("r")).unwrap();
    lab.write(
        "r/manifest.json",
        r#"{"format": 1, "experiment": "x\n@misc{y,}", "random_weights": true,
            "arms": [{"name": "a", "card": "a} @b{c", "checkpoint": "50%_#{.pt", "checkpoint_sha256": "12", "licence": "~",
                      "repository": "o/n}", "cite": ["wu2023clap", "of_another_program"]},
                     {"name": "b", "card": "A} @b{c", "checkpoint": "b.pt", "checkpoint_sha256": "13", "licence": "l",
                      "repository": "owner/na_me", "files": [{"path": "b.pt", "sha256": "13", "revision": "14"}]}],
            "settings": {"texts": {"captions": {"hub": {"repo": "google/MusicCaps", "file": "f.csv", "revision": "main"}}},
                         "generation": {"prompts": {"url": {"url": "https://raw.githubusercontent.com/matteospanio/taste-music-dataset/1/d.json", "sha256": "15"}}}}}"#,
    );
    let cited = done(lab.harness(&["cite", "r"]));
    let all = entries(&cited.stdout);
    let keys: Vec<&str> = all.iter().map(|(key, _)| key.as_str()).collect();
    let expected = [
        "harness",
        "checkpoint-a---b-c",
        "wu2023clap",
        "checkpoint-A---b-c-2",
        "data-google-MusicCaps",
        "agostinelli2023musiclm",
        "data-d.json",
        "spanio2025symphony",
    ];
    assert_eq!(keys, expected);
    assert!(
        all[1].1.contains("made up: random weights")
            && all[1].1.contains("50\\%\\_\\#\\textbraceleft{}.pt")
    );
    assert!(
        all[3]
            .1
            .contains("\\url{https://huggingface.co/owner/na_me}")
            && all[3].1.contains("revision 14; SHA-256 13")
    );
    assert!(
        cited
            .stdout
            .contains("WARNING: its checkpoints are made up")
    );
    assert!(
        cited
            .stderr
            .contains("the checkpoints of r are made up (random weights)"),
        "{}",
        cited.stderr
    );
    assert!(
        cited
            .stderr
            .contains("r was computed by an earlier harness"),
        "{}",
        cited.stderr
    );

    lab.write("r/manifest.json", r#"{"format": 1, "arms": 3}"#);
    let refused = lab.harness(&["cite", "r"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("cannot read r/manifest.json: "),
        "{}",
        refused.stderr
    );
}

#[test]
fn every_paper_of_the_program_is_an_entry() {
    let text = fs::read_to_string(crate::support::repository("assets/references.bib")).unwrap();
    assert_eq!(entries(&text).len(), 6);
}
