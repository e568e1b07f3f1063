//! The embeddings that the journal does not have yet, arm by arm.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use onnx_export::{AUDIO, TEXT};
use ort_runtime::Runtime;
use pipelines::{AudioTower, TextTower};
use process::interrupt;
use process::progress;

use super::journal::{Entry, Windows};
use super::opened::opened;
use super::plan::{Plan, TEXTS_AT_ONCE};
use super::ready::ReadyModel;
use super::shards::Share;
use super::store::Store;
use crate::spec::Piece;

/// The embeddings of `share` under one arm, the `place`th, that the journal does not have yet.
pub(super) fn embed(
    plan: &Plan,
    (place, arm): (usize, &ReadyModel),
    share: &Share,
    store: &mut Store,
    open: impl FnOnce() -> Result<Runtime>,
    runtime: &mut Option<Runtime>,
) -> Result<()> {
    let texts = plan.texts_to_read();
    let has_text = |text: &&str| store.journal.has_text(&arm.name, text);
    let all_texts = !share.has_texts(place)
        || texts.iter().all(has_text) && !store.journal.is_unplaced(&arm.name, TEXT);
    let own = plan.experiment.pieces.iter().enumerate();
    let mut own = own
        .filter(|(i, _)| share.has_piece(*i))
        .map(|(_, piece)| piece);
    let mut pieces: Vec<&Piece> = own
        .clone()
        .filter(|piece| !store.journal.has_clip(&arm.name, &piece.key()))
        .collect();
    if pieces.is_empty() && store.journal.is_unplaced(&arm.name, AUDIO) {
        // Any will do to see where the graph runs.
        pieces.extend(own.next_back());
    }
    if all_texts && pieces.is_empty() {
        return Ok(());
    }
    let runtime = &opened(runtime, open)?.working_in(&store.folder);
    if !all_texts {
        let own = |stretch| share.has_stretch(place, stretch);
        embed_texts(arm, &texts, &own, store, runtime)?;
    }
    if !pieces.is_empty() {
        embed_pieces(plan, arm, &pieces, store, runtime)?;
    }
    Ok(())
}

/// A text's embedding depends, in its last digits, on those that it is padded with. So the texts are put in one order and
/// cut into the same stretches in every process, and a stretch that the journal has only in part is computed again whole.
///
/// `own` says which stretches are this process's.
fn embed_texts(
    arm: &ReadyModel,
    texts: &[&str],
    own: &dyn Fn(usize) -> bool,
    store: &mut Store,
    runtime: &Runtime,
) -> Result<()> {
    let mut tower = TextTower::load(runtime, &arm.export, &arm.model.tokenizer.path)?;
    let mut by_length = texts
        .iter()
        .map(|text| Ok((tower.encode(text)?.len(), *text)))
        .collect::<Result<Vec<_>>>()?;
    by_length.sort_by_key(|(tokens, _)| *tokens);
    let stretches = || by_length.chunks(TEXTS_AT_ONCE).enumerate();
    let last = stretches().map(|(i, _)| i).filter(|i| own(*i)).last();
    let count = stretches().filter(|(i, _)| own(*i));
    let count: usize = count.map(|(_, stretch)| stretch.len()).sum();
    let bar = progress::items(&arm.name, "texts", count as u64);
    for (i, stretch) in stretches().filter(|(i, _)| own(*i)) {
        let stretch: Vec<&str> = stretch.iter().map(|(_, text)| *text).collect();
        let known = |text: &&str| store.journal.has_text(&arm.name, text);
        let to_place = Some(i) == last && store.journal.is_unplaced(&arm.name, TEXT);
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
            if Some(i) == last {
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
    let choice = plan.crop_choice();
    let parts = choice.parts(pieces.len());
    let mut tower = AudioTower::load(runtime, &arm.export, shrink, parts)?;
    let paths: Vec<PathBuf> = pieces
        .iter()
        .map(|piece| store.file_of(plan, piece))
        .collect();
    let clips: Vec<(&str, &Path)> = pieces
        .iter()
        .zip(&paths)
        .map(|(piece, path)| (piece.id.as_str(), path.as_path()))
        .collect();
    let bar = progress::items(&arm.name, "pieces", clips.len() as u64);
    let mut last = None;
    tower.embed(&clips, &choice, |clip| -> Result<()> {
        let entry = Entry::Audio {
            arm: arm.name.clone(),
            id: pieces[clip.index].key().into_owned(),
            embedding: clip.embedding.to_vec(),
            crops: clip.crops,
            windows: clip.windows.map(|windows| Windows {
                last: windows.last,
                embeddings: windows.embeddings.clone(),
            }),
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
