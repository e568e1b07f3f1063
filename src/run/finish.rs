//! From the journal to the files of a finished run: CSVs, figures, report, manifest.

use std::iter;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, anyhow};
use ort_runtime::library::Library;
use process::progress::note;
use serde_json::Value;

use super::listed::{self, PIECES};
use super::making::Making;
use super::manifest::{
    ArmRecord, CropsRecord, GenerationRecord, GraphRecord, Manifest, ModelRecord, PieceRecord,
    Program, RuntimeRecord, SetRecord, SourceRecord, Times,
};
use super::plan::Plan;
use super::ready::{Ready, ReadyModel};
use super::source::SourceRun;
use super::store::Store;
use crate::experiment::{Experiment, Identity, Input};
use crate::figures;
use crate::notebook::NOTEBOOK;
use crate::report;
use crate::results::sample::{self, SAMPLE};
use crate::results::write::{remove_if_there, write_or_remove};
use crate::results::{Computed, ComputedArm, Results};
use crate::spec::PieceSet;
use crate::tables::manifest::MANIFEST;
use crate::tables::{self, Row, SkippedRow};

/// A finished run.
pub struct Finished {
    pub folder: PathBuf,
    /// The most important numbers, as plain text; each line ends with a line feed.
    pub told: String,
}

/// Every result from the journal into its file.
pub(super) fn finish(
    plan: &Plan,
    ready: &Ready,
    store: &Store,
    identity: &Identity,
    library: &Library,
    (started, clock): (SystemTime, Instant),
) -> Result<Finished> {
    let experiment = &plan.experiment;
    let (count, pieces) = (ready.arms.len(), experiment.pieces.as_slice());
    let arms = ready.arms.iter();
    let arms = arms.map(|arm| ComputedArm::new(&arm.name, arm.fusion(), count, pieces));
    let Results { maps, told } = experiment.task.results(&Computed {
        folder: &store.folder,
        seed: experiment.seed,
        tsne: &experiment.tsne,
        windows: experiment.crops.windows(),
        labels: experiment.labels(),
        arms: arms.collect(),
        pieces,
        texts: &plan.texts,
        embeddings: &store.journal,
    })?;
    let large = sample::is_large(pieces.len(), count);
    let pieces_file = match large {
        true => Some(listed::write(&store.folder, pieces, |piece| {
            plan.making.as_ref().and(store.journal.piece(&piece.id))
        })?),
        false => remove_if_there(&store.folder.join(PIECES)).map(|()| None)?,
    };
    // An earlier run may have left one, whose bad pieces are gone.
    write_or_remove(
        &store.folder.join(SkippedRow::FILE),
        &plan.skipped,
        &experiment.word,
    )?;
    let manifest = Manifest {
        format: tables::manifest::FORMAT,
        experiment: experiment.name.clone(),
        notebook: experiment.notebook.clone(),
        identity: identity.full().to_owned(),
        seed: experiment.seed,
        crops: CropsRecord {
            policy: match &plan.recorded {
                Some(_) => "recorded".to_owned(),
                None => experiment.crops.to_string(),
            },
            file: plan.recorded.as_ref().map(|r| r.path.clone()),
            sha256: plan.recorded.as_ref().map(|r| r.sha256.clone()),
        },
        demo: plan.demo,
        random_weights: plan.random_weights(),
        pieces_from: match experiment.task.input() {
            Input::Found(_) => plan.sources.iter().flatten().next().map(source_record),
            _ => None,
        },
        sets: match experiment.task.input() {
            Input::Sets(sets) => set_records(sets, &plan.sources),
            _ => Vec::new(),
        },
        maps,
        pieces: pieces.len(),
        pieces_file,
        sample: large.then(|| SAMPLE.min(pieces.len())),
        texts: plan.texts.len(),
        skipped: plan.skipped.len(),
        arms: ready
            .arms
            .iter()
            .map(|arm| arm_record(arm, store))
            .collect::<Result<_>>()?,
        generation: match (&plan.making, &ready.generator) {
            (Some(making), Some(generator)) => {
                Some(generation_record(plan, making, generator, store, large)?)
            }
            _ => None,
        },
        runtime: RuntimeRecord {
            provider: plan.runtime.ep.to_string(),
            device: plan.runtime.device,
            precision: plan.runtime.precision.to_string(),
            threads: plan.runtime.threads(),
            onnxruntime: library.version.clone(),
            build: store.journal.build().unwrap_or_default().to_owned(),
            library_sha256: library.sha256.clone(),
        },
        shards: store.shares.clone(),
        harness: Program {
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("HARNESS_COMMIT"),
        },
        settings: settings_record(experiment, large)?,
        times: Times {
            started: humantime::format_rfc3339_seconds(started).to_string(),
            finished: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            seconds: clock.elapsed().as_secs_f64(),
        },
    };
    tell_unplaced(ready, store);
    let manifest = serde_json::to_value(&manifest)?;
    keep_notebook(plan, store)?;
    figures::draw_first(&store.folder, &manifest)?;
    report::write(&store.folder, &manifest)?;
    // Last: a folder that has it holds a finished run, which others take pieces from.
    let path = store.folder.join(MANIFEST);
    files::write_bytes(&path, &serde_json::to_vec_pretty(&manifest)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Finished {
        folder: store.folder.clone(),
        told,
    })
}

