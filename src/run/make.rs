//! The pieces that a run makes: each a file once it is whole, and a line in the journal with the file's hash.

use anyhow::{Context, Result};
use ort_runtime::Runtime;
use pipelines::musicgen::{GenerateError, Generated, Generator, Job, Progress};
use pipelines::seeds;
use process::interrupt;
use process::progress::{AudioBar, note};
use rayon::prelude::*;

use super::folder::cannot_use;
use super::journal::Entry;
use super::making::{Making, Sizes, of_piece};
use super::opened::opened;
use super::plan::Plan;
use super::ready::{GENERATOR, ReadyModel};
use super::shards::Share;
use super::store::Store;
use crate::spec::Piece;

/// Make the pieces whose file is not there, or is not the one that was made.
///
/// The generator is loaded when a piece is missing, and gone when this returns: its weights would take memory from the
/// arms.
pub(super) fn make(
    plan: &Plan,
    making: &Making,
    share: &Share,
    model: &ReadyModel,
    store: &mut Store,
    open: impl FnOnce() -> Result<Runtime>,
    runtime: &mut Option<Runtime>,
) -> Result<()> {
    let settings = making.settings(&plan.experiment.name, model.export.musicgen()?)?;
    let missing = missing(plan, share, store);
    if missing.is_empty() {
        return Ok(());
    }
    let sizes = Sizes::of(model.export.musicgen()?);
    making.check_room(&sizes, &store.folder, missing.len(), plan.cards.len())?;
    let runtime = &opened(runtime, open)?.working_in(&store.folder);
    let mut generator = Generator::load(runtime, &model.export, &model.model.tokenizer.path)?;
    let jobs: Vec<Job> = missing.iter().map(|piece| job(plan, piece)).collect();
    let of_piece = |error: GenerateError| of_piece(&missing, error);
    let rate = generator.sampling_rate();
    let seconds = sizes.seconds(making.generation.duration_s);
    let mut bar = AudioBar::new(missing.len(), settings.steps, seconds);
    let mut last = None;
    let mut tick = |at: Progress| {
        bar.step(at.pieces, at.step);
        interrupt::check()
    };
    let made = generator.generate(jobs, &settings, plan.batch, &mut tick, |index, made| {
        let entry = keep(plan, missing[index], store, &made, rate)?;
        // That of the last piece comes after what the manifest must know.
        if index + 1 == missing.len() {
            last = Some(entry);
            return Ok(());
        }
        store.add(vec![entry])
    });
    bar.finish();
    made.map_err(|e| match e.downcast::<GenerateError>() {
        Ok(error) => of_piece(error),
        Err(other) => other,
    })?;
    let build = runtime.build_info();
    let mut entries: Vec<Entry> = generator
        .placement()
        .into_iter()
        .map(|(graph, nodes)| Entry::Ran {
            arm: GENERATOR.to_owned(),
            graph,
            nodes,
            build: build.to_owned(),
        })
        .collect();
    entries.extend(last);
    store.add(entries)
}

/// The pieces that have to be made, in their order.
pub(super) fn missing<'p>(plan: &'p Plan, share: &Share, store: &Store) -> Vec<&'p Piece> {
    let own = plan.experiment.pieces.par_iter().enumerate();
    own.filter(|(place, _)| share.has_piece(*place))
        .map(|(_, piece)| piece)
        .filter(|piece| {
            let path = store.file_of(plan, piece);
            let Some(made) = store.journal.piece(&piece.id) else {
                return true;
            };
            match files::sha256_file(&path) {
                Ok(found) if found == made => false,
                Ok(_) => {
                    let path = path.display();
                    note(format!("{path} is not what was written; it is made again"));
                    true
                }
                Err(_) => true,
            }
        })
        .collect()
}

/// A piece draws from a stream of its own, so that neither its batch nor a resume changes it.
fn job(plan: &Plan, piece: &Piece) -> Job {
    let experiment = &plan.experiment;
    Job {
        prompt: piece.prompt.clone(),
        rng: seeds::stream(experiment.seed, &experiment.name, &piece.id, "sampling"),
    }
}

/// Write a piece's file; gives its line for the journal.
fn keep(plan: &Plan, piece: &Piece, store: &Store, made: &Generated, rate: u32) -> Result<Entry> {
    let path = plan.path_of(piece, &store.folder);
    let path = path.strip_prefix(&store.folder).unwrap_or(&path);
    let path = files::inside(&store.folder, path).with_context(|| cannot_use(&store.folder))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| cannot_use(folder))?;
    }
    let written = clap_audio::write_wav(&path, &made.audio, rate);
    let sha256 = written.and_then(|()| files::sha256_file(&path));
    let sha256 = sha256.with_context(|| {
        format!(
            "cannot write {}; the pieces that were finished are kept, and the same command goes on from there",
            path.display()
        )
    })?;
    Ok(Entry::Piece {
        id: piece.id.clone(),
        sha256,
    })
}
