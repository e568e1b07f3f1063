//! A plan to results: embeddings into the journal, then CSVs, manifest and figures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, anyhow};
use serde_json::json;

use super::journal::Entry;
use super::manifest::{
    ArmRecord, CropsRecord, GraphRecord, Manifest, Program, RuntimeRecord, Times,
};
use super::plan::Plan;
use super::store::Store;
use crate::analysis;
use crate::export::{EXPORTER_VERSION, Exported};
use crate::figures;
use crate::files;
use crate::hub;
use crate::interrupt;
use crate::model::{Model, Ready, note_leftover};
use crate::pipeline::{AudioTower, TextTower};
use crate::progress;
use crate::report::{self, EmbeddingRow, Row, ScoreRow, SkippedRow};
use crate::runtime::library::{self, Library};
use crate::runtime::{Runtime, SessionOptions};
use crate::spec::{self, Identity, Piece};

/// A finished run.
pub struct Finished {
    pub folder: PathBuf,
    pub scores: Vec<ScoreRow>,
    pub stats: Vec<report::StatsRow>,
}

/// One arm, ready to compute.
struct Arm<'p> {
    name: &'p str,
    model: Model,
    export: Exported,
    leftover: Vec<String>,
}

/// Run a plan to its end, from where an earlier process left it.
///
/// `runtime` is opened when something is left to compute, and stays open for the next plan: a process has one.
pub fn run(plan: &Plan, runtime: &mut Option<Runtime>) -> Result<Finished> {
    let started = (SystemTime::now(), Instant::now());
    // Before a download that would be in vain without it.
    let library = library::find_or_install(plan.runtime.ep, plan.offline)?;
    let arms = prepare(plan)?;
    let identity = identity(plan, &arms, &library)?;
    let mut store = Store::open(&plan.folder, &identity, plan.fresh)?;
    interrupt::listen();
    for arm in &arms {
        compute(plan, arm, &mut store, &library, runtime)
            .with_context(|| format!("arm '{}'", arm.name))?;
    }
    finish(plan, &arms, &store, &identity, &library, started)
}

/// Fetch, check and export the model of every arm before any of them computes.
fn prepare(plan: &Plan) -> Result<Vec<Arm<'_>>> {
    std::fs::create_dir_all(&plan.models)
        .with_context(|| format!("cannot make the models folder {}", plan.models.display()))?;
    let models = plan
        .cards
        .iter()
        .map(|card| Model::obtain(card.clone(), plan.offline))
        .collect::<Result<Vec<_>, _>>()?;
    let mut arms = Vec::with_capacity(models.len());
    for (model, arm) in models.into_iter().zip(&plan.experiment.arms) {
        interrupt::check()?;
        let Ready { export, leftover } = model.export(&plan.models, plan.runtime.precision)?;
        note_leftover(&model.card.name, &leftover);
        arms.push(Arm {
            name: &arm.name,
            export,
            leftover,
            model,
        });
    }
    Ok(arms)
}

/// Everything that changes a number.
fn identity(plan: &Plan, arms: &[Arm], library: &Library) -> Result<Identity> {
    let arms: Vec<_> = arms
        .iter()
        .map(|arm| {
            json!({
                "checkpoint": arm.model.sha256,
                "tokenizer": arm.model.tokenizer.sha256,
                "fusion_shrink": arm.model.card.fusion_shrink,
            })
        })
        .collect();
    let pieces: Vec<&str> = plan.clips.iter().map(|clip| clip.sha256.as_str()).collect();
    let run = json!({
        "arms": arms,
        "pieces": pieces,
        "crops": plan.recorded.as_ref().map(|r| r.sha256.as_str()),
        "ep": plan.runtime.ep,
        "device": plan.runtime.device,
        "precision": plan.runtime.precision,
        "exporter": EXPORTER_VERSION,
        "onnxruntime": match &library.sha256 {
            Some(sha256) => sha256.clone(),
            None => hub::remembered_sha256(&library.path)?.0,
        },
    });
    Ok(spec::identity(&plan.experiment, run)?)
}

