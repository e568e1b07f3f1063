use std::fs;
use std::path::Path;

use super::*;
use crate::experiment::Experiment;
use crate::labels::Word;
use crate::spec::label::TAKEN;
use crate::spec::{HeardParts, Piece};

const YAML: &str = "\
experiment: weights
task: clap_scores
audio: { files: DIR, text: \"{taste} music\" }
tastes: [bitter, sweet]
arms:
  - { name: fusion on, model: a }
  - { name: fusion off, model: b }
";

/// A folder with empty files of these names, and its path.
fn folder(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        fs::write(folder.path().join(name), b"").unwrap();
    }
    folder
}

fn resolve_in(folder: &Path, yaml: &str, overrides: &Overrides) -> Result<Experiment, String> {
    let shown = folder.display().to_string();
    let document = Document::parse(&yaml.replace("DIR", &shown), Path::new("w.yaml"));
    document
        .map_err(SpecError::from)
        .and_then(|document| draft(document, overrides))
        .and_then(|draft| draft.resolve(None, Vec::new()))
        .map_err(|e| e.to_string().replace(&shown, "DIR"))
}

/// What the manifest says of the settings that only the experiment's task has.
pub(super) fn settings(experiment: &Experiment) -> serde_json::Value {
    experiment.task.settings().unwrap()
}

fn error(names: &[&str], from: &str, to: &str) -> String {
    assert!(YAML.contains(from), "{from}");
    let folder = folder(names);
    resolve_in(
        folder.path(),
        &YAML.replace(from, to),
        &Overrides::default(),
    )
    .unwrap_err()
}

#[test]
fn a_folder_of_pieces_is_read_in_natural_order() {
    let folder = folder(&[
        "sweet_10.wav",
        "sweet_2.FLAC",
        "bitter_01.mp3",
        "._sweet_2.wav",
        "notes.txt",
    ]);
    fs::create_dir(folder.path().join("sweet_3.wav")).unwrap();
    let experiment = resolve_in(folder.path(), YAML, &Overrides::default()).unwrap();
    let pieces: Vec<_> = experiment
        .pieces
        .iter()
        .map(|p| (p.id.as_str(), p.prompt.as_str()))
        .collect();
    assert_eq!(
        pieces,
        [
            ("bitter_01", "bitter music"),
            ("sweet_2", "sweet music"),
            ("sweet_10", "sweet music")
        ]
    );
    assert_eq!(experiment.pieces[0].taste.as_deref(), Some("bitter"));
    assert_eq!(
        experiment.pieces[1].path,
        folder.path().join("sweet_2.FLAC")
    );
    assert_eq!(
        (experiment.seed, experiment.crops, experiment.limit),
        (0, HeardParts::Seeded, None)
    );
}

#[test]
fn the_command_line_wins() {
    let folder = folder(&["sweet_1.wav", "sweet_2.wav"]);
    let overrides = Overrides {
        set: vec![
            "crops=start".into(),
            "seed=3".into(),
            "arms.1.model=c".into(),
            "audio.text={id}!".into(),
            format!("audio.files={}", folder.path().display()),
        ],
        seed: Some(4),
        limit: Some(1),
        demo: None,
    };
    let yaml = YAML.replace("DIR", "nowhere");
    let experiment = resolve_in(folder.path(), &yaml, &overrides).unwrap();
    assert_eq!(
        (experiment.seed, experiment.crops, experiment.limit),
        (4, HeardParts::Start, Some(1))
    );
    assert_eq!(experiment.arms[1].model, "c");
    assert_eq!(experiment.pieces.len(), 1);
    assert_eq!(experiment.pieces[0].prompt, "sweet_1!");
}

#[test]
fn without_tastes_a_name_need_not_hold_one() {
    let folder = folder(&["take 1.wav"]);
    let yaml = YAML
        .replace("tastes: [bitter, sweet]\n", "")
        .replace("{taste} music", "music of {id}");
    let experiment = resolve_in(folder.path(), &yaml, &Overrides::default()).unwrap();
    assert_eq!(
        (
            experiment.pieces[0].prompt.as_str(),
            &experiment.pieces[0].taste
        ),
        ("music of take 1", &None)
    );
}

