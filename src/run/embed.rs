//! The embeddings that the journal does not have yet, arm by arm.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::Result;
use onnx_export::{AUDIO, TEXT};
use ort_runtime::Runtime;
use pipelines::{AudioTower, TextTower};
use process::interrupt;
use process::progress;

use super::journal::Entry;
use super::opened::opened;
use super::plan::Plan;
use super::ready::ReadyModel;
use super::store::Store;
use crate::experiment::Input;
use crate::results::Embeddings;
use crate::spec::Piece;

/// Texts that go to the journal together: a kill costs at most so many, and one write is a megabyte or two.
const TEXTS_AT_ONCE: usize = 256;

/// The embeddings of one arm that the journal does not have yet.
pub(super) fn embed(
    plan: &Plan,
    arm: &ReadyModel,
    store: &mut Store,
    open: impl FnOnce() -> Result<Runtime>,
    runtime: &mut Option<Runtime>,
) -> Result<()> {
    let texts = texts(plan);
    let has_text = |text: &&str| store.journal.text(&arm.name, text).is_some();
    let all_texts = texts.iter().all(has_text) && !store.journal.is_unplaced(&arm.name, TEXT);
    let mut pieces: Vec<&Piece> = plan
        .experiment
        .pieces
        .iter()
        .filter(|piece| store.journal.clip(&arm.name, &piece.key()).is_none())
        .collect();
    if pieces.is_empty() && store.journal.is_unplaced(&arm.name, AUDIO) {
        // Any will do to see where the graph runs.
        pieces.extend(plan.experiment.pieces.last());
    }
    if all_texts && pieces.is_empty() {
        return Ok(());
    }
    let runtime = &opened(runtime, open)?.working_in(&store.folder);
    if !all_texts {
        embed_texts(arm, &texts, store, runtime)?;
    }
    if !pieces.is_empty() {
        embed_pieces(plan, arm, &pieces, store, runtime)?;
    }
    Ok(())
}

/// Every text that an arm embeds, once: the prompts, or the captions, descriptors and queries.
fn texts(plan: &Plan) -> Vec<&str> {
    let experiment = &plan.experiment;
    let prompts = experiment.pieces.iter().map(|piece| piece.prompt.as_str());
    let texts = plan.texts.iter().map(|text| text.text.as_str());
    let queries = match experiment.task.input() {
        Input::Texts { queries } => queries,
        _ => &[],
    };
    let mut seen = HashSet::new();
    prompts
        .chain(texts)
        .chain(queries.iter().map(String::as_str))
        .filter(|text| seen.insert(*text))
        .collect()
}

/// A text's embedding depends, in its last digits, on those that it is padded with. So the texts are put in one order and
/// cut into the same stretches in every process, and a stretch that the journal has only in part is computed again whole.
fn embed_texts(
    arm: &ReadyModel,
    texts: &[&str],
    store: &mut Store,
    runtime: &Runtime,
) -> Result<()> {
    let mut tower = TextTower::load(runtime, &arm.export, &arm.model.tokenizer.path)?;
    let mut by_length = texts
        .iter()
        .map(|text| Ok((tower.encode(text)?.len(), *text)))
        .collect::<Result<Vec<_>>>()?;
    by_length.sort_by_key(|(tokens, _)| *tokens);
    let bar = progress::items(&arm.name, "texts", texts.len() as u64);
    let last = by_length.len().div_ceil(TEXTS_AT_ONCE).saturating_sub(1);
    for (i, stretch) in by_length.chunks(TEXTS_AT_ONCE).enumerate() {
        let stretch: Vec<&str> = stretch.iter().map(|(_, text)| *text).collect();
        let known = |text: &&str| store.journal.text(&arm.name, text).is_some();
        let to_place = i == last && store.journal.is_unplaced(&arm.name, TEXT);
        if to_place || !stretch.iter().all(known) {
            let embeddings = tower.embed(&stretch, |_| interrupt::check())?;
            let mut entries: Vec<Entry> = stretch
                .iter()
                .zip(embeddings.rows())
                .map(|(text, embedding)| Entry::Text {
                    arm: arm.name.clone(),
                    prompt: (*text).to_owned(),
                    embedding: embedding.to_vec(),
                })
                .collect();
            if i == last {
                entries.insert(0, ran(arm, TEXT, tower.placement(), runtime));
            }
            store.add(entries)?;
        }
        bar.inc(stretch.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
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
            id: pieces[clip.index].key().into_owned(),
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
    let mut entries = vec![ran(arm, AUDIO, tower.placement(), runtime)];
    entries.extend(last);
    store.add(entries)
}

/// Where a graph's nodes ran: it comes before the last embedding, so that a journal that has them all says so too,
/// wherever a process was killed.
fn ran(arm: &ReadyModel, graph: &str, nodes: BTreeMap<String, usize>, runtime: &Runtime) -> Entry {
    Entry::Ran {
        arm: arm.name.clone(),
        graph: graph.to_owned(),
        nodes,
        build: runtime.build_info().to_owned(),
    }
}
