//! EnCodec's decoder against transformers (`tests/golden/musicgen`), and what must not change a piece's samples.

use std::path::Path;

use checkpoint::Checkpoint;
use checkpoint::musicgen::MusicgenWeights;
use ndarray::{Array2, Array3, ArrayD, ArrayView2, Axis, s};
use onnx_export::musicgen::{Stages, names};
use onnx_export::{self, Exported, ModelWeights, Target};
use ort_runtime::{Input, Session};
use pipelines::musicgen::{Codec, GenerateError};
use rand::Rng;
use safetensors::SafeTensors;

#[path = "support/runtime.rs"]
mod support;

use support::runtime;

/// Relative L2. Float32 sums in another order differ by about 1e-6; a wrong trim or mirrored element by more than 1e-2.
const TOLERANCE: f64 = 1e-5;
/// Two shapes: four ratios with one residual block each, and three with two, of which the second is dilated.
const MODELS: [(&str, &str); 2] = [
    ("tasty-musicgen-small", "assets/demo/musicgen"),
    ("musicgen_sharded", "tests/data/musicgen_sharded"),
];

/// An exported model and its golden values.
struct Model {
    export: Exported,
    golden: Vec<u8>,
    _folder: tempfile::TempDir,
}

impl Model {
    fn open((golden, checkpoint): (&str, &str)) -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = Checkpoint::open(&repository.join(checkpoint)).unwrap();
        let weights = ModelWeights::Musicgen(Box::new(MusicgenWeights::load(&checkpoint).unwrap()));
        let golden = format!("tests/golden/musicgen/{golden}.safetensors");
        Self {
            export: onnx_export::export(
                folder.path(),
                &weights,
                golden.as_str(),
                Target::REFERENCE,
                None,
            )
            .unwrap(),
            golden: std::fs::read(repository.join(golden)).unwrap(),
            _folder: folder,
        }
    }

    fn codec(&self) -> Codec {
        Codec::load(runtime(), &self.export).unwrap()
    }

    fn session(&self, graph: &str) -> Session {
        runtime()
            .session(&self.export.graph(graph).unwrap(), 1)
            .unwrap()
    }

    /// Shape and values of a golden tensor.
    fn golden<T, const N: usize>(&self, name: &str, value: fn([u8; N]) -> T) -> ArrayD<T> {
        let file = SafeTensors::deserialize(&self.golden).unwrap();
        let tensor = file.tensor(name).unwrap();
        let values = tensor.data().as_chunks().0.iter().map(|b| value(*b));
        ArrayD::from_shape_vec(tensor.shape(), values.collect()).unwrap()
    }

    fn codes(&self, frames: usize) -> Array3<i64> {
        let codes = self.golden(&format!("encodec.codes_{frames}"), i64::from_le_bytes);
        codes.into_dimensionality().unwrap()
    }

    /// A golden tensor `[pieces, channels, time]`.
    fn signals(&self, name: &str) -> Array3<f32> {
        let signals = self.golden(name, f32::from_le_bytes);
        signals.into_dimensionality().unwrap()
    }

    /// `pieces` pieces of random codes.
    fn random_codes(&self, pieces: usize, frames: usize) -> Vec<Array2<i64>> {
        let codec = &self.export.musicgen().unwrap().codec;
        let size = codec.codebook_size as u32;
        let mut stream = pipelines::seeds::stream(1, "codec", "codes", &frames.to_string());
        let piece = |_| {
            let shape = (codec.codebooks, frames);
            Array2::from_shape_simple_fn(shape, || i64::from(stream.next_u32() % size))
        };
        (0..pieces).map(piece).collect()
    }
}

fn decode(codec: &mut Codec, codes: &[Array2<i64>]) -> Vec<Vec<f32>> {
    let views: Vec<ArrayView2<i64>> = codes.iter().map(|codes| codes.view()).collect();
    let mut pieces = Vec::new();
    codec
        .decode(&views, |piece, audio| {
            assert_eq!(piece, pieces.len());
            pieces.push(audio);
            Ok::<_, GenerateError>(())
        })
        .unwrap();
    pieces
}