#[test]
fn mistakes_are_named_where_they_were_made() {
    let good = ["sweet_1.wav"];
    for (names, from, to, expected) in [
        (
            &good[..],
            "experiment: weights",
            "experiment: ../x",
            "w.yaml:1: 'experiment' is '../x'; it names a folder: letters, digits, '.', '_' and '-', no '.' first",
        ),
        (
            &good,
            "clap_scores",
            "clap_score",
            "w.yaml:2: 'task' cannot be 'clap_score'; did you mean 'clap_scores'? (valid here: clap_scores, generate, clusters, compare, texts)",
        ),
        (
            &good,
            "{taste}",
            "{tast}",
            "w.yaml:3: 'audio.text' has the unknown place '{tast}'; did you mean 'taste'? (valid here: taste, id)",
        ),
        (
            &good,
            ", text: \"{taste} music\"",
            "",
            "w.yaml:3: 'audio' has 'files' and no 'text'; add the prompt, such as text: \"{taste} music\"",
        ),
        (
            &good,
            "text: \"{taste} music\"",
            "csv: x.csv",
            "w.yaml:3: 'audio' has 'files' and 'csv'; keep one, or replace all of it: --set 'audio={csv: FILE}'",
        ),
        (
            &good,
            "files: DIR, text: \"{taste} music\"",
            "",
            "w.yaml:3: 'audio' needs 'from' (the experiment that made the pieces), 'files' (a folder, with 'text') or 'csv' (path and prompt)",
        ),
        (
            &good,
            "files: DIR,",
            "csv: x.csv,",
            "w.yaml:3: 'audio.text' goes with 'files'; a CSV brings its prompts",
        ),
        (
            &good,
            "DIR",
            "DIR/none",
            "w.yaml:3: there is no folder DIR/none; say where the pieces are: --set audio.files=DIR",
        ),
        (
            &[],
            "DIR",
            "DIR",
            "w.yaml:3: DIR has no .wav, .flac, .ogg or .mp3 file; folders below it are not searched",
        ),
        (
            &["swet_1.wav"],
            "DIR",
            "DIR",
            "cannot use DIR/swet_1.wav: the taste in its name is 'swet'; did you mean 'sweet'? (valid here: bitter, sweet); call it TASTE_NUMBER, such as bitter_01",
        ),
        (
            &good,
            "[bitter, sweet]",
            "[sweet, sweet]",
            "w.yaml:4: 'tastes' names 'sweet' twice",
        ),
        (
            &good,
            "tastes: [bitter, sweet]",
            "limit: 0",
            "w.yaml:4: 'limit' is 0, which leaves no piece",
        ),
        (
            &good,
            "tastes: [bitter, sweet]",
            "seed: 0",
            "w.yaml:3: 'audio.text' has {taste}; list the tastes, such as tastes: [sweet, bitter, sour, salty]",
        ),
        (
            &good,
            "fusion off",
            "fusion on",
            "w.yaml:7: two arms are called 'fusion on'; give each a name of its own",
        ),
        (
            &good,
            "fusion off",
            "\"\"",
            "w.yaml:7: 'arms.1.name' is empty",
        ),
        (
            &good,
            "model: b",
            "modell: b",
            "w.yaml:7: unknown key 'modell' in 'arms.1'; did you mean 'model'? (valid here: name, model)",
        ),
        (
            &good,
            "arms:\n  - { name: fusion on, model: a }\n  - { name: fusion off, model: b }\n",
            "arms: []\n",
            "w.yaml:5: 'arms' is empty; name at least one model",
        ),
    ] {
        assert_eq!(error(names, from, to), expected);
    }
    let both = error(&["sweet_1.wav", "sweet_1.flac"], "DIR", "DIR");
    assert!(
        both.contains("its id 'sweet_1' is also that of DIR/sweet_1."),
        "{both}"
    );
}

