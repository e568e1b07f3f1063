//! MusicGen's text encoder, cross-attention and decoder against transformers, and pieces in batches against pieces alone.
//!
//! The golden values are described in `tests/golden/musicgen/README.md`; the codec's are in `codec.rs`.

use std::path::{Path, PathBuf};

use checkpoint::musicgen::DecoderConfig;
use harness::card::Card;
use harness::model::Model;
use ndarray::{Array1, Array4, ArrayD, ArrayViewD, Axis, Ix2, arr0, s};
use onnx_export::musicgen::names;
use onnx_export::{Exported, Target};
use ort_runtime::{Bound, Input, Runtime, Session};
use pipelines::musicgen::{Choice, GenerateError, Generated, GenerationSettings, Generator, Job};
use safetensors::SafeTensors;
use tempfile::TempDir;

#[path = "support/runtime.rs"]
mod support;

use support::runtime;

/// Relative L2 against transformers that the decoder and the text encoder may be off; seen: 1e-6.
const TOLERANCE: f32 = 1e-5;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A checkpoint with its golden values.
struct Case {
    _models: TempDir,
    export: Exported,
    tokenizer: PathBuf,
    golden: Vec<u8>,
}

/// The demo's checkpoint, and a sharded one with the other spelling of weight norm and other sizes.
fn cases() -> [Case; 2] {
    let tokenizer = root().join("assets/demo/musicgen/tokenizer.json");
    [
        ("tasty-musicgen-small", "assets/demo/musicgen"),
        ("musicgen_sharded", "tests/data/musicgen_sharded"),
    ]
    .map(|(name, checkpoint)| {
        let models = tempfile::tempdir().unwrap();
        let card = models.path().join("card.yaml");
        let text = format!(
            "kind: musicgen\nsource: {{ path: {} }}\ntokenizer: {{ path: {} }}\nlicence: cc0-1.0\n",
            root().join(checkpoint).display(),
            tokenizer.display()
        );
        std::fs::write(&card, text).unwrap();
        let model = Model::obtain(Card::open(&card).unwrap(), true).unwrap();
        let ready = model
            .export(models.path(), Target::REFERENCE, None)
            .unwrap();
        assert_eq!(ready.leftover, [""; 0]);
        let golden = format!("tests/golden/musicgen/{name}.safetensors");
        Case {
            export: ready.export,
            tokenizer: tokenizer.clone(),
            golden: std::fs::read(root().join(golden)).unwrap(),
            _models: models,
        }
    })
}

impl Case {
    fn f32(&self, name: &str) -> ArrayD<f32> {
        let tensors = SafeTensors::deserialize(&self.golden).unwrap();
        let view = tensors.tensor(name).unwrap();
        let values = view.data().chunks_exact(4);
        let values = values.map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        ArrayD::from_shape_vec(view.shape(), values.collect()).unwrap()
    }

    fn i64(&self, name: &str) -> ArrayD<i64> {
        let tensors = SafeTensors::deserialize(&self.golden).unwrap();
        let view = tensors.tensor(name).unwrap();
        let values = view.data().chunks_exact(8);
        let values = values.map(|b| i64::from_le_bytes(b.try_into().unwrap()));
        ArrayD::from_shape_vec(view.shape(), values.collect()).unwrap()
    }

    /// The texts that the pieces were generated from.
    fn prompts(&self) -> Vec<String> {
        let (_, metadata) = SafeTensors::read_metadata(&self.golden).unwrap();
        let entries = metadata.metadata().as_ref().unwrap();
        let texts: Vec<String> = serde_json::from_str(&entries["texts"]).unwrap();
        let generated: Vec<usize> = serde_json::from_str(&entries["generated"]).unwrap();
        generated.into_iter().map(|i| texts[i].clone()).collect()
    }

    fn decoder(&self) -> &DecoderConfig {
        &self.export.musicgen().unwrap().decoder
    }

    fn session(&self, runtime: &Runtime, graph: &str) -> Session {
        runtime
            .session(&self.export.graph(graph).unwrap(), 2)
            .unwrap()
    }
}

/// Relative L2 distance from `expected`.
fn apart(found: ArrayViewD<f32>, expected: ArrayViewD<f32>) -> f32 {
    assert_eq!(found.shape(), expected.shape());
    let norm = |x: ArrayD<f32>| x.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
    (norm(&found - &expected) / norm(expected.to_owned())) as f32
}

