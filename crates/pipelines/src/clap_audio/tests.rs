use std::path::PathBuf;

use checkpoint::Checkpoint;
use checkpoint::clap::ClapWeights;
use onnx_export::{ModelWeights, Target};

use crate::for_tests::runtime;

use super::*;

fn tower(models: &Path) -> AudioTower {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/demo");
    let checkpoint = Checkpoint::open(&demo.join("630k-audioset-fusion-best.pt")).unwrap();
    let weights = ClapWeights::load(&checkpoint, None).unwrap();
    let weights = ModelWeights::Clap(Box::new(weights));
    let export = onnx_export::export(models, &weights, "demo", Target::REFERENCE, None).unwrap();
    AudioTower::load(runtime(), &export, FusionShrink::default(), 1).unwrap()
}

/// Five clips, the fourth of which is no audio.
fn clips(folder: &Path) -> Vec<PathBuf> {
    (0..5)
        .map(|i| {
            let path = folder.join(format!("{i}.wav"));
            match i {
                3 => std::fs::write(&path, "no audio").unwrap(),
                _ => {
                    let tone = |n: u32| (n as f32 * 0.01 * (i + 1) as f32).sin() * 0.3;
                    let samples: Vec<f32> = (0..48_000).map(tone).collect();
                    clap_audio::write_wav(&path, &samples, 48_000).unwrap();
                }
            }
            path
        })
        .collect()
}

/// The embeddings that reached the sink with `batch` clips prepared together and `at_once` in a run, and the error.
fn embedded(
    tower: &mut AudioTower,
    paths: &[PathBuf],
    batch: usize,
    at_once: usize,
) -> (Vec<Vec<f32>>, Option<String>) {
    tower.batch = batch;
    tower.at_once = AtomicUsize::new(at_once);
    let clips: Vec<(&str, &Path)> = paths.iter().map(|path| ("", path.as_path())).collect();
    let choice = CropChoice::Recorded(Default::default());
    let mut found = Vec::new();
    let ended = tower.embed(&clips, &choice, |clip| -> Result<(), EmbedError> {
        assert_eq!(clip.index, found.len());
        found.push(clip.embedding.to_vec());
        Ok(())
    });
    (found, ended.err().map(|error| error.to_string()))
}

#[test]
fn a_clip_that_cannot_be_read_does_not_take_those_before_it_along() {
    let folder = tempfile::tempdir().unwrap();
    let paths = clips(folder.path());
    let mut tower = tower(&folder.path().join("models"));
    let (alone, error) = embedded(&mut tower, &paths, 1, 1);
    assert_eq!(alone.len(), 3);
    assert!(error.as_deref().unwrap().contains("3.wav"), "{error:?}");
    for (batch, at_once) in [(2, 2), (4, 4), (8, 8), (8, 2), (5, 1)] {
        let (together, told) = embedded(&mut tower, &paths, batch, at_once);
        assert_eq!(told, error, "{batch}, {at_once}");
        assert_eq!(together.len(), 3, "{batch}, {at_once}");
        for (a, b) in together.iter().zip(&alone) {
            let cosine: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            assert!(1.0 - cosine < 1e-6, "{batch}, {at_once}: {cosine}");
        }
    }
}