/// The embeddings of one arm that the journal does not have yet.
fn compute(
    plan: &Plan,
    arm: &Arm,
    store: &mut Store,
    library: &Library,
    runtime: &mut Option<Runtime>,
) -> Result<()> {
    let mut prompts: Vec<&str> = Vec::new();
    for piece in &plan.experiment.pieces {
        if !prompts.contains(&piece.prompt.as_str())
            && store.journal.text(arm.name, &piece.prompt).is_none()
        {
            prompts.push(&piece.prompt);
        }
    }
    let pieces: Vec<&Piece> = plan
        .experiment
        .pieces
        .iter()
        .filter(|piece| store.journal.clip(arm.name, &piece.id).is_none())
        .collect();
    if prompts.is_empty() && pieces.is_empty() {
        return Ok(());
    }
    let runtime = match runtime {
        Some(runtime) => runtime,
        None => runtime.insert(Runtime::open(
            library,
            SessionOptions {
                provider: plan.runtime.ep,
                device: plan.runtime.device,
                threads: plan.runtime.threads(),
            },
        )?),
    };
    if !prompts.is_empty() {
        embed_prompts(arm, &prompts, store, runtime)?;
    }
    if !pieces.is_empty() {
        embed_pieces(plan, arm, &pieces, store, runtime)?;
    }
    Ok(())
}

fn embed_prompts(arm: &Arm, prompts: &[&str], store: &mut Store, runtime: &Runtime) -> Result<()> {
    let mut tower = TextTower::load(runtime, &arm.export, &arm.model.tokenizer.path)?;
    let embeddings = tower.embed(prompts, |_| interrupt::check())?;
    ran(store, arm, "text", tower.placement(), runtime)?;
    // Together: prompts that are left alone by a kill would be padded otherwise.
    let entries = prompts
        .iter()
        .zip(embeddings.rows())
        .map(|(prompt, embedding)| Entry::Text {
            arm: arm.name.to_owned(),
            prompt: (*prompt).to_owned(),
            embedding: embedding.to_vec(),
        })
        .collect();
    add(store, entries)
}

fn embed_pieces(
    plan: &Plan,
    arm: &Arm,
    pieces: &[&Piece],
    store: &mut Store,
    runtime: &Runtime,
) -> Result<()> {
    let shrink = arm.model.card.fusion_shrink;
    let mut tower = AudioTower::load(runtime, &arm.export, shrink, pieces.len())?;
    let clips: Vec<(&str, &Path)> = pieces
        .iter()
        .map(|piece| (piece.id.as_str(), piece.path.as_path()))
        .collect();
    let bar = progress::items(arm.name, "pieces", clips.len() as u64);
    let mut last = None;
    tower.embed(&clips, &plan.crop_choice(), |clip| -> Result<()> {
        let entry = Entry::Audio {
            arm: arm.name.to_owned(),
            id: clips[clip.index].0.to_owned(),
            embedding: clip.embedding.to_vec(),
            crops: clip.crops,
        };
        bar.inc(1);
        if clip.index + 1 == clips.len() {
            last = Some(entry);
            return Ok(());
        }
        add(store, vec![entry])?;
        Ok(interrupt::check()?)
    })?;
    bar.finish_and_clear();
    ran(store, arm, "audio", tower.placement(), runtime)?;
    last.map_or(Ok(()), |entry| add(store, vec![entry]))
}

/// Note where a graph's nodes ran: before the last embedding, so that a journal that has them all says so too, wherever
/// a process was killed.
fn ran(
    store: &mut Store,
    arm: &Arm,
    graph: &str,
    nodes: BTreeMap<String, usize>,
    runtime: &Runtime,
) -> Result<()> {
    let entry = Entry::Ran {
        arm: arm.name.to_owned(),
        graph: graph.to_owned(),
        nodes,
        build: runtime.build_info().to_owned(),
    };
    add(store, vec![entry])
}

fn add(store: &mut Store, entries: Vec<Entry>) -> Result<()> {
    store.journal.add(entries).with_context(|| {
        format!(
            "cannot write {}; what was finished is kept, and the same command goes on from there",
            store.journal.path().display()
        )
    })
}

