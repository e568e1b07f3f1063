//! Sound files that cannot be used: the file is named, nothing is written, and it is found before a model is loaded.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::{
    Call, FUSED, Models, UNFUSED, card, demo_pieces, names_below, read_embeddings, repository,
    tone, wav, wav_with,
};

/// A folder of sound files beside an empty one for the output.
struct Audio {
    folder: TempDir,
}

impl Audio {
    fn new(files: &[(&str, Vec<u8>)]) -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["audio", "out"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let audio = Self { folder };
        for (name, bytes) in files {
            fs::write(audio.path().join(name), bytes).unwrap();
        }
        audio
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("audio")
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out/out.csv")
    }

    fn embed(&self, models: &Models, card: &str) -> Call {
        Call::embed(models, card)
            .option("--audio", self.path())
            .option("--out", self.out())
    }

    fn nothing_written(&self) {
        let names = names_below(&self.folder.path().join("out"));
        assert!(names.is_empty(), "{names:?}");
    }
}

fn refused(name: &str, bytes: Vec<u8>, words: &[&str]) {
    let audio = Audio::new(&[(name, bytes)]);
    let models = Models::shared();
    let outcome = audio.embed(&models, UNFUSED).fails(1, words);
    assert!(outcome.stderr.contains(name), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("--skip-bad"), "{}", outcome.stderr);
    audio.nothing_written();
}

#[test]
fn a_wav_without_samples() {
    refused("empty.wav", wav(&[]), &["no samples", "make it again"]);
}

#[test]
fn a_file_without_bytes() {
    refused("zero.mp3", Vec::new(), &["the file is empty"]);
}

#[test]
fn a_header_that_claims_more_than_the_file_holds() {
    let mut bytes = wav(&tone(6400));
    bytes.truncate(44 + 2400);
    refused(
        "cut.wav",
        bytes,
        &["claims 6400 samples", "holds 1200", "cut off"],
    );
}

#[test]
fn a_sample_that_is_no_number() {
    let mut samples = vec![0.1f32; 4000];
    samples[321] = f32::NAN;
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    refused("nan.wav", wav_with(3, 32, &data), &["sample 321 is NaN"]);
}

#[test]
fn text_under_the_name_of_a_sound() {
    let bytes = b"<html>404 not found</html>".repeat(40);
    refused(
        "page.flac",
        bytes,
        &["does not begin like a sound file", "convert it"],
    );
}

#[test]
fn a_vorbis_file_that_was_cut_off() {
    let mut bytes = fs::read(demo_pieces().join("sweet_02.ogg")).unwrap();
    bytes.truncate(bytes.len() / 2);
    refused("half.ogg", bytes, &["damaged or cut off"]);
}

#[test]
fn a_hundredth_of_a_second_is_enough() {
    let models = Models::shared();
    let audio = Audio::new(&[("click.wav", wav(&tone(320)))]);
    for card in [FUSED, UNFUSED] {
        audio.embed(&models, card).ok();
        let rows = read_embeddings(&audio.out());
        assert_eq!((rows.len(), rows[0].id.as_str()), (1, "click"));
    }
}

#[test]
fn a_folder_without_sound_files() {
    let models = Models::shared();
    let audio = Audio::new(&[("notes.txt", b"nothing to hear".to_vec())]);
    let path = audio.path();
    audio.embed(&models, UNFUSED).fails(
        2,
        &[
            path.to_str().unwrap(),
            "has no .wav, .flac, .ogg or .mp3 file",
        ],
    );
    audio.nothing_written();
}

#[test]
fn a_path_that_is_not_there() {
    let models = Models::shared();
    let audio = Audio::new(&[]);
    let missing = audio.path().join("gone.wav");
    Call::embed(&models, UNFUSED)
        .option("--audio", &missing)
        .option("--out", audio.out())
        .fails(2, &[missing.to_str().unwrap(), "no such file or folder"]);
    audio.nothing_written();
}

#[test]
fn two_files_with_one_stem() {
    let models = Models::shared();
    let sound = wav(&tone(640));
    let audio = Audio::new(&[("sweet_01.wav", sound.clone()), ("sweet_01.WAV", sound)]);
    audio.embed(&models, UNFUSED).fails(
        2,
        &["sweet_01.wav", "sweet_01.WAV", "'sweet_01'", "rename one"],
    );
    audio.nothing_written();
}

/// One bad file among several, and a card whose checkpoint does not even exist: the file is found first.
#[test]
fn bad_files_are_found_before_a_model_is_looked_for() {
    let models = Models::shared();
    let mut cut = wav(&tone(6400));
    cut.truncate(1000);
    let audio = Audio::new(&[
        ("a.wav", wav(&tone(6400))),
        ("b.wav", cut),
        ("c.wav", wav(&[])),
        ("d.wav", wav(&tone(640))),
    ]);
    let card_path = audio.folder.path().join("nowhere.yaml");
    fs::write(&card_path, card(&repository("nowhere.pt"), "")).unwrap();
    let outcome = audio.embed(&models, card_path.to_str().unwrap()).fails(
        1,
        &[
            "b.wav",
            "c.wav",
            "2 of 4 audio files cannot be used",
            "--skip-bad",
        ],
    );
    assert!(!outcome.stderr.contains("nowhere.pt"), "{}", outcome.stderr);
    audio.nothing_written();
}

#[test]
fn skip_bad_leaves_them_out_and_names_them() {
    let models = Models::shared();
    let mut cut = wav(&tone(6400));
    cut.truncate(1000);
    let audio = Audio::new(&[
        ("a.wav", wav(&tone(6400))),
        ("b.wav", cut),
        ("c.wav", wav(&tone(640))),
    ]);
    let outcome = audio.embed(&models, UNFUSED).arg("--skip-bad").ok();
    assert!(outcome.stderr.contains("b.wav") && outcome.stderr.contains("cut off"));
    let rows = read_embeddings(&audio.out());
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);
}