/// The experiment as it was understood, with its pieces unless they are in a file of their own.
fn settings_record(experiment: &Experiment, large: bool) -> Result<Value> {
    let mut settings = serde_json::to_value(experiment)?;
    if !large {
        settings["pieces"] = serde_json::to_value(&experiment.pieces)?;
    }
    Ok(settings)
}

/// What is known of the notebook, as it is now: no result depends on it.
fn keep_notebook(plan: &Plan, store: &Store) -> Result<()> {
    let path = store.folder.join(NOTEBOOK);
    match &plan.notebook {
        Some(text) => files::write_bytes(&path, text.as_bytes())
            .with_context(|| format!("cannot write {}", path.display())),
        None => remove_if_there(&path),
    }
}

/// Name the graphs of which the manifest does not say where they ran.
fn tell_unplaced(ready: &Ready, store: &Store) {
    let models = ready.arms.iter().chain(&ready.generator);
    let unplaced: Vec<String> = models
        .flat_map(|model| {
            let graphs = model.export.graphs.keys();
            let unplaced = graphs.filter(|graph| store.journal.is_unplaced(&model.name, graph));
            unplaced.map(|graph| format!("{graph} of {}", model.model.card.name))
        })
        .collect();
    if !unplaced.is_empty() {
        note(format!(
            "{MANIFEST} does not say where the nodes of these graphs ran, whose profiles were cut off, as on a full disk: {}; \
             no result depends on it, and the same command takes those of the arms again",
            unplaced.join(", ")
        ));
    }
}

fn source_record(source: &SourceRun) -> SourceRecord {
    SourceRecord {
        folder: source.folder.clone(),
        experiment: source.experiment.clone(),
        identity: source.identity.clone(),
    }
}

fn arm_record(arm: &ReadyModel, store: &Store) -> Result<ArmRecord> {
    Ok(ArmRecord {
        name: arm.name.clone(),
        model: model_record(arm, store),
        fusion_shrink: serde_json::to_value(arm.model.card.fusion_shrink)?,
    })
}

/// `sources` are the runs at the places of the sets that come from one.
fn set_records(sets: &[PieceSet], sources: &[Option<SourceRun>]) -> Vec<SetRecord> {
    let sources = sources.iter().map(Option::as_ref).chain(iter::repeat(None));
    let records = sets.iter().zip(sources).map(|(set, source)| SetRecord {
        name: set.name.clone(),
        audio: set.audio.clone(),
        from: source.map(source_record),
    });
    records.collect()
}

fn generation_record(
    plan: &Plan,
    making: &Making,
    generator: &ReadyModel,
    store: &Store,
    large: bool,
) -> Result<GenerationRecord> {
    let listed = plan.experiment.pieces.iter().filter(|_| !large);
    let pieces = listed.map(|piece| {
        let made = store
            .journal
            .piece(&piece.id)
            .ok_or_else(|| anyhow!("piece {} was not made", piece.id))?;
        Ok(PieceRecord {
            id: piece.id.clone(),
            sha256: made.to_owned(),
        })
    });
    let config = generator.export.musicgen()?;
    Ok(GenerationRecord {
        sampling_rate: config.codec.sampling_rate,
        settings: making.settings(&plan.experiment.name, config)?,
        model: model_record(generator, store),
        pieces: pieces.collect::<Result<_>>()?,
    })
}

fn model_record(ready: &ReadyModel, store: &Store) -> ModelRecord {
    let ReadyModel {
        name,
        model,
        export,
        leftover,
    } = ready;
    let checkpoint = model.checkpoint.file_name().unwrap_or_default();
    let graphs = export.graphs.iter().map(|(graph, exported)| {
        let record = GraphRecord {
            path: export.folder.join(&exported.file),
            graph: exported.clone(),
            nodes_ran_on: store.journal.nodes(name, graph),
        };
        (graph.clone(), record)
    });
    ModelRecord {
        card: model.card.name.clone(),
        checkpoint: checkpoint.to_string_lossy().into_owned(),
        checkpoint_sha256: model.sha256.clone(),
        files: model.files.clone(),
        tokenizer: model.tokenizer.clone(),
        licence: model.card.licence.clone(),
        repository: model.card.repository().map(str::to_owned),
        cite: model.card.cite.clone(),
        architecture: export.architecture.clone(),
        leftover_tensors: leftover.clone(),
        exporter_version: export.exporter_version,
        graphs: graphs.collect(),
    }
}