#[test]
fn a_flag_or_set_that_is_wrong_is_named() {
    let folder = folder(&["sweet_1.wav"]);
    let set = |text: &str| Overrides {
        set: vec![text.into()],
        ..Overrides::default()
    };
    let error = |overrides: &Overrides| resolve_in(folder.path(), YAML, overrides).unwrap_err();
    assert_eq!(
        error(&Overrides {
            limit: Some(0),
            ..Overrides::default()
        }),
        "--limit 0 leaves no piece"
    );
    assert_eq!(
        error(&set("sed=3")),
        "--set sed=3: unknown key 'sed'; did you mean 'seed'? \
         (valid here: experiment, notebook, task, label, audio, tastes, arms, crops, seed, limit, tsne)"
    );
    assert_eq!(
        error(&set("audio.files=none")),
        "--set audio.files=none: there is no folder none; say where the pieces are: --set audio.files=DIR"
    );
}

fn csv(text: &str, tastes: &str) -> Result<Experiment, String> {
    let folder = folder(&["a.wav", "b.wav"]);
    fs::write(folder.path().join("p.csv"), text).unwrap();
    let yaml = YAML
        .replace("files: DIR, text: \"{taste} music\"", "csv: DIR/p.csv")
        .replace("tastes: [bitter, sweet]\n", tastes);
    resolve_in(folder.path(), &yaml, &Overrides::default())
}

#[test]
fn a_csv_of_pieces_is_read() {
    let text = "path,prompt,taste,id\nb.wav,\"slow, sweet\",sweet,\na.wav,sour music,,first\n";
    let experiment = csv(text, "").unwrap();
    let ids: Vec<&str> = experiment.pieces.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["b", "first"]);
    assert_eq!(experiment.pieces[0].prompt, "slow, sweet");
    assert_eq!(
        (&experiment.tastes, &experiment.pieces[1].taste),
        (&vec!["sweet".to_owned()], &None)
    );
    assert!(settings(&experiment)["audio"]["csv"].is_string());
}

#[test]
fn a_csv_is_read_as_programs_and_people_write_it() {
    let tastes = "tastes: [bitter, sweet]\n";
    let plain = "path,prompt,taste\na.wav,\"slow, sweet\",sweet\na.wav,b,\n";
    let expected = csv(plain, tastes).unwrap().pieces;
    let ids: Vec<&str> = expected.iter().map(|piece| piece.id.as_str()).collect();
    assert_eq!(ids, ["a", "a_2"], "a file with two prompts needs no ids");
    for other in [
        "path;prompt;taste\na.wav;slow, sweet;sweet\na.wav;b;\n",
        "path\tprompt\ttaste\r\na.wav\tslow, sweet\tsweet\r\na.wav\tb\t\r\n",
        "path,prompt,taste\n.\\a.wav,\"slow, sweet\",sweet\n.\\a.wav,b,\n",
    ] {
        let found = csv(other, tastes).unwrap().pieces;
        let told = |pieces: &[Piece]| -> Vec<_> {
            let told = |p: &Piece| (p.id.clone(), p.prompt.clone(), p.taste.clone());
            pieces.iter().map(told).collect()
        };
        assert_eq!(told(&found), told(&expected), "{other}");
    }
}

