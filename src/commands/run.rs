//! `harness run` and `harness check`.

use std::path::PathBuf;

use anyhow::Result;
use foreign::words;
use ort_runtime::library;
use process::interrupt;
use process::progress::{note, result};

use super::check_runtime;
use crate::args::RunArgs;
use crate::card::{Card, Source};
use crate::demo;
use crate::exit::{self, UsageError};
use crate::model::{Model, hub_file};
use crate::run::making::free_bytes;
use crate::run::{self, Plan};
use crate::tables::{TextKind, aligned};

/// Run every experiment; all are checked before the first begins.
pub(crate) fn run(args: &RunArgs) -> Result<()> {
    if args.shard.is_some() {
        interrupt::ask_again();
    } else if args.local_scratch.is_some() {
        return Err(UsageError(
            "--local-scratch is for the shares of a cluster's nodes; give --shard with it".into(),
        )
        .into());
    }
    let plans = plans(args)?;
    let mut runtime = None;
    for plan in plans {
        if let Some(shard) = plan.shard {
            let name = plan.experiment.name.clone();
            let folder = run::run_share(plan, shard, &mut runtime)?;
            result(format!("share {shard} of {name}: {}", folder.display()))?;
            continue;
        }
        let finished = run::run(plan, &mut runtime).map_err(|e| {
            exit::explain(
                e,
                "what was finished is saved, and the same command goes on from there",
            )
        })?;
        result(format!("{}{}", finished.told, finished.folder.display()))?;
    }
    Ok(())
}

/// Have everything that the experiments need.
pub(crate) fn prepare(args: &RunArgs) -> Result<()> {
    let mut runtime = None;
    let mut told: Vec<(String, String)> = Vec::new();
    for plan in plans(args)? {
        let first = plan.pending.iter().flat_map(|pending| pending.plans());
        for plan in first.chain([&plan]) {
            told.extend(run::prepare(plan, &mut runtime)?.models);
        }
    }
    told.sort();
    told.dedup();
    let rows: Vec<Vec<String>> = told
        .into_iter()
        .map(|(card, what)| vec![card, what])
        .collect();
    Ok(result(aligned::table(&rows, 2))?)
}

/// Check every experiment and show its plan.
pub(crate) fn check(args: &RunArgs) -> Result<()> {
    for plan in plans(args)? {
        for first in plan.pending.iter().flat_map(|pending| pending.plans()) {
            result(describe(first)?)?;
        }
        result(describe(&plan)?)?;
    }
    Ok(())
}

pub(super) fn plans(args: &RunArgs) -> Result<Vec<Plan>> {
    check_runtime(&args.runtime)?;
    if args.demo {
        note(demo::NOTICE);
    }
    let plans: Vec<Plan> = args
        .experiments
        .iter()
        .map(|path| run::plan(path, args))
        .collect::<Result<_>>()?;
    let mut folders: Vec<PathBuf> = plans.iter().map(|plan| plan.folder.clone()).collect();
    folders.sort();
    if let Some(twice) = folders.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(UsageError(words!(
            "two experiments would write to {}; run them one at a time, each with its own --out",
            twice[0].display()
        ))
        .into());
    }
    Ok(plans)
}

