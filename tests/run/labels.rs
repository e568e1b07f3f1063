//! Experiments whose labels are no tastes: `label: mood`.

use crate::support::{GENERATE, Lab};

const MOODS: &str = "\
experiment: lab
task: clusters
label: mood
audio: { csv: moods.csv }
moods: [tense, calm]
arms:
  - { name: fused, model: fused }
  - { name: plain, model: plain }
pieces_per_mood: [2]
tsne: { perplexity: 5, iterations: 300 }
permutations: 200
";

const CSV: &str = "\
path,prompt,mood
pieces/bitter_01.wav,a calm piece,calm
pieces/sour_01.wav,a tense piece,tense
pieces/sour_03.wav,a calm piece,calm
pieces/salty_01.wav,a tense piece,tense
pieces/sweet_01.wav,a calm piece,calm
pieces/sweet_03.flac,a tense piece,tense
";

fn moods() -> Lab {
    let lab = Lab::new();
    lab.write("lab.yaml", MOODS);
    lab.write("moods.csv", CSV);
    lab
}

fn header(lab: &Lab, file: &str) -> String {
    let text = String::from_utf8(lab.read(file)).unwrap();
    text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn every_file_has_the_word_and_every_command_knows_it() {
    let lab = moods();
    let ran = lab.run(&[]);
    let order = |text: &str| text.find("tense") < text.find("calm");
    let table = ran.stdout.lines().next().unwrap();
    assert!(
        order(table) && ran.stdout.contains("silhouette of the moods"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr.contains("joint, 4 rows a mood"),
        "{}",
        ran.stderr
    );
    for (file, columns) in [
        ("scores.csv", "id,prompt,audio_path,clap_score,mood,arm,"),
        (
            "embeddings.csv",
            "prompt,audio_name,clap_score,audio_emb,text_emb,mood,arm,id",
        ),
        ("stats.csv", "kind,arm,arm_b,mood,n,"),
        ("maps.csv", "map,arm,id,mood,"),
        (
            "clusters.csv",
            "kind,metric,arm,arm_b,mood,pieces_per_mood,n,",
        ),
        ("similarity.csv", "arm,against,mood_a,mood_b,n,"),
    ] {
        assert!(
            header(&lab, &format!("runs/lab/{file}")).starts_with(columns),
            "{file}"
        );
    }
    let stats = lab.csv("runs/lab/stats.csv");
    let moods: Vec<&str> = stats
        .iter()
        .take(3)
        .map(|row| row["mood"].as_str())
        .collect();
    assert_eq!(moods, ["all", "tense", "calm"]);
    assert_eq!(
        lab.json("runs/lab/manifest.json")["settings"]["label"]["many"],
        "moods"
    );

    let figures: Vec<String> = lab
        .files("runs/lab/figures")
        .into_iter()
        .filter(|name| name.ends_with(".svg"))
        .collect();
    assert!(figures.len() >= 5, "{figures:?}");
    for name in figures {
        let svg = String::from_utf8(lab.read(&format!("runs/lab/figures/{name}"))).unwrap();
        assert!(!svg.to_lowercase().contains("taste"), "{name}");
    }
    let page = String::from_utf8(lab.read("runs/lab/report.html")).unwrap();
    for said in [
        ">How the moods lie apart<",
        ">Mood<",
        "<label>Mood ",
        "key(\"Mood\",",
        "By mood, ",
        "the prompts of their own mood",
    ] {
        assert!(page.contains(said), "{said}");
    }

    let before = lab.made("runs/lab");
    assert_eq!(lab.harness(&["figures", "runs/lab"]).code, Some(0));
    assert_eq!(lab.harness(&["report", "runs/lab"]).code, Some(0));
    assert_eq!(lab.made("runs/lab"), before);
    let near = lab.harness(&["nearest", "runs/lab", "calm", "-k", "2"]);
    assert!(
        near.stdout.contains("pieces nearest to 'calm' under fused"),
        "{}",
        near.stderr
    );
    let same = lab.harness(&["diff", "runs/lab", "runs/lab", "--out", "diff.csv"]);
    assert_eq!(same.code, Some(0), "{}", same.stderr);
    assert!(
        same.stdout.contains("moods by mean score"),
        "{}",
        same.stdout
    );
    assert!(header(&lab, "diff.csv").starts_with("condition,id,mood,"));
}

#[test]
fn another_word_is_another_run_and_diff_says_so() {
    let lab = moods();
    lab.run(&[]);
    let tastes = MOODS
        .replace("label: mood\n", "")
        .replace("moods:", "tastes:")
        .replace("per_mood", "per_taste");
    lab.write("lab.yaml", &tastes);
    lab.write("moods.csv", &CSV.replacen("mood", "taste", 1));
    let ran = lab.run(&[]);
    let other = ran.stdout.trim_end().lines().last().unwrap().to_owned();
    assert!(other.starts_with("runs/lab-"), "{other}");
    let diff = lab.harness(&["diff", "runs/lab", &other, "--out", "diff.csv"]);
    assert!(
        diff.stdout.contains("\nlabel") && diff.stdout.contains("mood"),
        "{}",
        diff.stdout
    );
    assert!(
        diff.stdout.contains("labels by mean score"),
        "{}",
        diff.stdout
    );
    assert!(header(&lab, "diff.csv").starts_with("condition,id,label,"));
    let report = lab.harness(&["report", "runs/lab", &other, "--out", "both.html"]);
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    let page = String::from_utf8(lab.read("both.html")).unwrap();
    assert!(page.contains("<label>Label ") && page.contains("How the moods lie apart"));
}

#[test]
fn a_list_has_the_word_as_its_column_or_another_name_for_it() {
    let lab = moods();
    lab.write("moods.csv", &CSV.replacen("mood", "taste", 1));
    let unknown = "moods.csv:1: unknown column 'taste' (valid here: path, prompt, id, mood)";
    lab.refused(&[], 2, unknown);
    lab.write("moods.csv", &CSV.replacen("mood", "Stimmung", 1));
    lab.run(&["--set", "audio={csv: moods.csv, columns: {mood: Stimmung}}"]);
    assert_eq!(lab.csv("runs/lab/scores.csv")[0]["mood"], "calm");
    let wrong = "--set audio={csv: moods.csv, columns: {taste: Stimmung}}: 'columns' says what a column is called: unknown column \
         'taste' (valid here: path, prompt, id, mood)";
    lab.refused(
        &[
            "--set",
            "audio={csv: moods.csv, columns: {taste: Stimmung}}",
        ],
        2,
        wrong,
    );
}

#[test]
fn pieces_made_from_moods_are_taken_by_another_experiment() {
    let lab = Lab::generating();
    let made = GENERATE.replace("{taste}", "{mood}").replace(
        "tastes: [sweet, bitter]",
        "label: mood\nmoods: [tense, calm]",
    );
    lab.write("made.yaml", &made);
    lab.write(
        "lab.yaml",
        &MOODS.replace("{ csv: moods.csv }", "{ from: made }"),
    );
    lab.run(&[]);
    assert!(header(&lab, "runs/made/draws.csv").starts_with("arm,prompt_id,mood,"));
    let scores = lab.csv("runs/lab/scores.csv");
    assert_eq!(
        (scores[0]["mood"].as_str(), scores[0]["id"].as_str()),
        ("tense", "tense_01")
    );
    assert_eq!(scores[0]["prompt"], "tense music");
}

#[cfg(unix)]
#[test]
fn shares_of_such_a_run_are_put_together() {
    let lab = moods();
    lab.run(&["--out", "whole"]);
    for share in ["1/2", "2/2"] {
        lab.run(&["--shard", share]);
    }
    lab.run(&[]);
    for file in [
        "scores.csv",
        "embeddings.csv",
        "stats.csv",
        "clusters.csv",
        "maps.csv",
    ] {
        let same = lab.read(&format!("runs/lab/{file}")) == lab.read(&format!("whole/{file}"));
        assert!(same, "{file}");
    }
}
