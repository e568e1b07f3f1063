use std::fs;
use std::path::{Path, PathBuf};

use super::*;

const GOOD: &str = "\
kind: clap
source: { hub: lukewys/laion_clap, file: a.pt, revision: main }
tokenizer: { path: ../tokenizer.json }
architecture: { audio: htsat-tiny, fusion: true }
licence: cc0-1.0
known: [{ text: bitter music, begins: [0.5, -0.25] }]
";

fn card(text: &str) -> Result<Card, YamlError> {
    let path = Path::new("models/x.yaml");
    resolve::resolve(&Document::parse(text, path)?, path)
}

fn error(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from));
    card(&GOOD.replace(from, to)).unwrap_err().to_string()
}

#[test]
fn a_card_is_read_with_its_defaults() {
    let card = card(GOOD).unwrap();
    assert_eq!((card.name.as_str(), card.kind), ("x", Kind::Clap));
    assert_eq!(
        card.architecture,
        Architecture {
            audio: Some(AudioTower::HtsatTiny),
            fusion: Some(true)
        }
    );
    assert_eq!(
        (card.fusion_shrink, card.random_weights),
        (FusionShrink::Plain, false)
    );
    assert_eq!(
        card.known,
        [Known {
            text: "bitter music".into(),
            begins: vec![0.5, -0.25]
        }]
    );
    let Source::Hub(hub) = card.source else {
        panic!("a hub source")
    };
    assert_eq!(
        (hub.repo.as_str(), hub.is_pinned(), hub.folder),
        ("lukewys/laion_clap", false, false)
    );
    assert_eq!(
        hub.files,
        [HubFile {
            name: "a.pt".into(),
            sha256: None,
            bytes: None
        }]
    );
    let path = PathBuf::from("models/../tokenizer.json");
    assert_eq!(
        card.tokenizer,
        Source::Path(LocalSource {
            path,
            sha256: None,
            bytes: None
        })
    );
}

#[test]
fn a_folder_of_the_hub_lists_its_files_or_takes_the_usual_ones() {
    let names = |from: &str| {
        let card = card(&GOOD.replace("file: a.pt", from)).unwrap();
        let Source::Hub(hub) = card.source else {
            panic!("a hub source")
        };
        assert!(hub.folder);
        hub.files
    };
    let usual = names("bytes: ");
    assert_eq!(
        usual.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
        ["config.json", "model.safetensors"]
    );
    let sha = "AB".repeat(32);
    let listed = names(&format!(
        "files: [config.json, {{ file: w/model.bin, sha256: {sha}, bytes: 12 }}]"
    ));
    assert_eq!(
        listed[1],
        HubFile {
            name: "w/model.bin".into(),
            sha256: Some("ab".repeat(32)),
            bytes: Some(12)
        }
    );
}

