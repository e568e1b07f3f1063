//! Rows of scores and embeddings, from embeddings.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Result;
use pipelines::windows::{Pool, Windowed, Windows};

use super::{Computed, ComputedArm};
use crate::spec::Piece;
use crate::tables::{EmbeddingRow, ScoreRow, WindowRow};

/// A piece under an arm.
pub struct Embedded<'r> {
    pub piece: &'r Piece,
    pub score: ScoreRow,
    pub audio: Vec<f32>,
    /// That of its prompt.
    pub text: Arc<[f32]>,
    /// Of a piece that was heard in windows: where each begins [s], and its score.
    pub windows: Vec<(f64, f64)>,
}

/// Some pieces of a run under an arm, in their order.
pub fn rows<'r>(
    run: &Computed<'_>,
    arm: &ComputedArm<'_>,
    pieces: &'r [Piece],
) -> Result<Vec<Embedded<'r>>> {
    let keys: Vec<_> = pieces.iter().map(Piece::key).collect();
    let keys: Vec<&str> = keys.iter().map(|key| &**key).collect();
    let clips = run.embeddings.clips(arm.name, &keys)?;
    let prompts = distinct(pieces);
    let texts = run.embeddings.texts(arm.name, &prompts)?.into_iter();
    let texts = prompts.into_iter().zip(texts.map(Arc::from));
    let texts: HashMap<&str, Arc<[f32]>> = texts.collect();
    let windows = match &run.windows {
        Some(_) => run.embeddings.windows(arm.name, &keys)?,
        None => Vec::new(),
    };
    let mut windows = windows.into_iter();
    let rows = pieces.iter().zip(clips).map(|(piece, (audio, crops))| {
        let text = texts[piece.prompt.as_str()].clone();
        let windowed = run.windows.zip(windows.next());
        let windows = windowed.map_or_else(Vec::new, |(how, of_piece)| {
            window_scores(&how, &of_piece, &text)
        });
        let clap_score = match run.windows.map(|how| how.pool) {
            Some(Pool::None) => mean(&windows),
            _ => cosine(&audio, &text),
        };
        let origin = piece.origin.as_ref();
        let score = ScoreRow {
            id: piece.id.clone(),
            prompt: piece.prompt.clone(),
            audio_path: piece.path.display().to_string(),
            clap_score,
            taste: piece.taste.clone().unwrap_or_default(),
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
        Embedded {
            piece,
            score,
            audio,
            text,
            windows,
        }
    });
    Ok(rows.collect())
}

impl Embedded<'_> {
    /// The rows of its windows.
    pub fn window_rows(&self) -> impl Iterator<Item = WindowRow> {
        let each = self.windows.iter().enumerate();
        each.map(|(i, (start_s, clap_score))| WindowRow {
            id: self.score.id.clone(),
            taste: self.score.taste.clone(),
            arm: self.score.arm.clone(),
            condition: self.score.condition.clone(),
            window: i + 1,
            start_s: *start_s,
            clap_score: *clap_score,
        })
    }

    /// Its row of `embeddings.csv`.
    pub fn embedding_row(&self) -> EmbeddingRow {
        let (piece, score) = (self.piece, &self.score);
        let audio_name = piece.path.file_name().unwrap_or_default();
        EmbeddingRow {
            prompt: piece.prompt.clone(),
            audio_name: audio_name.to_string_lossy().into_owned(),
            clap_score: score.clap_score,
            audio_emb: self.audio.clone(),
            text_emb: self.text.to_vec(),
            taste: score.taste.clone(),
            arm: score.arm.clone(),
            id: piece.id.clone(),
            set: piece.set.clone(),
        }
    }
}

/// Where each window begins [s], and its score.
fn window_scores(how: &Windows, windows: &Windowed, text: &[f32]) -> Vec<(f64, f64)> {
    let each = how.each(windows, text.len());
    each.map(|(start_s, window)| (start_s, cosine(window, text)))
        .collect()
}

fn mean(windows: &[(f64, f64)]) -> f64 {
    windows.iter().map(|(_, score)| score).sum::<f64>() / windows.len().max(1) as f64
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
