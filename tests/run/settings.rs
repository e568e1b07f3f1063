//! The experiment file and `--set`.

use crate::support::{EXPERIMENT, Lab};

const SHORT: [(&str, &str); 2] = [
    ("sweet_01.wav", "sweet_01.wav"),
    ("sour_01.wav", "sour_01.wav"),
];

#[test]
fn set_changes_pieces_model_and_seed() {
    let lab = Lab::with(&SHORT);
    std::fs::create_dir(lab.at("others")).unwrap();
    std::fs::rename(lab.at("pieces/sour_01.wav"), lab.at("others/sour_09.wav")).unwrap();
    lab.run(&[
        "--out",
        "r",
        "--set",
        "audio.files=others",
        "--set",
        "arms.0.model=music",
        "--set",
        "seed=3",
    ]);
    let scores = lab.csv("r/scores.csv");
    assert_eq!(scores.len(), 2);
    assert!(
        scores
            .iter()
            .all(|row| row["audio_path"] == "others/sour_09.wav")
    );
    let manifest = lab.json("r/manifest.json");
    assert_eq!(manifest["seed"], 3);
    assert_eq!(manifest["arms"][0]["name"], "fused");
    assert_eq!(manifest["arms"][0]["checkpoint"], "music.pt");
    assert_eq!(manifest["arms"][1]["checkpoint"], "plain.pt");
    assert_eq!(manifest["random_weights"], false);
    assert_eq!(manifest["settings"]["audio"]["files"]["folder"], "others");
}

#[test]
fn a_wrong_key_is_named_with_its_place_and_the_nearest_good_one() {
    let lab = Lab::with(&SHORT);
    let keys = "(valid here: experiment, notebook, task, label, audio, tastes, arms, crops, seed, limit, tsne)";
    lab.refused(
        &["--set", "sed=3"],
        2,
        &format!("--set sed=3: unknown key 'sed'; did you mean 'seed'? {keys}"),
    );
    lab.write("lab.yaml", &EXPERIMENT.replace("tastes:", "taste:"));
    lab.refused(
        &[],
        2,
        &format!("lab.yaml:4: unknown key 'taste'; did you mean 'tastes'? {keys}"),
    );
    lab.write(
        "lab.yaml",
        &EXPERIMENT.replace("model: plain", "modle: plain"),
    );
    lab.refused(
        &[],
        2,
        "lab.yaml:7: unknown key 'modle' in 'arms.1'; did you mean 'model'? (valid here: name, model)",
    );
    assert!(!lab.at("runs").exists());
}

#[test]
fn an_unknown_card_is_named_with_its_arm() {
    let lab = Lab::with(&SHORT);
    lab.refused(
        &["--set", "arms.1.model=plan"],
        2,
        "arm 'plain': no card 'plan' in models; did you mean 'plain'? (cards there: fused, music, plain)",
    );
    assert!(!lab.at("runs").exists());
}

#[test]
fn two_experiments_share_no_folder() {
    let lab = Lab::with(&SHORT);
    lab.write("other.yaml", EXPERIMENT);
    lab.refused(
        &["other.yaml"],
        2,
        "two experiments would write to runs/lab; run them one at a time, each with its own --out",
    );
    lab.write(
        "other.yaml",
        &EXPERIMENT.replace("experiment: lab", "experiment: other"),
    );
    let ran = lab.run(&["other.yaml"]);
    let folders: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|l| l.starts_with("runs/"))
        .collect();
    assert_eq!(folders, ["runs/lab", "runs/other"]);
    // The second one is wrong: neither begins.
    lab.write("wrong.yaml", "experiment: wrong\n");
    let ran = lab.harness(&["run", "lab.yaml", "wrong.yaml", "--seed", "8"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert_eq!(std::fs::read_dir(lab.at("runs")).unwrap().count(), 2);
}

#[test]
fn pieces_come_from_a_csv_of_path_and_prompt() {
    let lab = Lab::with(&SHORT);
    lab.write(
        "set.csv",
        "path,prompt,taste,id\npieces/sour_01.wav,\"slow, sour\",sour,\npieces/sweet_01.wav,a sweet tune,,dessert\n",
    );
    let arms = EXPERIMENT.split_once("arms:").unwrap().1;
    lab.write(
        "lab.yaml",
        &format!("experiment: lab\ntask: clap_scores\naudio: {{ csv: set.csv }}\narms:{arms}"),
    );
    lab.run(&["--out", "r"]);
    let rows: Vec<[String; 5]> = lab
        .csv("r/scores.csv")
        .iter()
        .map(|row| ["id", "prompt", "audio_path", "taste", "arm"].map(|c| row[c].clone()))
        .collect();
    let row = |cells: [&str; 5]| cells.map(str::to_owned);
    assert_eq!(
        rows,
        [
            row([
                "sour_01",
                "slow, sour",
                "pieces/sour_01.wav",
                "sour",
                "fused"
            ]),
            row([
                "dessert",
                "a sweet tune",
                "pieces/sweet_01.wav",
                "",
                "fused"
            ]),
            row([
                "sour_01",
                "slow, sour",
                "pieces/sour_01.wav",
                "sour",
                "plain"
            ]),
            row([
                "dessert",
                "a sweet tune",
                "pieces/sweet_01.wav",
                "",
                "plain"
            ]),
        ]
    );
    assert!(lab.at("r/figures/scores.svg").exists());
}

#[test]
fn the_demo_takes_no_other_models_and_scores_other_pieces() {
    let lab = Lab::with(&SHORT);
    let ran = lab.harness(&["run", "lab.yaml", "--demo", "--models", "elsewhere"]);
    assert_eq!(ran.code, Some(2));
    let message =
        "--demo brings its own models, so --models would change nothing; leave one of them out";
    assert!(
        ran.stderr.ends_with(&format!("error: {message}\n")),
        "{}",
        ran.stderr
    );

    let weights = crate::support::repository("experiments/weights.yaml");
    let ran = lab.harness(&[
        "run",
        weights.to_str().unwrap(),
        "--demo",
        "--set",
        "audio.files=pieces",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let scores = lab.csv("runs/weights/scores.csv");
    assert_eq!(
        (scores.len(), scores[0]["audio_path"].as_str()),
        (6, "pieces/sour_01.wav")
    );
    assert_eq!(
        lab.json("runs/weights/manifest.json")["random_weights"],
        true
    );
    assert!(!lab.at("runs/gen_spanio_base").exists());
}

#[test]
fn a_device_number_goes_with_a_provider_of_several_devices() {
    let message = "--device goes with a provider of several devices (--ep cuda), not with cpu";
    Lab::new().refused(&["--device", "7"], 2, message);
}