fn describe(plan: &Plan) -> Result<String> {
    let mut out = String::new();
    let mut line = |key: &str, text: String| out.push_str(&format!("  {key:<10}  {text}\n"));
    let experiment = &plan.experiment;
    let (pieces, arms) = (experiment.pieces.len(), experiment.arms.len());
    if let Some(making) = &plan.making {
        let (generation, sizes) = (&making.generation, making.sizes());
        let seconds = generation.duration_s;
        let steps = sizes.steps(seconds);
        line(
            "pieces",
            format!("{}, {} steps", plan.work(), pieces * steps),
        );
        line(
            "each",
            format!("{:.2} s, {steps} steps", sizes.seconds(seconds)),
        );
        line(
            "sampling",
            format!(
                "guidance {}, temperature {}, top-k {}, top-p {}, seed {}",
                generation.guidance,
                generation.temperature,
                generation.top_k,
                generation.top_p,
                experiment.seed
            ),
        );
        let card = &making.card;
        line("model", format!("{}, {}", card.name, state(plan, card)?));
    } else if !plan.texts.is_empty() {
        let captions = plan.texts.iter().filter(|t| t.kind == TextKind::Caption);
        let captions = captions.count();
        let descriptors = plan.texts.len() - captions;
        line(
            "texts",
            format!("{captions} captions, {descriptors} descriptors"),
        );
    } else if let Some(pending) = &plan.pending {
        let first: Vec<&str> = pending
            .plans()
            .map(|first| first.experiment.name.as_str())
            .collect();
        let are = if first.len() == 1 { "is" } else { "are" };
        let text = format!("{pieces} of {}, which {are} run first", first.join(" and "));
        line("pieces", text);
    } else {
        let seconds: f64 = plan.clips.iter().map(|clip| clip.duration_s).sum();
        let long = plan.clips.iter().filter(|c| c.duration_s > 10.0).count();
        let minutes = seconds / 60.0;
        let sources: Vec<String> = plan
            .sources
            .iter()
            .flatten()
            .map(|source| source.folder.display().to_string())
            .collect();
        let of = match sources.as_slice() {
            [] => String::new(),
            sources => format!(" of {}", sources.join(" and ")),
        };
        line(
            "pieces",
            format!("{pieces}{of}, {minutes:.1} min of audio, {long} longer than 10 s"),
        );
    }
    if !plan.skipped.is_empty() {
        line("left out", format!("{} (--skip-bad)", plan.skipped.len()));
    }
    let crops = match &plan.recorded {
        Some(recorded) => format!("as in {}", recorded.path.display()),
        None => format!("{}, seed {}", experiment.crops, experiment.seed),
    };
    if pieces > 0 {
        line("crops", crops);
        line(
            "embeddings",
            format!("{} of audio under {arms} arms", pieces * arms),
        );
    }
    for (key, text) in experiment.task.plan(&experiment.word) {
        line(key, text);
    }
    if let Some(shard) = plan.shard {
        let (own, lines) = plan.share_size(shard);
        line(
            "share",
            format!("{shard}: {own} pieces; {lines} pieces, clips and texts to compute"),
        );
    }
    for (arm, card) in experiment.arms.iter().zip(&plan.cards) {
        let state = state(plan, card)?;
        line("arm", format!("{}: {}, {state}", arm.name, card.name));
    }
    let library = match library::find(plan.runtime.ep)? {
        Some(library) => format!("ONNX Runtime {}", library.version),
        None => format!("{} is to be installed", plan.runtime.ep.package()),
    };
    line("provider", format!("{}, {library}", plan.runtime.ep));
    if let Some(making) = &plan.making {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let needed = making.bytes(&making.sizes(), plan.without_file(), arms);
        let free = free_bytes(&plan.folder)?;
        line(
            "disk",
            format!(
                "{:.1} MB, {:.0} MB free",
                megabytes(needed),
                megabytes(free)
            ),
        );
    }
    line("run folder", plan.folder.display().to_string());
    Ok(format!("{}\n{out}", experiment.name))
}

/// What has to be done before a card's model can run.
fn state(plan: &Plan, card: &Card) -> Result<String> {
    let files: Vec<_> = [&card.source, &card.tokenizer]
        .into_iter()
        .filter_map(|source| match source {
            Source::Hub(hub) => Some(hub.files.iter().map(move |f| (hub_file(hub, f), f.bytes))),
            Source::Path(_) => None,
        })
        .flatten()
        .filter(|(file, _)| hub::cached(file).is_none())
        .collect();
    if files.is_empty() {
        let model = Model::obtain(card.clone(), true)?;
        return Ok(match model.exported(&plan.models, plan.runtime.target()) {
            Ok(Some(exported)) => format!("{}, exported", exported.architecture),
            Ok(None) => "here, to be exported".to_owned(),
            Err(e) => format!("here, to be exported again ({e})"),
        });
    }
    let (mut bytes, mut unknown) = (0, false);
    for (file, stated) in &files {
        match stated {
            Some(stated) => bytes += *stated,
            None if plan.offline => unknown = true,
            None => match hub::metadata(file) {
                Ok(info) => bytes += info.bytes,
                Err(e) => {
                    note(format!("{}: {e}", card.name));
                    unknown = true;
                }
            },
        }
    }
    let size = match (bytes, unknown) {
        (0, true) => "of unknown size".to_owned(),
        (_, true) => format!("at least {:.1} MB", bytes as f64 / 1e6),
        (_, false) => format!("{:.1} MB", bytes as f64 / 1e6),
    };
    let offline = if plan.offline {
        "; --offline will not fetch them"
    } else {
        ""
    };
    Ok(format!(
        "{} to download, {size}{offline}",
        match files.len() {
            1 => "1 file".to_owned(),
            n => format!("{n} files"),
        },
    ))
}