/// Every result from the journal into its file.
fn finish(
    plan: &Plan,
    arms: &[Arm],
    store: &Store,
    identity: &Identity,
    library: &Library,
    (started, clock): (SystemTime, Instant),
) -> Result<Finished> {
    let (scores, embeddings) = rows(plan, arms, store)?;
    let stats = analysis::stats(&scores, plan.experiment.seed)?;
    let at = |file: &str| store.folder.join(file);
    report::write_scores(&at(ScoreRow::FILE), &scores)?;
    report::write(&at(EmbeddingRow::FILE), &embeddings)?;
    report::write(&at(report::StatsRow::FILE), &stats)?;
    let skipped = at(SkippedRow::FILE);
    if !plan.skipped.is_empty() {
        report::write(&skipped, &plan.skipped)?;
    } else if skipped.exists() {
        // Of an earlier run, whose bad pieces are gone.
        std::fs::remove_file(&skipped)
            .with_context(|| format!("cannot remove {}", skipped.display()))?;
    }
    let manifest = Manifest {
        experiment: plan.experiment.name.clone(),
        notebook: plan.experiment.notebook.clone(),
        identity: identity.full().to_owned(),
        seed: plan.experiment.seed,
        crops: CropsRecord {
            policy: match &plan.recorded {
                Some(_) => "recorded".to_owned(),
                None => plan.experiment.crops.to_string(),
            },
            file: plan.recorded.as_ref().map(|r| r.path.clone()),
            sha256: plan.recorded.as_ref().map(|r| r.sha256.clone()),
        },
        random_weights: plan.random_weights(),
        pieces: plan.experiment.pieces.len(),
        skipped: plan.skipped.len(),
        arms: arms
            .iter()
            .map(|arm| arm_record(arm, store))
            .collect::<Result<_>>()?,
        runtime: RuntimeRecord {
            provider: plan.runtime.ep.to_string(),
            device: plan.runtime.device,
            precision: plan.runtime.precision.to_string(),
            threads: plan.runtime.threads(),
            onnxruntime: library.version.clone(),
            build: store.journal.build().unwrap_or_default().to_owned(),
            library_sha256: library.sha256.clone(),
        },
        harness: Program {
            version: env!("CARGO_PKG_VERSION"),
        },
        settings: serde_json::to_value(&plan.experiment)?,
        times: Times {
            started: humantime::format_rfc3339_seconds(started).to_string(),
            finished: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            seconds: clock.elapsed().as_secs_f64(),
        },
    };
    let path = at("manifest.json");
    files::write_bytes(&path, &serde_json::to_vec_pretty(&manifest)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    figures::redraw(&store.folder)?;
    Ok(Finished {
        folder: store.folder.clone(),
        scores,
        stats,
    })
}

/// Scores and embeddings, arm by arm and in the order of the pieces.
fn rows(plan: &Plan, arms: &[Arm], store: &Store) -> Result<(Vec<ScoreRow>, Vec<EmbeddingRow>)> {
    let count = arms.len() * plan.experiment.pieces.len();
    let (mut scores, mut embeddings) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for arm in arms {
        for piece in &plan.experiment.pieces {
            let missing = || {
                anyhow!(
                    "piece {} has no embedding under arm '{}'",
                    piece.id,
                    arm.name
                )
            };
            let (audio, crops) = store
                .journal
                .clip(arm.name, &piece.id)
                .ok_or_else(missing)?;
            let text = store
                .journal
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

fn arm_record(arm: &Arm, store: &Store) -> Result<ArmRecord> {
    let export = &arm.export;
    Ok(ArmRecord {
        name: arm.name.to_owned(),
        card: arm.model.card.name.clone(),
        checkpoint: arm
            .model
            .checkpoint
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        checkpoint_sha256: arm.model.sha256.clone(),
        files: arm.model.files.clone(),
        tokenizer: arm.model.tokenizer.clone(),
        licence: arm.model.card.licence.clone(),
        architecture: export.architecture.clone(),
        fusion_shrink: serde_json::to_value(arm.model.card.fusion_shrink)?,
        leftover_tensors: arm.leftover.clone(),
        exporter_version: export.exporter_version,
        graphs: export
            .graphs
            .iter()
            .map(|(name, graph)| {
                let record = GraphRecord {
                    path: export.folder.join(&graph.file),
                    graph: graph.clone(),
                    nodes_ran_on: store.journal.nodes(arm.name, name),
                };
                (name.clone(), record)
            })
            .collect(),
    })
}
