//! `audio: { from: ... }`: the pieces of another run, which is made first when there is none.

use std::fs;

use crate::support::{CHAIN, Lab};

const FIRST: &str = "lab takes its pieces from made, which has no finished run: it is made first (4 pieces, 1.6 s of audio)\n";

/// What is said of a run whose pieces are taken.
fn taken(folder: &str, pieces: &str) -> String {
    format!("lab takes its pieces from {folder} ({pieces} of audio)\n")
}

#[test]
fn the_run_is_made_first_and_used_from_then_on() {
    let lab = Lab::generating();
    let ran = lab.run(&[]);
    assert_eq!(ran.stderr, FIRST);
    assert_eq!(ran.stdout.lines().last(), Some("runs/lab"));
    let (scores, made) = (
        lab.csv("runs/lab/scores.csv"),
        lab.csv("runs/made/scores.csv"),
    );
    assert_eq!((scores.len(), made.len()), (8, 4));
    for (row, made) in scores[4..].iter().zip(&made) {
        for column in [
            "id",
            "prompt",
            "clap_score",
            "taste",
            "prompt_id",
            "draw",
            "arm",
        ] {
            assert_eq!(row[column], made[column]);
        }
        assert_eq!(
            row["audio_path"],
            format!("runs/made/{}", made["audio_path"])
        );
    }
    let manifest = lab.json("runs/lab/manifest.json");
    let source = &manifest["pieces_from"];
    assert_eq!(
        (&source["folder"], &source["experiment"]),
        (&"runs/made".into(), &"made".into())
    );
    assert_eq!(
        source["identity"],
        lab.json("runs/made/manifest.json")["identity"]
    );

    let results = lab.made("runs/lab");
    let time = |path: &str| fs::metadata(lab.at(path)).unwrap().modified().unwrap();
    let before = time("runs/made/manifest.json");
    let again = lab.run(&["--fresh"]);
    assert_eq!(again.stderr, taken("runs/made", "4 pieces, 1.6 s"));
    assert!(lab.made("runs/lab") == results);
    assert_eq!(time("runs/made/manifest.json"), before);

    // By its folder, and elsewhere; the crops are still those of the experiment that made the pieces.
    fs::rename(lab.at("runs/made"), lab.at("elsewhere")).unwrap();
    lab.run(&["--set", "audio.from=./elsewhere", "--out", "other"]);
    assert_eq!(lab.read("other/.identity"), lab.read("runs/lab/.identity"));
    assert!(!lab.at("runs/made").exists());
}

#[test]
fn check_shows_both_and_makes_nothing() {
    let lab = Lab::generating();
    let before = lab.files("");
    let checked = lab.harness(&["check", "lab.yaml"]);
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), ""));
    for line in [
        "made\n  pieces      4 pieces, 1.6 s of audio, 92 steps\n",
        "lab\n  pieces      4 of made, which is run first\n",
        "  embeddings  8 of audio under 2 arms\n",
    ] {
        assert!(checked.stdout.contains(line), "{}", checked.stdout);
    }
    assert_eq!(lab.files(""), before);
    lab.make(&[]);
    let checked = lab.harness(&["check", "lab.yaml"]);
    let line = "  pieces      4 of runs/made, 0.0 min of audio, 0 longer than 10 s\n";
    assert!(
        checked.stdout.starts_with(&format!("lab\n{line}")),
        "{}",
        checked.stdout
    );
}

