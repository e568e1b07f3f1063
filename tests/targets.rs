//! The graphs of every target that a CPU can run, against those of the reference: another set of operators, another cache,
//! another precision. What a GPU's provider reads is run by the CPU's kernels here (fp16 with casts around them), which
//! holds the graphs to their meaning, not the provider.

use std::path::{Path, PathBuf};

use clap_audio::FusionShrink;
use harness::card::Card;
use harness::model::{Model, prepare};
use ndarray::{Array2, ArrayView1};
use onnx_export::{Exported, Target};
use onnx_graph::Precision;
use ort_runtime::{Provider, Runtime};
use pipelines::clips::CropChoice;
use pipelines::musicgen::{Choice, GenerateError, Generated, GenerationSettings, Generator, Job};
use pipelines::{AudioTower, EmbedError, TextTower};

#[path = "support/runtime.rs"]
mod support;

use support::runtime;

/// Embeddings in fp32 from other operators.
const SAME: f32 = 1e-6;
/// Embeddings in another precision: 1 - cosine.
const CLOSE: f32 = 1e-3;
/// The same in int8: the demo's towers are narrower than real ones, so that rounding averages out less.
const CLOSE_INT8: f32 = 3e-3;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn model(name: &str) -> Model {
    let cards = root().join("assets/demo/models");
    Model::obtain(Card::find(name, &cards).unwrap(), true).unwrap()
}

fn exported(model: &Model, models: &Path, target: Target) -> Exported {
    let open = || -> anyhow::Result<Runtime> { Ok(runtime().clone()) };
    prepare(model, models, target, open).unwrap().export
}

fn target(provider: Provider, precision: Precision) -> Target {
    Target {
        provider,
        precision,
    }
}

fn apart(a: ArrayView1<f32>, b: ArrayView1<f32>) -> f32 {
    1.0 - a.dot(&b)
}

fn furthest(a: &Array2<f32>, b: &Array2<f32>) -> f32 {
    assert_eq!(a.dim(), b.dim());
    let rows = a.rows().into_iter().zip(b.rows());
    rows.map(|(a, b)| apart(a, b)).fold(0.0, f32::max)
}

const TEXTS: [&str; 5] = [
    "sweet music, ambient for fine restaurant",
    "sour",
    "a low voice sings slowly over strings and a piano, and far away there are bells",
    "bitter music, ambient for fine restaurant",
    "",
];

fn texts(model: &Model, export: &Exported, texts: &[&str]) -> Array2<f32> {
    let mut tower = TextTower::load(runtime(), export, &model.tokenizer.path).unwrap();
    tower.embed(texts, |_| Ok(())).unwrap()
}

fn clips(export: &Exported) -> Array2<f32> {
    let folder = root().join("tests/data/pieces");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "wav"))
        .collect();
    paths.sort();
    assert!(paths.len() > 1);
    let names: Vec<(&str, &Path)> = paths.iter().map(|path| ("", path.as_path())).collect();
    let shrink = FusionShrink::default();
    let mut tower = AudioTower::load(runtime(), export, shrink, names.len()).unwrap();
    let choice = CropChoice::Recorded(Default::default());
    let mut rows = Vec::new();
    tower
        .embed(&names, &choice, |clip| -> Result<(), EmbedError> {
            rows.push(clip.embedding.to_owned());
            Ok(())
        })
        .unwrap();
    let views: Vec<_> = rows.iter().map(|row| row.view()).collect();
    ndarray::stack(ndarray::Axis(0), &views).unwrap()
}

#[test]
fn embeddings_of_every_target_are_those_of_the_reference() {
    for name in [
        "630k-audioset-fusion-best",
        "630k-audioset-best",
        "music_audioset",
    ] {
        let model = model(name);
        let models = tempfile::tempdir().unwrap();
        let reference = exported(&model, models.path(), Target::REFERENCE);
        let (audio, text) = (clips(&reference), texts(&model, &reference, &TEXTS));
        for (target, audio_bar, text_bar) in [
            (target(Provider::OpenVino, Precision::Fp32), SAME, SAME),
            (target(Provider::Cuda, Precision::Fp32), SAME, SAME),
            (target(Provider::OpenVino, Precision::Bf16), SAME, SAME),
            (target(Provider::Cuda, Precision::Fp16), CLOSE, CLOSE),
            (target(Provider::TensorRt, Precision::Fp16), CLOSE, CLOSE),
            (
                target(Provider::Cpu, Precision::Int8),
                CLOSE_INT8,
                CLOSE_INT8,
            ),
        ] {
            let export = exported(&model, models.path(), target);
            let audio_apart = furthest(&clips(&export), &audio);
            let text_apart = furthest(&texts(&model, &export, &TEXTS), &text);
            println!("{name} {target:?}: audio {audio_apart:.1e}, text {text_apart:.1e}");
            assert!(audio_apart <= audio_bar, "{name} {target:?}");
            assert!(text_apart <= text_bar, "{name} {target:?}");
        }
    }
}