fn relative_l2<'a>(
    got: impl IntoIterator<Item = &'a f32>,
    expected: impl IntoIterator<Item = &'a f32>,
) -> f64 {
    let (mut apart, mut norm) = (0.0, 0.0);
    let mut expected = expected.into_iter();
    for got in got {
        let expected = f64::from(*expected.next().expect("more values than expected"));
        apart += (f64::from(*got) - expected).powi(2);
        norm += expected.powi(2);
    }
    assert_eq!(expected.next(), None, "fewer values than expected");
    (apart / norm).sqrt()
}

#[test]
fn audio_is_that_of_transformers() {
    for name in MODELS {
        let model = Model::open(name);
        let mut codec = model.codec();
        // 3 frames are fewer than the first convolution's padding needs.
        for frames in [50, 3] {
            let codes: Vec<_> = model
                .codes(frames)
                .outer_iter()
                .map(|c| c.to_owned())
                .collect();
            let expected = model.signals(&format!("encodec.audio_{frames}"));
            let audio = decode(&mut codec, &codes);
            assert_eq!(audio.len(), expected.len_of(Axis(0)));
            for (piece, (got, expected)) in audio.iter().zip(expected.outer_iter()).enumerate() {
                let apart = relative_l2(got, expected.iter());
                println!("{} {frames} frames, piece {piece}: {apart:.1e}", name.0);
                assert!(apart <= TOLERANCE, "{} {frames} {piece}: {apart:e}", name.0);
            }
        }
    }
}

#[test]
fn every_part_gives_what_its_last_module_gives() {
    // The modules of transformers' decoder with which the LSTM and the coarse stages end.
    for (name, [lstm, coarse]) in MODELS.into_iter().zip([[1, 7], [1, 9]]) {
        let model = Model::open(name);
        let expected = |layer| {
            let layer = model.signals(&format!("encodec.stage_3.layer{layer:02}"));
            layer.index_axis(Axis(0), 0).reversed_axes().to_owned()
        };
        let mut session = model.session(names::CODEC_FRAMES);
        let codes = model.codes(3);
        let codes = [("codes", Input::Int64(codes.view().into_dyn()))];
        let [states] = session.run(&codes, ["states"]).unwrap();
        let apart = relative_l2(&states, &expected(lstm));
        assert!(apart <= TOLERANCE, "{} states: {apart:e}", name.0);

        let codec = &model.export.musicgen().unwrap().codec;
        let (coarse_plan, fine_plan) = (Stages::coarse(codec), Stages::fine(codec));
        let output = in_tiles(&model, names::CODEC_COARSE, &coarse_plan, expected(lstm), 0);
        let apart = relative_l2(&output, &expected(coarse));
        assert!(apart <= TOLERANCE, "{} coarse: {apart:e}", name.0);

        let output = in_tiles(&model, names::CODEC_FINE, &fine_plan, expected(coarse), 0);
        let audio = model.signals("encodec.audio_3");
        let apart = relative_l2(&output, &audio);
        assert!(apart <= TOLERANCE, "{} fine: {apart:e}", name.0);
    }
}

/// A whole signal through the stages of `graph` in one run, in tiles of which the first has `missing` rows before the signal:
/// `[rows * ratio, channels out]`.
fn in_tiles(
    model: &Model,
    graph: &str,
    plan: &Stages,
    signal: Array2<f32>,
    missing: usize,
) -> Array2<f32> {
    let mut session = model.session(graph);
    let total = signal.nrows();
    let tiles = (missing + total).div_ceil(plan.rows);
    // Values that must not count.
    let mut padded = Array2::from_elem((tiles * plan.rows + 2 * plan.halo, plan.channels), 1e3);
    let first = missing + plan.halo;
    padded
        .slice_mut(s![first..first + total, ..])
        .assign(&signal);
    let rows = Array3::from_shape_fn(
        (tiles, plan.rows_in(), plan.channels),
        |(tile, row, channel)| padded[[tile * plan.rows + row, channel]],
    );
    let each =
        |of: &dyn Fn(i32) -> i32| Array2::from_shape_fn((tiles, 1), |(tile, _)| of(tile as i32));
    let start = each(&|tile| tile * plan.rows as i32 - first as i32);
    let totals = each(&|_| total as i32);
    let numbers = each(&|tile| tile);
    let inputs = [
        ("rows", Input::Float(rows.view().into_dyn())),
        ("start", Input::Int32(start.view().into_dyn())),
        ("total", Input::Int32(totals.view().into_dyn())),
        ("tile", Input::Int32(numbers.view().into_dyn())),
    ];
    let [output] = session.run(&inputs, ["output"]).unwrap();
    let shape = (tiles * plan.rows * plan.ratio, plan.channels_out);
    let output = Array2::from_shape_vec(shape, output.into_iter().collect()).unwrap();
    let from = missing * plan.ratio;
    output
        .slice(s![from..from + total * plan.ratio, ..])
        .to_owned()
}