#[test]
fn the_columns_of_a_csv_may_have_other_names() {
    let with = |text: &str, columns: &str| {
        let folder = folder(&["a.wav", "b.wav"]);
        fs::write(folder.path().join("p.csv"), text).unwrap();
        let audio = format!("csv: DIR/p.csv, columns: {columns}");
        let yaml = YAML
            .replace("files: DIR, text: \"{taste} music\"", &audio)
            .replace("tastes: [bitter, sweet]\n", "");
        resolve_in(folder.path(), &yaml, &Overrides::default())
    };
    let text = "file;year;prompt;caption;genre\na.wav;1999;no;slow;jazz\nb.wav;2001;no;fast;rock\n";
    let experiment = with(text, "{ path: file, prompt: caption, taste: genre }").unwrap();
    let found: Vec<_> = experiment
        .pieces
        .iter()
        .map(|p| (p.id.as_str(), p.prompt.as_str(), p.taste.as_deref()))
        .collect();
    assert_eq!(
        found,
        [("a", "slow", Some("jazz")), ("b", "fast", Some("rock"))]
    );
    let error = |columns: &str| with(text, columns).unwrap_err();
    assert_eq!(
        error("{ path: file, prompt: capton }"),
        "DIR/p.csv:1: it has no column 'capton', which 'columns' takes for prompt; there are file,year,prompt,caption,genre"
    );
    assert!(error("{ pth: file }").contains("unknown column 'pth'; did you mean 'path'?"));
}

#[test]
fn mistakes_in_a_csv_are_named_with_their_line() {
    let tastes = "tastes: [bitter, sweet]\n";
    for (text, expected) in [
        (
            "path,text\na.wav,x\n",
            "DIR/p.csv:1: the header must name the columns path,prompt; prompt is missing, and there are path,text",
        ),
        (
            "path,prompt,tste\na.wav,x,y\n",
            "DIR/p.csv:1: unknown column 'tste'; did you mean 'taste'? (valid here: path, prompt, id, taste)",
        ),
        ("path,prompt\na.wav,\n", "DIR/p.csv:2: the prompt is empty"),
        (
            "path,prompt\na.wav,x\nc.wav,x\n",
            "DIR/p.csv:3: there is no file DIR/c.wav",
        ),
        (
            "path,prompt,id\na.wav,x,a\na.wav,y,a\n",
            "DIR/p.csv:3: the id 'a' is also that of line 2; give each piece its own",
        ),
        (
            "path,prompt,taste\na.wav,x,swet\n",
            "DIR/p.csv:2: unknown taste 'swet'; did you mean 'sweet'? (valid here: bitter, sweet)",
        ),
        (
            "path,prompt,id\na.wav,x,../a\n",
            "DIR/p.csv:2: the id '../a' must be 1 to 200 characters without '/', '\\' and control characters, no '.' first",
        ),
        (
            "path,prompt\na.wav,x,y\n",
            "DIR/p.csv:2: this row has 3 fields, the header 2; put a text with a comma in quotes",
        ),
        (
            "path,prompt\n",
            "cannot use DIR/p.csv: it has a header and no rows",
        ),
        (
            "",
            "DIR/p.csv:1: the header must name the columns path,prompt; path,prompt is missing",
        ),
    ] {
        assert_eq!(csv(text, tastes).unwrap_err(), expected);
    }
}

/// `text` resolved as an experiment beside two folders `a` and `b` with one piece each.
pub(super) fn of_text(text: &str, set: &[&str]) -> Result<Experiment, String> {
    let folder = folder(&[]);
    for (name, piece) in [("a", "sweet_1.wav"), ("b", "sweet_1.flac")] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join(piece), b"").unwrap();
    }
    let overrides = Overrides {
        set: set.iter().map(|s| (*s).to_owned()).collect(),
        ..Overrides::default()
    };
    resolve_in(folder.path(), text, &overrides)
}

/// YAML with moods for tastes.
fn of_moods(from: &str, to: &str) -> Result<Experiment, String> {
    let yaml = YAML.replace("{taste}", "{mood}").replace(
        "tastes: [bitter, sweet]",
        "label: mood\nmoods: [tense, calm]",
    );
    assert!(yaml.contains(from), "{from}");
    let folder = folder(&["calm_1.wav", "tense_1.wav"]);
    let yaml = yaml.replace(from, to);
    resolve_in(folder.path(), &yaml, &Overrides::default())
}