/// Rounding to int8 must not make a text depend on its neighbours: only the order of float sums does.
#[test]
fn a_text_in_int8_does_not_depend_on_the_others() {
    let model = model("music_audioset");
    let models = tempfile::tempdir().unwrap();
    let export = exported(
        &model,
        models.path(),
        target(Provider::Cpu, Precision::Int8),
    );
    let together = texts(&model, &export, &TEXTS);
    for (i, text) in TEXTS.iter().enumerate() {
        let alone = texts(&model, &export, &[text]);
        let apart = apart(alone.row(0), together.row(i));
        assert!(apart <= 1e-5, "{text:?}: {apart:e}");
    }
}

fn make(
    model: &Model,
    export: &Exported,
    settings: &GenerationSettings,
    at_once: usize,
) -> Vec<Generated> {
    let mut generator = Generator::load(runtime(), export, &model.tokenizer.path).unwrap();
    let jobs = TEXTS.iter().enumerate().map(|(i, prompt)| Job {
        prompt: (*prompt).to_owned(),
        rng: pipelines::seeds::stream(7, "test", &i.to_string(), "sampling"),
    });
    let mut pieces = Vec::new();
    let each = |_, piece| -> Result<(), GenerateError> {
        pieces.push(piece);
        Ok(())
    };
    generator
        .generate(
            jobs.collect(),
            settings,
            Some(at_once),
            &mut |_| Ok(()),
            each,
        )
        .unwrap();
    pieces
}

/// The part of all codes that differ.
fn codes_apart(a: &[Generated], b: &[Generated]) -> f64 {
    let mut differ = 0;
    let mut all = 0;
    for (a, b) in a.iter().zip(b) {
        differ += a.codes.iter().zip(&b.codes).filter(|(a, b)| a != b).count();
        all += a.codes.len();
    }
    differ as f64 / all as f64
}

#[test]
fn every_form_of_the_cache_leads_to_the_same_codes() {
    let model = model("tasty-musicgen-small");
    let models = tempfile::tempdir().unwrap();
    // Longer than one growth of a cache that grows.
    let settings = GenerationSettings {
        steps: 300,
        guidance: 3.0,
        choice: Choice::sample(1.0, 20, 1.0).unwrap(),
    };
    let reference = exported(&model, models.path(), Target::REFERENCE);
    let expected = make(&model, &reference, &settings, 5);
    for (target, bar) in [
        // Written in place by a standard operator; handed to the caller; half precision in place.
        (target(Provider::Cuda, Precision::Fp32), 0.0),
        (target(Provider::OpenVino, Precision::Fp32), 0.0),
        (target(Provider::Cuda, Precision::Fp16), 0.5),
    ] {
        let export = exported(&model, models.path(), target);
        let found = codes_apart(&expected, &make(&model, &export, &settings, 5));
        println!("{target:?}: {found:.4} of the codes differ");
        assert!(found <= bar, "{target:?}: {found}");
    }
}

#[test]
fn the_graph_chooses_the_codes_that_the_host_chooses() {
    let model = model("tasty-musicgen-small");
    let models = tempfile::tempdir().unwrap();
    let reference = exported(&model, models.path(), Target::REFERENCE);
    let chooses = exported(
        &model,
        models.path(),
        target(Provider::Cuda, Precision::Fp32),
    );
    assert!(chooses.chooses_codes && !reference.chooses_codes);
    // Shorter than a block, a block, and longer; every way to choose, with guidance and without.
    for (steps, guidance, choice) in [
        (4, 3.0, Choice::Greedy),
        (50, 3.0, Choice::sample(1.0, 0, 1.0).unwrap()),
        (70, 1.0, Choice::sample(0.8, 0, 0.9).unwrap()),
        (101, 2.0, Choice::sample(1.2, 50, 0.8).unwrap()),
    ] {
        let settings = GenerationSettings {
            steps,
            guidance,
            choice,
        };
        let expected = make(&model, &reference, &settings, 5);
        for at_once in [1, 2, 5] {
            let found = make(&model, &chooses, &settings, at_once);
            let apart = codes_apart(&expected, &found);
            assert_eq!(apart, 0.0, "{settings:?}, {at_once} at once");
        }
    }
}

#[test]
fn a_piece_in_int8_is_the_same_to_the_bit_in_every_batch() {
    let model = model("tasty-musicgen-small");
    let models = tempfile::tempdir().unwrap();
    let settings = GenerationSettings {
        steps: 60,
        guidance: 3.0,
        choice: Choice::sample(1.0, 20, 1.0).unwrap(),
    };
    let export = exported(
        &model,
        models.path(),
        target(Provider::Cpu, Precision::Int8),
    );
    let alone = make(&model, &export, &settings, 1);
    for at_once in [2, 5] {
        let together = make(&model, &export, &settings, at_once);
        for (a, b) in alone.iter().zip(&together) {
            assert_eq!(a.codes, b.codes, "{at_once} at once");
            assert_eq!(a.audio, b.audio, "{at_once} at once");
        }
    }
    // int8 is not fp32 by another name.
    let reference = exported(&model, models.path(), Target::REFERENCE);
    assert!(codes_apart(&alone, &make(&model, &reference, &settings, 1)) > 0.0);
}
