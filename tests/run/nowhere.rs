//! Without a checkout: an empty folder, and what the program brings.

use std::fs;

use crate::support::{Lab, repository};

#[test]
fn an_experiment_runs_by_its_name_in_an_empty_folder() {
    let lab = Lab::empty();
    let ran = lab.harness(&["run", "weights", "--demo"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.ends_with("runs/weights\n"), "{}", ran.stdout);
    // Pieces of the experiment before it, and nothing but runs.
    assert_eq!(
        lab.read("runs/weights/scores.csv")
            .split(|b| *b == b'\n')
            .count(),
        38
    );
    assert!(lab.at("runs/gen_spanio_base/manifest.json").exists());
    assert!(lab.at("runs/weights/notebook.yaml").exists());
    let entries: Vec<_> = fs::read_dir(lab.at("")).unwrap().flatten().collect();
    assert_eq!(entries.len(), 1, "{entries:?}");

    lab.harness(&["run", "wieghts"]).assert_fails(
        2,
        "there is no file and no built-in experiment wieghts; did you mean 'weights'? (valid here: fusion_tsne, gen_spanio, \
         gen_spanio_base, musiccaps_text, reprompt, reprompt_base, weights)",
    );
    lab.harness(&["check", "experiments/weights.yaml"]).assert_fails(
        2,
        "there is no file experiments/weights.yaml; for the built-in experiment: weights, and for its file: harness init",
    );
}

#[test]
fn files_of_the_working_folder_shadow_what_is_built_in() {
    let lab = Lab::empty();
    let listed = || {
        let ran = lab.harness(&["list"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let words = |line: &str| {
            line.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
                .join(" ")
        };
        ran.stdout.lines().map(words).collect::<Vec<_>>()
    };
    let all = listed();
    for line in [
        "experiment weights built in",
        "card music_audioset built in",
    ] {
        assert!(all.iter().any(|listed| listed == line), "{all:?}");
    }
    let copy = |from: &str, to: &str, change: (&str, &str)| {
        let text = fs::read_to_string(repository(from)).unwrap();
        assert!(text.contains(change.0));
        fs::create_dir_all(lab.at(to).parent().unwrap()).unwrap();
        lab.write(to, &text.replace(change.0, change.1));
    };
    copy(
        "experiments/weights.yaml",
        "experiments/weights.yaml",
        ("crops: seeded", "crops: center"),
    );
    copy(
        "experiments/gen_spanio_base.yaml",
        "gen_spanio_base.yaml",
        ("seed: 0", "seed: 7"),
    );
    copy(
        "models/music_audioset.yaml",
        "models/music_audioset.yaml",
        ("cc0-1.0", "mit"),
    );
    lab.write("experiments/mine.yaml", "");
    let all = listed();
    for line in [
        "experiment weights experiments/weights.yaml",
        "experiment gen_spanio_base gen_spanio_base.yaml",
        "experiment mine experiments/mine.yaml",
        "card music_audioset models/music_audioset.yaml",
        "card 630k-best built in",
    ] {
        assert!(all.iter().any(|listed| listed == line), "{line}: {all:?}");
    }
    // By its name, and by that of the experiment that it waits for.
    let plan = lab.harness(&["check", "weights", "--offline"]);
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    assert!(
        plan.stdout.contains("center") && plan.stdout.contains("seed 7"),
        "{}",
        plan.stdout
    );
}

#[test]
fn init_writes_what_is_built_in_and_overwrites_nothing() {
    let lab = Lab::empty();
    let ran = lab.harness(&["init", "lab"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for name in [
        "experiments/weights.yaml",
        "experiments/notebooks/GenMusicSpanio.yaml",
        "models/music_audioset.yaml",
    ] {
        assert!(
            lab.read(&format!("lab/{name}")) == fs::read(repository(name)).unwrap(),
            "{name}"
        );
    }
    // The experiment to begin with is one: only its sound is missing.
    let own = lab.harness(&["check", "lab/my_experiment.yaml"]);
    assert!(
        own.code == Some(2) && own.stderr.contains("there is no folder pieces"),
        "{}",
        own.stderr
    );
    fs::create_dir(lab.at("pieces")).unwrap();
    fs::copy(
        repository("tests/data/pieces/sweet_01.wav"),
        lab.at("pieces/sweet_01.wav"),
    )
    .unwrap();
    let own = lab.harness(&["check", "lab/my_experiment.yaml", "--offline"]);
    assert_eq!(own.code, Some(0), "{}", own.stderr);

    // Again is no harm.
    assert_eq!(lab.harness(&["init", "lab"]).code, Some(0));
    lab.write("lab/models/music_audioset.yaml", "mine");
    fs::remove_file(lab.at("lab/experiments/weights.yaml")).unwrap();
    lab.harness(&["init", "lab"]).assert_fails(
        2,
        "lab/models/music_audioset.yaml is there and is another file; nothing was written: name another folder, or overwrite \
         with --force",
    );
    assert!(!lab.at("lab/experiments/weights.yaml").exists());
    assert_eq!(lab.harness(&["init", "lab", "--force"]).code, Some(0));
    let card = fs::read(repository("models/music_audioset.yaml")).unwrap();
    assert!(lab.read("lab/models/music_audioset.yaml") == card);
    assert!(lab.at("lab/experiments/weights.yaml").exists());
}
