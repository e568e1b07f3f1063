//! Exported graphs with several clips in one batch, which the CPU's sessions never get: there each takes one clip.

use harness::card::Card;
use harness::model::Model;
use ndarray::{Array1, Array2, Array4, Axis, s};
use onnx_export::Target;
use ort_runtime::Input;
use rand::Rng;

#[path = "support/runtime.rs"]
mod support;

use support::runtime;

/// Relative L2 between a clip of a batch and the clip alone; float32 sums in another order differ by about 1e-7.
const TOLERANCE: f32 = 1e-5;
const CLIPS: usize = 13;

/// Log-mels `[clips, channels, 1001, 64]` between -80 and 0 dB, another noise in each channel.
fn log_mels(channels: usize) -> Array4<f32> {
    let mut stream = pipelines::seeds::stream(1, "graphs", "clips", "mels");
    Array4::from_shape_simple_fn((CLIPS, channels, 1001, 64), || {
        stream.next_u32() as f32 / u32::MAX as f32 * 80.0 - 80.0
    })
}

fn embed(
    session: &mut ort_runtime::Session,
    mels: &Array4<f32>,
    longer: Option<&Array1<bool>>,
) -> Array2<f32> {
    let mut inputs = vec![("log_mel", Input::Float(mels.view().into_dyn()))];
    if let Some(longer) = longer {
        inputs.push(("longer", Input::Bool(longer.view().into_dyn())));
    }
    session.embed(&inputs).unwrap()
}

/// The largest relative L2 between the rows of two embeddings.
fn apart(a: &Array2<f32>, b: &Array2<f32>) -> f32 {
    let norm = |x: Array1<f32>| x.dot(&x).sqrt();
    a.rows()
        .into_iter()
        .zip(b.rows())
        .map(|(a, b)| norm(&a - &b) / norm(b.to_owned()))
        .fold(0.0, f32::max)
}

#[test]
fn thirteen_clips_in_one_batch_equal_thirteen_singles() {
    let cards = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/models");
    let models = tempfile::tempdir().unwrap();
    for (name, fusion) in [
        ("630k-audioset-fusion-best", true),
        ("630k-audioset-best", false),
        ("music_audioset", false),
    ] {
        let model = Model::obtain(Card::find(name, &cards).unwrap(), true).unwrap();
        let export = model
            .export(models.path(), Target::REFERENCE, None)
            .unwrap()
            .export;
        let mut session = runtime()
            .session(&export.graph("audio").unwrap(), 2)
            .unwrap();
        let mels = log_mels(if fusion { 4 } else { 1 });
        let longer: Array1<bool> = (0..CLIPS).map(|i| i % 3 == 1).collect();
        let longer = fusion.then_some(&longer);

        let together = embed(&mut session, &mels, longer);
        let mut singles = Array2::zeros(together.dim());
        for i in 0..CLIPS {
            let mel = mels.slice(s![i..=i, .., .., ..]).to_owned();
            let longer = longer.map(|longer| longer.slice(s![i..=i]).to_owned());
            let single = embed(&mut session, &mel, longer.as_ref());
            singles.row_mut(i).assign(&single.index_axis(Axis(0), 0));
        }
        let largest = apart(&together, &singles);
        println!("{name}: largest relative difference {largest:.1e}");
        assert!(largest <= TOLERANCE, "{name}: {largest:e}");

        if let Some(longer) = longer {
            // The flag matters, and a clip that is not longer does not hear its crops.
            let none = Array1::from_elem(CLIPS, false);
            let plain = embed(&mut session, &mels, Some(&none));
            let mut other_crops = mels.clone();
            other_crops.slice_mut(s![.., 1.., .., ..]).fill(-30.0);
            let deaf = embed(&mut session, &other_crops, Some(&none));
            assert_eq!(plain, deaf);
            for i in 0..CLIPS {
                assert_eq!(plain.row(i) == together.row(i), !longer[i], "clip {i}");
            }
        }
    }
}