#[test]
fn labels_are_called_as_the_experiment_says() {
    let experiment = of_moods("", "").unwrap();
    assert_eq!(experiment.tastes, ["tense", "calm"]);
    assert_eq!(experiment.pieces[0].prompt, "calm music");
    let value = serde_json::to_value(&experiment).unwrap();
    assert_eq!(
        value["label"],
        serde_json::json!({ "one": "mood", "many": "moods" })
    );
    let both = of_moods("label: mood", "label: { one: mood, many: moods }").unwrap();
    assert_eq!(both.word, experiment.word);
    let feelings = "label: { one: mood, many: feelings }\nfeelings:";
    assert_eq!(
        of_moods("label: mood\nmoods:", feelings).unwrap().tastes,
        ["tense", "calm"]
    );
    // What is the word anyway is no other experiment.
    let folder = folder(&["bitter_1.wav"]);
    let said = resolve_in(
        folder.path(),
        &format!("{YAML}label: taste\n"),
        &Overrides::default(),
    );
    assert!(
        serde_json::to_value(said.unwrap())
            .unwrap()
            .get("label")
            .is_none()
    );
}

#[test]
fn messages_have_the_word_of_the_experiment() {
    for (from, to, expected) in [
        (
            "{mood}",
            "{taste}",
            "w.yaml:3: 'audio.text' has {taste}; with label: mood write {mood}",
        ),
        (
            "moods:",
            "tastes:",
            "w.yaml:5: with label: mood the key is 'moods', not 'tastes'",
        ),
        (
            "moods: [tense, calm]\n",
            "",
            "w.yaml:3: 'audio.text' has {mood}; list the moods, such as moods: [one, another]",
        ),
        (
            "[tense, calm]",
            "[tense, sad]",
            "cannot use DIR/calm_1.wav: the mood in its name is 'calm' (valid here: tense, sad); call it MOOD_NUMBER, such as tense_01",
        ),
        (
            "[tense, calm]",
            "[tense, all]",
            "w.yaml:5: 'all' stands for all moods together in every table; rename that mood",
        ),
        (
            "[tense, calm]",
            "[tense, \" calm\"]",
            "w.yaml:5: 'moods.1' begins or ends with a space",
        ),
        (
            "moods: [tense, calm]",
            "moods: 3",
            "w.yaml:5: 'moods' must be a list, found the number 3",
        ),
        (
            "moods:",
            "mods:",
            "w.yaml:5: unknown key 'mods'; did you mean 'moods'? (valid here: experiment, notebook, task, label, audio, moods, \
             arms, crops, seed, limit, tsne)",
        ),
        (
            "label: mood",
            "label: [mood]",
            "w.yaml:4: 'label' must be a word, such as mood, or { one: mood, many: moods }, found sequence",
        ),
        (
            "label: mood",
            "label: { one: mood, plural: moods }",
            "w.yaml:4: unknown key 'plural' in 'label' (valid here: one, many)",
        ),
    ] {
        assert_eq!(of_moods(from, to).unwrap_err(), expected);
    }
    for bad in ["two words", "a;b", "1st", "\"\""] {
        let told = of_moods("label: mood", &format!("label: {bad}")).unwrap_err();
        assert!(
            told.contains("w.yaml:4: ") && told.contains("cannot be a word for labels"),
            "{told}"
        );
    }
    for taken in [
        "id",
        "Prompt",
        "arm",
        "crop",
        "condition",
        "offset",
        "{ one: x, many: arms }",
        "{ one: x, many: seed }",
    ] {
        let told = of_moods("label: mood", &format!("label: {taken}")).unwrap_err();
        assert!(
            told.contains("there is a column or a key"),
            "{taken}: {told}"
        );
    }
}

#[test]
fn no_word_is_a_key() {
    let own = Word::default();
    for kind in KINDS {
        let yaml = format!("experiment: x\ntask: {}\nno_such_key: 1\n", kind.name);
        let told = of_text(&yaml, &[]).unwrap_err();
        let valid = told
            .split_once("(valid here: ")
            .unwrap()
            .1
            .trim_end_matches(')');
        for key in valid
            .split(", ")
            .filter(|key| own.columns().all(|own| own != *key))
        {
            assert!(TAKEN.contains(&key), "{key}");
        }
    }
}