/// The states of each text alone `[1, tokens, hidden]`, given padded ids and their mask.
fn states(encoder: &mut Session, ids: &ArrayD<i64>, mask: &ArrayD<i64>) -> Vec<ArrayD<f32>> {
    let rows = ids.outer_iter().zip(mask.outer_iter());
    rows.map(|(ids, mask)| {
        let tokens = mask.sum() as usize;
        let ids = ids.into_dimensionality::<ndarray::Ix1>().unwrap();
        let ids = ids.slice(s![..tokens]).insert_axis(Axis(0)).to_owned();
        let inputs = [("input_ids", Input::Int64(ids.view().into_dyn()))];
        let [states] = encoder.run(&inputs, ["last_hidden_state"]).unwrap();
        states
    })
    .collect()
}

#[test]
fn the_text_encoder_is_transformers() {
    let runtime = runtime();
    for case in cases() {
        let mut encoder = case.session(runtime, names::TEXT);
        let (ids, mask) = (case.i64("t5.input_ids"), case.i64("t5.attention_mask"));
        let expected = case.f32("t5.last_hidden_state_masked");
        for (text, found) in states(&mut encoder, &ids, &mask).iter().enumerate() {
            let tokens = found.shape()[1];
            let expected = expected.slice_each_axis(|axis| match axis.axis.index() {
                0 => (text..text + 1).into(),
                1 => (..tokens).into(),
                _ => (..).into(),
            });
            let apart = apart(found.view(), expected);
            assert!(
                apart <= TOLERANCE,
                "{}: text {text} {apart:e}",
                case.export.architecture
            );
        }
    }
}

/// The cross-attention's inputs of the decoder for texts of any lengths, padded to the longest.
fn attend(case: &Case, runtime: &Runtime, bound: &mut Bound) -> usize {
    let (ids, mask) = (
        case.i64("musicgen.input_ids"),
        case.i64("musicgen.attention_mask"),
    );
    let states = states(&mut case.session(runtime, names::TEXT), &ids, &mask);
    let (texts, longest) = (states.len(), ids.shape()[1]);
    let mut cross = case.session(runtime, names::CROSS);
    let decoder = case.decoder();
    let mut wanted = vec!["encoder_hidden_states".to_owned()];
    wanted.extend((0..decoder.layers).flat_map(names::cross));
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let shape = (texts, decoder.heads, longest, decoder.head_dim());
    let mut padded = vec![Array4::<f32>::zeros(shape); wanted.len() - 1];
    let mut bias = Array4::from_elem((texts, 1, 1, longest), f32::MIN);
    let expected = case.f32("musicgen.encoder_hidden_states");
    for (text, states) in states.iter().enumerate() {
        let inputs = [("last_hidden_state", Input::Float(states.view()))];
        let outputs = cross.run_all(&inputs, &wanted).unwrap();
        let tokens = states.shape()[1];
        let expected = expected.slice_each_axis(|axis| match axis.axis.index() {
            0 => (text..text + 1).into(),
            1 => (..tokens).into(),
            _ => (..).into(),
        });
        let apart = apart(outputs[0].view(), expected);
        assert!(apart <= TOLERANCE, "projected text {text}: {apart:e}");
        bias.slice_mut(s![text, .., .., ..tokens]).fill(0.0);
        for (padded, output) in padded.iter_mut().zip(&outputs[1..]) {
            let output = output.view().into_dimensionality::<ndarray::Ix4>().unwrap();
            let mut place = padded.slice_mut(s![text..text + 1, .., ..tokens, ..]);
            place.assign(&output);
        }
    }
    for (name, padded) in wanted[1..].iter().zip(&padded) {
        bound.input(name, padded.view().into_dyn()).unwrap();
    }
    bound.input("cross_bias", bias.view().into_dyn()).unwrap();
    texts
}

