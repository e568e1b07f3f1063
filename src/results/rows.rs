//! Rows of scores and embeddings, from embeddings.

use anyhow::{Result, anyhow};

use super::Computed;
use crate::tables::{EmbeddingRow, ScoreRow};

/// Scores and embeddings, arm by arm and in the order of the pieces.
pub fn rows(run: &Computed<'_>) -> Result<(Vec<ScoreRow>, Vec<EmbeddingRow>)> {
    let count = run.arms.len() * run.pieces.len();
    let (mut scores, mut embeddings) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for arm in &run.arms {
        for piece in run.pieces {
            let missing = || {
                anyhow!(
                    "piece {} has no embedding under arm '{}'",
                    piece.id,
                    arm.name
                )
            };
            let (audio, crops) = run
                .embeddings
                .clip(arm.name, &piece.key())
                .ok_or_else(missing)?;
            let text = run
                .embeddings
                .text(arm.name, &piece.prompt)
                .ok_or_else(missing)?;
            let clap_score = cosine(audio, text);
            let taste = piece.taste.clone().unwrap_or_default();
            let origin = piece.origin.as_ref();
            scores.push(ScoreRow {
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
                condition: piece.set.as_ref().map(|set| match run.arms.len() {
                    1 => set.clone(),
                    _ => format!("{set}, {}", arm.name),
                }),
                own_prompt: piece.own_prompt.clone(),
            });
            embeddings.push(EmbeddingRow {
                prompt: piece.prompt.clone(),
                audio_name: piece
                    .path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                clap_score,
                audio_emb: audio.to_vec(),
                text_emb: text.to_vec(),
                taste,
                arm: arm.name.to_owned(),
                id: piece.id.clone(),
                set: piece.set.clone(),
            });
        }
    }
    Ok((scores, embeddings))
}

/// The CLAP score: both embeddings have length 1, so it is their dot product (reference: `cosine_similarity`).
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let products = a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y));
    products.sum()
}
