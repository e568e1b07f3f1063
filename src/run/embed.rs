//! The embeddings that the journal does not have yet, arm by arm.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::engine::opened;
use super::journal::Entry;
use super::plan::Plan;
use super::ready::ReadyModel;
use super::store::Store;
use crate::interrupt;
use crate::pipeline::{AudioTower, TextTower};
use crate::progress;
use crate::runtime::Runtime;
use crate::spec::Piece;

/// The embeddings of one arm that the journal does not have yet.
pub(super) fn embed(
    plan: &Plan,
    arm: &ReadyModel,
    store: &mut Store,
    open: impl FnOnce() -> Result<Runtime>,
    runtime: &mut Option<Runtime>,
) -> Result<()> {
    let mut prompts: Vec<&str> = Vec::new();
    for piece in &plan.experiment.pieces {
        if !prompts.contains(&piece.prompt.as_str())
            && store.journal.text(&arm.name, &piece.prompt).is_none()
        {
            prompts.push(&piece.prompt);
        }
    }
    let pieces: Vec<&Piece> = plan
        .experiment
        .pieces
        .iter()
        .filter(|piece| store.journal.clip(&arm.name, &piece.id).is_none())
        .collect();
    if prompts.is_empty() && pieces.is_empty() {
        return Ok(());
    }
    let runtime = opened(runtime, open)?;
    if !prompts.is_empty() {
        embed_prompts(arm, &prompts, store, runtime)?;
    }
    if !pieces.is_empty() {
        embed_pieces(plan, arm, &pieces, store, runtime)?;
    }
    Ok(())
}

fn embed_prompts(
    arm: &ReadyModel,
    prompts: &[&str],
    store: &mut Store,
    runtime: &Runtime,
) -> Result<()> {
    let mut tower = TextTower::load(runtime, &arm.export, &arm.model.tokenizer.path)?;
    let embeddings = tower.embed(prompts, |_| interrupt::check())?;
    ran(store, arm, "text", tower.placement(), runtime)?;
    // Together: prompts that are left alone by a kill would be padded otherwise.
    let entries = prompts
        .iter()
        .zip(embeddings.rows())
        .map(|(prompt, embedding)| Entry::Text {
            arm: arm.name.clone(),
            prompt: (*prompt).to_owned(),
            embedding: embedding.to_vec(),
        })
        .collect();
    store.add(entries)
}

fn embed_pieces(
    plan: &Plan,
    arm: &ReadyModel,
    pieces: &[&Piece],
    store: &mut Store,
    runtime: &Runtime,
) -> Result<()> {
    let shrink = arm.model.card.fusion_shrink;
    let mut tower = AudioTower::load(runtime, &arm.export, shrink, pieces.len())?;
    let paths: Vec<PathBuf> = pieces
        .iter()
        .map(|piece| plan.path_of(piece, &store.folder))
        .collect();
    let clips: Vec<(&str, &Path)> = pieces
        .iter()
        .zip(&paths)
        .map(|(piece, path)| (piece.id.as_str(), path.as_path()))
        .collect();
    let bar = progress::items(&arm.name, "pieces", clips.len() as u64);
    let mut last = None;
    tower.embed(&clips, &plan.crop_choice(), |clip| -> Result<()> {
        let entry = Entry::Audio {
            arm: arm.name.clone(),
            id: clips[clip.index].0.to_owned(),
            embedding: clip.embedding.to_vec(),
            crops: clip.crops,
        };
        bar.inc(1);
        if clip.index + 1 == clips.len() {
            last = Some(entry);
            return Ok(());
        }
        store.add(vec![entry])?;
        Ok(interrupt::check()?)
    })?;
    bar.finish_and_clear();
    ran(store, arm, "audio", tower.placement(), runtime)?;
    last.map_or(Ok(()), |entry| store.add(vec![entry]))
}

/// Note where a graph's nodes ran: before the last embedding, so that a journal that has them all says so too, wherever
/// a process was killed.
fn ran(
    store: &mut Store,
    arm: &ReadyModel,
    graph: &str,
    nodes: BTreeMap<String, usize>,
    runtime: &Runtime,
) -> Result<()> {
    let entry = Entry::Ran {
        arm: arm.name.clone(),
        graph: graph.to_owned(),
        nodes,
        build: runtime.build_info().to_owned(),
    };
    store.add(vec![entry])
}
