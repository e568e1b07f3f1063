use crate::for_tests::runtime;
use checkpoint::musicgen::DecoderConfig;
use onnx_export::musicgen::choice;
use onnx_graph::Precision;
use onnx_graph::{Axis as GraphAxis, Element as Kind, GraphBuilder, Operators, WeightsFile};
use ort_runtime::{GraphFile, Session};
use rand::Rng;

use super::super::job::GenerationSettings;
use super::super::sampler::{Sampler, guide};
use super::*;
use crate::seeds;

const PIECES: usize = 25;
const VOCAB: usize = 512;
const CODEBOOKS: usize = 4;
/// Enough for 100,000 draws of all ways together.
const STEPS: usize = 3 * BLOCK;

fn decoder() -> DecoderConfig {
    DecoderConfig {
        hidden: 8,
        layers: 1,
        heads: 1,
        feed_forward: 8,
        vocab: VOCAB,
        codebooks: CODEBOOKS,
        max_positions: STEPS,
    }
}

/// The choice alone, of the input `logits` `[rows, codebooks * vocab]`.
fn session(folder: &std::path::Path) -> Session {
    let file = folder.join("choice.onnx");
    let mut weights = WeightsFile::create(&folder.join("choice.onnx.data")).unwrap();
    let mut graph = GraphBuilder::new("choice", &mut weights, Operators::Standard);
    let axes = [
        GraphAxis::Named("rows"),
        GraphAxis::Fixed(CODEBOOKS * VOCAB),
    ];
    let logits = graph.input("logits", Kind::Float, &axes);
    let position = graph.input(names::POSITION, Kind::Int64, &[GraphAxis::Fixed(1)]);
    // The decoder's own input, which is fed and not read here.
    let axes = [GraphAxis::Named("pieces"), GraphAxis::Fixed(CODEBOOKS)];
    graph.input(names::CODES, Kind::Int64, &axes);
    let at = choice::At::new(&mut graph, &position);
    choice::build(&mut graph, &decoder(), &logits, &at).unwrap();
    let bytes = graph.encode(("harness", "tests"), &[]);
    weights.finish().unwrap();
    files::write_bytes(&file, &bytes).unwrap();
    let graph = GraphFile {
        path: file,
        sha256: String::new(),
        weights_sha256: String::new(),
        precision: Precision::Fp32,
    };
    runtime().session(&graph, 2).unwrap()
}

/// Logits `[rows, codebooks * vocab]` between about -6 and 6; those of every other step in quarters, so that many are equal.
fn logits(rows: usize, step: usize, rng: &mut ChaCha20Rng) -> Array2<f32> {
    Array2::from_shape_simple_fn((rows, CODEBOOKS * VOCAB), || {
        let uniform = rng.next_u32() as f32 / u32::MAX as f32;
        let logit = 12.0 * uniform - 6.0;
        match step % 2 {
            0 => logit,
            _ => (4.0 * logit).round() / 4.0,
        }
    })
}

fn streams(what: &str) -> Vec<ChaCha20Rng> {
    let of = |piece: usize| seeds::stream(3, what, &piece.to_string(), "sampling");
    (0..PIECES).map(of).collect()
}

/// What the graph has chosen after `STEPS` steps on logits of our own, and what the host chooses of the same:
/// `[steps, pieces, codebooks]` each, and what was fed last.
fn both(session: &mut Session, settings: &GenerationSettings) -> (Array3<i64>, Array3<i64>) {
    let decoder = decoder();
    let asked = Asked {
        first: 0,
        decoder: &decoder,
        settings,
    };
    let guided = settings.is_guided();
    let rows = if guided { 2 * PIECES } else { PIECES };
    let mut bound = Bound::new(session).unwrap();
    let mut steps = Steps::new(&mut bound, &asked, streams("draws")).unwrap();
    let mut host = streams("draws");
    let mut sampler = Sampler::new(settings.choice);
    let mut numbers = seeds::stream(3, "logits", "all", "sampling");
    let shape = (STEPS, PIECES, CODEBOOKS);
    let (mut by_graph, mut by_host) = (Array3::zeros(shape), Array3::zeros(shape));
    let mut guidance = Vec::new();
    for start in (0..STEPS).step_by(BLOCK) {
        steps.begin(&mut bound, start, BLOCK).unwrap();
        if start == 0 {
            // As a recording does: what is left of its runs does not count.
            let logits = Array2::<f32>::zeros((rows, CODEBOOKS * VOCAB));
            bound.input("logits", logits.view().into_dyn()).unwrap();
            (0..3).for_each(|_| bound.run().unwrap());
            assert!(check_steps(&mut bound, 0).is_err());
            steps.silence(&mut bound).unwrap();
            check_steps(&mut bound, 0).unwrap();
        }
        for step in start..start + BLOCK {
            let logits = logits(rows, step, &mut numbers);
            bound.input("logits", logits.view().into_dyn()).unwrap();
            bound.run().unwrap();
            for piece in 0..PIECES {
                for codebook in 0..CODEBOOKS {
                    let of_row = |row: usize| {
                        let logits = logits.row(row);
                        logits.to_slice().unwrap()[codebook * VOCAB..][..VOCAB].to_vec()
                    };
                    let mut own = of_row(piece);
                    if guided {
                        let null = of_row(PIECES + piece);
                        guide(&own, &null, settings.guidance, &mut guidance);
                        own.clone_from(&guidance);
                    }
                    by_host[[step, piece, codebook]] =
                        sampler.choose(&own, &mut host[piece]).unwrap();
                }
            }
        }
        let history = bound.left_in::<i64>(names::HISTORY).unwrap();
        for ((step, piece, codebook), code) in by_graph
            .slice_mut(ndarray::s![start..start + BLOCK, .., ..])
            .indexed_iter_mut()
        {
            *code = history[(piece * CODEBOOKS + codebook) * BLOCK + step];
        }
    }
    check_steps(&mut bound, STEPS).unwrap();
    (by_graph, by_host)
}