#[test]
fn the_logits_are_transformers_step_by_step() {
    let runtime = runtime();
    for case in cases() {
        let DecoderConfig {
            codebooks,
            vocab,
            heads,
            layers,
            ..
        } = *case.decoder();
        let head_dim = case.decoder().head_dim();
        let ids = case.i64("musicgen.decoder_input_ids");
        let steps = ids.shape()[2];
        let mut decoder = case.session(runtime, names::DECODER);
        let mut bound = Bound::new(&mut decoder).unwrap();
        let texts = attend(&case, runtime, &mut bound);
        let rows = 2 * texts;
        let index = |i: usize| i as i64;
        let pieces: Array1<i64> = (0..texts).chain(0..texts).map(index).collect();
        let seeing: Array1<i64> = (0..texts).map(index).collect();
        let places: Array1<i64> = (0..rows).map(|row| index(row.min(texts))).collect();
        bound.input("row_pieces", pieces.view().into_dyn()).unwrap();
        bound.input("cross_rows", seeing.view().into_dyn()).unwrap();
        bound
            .input("cross_places", places.view().into_dyn())
            .unwrap();
        let pairs: Vec<_> = (0..layers)
            .flat_map(|layer| names::past(layer).into_iter().zip(names::present(layer)))
            .collect();
        bound
            .caches(&pairs, &[rows, heads, steps, head_dim])
            .unwrap();
        bound.output("logits", &[rows, codebooks * vocab]).unwrap();

        let padded = case.f32("musicgen.logits_padded");
        let null = case.f32("musicgen.logits_uncond");
        for step in 0..steps {
            let codes = ids
                .index_axis(Axis(2), step)
                .into_dimensionality::<Ix2>()
                .unwrap();
            bound
                .input("codes", codes.to_owned().view().into_dyn())
                .unwrap();
            let position = Array1::from_elem(1, index(step));
            bound.input("position", position.view().into_dyn()).unwrap();
            let lengths = Array1::from_elem(rows, step as i32);
            bound.input("lengths", lengths.view().into_dyn()).unwrap();
            bound
                .input("total", arr0(step as i32 + 1).view().into_dyn())
                .unwrap();
            bound.run().unwrap();
            let logits = bound.read("logits").unwrap();
            let logits =
                Array4::from_shape_vec((2, texts, codebooks, vocab), logits.to_vec()).unwrap();
            let at = |expected: &ArrayD<f32>| expected.index_axis(Axis(2), step).to_owned();
            for (branch, expected) in [(0, at(&padded)), (1, at(&null))] {
                let found = logits.index_axis(Axis(0), branch).into_dyn();
                let apart = apart(found, expected.view());
                assert!(
                    apart <= TOLERANCE,
                    "step {step}, branch {branch}: {apart:e}"
                );
            }
            for text in 0..texts {
                let single = at(&case.f32(&format!("musicgen.logits_single.{text}")));
                let found = logits.slice(s![0, text..text + 1, .., ..]).into_dyn();
                let apart = apart(found, single.view());
                assert!(
                    apart <= TOLERANCE,
                    "step {step}, text {text} alone: {apart:e}"
                );
            }
        }
    }
}

fn jobs(prompts: &[String]) -> Vec<Job> {
    let jobs = prompts.iter().enumerate();
    jobs.map(|(i, prompt)| Job {
        prompt: prompt.clone(),
        rng: pipelines::seeds::stream(7, "test", &i.to_string(), "sampling"),
    })
    .collect()
}

/// The pieces of all prompts, made `at_once` in a batch.
fn make(
    generator: &mut Generator,
    prompts: &[String],
    settings: &GenerationSettings,
    at_once: usize,
) -> Vec<Generated> {
    let mut pieces = Vec::new();
    let mut steps = 0;
    let mut progress = |_| {
        steps += 1;
        Ok(())
    };
    let each = |index: usize, piece| -> Result<(), GenerateError> {
        assert_eq!(
            index,
            pieces.len(),
            "pieces come in the order of their jobs"
        );
        pieces.push(piece);
        Ok(())
    };
    let made = generator.generate(jobs(prompts), settings, Some(at_once), &mut progress, each);
    made.unwrap();
    assert_eq!(steps, settings.steps * prompts.len().div_ceil(at_once));
    pieces
}

#[test]
fn greedy_codes_with_guidance_are_transformers() {
    let runtime = runtime();
    for case in cases() {
        let mut generator = Generator::load(runtime, &case.export, &case.tokenizer).unwrap();
        let settings = GenerationSettings {
            steps: 24,
            guidance: 3.0,
            choice: Choice::Greedy,
        };
        let expected = case.i64("musicgen.greedy_codes");
        let pieces = make(&mut generator, &case.prompts(), &settings, 3);
        for (piece, expected) in pieces.iter().zip(expected.outer_iter()) {
            assert_eq!(piece.codes.view().into_dyn(), expected);
        }
        assert_eq!(pieces.len(), expected.shape()[0]);
    }
}

