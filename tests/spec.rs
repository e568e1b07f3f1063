//! The cards and the experiment that ship with the harness, and hostile files, through the public interface.

use std::fs;
use std::path::{Path, PathBuf};

use harness::card::{AudioTower, Card, FusionShrink, Kind, Source};
use harness::experiment::{Input, Overrides};
use harness::spec::HeardParts;
use harness::tasks;

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_nine_clap_cards_say_what_is_known_of_their_checkpoints() {
    use AudioTower::{HtsatBase as Base, HtsatTiny as Tiny};
    let expected = [
        (
            "630k-audioset-best",
            "630k-audioset-best.pt",
            Tiny,
            false,
            3,
        ),
        (
            "630k-audioset-fusion-best",
            "630k-audioset-fusion-best.pt",
            Tiny,
            true,
            4,
        ),
        ("630k-best", "630k-best.pt", Tiny, false, 0),
        ("630k-fusion-best", "630k-fusion-best.pt", Tiny, true, 0),
        ("clap-htsat-fused", "pytorch_model.bin", Tiny, true, 0),
        ("clap-htsat-unfused", "pytorch_model.bin", Tiny, false, 0),
        (
            "music_audioset",
            "music_audioset_epoch_15_esc_90.14.pt",
            Base,
            false,
            0,
        ),
        (
            "music_speech",
            "music_speech_epoch_15_esc_89.25.pt",
            Base,
            false,
            0,
        ),
        (
            "music_speech_audioset",
            "music_speech_audioset_epoch_15_esc_89.98.pt",
            Base,
            false,
            0,
        ),
    ];
    let mut cards = Card::all(&shipped("models")).unwrap();
    cards.retain(|card| card.kind == Kind::Clap);
    assert_eq!(cards.len(), expected.len());
    for (card, (name, weights, audio, fusion, known)) in cards.iter().zip(expected) {
        assert_eq!((card.name.as_str(), card.kind), (name, Kind::Clap));
        assert_eq!(
            (card.architecture.audio, card.architecture.fusion),
            (Some(audio), Some(fusion)),
            "{name}"
        );
        assert_eq!(
            (card.known.len(), card.random_weights),
            (known, false),
            "{name}"
        );
        assert_eq!(card.fusion_shrink, FusionShrink::Plain);
        let Source::Hub(hub) = &card.source else {
            panic!("{name} comes from the hub")
        };
        assert!(hub.is_pinned(), "{name}");
        assert!(hub.files.iter().any(|file| file.name == weights), "{name}");
        let Source::Hub(tokenizer) = &card.tokenizer else {
            panic!("{name}'s tokenizer comes from the hub")
        };
        assert_eq!(
            (tokenizer.repo.as_str(), tokenizer.files[0].name.as_str()),
            ("FacebookAI/roberta-base", "tokenizer.json")
        );
    }
    let Source::Hub(music) = &Card::find("music_audioset", &shipped("models"))
        .unwrap()
        .source
    else {
        panic!()
    };
    let sha256 = music.files[0].sha256.as_deref().unwrap();
    assert!(sha256.starts_with("fae3e9c0") && sha256.ends_with("caf6dedd"));
    assert_eq!(music.files[0].bytes, Some(2_352_471_003));
}

#[test]
fn the_weights_experiment_reads_pieces_and_names_cards_that_exist() {
    let pieces = tempfile::tempdir().unwrap();
    for taste in ["sweet", "bitter", "sour", "salty"] {
        for n in 1..=25 {
            fs::write(pieces.path().join(format!("{taste}_{n:02}.wav")), b"").unwrap();
        }
    }
    let overrides = Overrides {
        set: vec![format!("audio.files={}", pieces.path().display())],
        ..Overrides::default()
    };
    let draft = tasks::open(&shipped("experiments/weights.yaml"), &overrides).unwrap();
    let experiment = draft.resolve(None, Vec::new()).unwrap();
    assert_eq!(
        (experiment.name.as_str(), experiment.pieces.len()),
        ("weights", 100)
    );
    assert_eq!(experiment.tastes, ["bitter", "sour", "sweet", "salty"]);
    assert_eq!(
        experiment.pieces[0].prompt,
        "bitter music, ambient for fine restaurant"
    );
    assert_eq!((experiment.seed, experiment.crops), (0, HeardParts::Seeded));
    assert_eq!(experiment.arms.len(), 3);
    for arm in &experiment.arms {
        Card::find(&arm.model, &shipped("models")).unwrap();
    }
}

/// The weights of the first experiment are not at hand in tests; what it makes is known without them.
#[test]
fn the_experiments_that_generate_make_the_pieces_of_the_notebooks() {
    let draft = tasks::open(
        &shipped("experiments/gen_spanio_base.yaml"),
        &Overrides::default(),
    );
    let base = draft.unwrap().resolve(None, Vec::new()).unwrap();
    let ids: Vec<&str> = base.pieces.iter().map(|piece| piece.id.as_str()).collect();
    assert_eq!(
        (ids.len(), ids[0], ids[25], ids[99]),
        (100, "sweet_01", "bitter_01", "salty_25")
    );
    assert_eq!(
        base.pieces[50].prompt,
        "sour music, ambient for fine restaurant"
    );

    let draft = tasks::open(
        &shipped("experiments/gen_spanio.yaml"),
        &Overrides::default(),
    )
    .unwrap();
    let download = draft.download().unwrap();
    assert!(download.url.contains("/matteospanio/taste-music-dataset/"));
    assert!(download.url.ends_with("/descriptions.json") && download.sha256.len() == 64);
    for experiment in [&base, draft.experiment()] {
        let Input::Made(made) = experiment.task.input() else {
            panic!("{} makes no pieces", experiment.name)
        };
        assert_eq!(
            (made.duration_s, made.guidance, made.temperature),
            (29.92, 3.0, 1.0)
        );
        assert_eq!((made.top_k, made.top_p), (50, 1.0));
        let card = Card::find(&made.model, &shipped("models")).unwrap();
        assert_eq!(card.kind, Kind::Musicgen);
        assert_eq!(experiment.arms[0].model, "630k-audioset-fusion-best");
    }
}

#[test]
fn hostile_files_are_refused_with_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.yaml");
    let error = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let experiment = tasks::open(&path, &Overrides::default())
            .unwrap_err()
            .to_string();
        let card = Card::open(&path).unwrap_err().to_string();
        let named = |text: String| text.replace(&path.display().to_string(), "x.yaml");
        (named(experiment), named(card))
    };
    let same = |text: &str| (text.to_owned(), text.to_owned());
    assert_eq!(
        error(b"a: \xff\n"),
        same("cannot read x.yaml: line 1 is not UTF-8; save the file as UTF-8")
    );
    assert_eq!(
        error(&vec![b'#'; 10 << 20]),
        same("cannot read x.yaml: it holds more than 1048576 bytes, the most for such a file")
    );
    assert_eq!(
        error(b""),
        same("x.yaml: the file must be keys and values, found nothing")
    );
    assert_eq!(
        error(b"a: {b: 1"),
        same("x.yaml:1: this is not YAML: unclosed bracket '{'")
    );
    let bomb = "a: &a [x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n\
                c: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c]\n";
    assert_eq!(
        error(bomb.as_bytes()),
        same("x.yaml:4: it nests too deep, repeats too much or is too long for such a file")
    );
    fs::remove_file(&path).unwrap();
    let missing = tasks::open(&path, &Overrides::default())
        .unwrap_err()
        .to_string();
    assert!(
        missing.starts_with("cannot read ") && missing.contains("x.yaml: "),
        "{missing}"
    );
}