#[test]
fn what_cannot_be_meant_is_an_error_with_the_line() {
    for (from, to, expected) in [
        (
            "kind: clap",
            "kind: clop",
            "models/x.yaml:1: 'kind' cannot be 'clop'; did you mean 'clap'? (valid here: clap, musicgen)",
        ),
        (
            "licence",
            "license",
            "models/x.yaml:5: unknown key 'license'; did you mean 'licence'? (valid here: kind, source, \
          tokenizer, architecture, fusion_shrink, licence, random_weights, known, cite)",
        ),
        (
            "revision",
            "sha",
            "models/x.yaml:2: unknown key 'sha' in 'source' (valid here: hub, file, files, revision, path, sha256, bytes)",
        ),
        (
            "htsat-tiny",
            "htsat-small",
            "models/x.yaml:4: 'architecture.audio' cannot be 'htsat-small' \
          (valid here: htsat-tiny, htsat-base, htsat-large)",
        ),
        (
            "revision: main",
            "sha256: fae3e9c0",
            "models/x.yaml:2: 'source.sha256' is 'fae3e9c0'; a sha256 is 64 hex digits",
        ),
        (
            "revision: main",
            "path: x",
            "models/x.yaml:2: 'source' has both 'hub' and 'path'; keep one",
        ),
        (
            "path: ../tokenizer.json",
            "",
            "models/x.yaml:3: 'tokenizer' needs 'hub' or 'path'",
        ),
        (
            "path: ../tokenizer.json",
            "hub: a/b",
            "models/x.yaml:3: 'tokenizer' is one file: add file: tokenizer.json",
        ),
        (
            "path: ../tokenizer.json",
            "path: x, revision: y",
            "models/x.yaml:3: 'tokenizer.revision' goes with 'hub', not with 'path'",
        ),
        (
            "lukewys/laion_clap",
            "../laion_clap",
            "models/x.yaml:2: 'source.hub' is '../laion_clap'; write owner/name, as on the hub",
        ),
        (
            "a.pt",
            "../a.pt",
            "models/x.yaml:2: 'source.file' is '../a.pt', which is no file of a repository",
        ),
        (
            "main",
            "..",
            "models/x.yaml:2: 'source.revision' is '..'; write a commit or a branch",
        ),
        (
            "file: a.pt",
            "files: [a, a]",
            "models/x.yaml:2: 'source.files' names 'a' twice",
        ),
        (
            "-0.25",
            "-2.5",
            "models/x.yaml:6: 'known.0.begins' must be one or more numbers between -1 and 1",
        ),
        (
            "kind: clap",
            "kind: musicgen",
            "models/x.yaml:4: 'architecture' goes with kind: clap; MusicGen's is read from its config.json",
        ),
        (
            "licence: cc0-1.0\n",
            "",
            "models/x.yaml: the key 'licence' is missing",
        ),
        (
            "licence: cc0-1.0\n",
            "licence: cc0-1.0\ncite: [wu2023clap, wu2023clip]\n",
            "models/x.yaml:6: 'cite' names 'wu2023clip', which is no reference of the program; did you mean 'wu2023clap'? \
          (valid here: wu2023clap, copet2023musicgen, defossez2022encodec, raffel2020t5, spanio2025symphony, \
          agostinelli2023musiclm)",
        ),
    ] {
        assert_eq!(error(from, to), expected);
    }
}

#[test]
fn a_card_is_found_by_name_or_by_path() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "630k-audioset-best.yaml",
        "music_audioset.yaml",
        ".hidden.yaml",
        "notes.txt",
    ] {
        fs::write(folder.path().join(name), GOOD).unwrap();
    }
    fs::create_dir(folder.path().join("graphs")).unwrap();
    assert_eq!(
        Card::find("music_audioset", folder.path()).unwrap().name,
        "music_audioset"
    );
    let path = folder.path().join("630k-audioset-best.yaml");
    assert_eq!(
        Card::find(path.to_str().unwrap(), Path::new("elsewhere"))
            .unwrap()
            .path,
        path
    );
    let all: Vec<String> = Card::all(folder.path())
        .unwrap()
        .into_iter()
        .filter(|card| card.path.starts_with(folder.path()))
        .map(|card| card.name)
        .collect();
    assert_eq!(all, ["630k-audioset-best", "music_audioset"]);
    // Behind them stand those of the program.
    let built_in = Card::find("music_speech", folder.path()).unwrap();
    assert!(!built_in.path.starts_with(folder.path()));

    let shown = folder.path().display();
    let near = Card::find("music_audiset", folder.path())
        .unwrap_err()
        .to_string();
    assert_eq!(
        near,
        format!(
            "no card 'music_audiset' in {shown}; did you mean 'music_audioset'? \
             (cards there: 630k-audioset-best, music_audioset)"
        )
    );
    let far = Card::find("x", folder.path()).unwrap_err().to_string();
    assert_eq!(
        far,
        format!(
            "no card 'x' in {shown}; give the path of a card or one of these: 630k-audioset-best, music_audioset"
        )
    );
    let none = Card::find("x", Path::new("nowhere"))
        .unwrap_err()
        .to_string();
    assert!(
        none.starts_with(
            "no card 'x' in nowhere; give the path of a card or one of these: 630k-audioset-best, "
        ),
        "{none}"
    );
    assert!(
        Card::find("../secret.yaml", folder.path())
            .unwrap_err()
            .to_string()
            .starts_with("cannot read ../secret.yaml: ")
    );
}