#[test]
fn a_piece_is_the_same_to_the_bit_in_every_batch() {
    let runtime = runtime();
    let case = &cases()[0];
    let mut generator = Generator::load(runtime, &case.export, &case.tokenizer).unwrap();
    // From one token to several hundred, so that what is padded differs from batch to batch.
    let prompts: Vec<String> = [0, 3, 1, 90, 0, 12, 30, 5, 2]
        .map(|n| "slow strings, ".repeat(n))
        .into();
    for guidance in [1.0, 3.0] {
        let settings = GenerationSettings {
            steps: 40,
            guidance,
            choice: Choice::sample(1.0, 20, 0.95).unwrap(),
        };
        let alone = make(&mut generator, &prompts, &settings, 1);
        for at_once in [2, 3, 8, 9] {
            let together = make(&mut generator, &prompts, &settings, at_once);
            for (index, (a, b)) in alone.iter().zip(&together).enumerate() {
                assert_eq!(a.codes, b.codes, "piece {index} of {at_once} at once");
                let bits = |piece: &Generated| -> Vec<u32> {
                    piece.audio.iter().map(|x| x.to_bits()).collect()
                };
                assert_eq!(bits(a), bits(b), "piece {index} of {at_once} at once");
            }
        }
        // The stream decides, not the prompt alone: the first and the fifth have the same.
        assert_ne!(alone[0].codes, alone[4].codes);
    }
}

#[test]
fn what_cannot_be_made_is_refused_with_the_limit() {
    let runtime = runtime();
    let case = &cases()[0];
    let generator = Generator::load(runtime, &case.export, &case.tokenizer).unwrap();
    let good = GenerationSettings {
        steps: 40,
        guidance: 3.0,
        choice: Choice::Greedy,
    };
    let refuse = |prompts: &[String], settings: &GenerationSettings| -> GenerateError {
        generator.check(&jobs(prompts), settings).unwrap_err()
    };
    let one = ["sweet music".to_owned()];
    generator.check(&jobs(&one), &good).unwrap();
    let limit = case.decoder().max_positions;
    generator
        .check(
            &jobs(&one),
            &GenerationSettings {
                steps: limit,
                ..good
            },
        )
        .unwrap();
    let long = refuse(
        &one,
        &GenerationSettings {
            steps: limit + 1,
            ..good
        },
    );
    assert!(
        long.to_string().contains(&format!("{limit} positions")),
        "{long}"
    );
    let short = refuse(&one, &GenerationSettings { steps: 3, ..good });
    assert!(short.to_string().contains("at least 4 steps"), "{short}");
    for guidance in [0.5, f32::NAN, f32::INFINITY] {
        let message = refuse(&one, &GenerationSettings { guidance, ..good }).to_string();
        assert!(message.contains("at least 1"), "{message}");
    }
    let vocab = case.decoder().vocab;
    let choice = Choice::sample(1.0, vocab + 1, 1.0).unwrap();
    let wide = refuse(&one, &GenerationSettings { choice, ..good });
    assert!(wide.to_string().contains(&vocab.to_string()), "{wide}");
    let words = ["".to_owned(), "word ".repeat(10_000)];
    let error = refuse(&words, &good);
    assert_eq!(error.job(), Some(1));
    assert!(error.to_string().contains("512"), "{error}");
}

/// A tokenizer whose ids the embedding does not have would read rows that belong to nothing.
#[test]
fn a_tokenizer_that_is_larger_than_the_embedding_is_refused() {
    let runtime = runtime();
    let case = &cases()[0];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    let mut tokenizer: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&case.tokenizer).unwrap()).unwrap();
    let vocab = tokenizer["model"]["vocab"].as_array_mut().unwrap();
    let rows = case.export.musicgen().unwrap().text.vocab;
    while vocab.len() <= rows {
        vocab.push(serde_json::json!([format!("new{}", vocab.len()), -9.0]));
    }
    std::fs::write(&path, tokenizer.to_string()).unwrap();
    let load = |path: &Path| Generator::load(runtime, &case.export, path).err().unwrap();
    let message = load(&path).to_string();
    assert!(
        message.contains("does not belong to this checkpoint"),
        "{message}"
    );
    assert!(message.contains(&format!("{rows} rows")), "{message}");
    std::fs::write(&path, "{}").unwrap();
    assert!(load(&path).to_string().contains("T5's tokenizer.json"));
    let roberta = root().join("assets/demo/tokenizer.json");
    let message = load(&roberta).to_string();
    assert!(message.contains("</s>"), "{message}");
}
