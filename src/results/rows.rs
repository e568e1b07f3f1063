//! Rows of scores and embeddings, from embeddings.

use std::collections::{HashMap, HashSet};

use anyhow::Result;

use super::{Computed, ComputedArm};
use crate::spec::Piece;
use crate::tables::{EmbeddingRow, ScoreRow};

/// The rows of some pieces of a run under an arm, in their order.
pub fn rows(
    run: &Computed<'_>,
    arm: &ComputedArm<'_>,
    pieces: &[Piece],
) -> Result<Vec<(ScoreRow, EmbeddingRow)>> {
    let keys: Vec<_> = pieces.iter().map(Piece::key).collect();
    let keys: Vec<&str> = keys.iter().map(|key| &**key).collect();
    let clips = run.embeddings.clips(arm.name, &keys)?;
    let prompts = distinct(pieces);
    let texts = run.embeddings.texts(arm.name, &prompts)?;
    let texts: HashMap<&str, Vec<f32>> = prompts.into_iter().zip(texts).collect();
    let rows = pieces.iter().zip(clips).map(|(piece, (audio_emb, crops))| {
        let text_emb = texts[piece.prompt.as_str()].clone();
        let clap_score = cosine(&audio_emb, &text_emb);
        let taste = piece.taste.clone().unwrap_or_default();
        let origin = piece.origin.as_ref();
        let score = ScoreRow {
            id: piece.id.clone(),
            prompt: piece.prompt.clone(),
            audio_path: piece.path.display().to_string(),
            clap_score,
            taste: taste.clone(),
            arm: arm.name.to_owned(),
            front: crops.front,
            middle: crops.middle,
            back: crops.back,
            offset: crops.offset,
            prompt_id: origin.map(|origin| origin.prompt_id.clone()),
            draw: origin.map(|origin| origin.draw),
            instrument: origin.and_then(|origin| origin.instrument.clone()),
            tastes: origin
                .filter(|origin| origin.instrument.is_some())
                .map(|origin| origin.tastes.join(" ")),
            set: piece.set.clone(),
            condition: piece.set.as_ref().map(|_| arm.condition(piece).to_owned()),
            own_prompt: piece.own_prompt.clone(),
        };
        let embedding = EmbeddingRow {
            prompt: piece.prompt.clone(),
            audio_name: piece
                .path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            clap_score,
            audio_emb,
            text_emb,
            taste,
            arm: arm.name.to_owned(),
            id: piece.id.clone(),
            set: piece.set.clone(),
        };
        (score, embedding)
    });
    Ok(rows.collect())
}

/// The prompts of some pieces, each once, in the order in which they first appear.
pub fn distinct(pieces: &[Piece]) -> Vec<&str> {
    let mut seen = HashSet::new();
    let prompts = pieces.iter().map(|piece| piece.prompt.as_str());
    prompts.filter(|prompt| seen.insert(*prompt)).collect()
}

/// The CLAP score: both embeddings have length 1, so it is their dot product (reference: `cosine_similarity`).
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let products = a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y));
    products.sum()
}