/// The dependent's mistakes are told before anything is made.
#[test]
fn what_is_wrong_with_the_scores_is_told_before_a_piece_is_made() {
    let lab = Lab::generating();
    lab.refused(
        &["--set", "arms.1.model=plan"],
        2,
        "arm 'plain': no card 'plan' in models; did you mean 'plain'? (cards there: fused, music, plain, tiny)",
    );
    lab.refused(
        &["--set", "tastes=[sweet, sour]"],
        2,
        "--set tastes=[sweet, sour]: the run's pieces have the taste 'bitter' (valid here: sweet, sour)",
    );
    lab.write("file", "");
    let file = lab.at("file");
    lab.refused(
        &["--out", "file/r"],
        2,
        &format!(
            "the folder for the results cannot be file/r: {} is a file",
            file.display()
        ),
    );
    fs::remove_file(lab.at("plain.pt")).unwrap();
    let ran = lab.harness(&["run", "lab.yaml"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("plain.pt does not exist"),
        "{}",
        ran.stderr
    );
    assert!(!lab.at("runs").exists());
}

#[test]
fn a_run_that_was_cut_is_used_for_as_many_pieces_only() {
    let lab = Lab::generating();
    assert!(lab.run(&["--limit", "3"]).stderr.contains("(3 pieces, "));
    assert_eq!(lab.csv("runs/lab/scores.csv").len(), 6);
    let two = lab.run(&["--limit", "2", "--out", "two"]);
    assert_eq!(two.stderr, taken("runs/made", "2 pieces, 0.8 s"));
    assert_eq!(lab.csv("two/scores.csv").len(), 4);
    let ran = lab.run(&["--out", "all"]);
    let beside = "runs/made holds a run with other settings; this one goes to runs/made-";
    assert!(
        ran.stderr.starts_with(&format!("{FIRST}{beside}")),
        "{}",
        ran.stderr
    );
    assert_eq!(lab.csv("all/scores.csv").len(), 8);
    let again = lab.run(&["--out", "all"]).stderr;
    assert!(
        again.starts_with("lab takes its pieces from runs/made-"),
        "{again}"
    );
}

#[test]
fn runs_of_other_settings_are_used_and_several_must_be_told_apart() {
    let lab = Lab::generating();
    // Finished with other settings, in the plain folder: it wins.
    lab.make(&["--set", "duration_s=0.2"]);
    let short = taken("runs/made", "4 pieces, 0.8 s");
    assert_eq!(lab.run(&["--out", "short"]).stderr, short);
    assert_eq!(
        lab.json("short/manifest.json")["pieces_from"]["folder"],
        "runs/made"
    );
    lab.make(&["--set", "duration_s=0.3"]);
    lab.make(&["--set", "duration_s=0.5"]);
    let told = lab.run(&["--out", "short"]).stderr;
    let others = "; of made there are 2 other finished runs too: --set audio.from=runs/made-";
    assert!(
        told.starts_with(&(short.trim_end().to_owned() + others)),
        "{told}"
    );

    // Not finished there: it is neither used nor touched.
    fs::remove_file(lab.at("runs/made/manifest.json")).unwrap();
    let left = lab.made("runs/made");
    let mut beside: Vec<String> = fs::read_dir(lab.at("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("made-"))
        .collect();
    beside.sort();
    lab.refused(
        &["--out", "r"],
        2,
        &format!(
            "there are 2 finished runs of made: runs/{0}, runs/{1}; say which one with --set audio.from=runs/{0}",
            beside[0], beside[1]
        ),
    );
    let from = format!("audio.from=runs/{}", beside[1]);
    lab.run(&["--set", &from, "--out", "r"]);
    fs::remove_dir_all(lab.at("runs").join(&beside[0])).unwrap();
    let one = lab.run(&["--out", "one"]).stderr;
    let folder = format!("runs/{}", beside[1]);
    assert!(
        one.starts_with(&format!("lab takes its pieces from {folder} (4 pieces, ")),
        "{one}"
    );
    assert_eq!(
        lab.json("one/manifest.json")["pieces_from"]["folder"],
        format!("runs/{}", beside[1])
    );
    fs::remove_dir_all(lab.at("runs").join(&beside[1])).unwrap();
    assert!(lab.run(&["--out", "new"]).stderr.starts_with(FIRST));
    assert!(lab.made("runs/made") == left);
}

#[test]
fn a_piece_that_is_not_what_was_made_is_refused() {
    let lab = Lab::generating();
    lab.make(&[]);
    lab.write("runs/made/audio/sweet_02.wav", "RIFF");
    fs::remove_file(lab.at("runs/made/audio/bitter_01.wav")).unwrap();
    let way_out = "run made again with its settings, it makes only those, or name another run folder with audio.from";
    lab.refused(
        &[],
        1,
        &format!(
            "runs/made/audio/sweet_02.wav is missing or not the piece that the run made, and so are 1 more of 4: {way_out}"
        ),
    );
    lab.run(&["--limit", "1", "--out", "one"]);
    lab.make(&[]);
    lab.run(&[]);
    assert_eq!(lab.csv("runs/lab/scores.csv").len(), 8);

    // A manifest is a stranger's file as well.
    let manifest = String::from_utf8(lab.read("runs/made/manifest.json")).unwrap();
    lab.write(
        "runs/made/manifest.json",
        &manifest.replace("sweet_01", "../../x"),
    );
    lab.refused(
        &["--fresh"],
        1,
        "cannot use runs/made/manifest.json: the id '../../x' must be 1 to 200 bytes without '/', '\\' and control \
         characters, no '.' first",
    );
    lab.write("runs/made/manifest.json", "{");
    let ran = lab.harness(&["run", "lab.yaml"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("cannot read runs/made/manifest.json"),
        "{}",
        ran.stderr
    );
}

#[test]
fn folders_without_such_a_run_and_experiments_without_a_file_are_named() {
    let lab = Lab::generating();
    let no_run = |folder: &str| {
        format!(
            "{folder} holds no finished run that made pieces: its manifest.json is missing or tells of none; name the \
             folder of one with audio.from, or an experiment, such as audio.from=gen_spanio_base"
        )
    };
    lab.refused(&["--set", "audio.from=runs/none"], 2, &no_run("runs/none"));
    lab.refused(
        &["--set", "audio.from=other"],
        2,
        "--set audio.from=other: runs has no finished run of other, and there is no other.yaml to make one; run that \
         experiment first, or name a run folder, such as --set audio.from=runs/other",
    );
    lab.refused(
        &["--set", "audio.from=lab"],
        2,
        "--set audio.from=lab: lab.yaml makes no pieces; name an experiment that is `task: generate`",
    );
    lab.refused(
        &["--set", "audio.from=.."],
        2,
        "--set audio.from=..: 'audio.from' is neither the name of an experiment nor a run folder with a '/', such as \
         runs/gen_spanio_base",
    );
    lab.write(
        "other.yaml",
        &CHAIN.replace("experiment: lab", "experiment: other"),
    );
    lab.refused(
        &["--set", "audio.from=other"],
        2,
        "--set audio.from=other: other.yaml makes no pieces; name an experiment that is `task: generate`",
    );
    // Scores of pieces, but none that it made.
    lab.run(&[]);
    lab.refused(&["--set", "audio.from=runs/lab"], 2, &no_run("runs/lab"));
}

#[test]
fn a_folder_of_files_on_the_command_line_wins() {
    let lab = Lab::generating();
    lab.piece("sweet_01.wav", "sweet_01.wav");
    lab.run(&["--set", "audio.files=pieces"]);
    let scores = lab.csv("runs/lab/scores.csv");
    assert_eq!(
        (scores.len(), scores[0]["audio_path"].as_str()),
        (2, "pieces/sweet_01.wav")
    );
    assert_eq!(scores[0]["prompt"], "sweet music");
    lab.write("p.csv", "path,prompt\npieces/sweet_01.wav,a tune\n");
    lab.run(&["--set", "audio.csv=p.csv", "--out", "csv"]);
    assert_eq!(lab.csv("csv/scores.csv")[0]["prompt"], "a tune");
    assert!(!lab.at("runs/made").exists());

    lab.write(
        "lab.yaml",
        &CHAIN.replace("from: made,", "from: made, files: pieces,"),
    );
    lab.refused(
        &[],
        2,
        "lab.yaml:3: 'audio' has 'from' and 'files'; keep one, or replace all of it: --set 'audio={csv: FILE}'",
    );
}

#[test]
fn the_seed_of_the_run_draws_the_crops_unless_another_is_asked_for() {
    let lab = Lab::generating();
    let long = lab.read("made.yaml");
    let long = String::from_utf8(long)
        .unwrap()
        .replace("duration_s: 0.4", "duration_s: 11");
    lab.write("made.yaml", &long.replace("draws: 2", "draws: 1"));
    lab.make(&["--seed", "7"]);
    lab.run(&["--out", "a"]);
    lab.run(&["--out", "b", "--seed", "8"]);
    let offsets = |folder: &str| -> Vec<String> {
        let rows = lab.csv(&format!("{folder}/scores.csv"));
        rows.iter()
            .filter(|r| r["arm"] == "plain")
            .map(|r| r["offset"].clone())
            .collect()
    };
    assert_eq!(lab.json("a/manifest.json")["seed"], 7);
    assert_eq!(offsets("a"), offsets("runs/made"));
    assert_ne!(offsets("b"), offsets("runs/made"));
}

#[test]
fn a_demo_is_never_mixed_with_the_real_thing() {
    let lab = Lab::generating();
    let text = CHAIN.replace("from: made", "from: gen_spanio_base");
    let text = text.replace("model: fused", "model: 630k-audioset-fusion-best");
    let text = text.replace("model: plain", "model: 630k-audioset-best");
    fs::create_dir(lab.at("e")).unwrap();
    lab.write(
        "e/weights.yaml",
        &text.replace("tastes: [bitter, sweet]\n", ""),
    );
    let made = String::from_utf8(lab.read("made.yaml")).unwrap();
    let made = made.replace("experiment: made", "experiment: gen_spanio_base");
    lab.write("e/gen_spanio_base.yaml", &made);
    // A finished run that is no demo.
    let ran = lab.harness(&["run", "e/gen_spanio_base.yaml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let made = made.replace("model: tiny", "model: tasty-musicgen-small");
    lab.write(
        "e/gen_spanio_base.yaml",
        &made.replace("model: plain", "model: 630k-audioset-best"),
    );
    let ran = lab.harness(&["run", "e/weights.yaml", "--demo"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("which has no finished run: it is made first"),
        "{}",
        ran.stderr
    );
    let source = &lab.json("runs/lab/manifest.json")["pieces_from"]["folder"];
    assert!(
        source
            .as_str()
            .unwrap()
            .starts_with("runs/gen_spanio_base-"),
        "{source}"
    );
}

#[test]
fn a_prompt_beside_a_run_is_refused_where_somebody_asks_for_it() {
    let lab = Lab::generating();
    lab.refused(
        &["--set", "audio.text=other {taste}"],
        2,
        "--set audio.text=other {taste}: 'audio.text' goes with 'files'; pieces of a run bring their prompts",
    );
}

#[test]
fn random_weights_are_told_also_outside_of_the_demo() {
    let lab = Lab::generating();
    let card = String::from_utf8(lab.read("models/tiny.yaml")).unwrap();
    lab.write("models/tiny.yaml", &format!("{card}random_weights: true\n"));
    let told =
        "a model has random weights, or made the pieces with them; its numbers mean nothing\n";
    assert_eq!(lab.make(&[]).stderr, format!("made: {told}"));
    let scored = lab.run(&[]).stderr;
    assert!(scored.ends_with(&format!("lab: {told}")), "{scored}");
}