fn sample(temperature: f32, top_k: usize, top_p: f32) -> Choice {
    Choice::sample(temperature, top_k, top_p).unwrap()
}

#[test]
fn the_graph_draws_what_the_host_draws() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path());
    let (mut draws, mut differ) = (0, 0);
    for (guidance, choice) in [
        (3.0, Choice::Greedy),
        (1.0, sample(1.0, 0, 1.0)),
        (3.0, sample(1.0, 250, 1.0)),
        (3.0, sample(0.7, 50, 1.0)),
        (1.0, sample(1.3, 0, 0.9)),
        (2.5, sample(1.0, 250, 0.5)),
        (3.0, sample(1.0, 1, 1.0)),
        (1.0, sample(1.0, VOCAB, 1e-30)),
    ] {
        let settings = GenerationSettings {
            steps: STEPS,
            guidance,
            choice,
        };
        let (by_graph, by_host) = both(&mut session, &settings);
        // On every step each codebook is compared, also where it does not speak.
        let apart = by_graph
            .iter()
            .zip(&by_host)
            .filter(|(a, b)| a != b)
            .count();
        println!(
            "{choice:?}, guidance {guidance}: {apart} of {} differ",
            by_host.len()
        );
        draws += by_host.len();
        differ += apart;
        let distinct: std::collections::BTreeSet<_> = by_host.iter().collect();
        assert!(distinct.len() > VOCAB / 2, "{choice:?}");
    }
    assert!(draws >= 100_000, "{draws}");
    // A draw in the last bit of a border may fall to the other side; of so many none did.
    assert_eq!(differ, 0, "of {draws}");
}

#[test]
fn a_logit_that_is_not_finite_is_told_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path());
    let decoder = decoder();
    for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for choice in [Choice::Greedy, sample(1.0, 50, 0.9)] {
            let settings = GenerationSettings {
                steps: STEPS,
                guidance: 3.0,
                choice,
            };
            let asked = Asked {
                first: 0,
                decoder: &decoder,
                settings: &settings,
            };
            let mut bound = Bound::new(&mut session).unwrap();
            let mut steps = Steps::new(&mut bound, &asked, streams("draws")).unwrap();
            steps.begin(&mut bound, 0, BLOCK).unwrap();
            let mut numbers = seeds::stream(4, "logits", "all", "sampling");
            let mut logits = logits(2 * PIECES, 0, &mut numbers);
            // Of the null row of the second piece, its third codebook.
            logits[[PIECES + 1, 2 * VOCAB + 7]] = broken;
            bound.input("logits", logits.view().into_dyn()).unwrap();
            bound.run().unwrap();
            let history = bound.left_in::<i64>(names::HISTORY).unwrap();
            for (at, codes) in history.chunks_exact(BLOCK).enumerate() {
                let told = codes[0] == NOT_FINITE;
                assert_eq!(told, at == CODEBOOKS + 2, "{at}, {broken}, {choice:?}");
            }
            // Only the first codebook speaks at the first step: the others are fed the pad.
            let fed = bound.left_in::<i64>(names::CODES).unwrap();
            for of_piece in fed.chunks_exact(CODEBOOKS) {
                assert!((0..VOCAB as i64).contains(&of_piece[0]));
                assert!(
                    of_piece[1..]
                        .iter()
                        .all(|&code| code == decoder.pad() as i64)
                );
            }
        }
    }
}

#[test]
fn a_block_is_told_to_the_pieces_and_a_broken_one_is_an_error() {
    let decoder = decoder();
    let settings = GenerationSettings {
        steps: 6,
        guidance: 1.0,
        choice: Choice::Greedy,
    };
    let asked = Asked {
        first: 10,
        decoder: &decoder,
        settings: &settings,
    };
    let frames = delay::frames(6, CODEBOOKS);
    let told = || vec![asked.silent(); 2];
    let mut history = vec![7; 2 * CODEBOOKS * BLOCK];
    let mut pieces = told();
    tell(&mut pieces, &history, 0, 6, &asked).unwrap();
    for codes in pieces {
        assert_eq!(
            codes.into_codes(),
            Array2::from_elem((CODEBOOKS, frames), 7)
        );
    }
    // The last codebook does not speak at the first step, and does at the fourth.
    let last = (CODEBOOKS + CODEBOOKS - 1) * BLOCK;
    history[last] = NOT_FINITE;
    tell(&mut told(), &history, 0, 6, &asked).unwrap();
    history[last + 3] = NOT_FINITE;
    let error = tell(&mut told(), &history, 0, 6, &asked).unwrap_err();
    assert!(
        matches!(error, GenerateError::NotFinite { job: 11, step: 3 }),
        "{error}"
    );
}
