use std::path::PathBuf;

use super::*;
use crate::audio;
use crate::card::Card;
use crate::export::Target;
use crate::model::Model;
use crate::pipeline::prepare;
use crate::runtime::for_tests::runtime;

fn tower(models: &Path) -> AudioTower {
    let cards = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/models");
    let card = Card::find("630k-audioset-fusion-best", &cards).unwrap();
    let model = Model::obtain(card, true).unwrap();
    let open = || -> anyhow::Result<Runtime> { Ok(runtime().clone()) };
    let export = prepare(&model, models, Target::REFERENCE, open)
        .unwrap()
        .export;
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
                    audio::write_wav(&path, &samples, 48_000).unwrap();
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
