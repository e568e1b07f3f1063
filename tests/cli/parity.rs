//! Embeddings against those of laion_clap and transformers (`tests/golden/clap`), from the same files, texts and crops.

use std::fs;
use std::path::Path;

use safetensors::SafeTensors;
use tempfile::TempDir;

use crate::support::{
    Call, FUSED, FUSED_ANTIALIAS, HF_FUSED, HF_UNFUSED, MUSIC, Models, UNFUSED, demo_pieces,
    read_embeddings, relative_l2, repository, row,
};

/// Relative L2. Both sides add the same float32 products in another order; a wrong epsilon, mask or truncation is a
/// hundred times larger.
const TEXT_TOLERANCE: f64 = 1e-4;
/// Relative L2. Wider than for texts because of what comes before the model: another decoder of Vorbis or MP3 differs by
/// 1e-6 of the peak, which moves the worst piece by 5e-4 (README of the golden values).
const AUDIO_TOLERANCE: f64 = 1e-3;

/// The golden file of one checkpoint.
struct Golden {
    bytes: Vec<u8>,
    texts: Vec<String>,
    pieces: Vec<String>,
}

impl Golden {
    fn open(name: &str) -> Self {
        let path = repository("tests/golden/clap").join(format!("{name}.safetensors"));
        let bytes = fs::read(path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let facts = header.metadata().as_ref().unwrap();
        let pieces: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&facts["pieces"]).unwrap();
        Self {
            texts: serde_json::from_str(&facts["texts"]).unwrap(),
            pieces: pieces.keys().cloned().collect(),
            bytes,
        }
    }

    fn data(&self, name: &str) -> Vec<u8> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        file.tensor(name).unwrap().data().to_vec()
    }

    fn f32(&self, name: &str) -> Vec<f32> {
        let data = self.data(name);
        data.as_chunks()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect()
    }

    /// The crops that the reference drew, as `--crops` takes them; -1 is none.
    fn write_crops(&self, path: &Path) {
        let mut text = "id,front,middle,back,offset\n".to_owned();
        for piece in &self.pieces {
            let data = self.data(&format!("crops.{piece}"));
            let cells = data
                .as_chunks()
                .0
                .iter()
                .map(|b| match i64::from_le_bytes(*b) {
                    -1 => String::new(),
                    n => n.to_string(),
                });
            text += &format!("{piece},{}\n", cells.collect::<Vec<_>>().join(","));
        }
        fs::write(path, text).unwrap();
    }
}

/// Embed all pieces and texts in one call and compare; `way` stands before a piece in the names of the golden file.
fn compare(card: &str, golden: &str, way: &str) {
    let models = Models::shared();
    let golden = Golden::open(golden);
    assert_eq!((golden.pieces.len(), golden.texts.len()), (12, 8));
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    golden.write_crops(&at("crops.csv"));
    fs::write(at("texts.txt"), golden.texts.join("\n")).unwrap();
    Call::embed(&models, card)
        .option("--audio", demo_pieces())
        .option("--text", at("texts.txt"))
        .option("--crops", at("crops.csv"))
        .option("--out", at("out.csv"))
        .ok();
    let rows = read_embeddings(&at("out.csv"));
    assert_eq!(rows.len(), 20);

    let mut worst = (0.0, "");
    for piece in &golden.pieces {
        let expected = golden.f32(&format!("audio.{way}{piece}"));
        let error = relative_l2(&row(&rows, piece).values, &expected);
        assert!(error <= AUDIO_TOLERANCE, "{card}, {piece}: {error:.1e}");
        if error > worst.0 {
            worst = (error, piece);
        }
    }
    let texts = golden.f32("text_embed");
    let joint = texts.len() / golden.texts.len();
    let mut worst_text: f64 = 0.0;
    for (i, expected) in texts.chunks(joint).enumerate() {
        let error = relative_l2(&row(&rows, &(i + 1).to_string()).values, expected);
        assert!(
            error <= TEXT_TOLERANCE,
            "{card}, text {}: {error:.1e}",
            i + 1
        );
        worst_text = worst_text.max(error);
    }
    println!(
        "{card}: audio at most {:.1e} ({}), text at most {worst_text:.1e}",
        worst.0, worst.1
    );
}

#[test]
fn laion_clap_with_fusion() {
    compare(FUSED, "630k-audioset-fusion-best", "plain.");
}

#[test]
fn laion_clap_with_fusion_and_an_antialiased_shrink() {
    compare(FUSED_ANTIALIAS, "630k-audioset-fusion-best", "antialias.");
}

#[test]
fn laion_clap_without_fusion() {
    compare(UNFUSED, "630k-audioset-best", "");
}

#[test]
fn laion_clap_of_another_width() {
    compare(MUSIC, "music_audioset", "");
}

#[test]
fn transformers_with_fusion() {
    compare(HF_FUSED, "clap_hf_fused", "");
}

#[test]
fn transformers_without_fusion() {
    compare(HF_UNFUSED, "clap_hf_unfused", "");
}