/// 600 frames are three tiles of the coarse stages and many of the fine ones; cut elsewhere, and all in one run, they give the
/// same.
#[test]
fn tiles_leave_no_seam() {
    for name in MODELS {
        let model = Model::open(name);
        let codes = model.random_codes(1, 600);
        let tiled = decode(&mut model.codec(), &codes).remove(0);

        let mut session = model.session(names::CODEC_FRAMES);
        let batch = codes[0].view().insert_axis(Axis(0));
        let [states] = session
            .run(&[("codes", Input::Int64(batch.into_dyn()))], ["states"])
            .unwrap();
        let codec = &model.export.musicgen().unwrap().codec;
        let (coarse_plan, fine_plan) = (Stages::coarse(codec), Stages::fine(codec));
        let shape = (600, coarse_plan.channels);
        let states = Array2::from_shape_vec(shape, states.into_iter().collect()).unwrap();
        assert_eq!(tiled.len(), 600 * codec.hop());
        for missing in [0, 1, 77] {
            let coarse = in_tiles(
                &model,
                names::CODEC_COARSE,
                &coarse_plan,
                states.clone(),
                missing,
            );
            let fine = in_tiles(&model, names::CODEC_FINE, &fine_plan, coarse, missing);
            let apart = tiled.iter().zip(&fine).map(|(a, b)| (a - b).abs());
            let largest = apart.fold(0.0, f32::max);
            println!(
                "{}, {missing} rows earlier: largest difference {largest:.1e}",
                name.0
            );
            assert!(largest <= 1e-5, "{} {missing}: {largest:e}", name.0);
        }
    }
}

#[test]
fn neither_the_batch_nor_a_repeat_changes_a_sample() {
    for name in MODELS {
        let model = Model::open(name);
        let mut codec = model.codec();
        for frames in [1, 2, 37, 300] {
            let codes = model.random_codes(8, frames);
            let eight = decode(&mut codec, &codes);
            assert_eq!(decode(&mut codec, &codes), eight, "{frames} frames again");
            assert_eq!(decode(&mut codec, &codes[..3]), eight[..3], "3 of {frames}");
            for (codes, expected) in codes.chunks(1).zip(&eight) {
                assert_eq!(decode(&mut codec, codes)[0], *expected, "1 of {frames}");
            }
        }
        // Pieces of other lengths beside it.
        let mut mixed = model.random_codes(3, 37);
        mixed.splice(1..1, model.random_codes(2, 12));
        let mixed = decode(&mut codec, &mixed);
        let alone = decode(&mut codec, &model.random_codes(3, 37));
        assert_eq!(mixed[0], alone[0]);
        assert_eq!(mixed[3..], alone[1..]);
        let hop = model.export.musicgen().unwrap().codec.hop();
        assert_eq!(mixed[1].len(), 12 * hop);
    }
}

#[test]
fn kernels_longer_than_a_frame_are_refused() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/musicgen");
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(demo).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let config = folder.path().join("config.json");
    let mut changed: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    for (kernel, size, expected) in [
        ("last_kernel_size", 1281, true),
        ("last_kernel_size", 1279, false),
        ("residual_kernel_size", 17, true),
        ("residual_kernel_size", 15, false),
    ] {
        let before = std::mem::replace(&mut changed["audio_encoder"][kernel], size.into());
        std::fs::write(&config, changed.to_string()).unwrap();
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        let refused = MusicgenWeights::load(&checkpoint).unwrap_err().to_string();
        assert_eq!(
            refused.contains("farther than a frame"),
            expected,
            "{kernel} {size}: {refused}"
        );
        changed["audio_encoder"][kernel] = before;
    }
}
