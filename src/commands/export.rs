//! `harness export`: checkpoints to graphs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use foreign::words;
use onnx_export::Exported;
use ort_runtime::library;
use process::progress::{note, result};

use super::{limit_threads, opened};
use crate::args::{ModelsArgs, RuntimeArgs};
use crate::card::Card;
use crate::exit::UsageError;
use crate::model::prepare;
use crate::model::{self, Model, Ready, note_leftover};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  harness export music_audioset --out graphs/music
  harness export tasty-musicgen-small --precision int8

Graphs are made for the provider and the precision that will run them.")]
pub struct ExportArgs {
    /// Cards: names in the models folder, or paths
    #[arg(required = true, value_name = "CARD")]
    pub cards: Vec<String>,
    /// Also copy the graphs to DIR/<card>
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub models: ModelsArgs,
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

pub(crate) fn export(args: &ExportArgs) -> Result<()> {
    // Not what this machine can run: graphs may be made on one machine for another.
    let RuntimeArgs {
        ep,
        precision,
        device,
        ..
    } = args.runtime;
    if device.is_some() {
        return Err(UsageError(
            "--device says where graphs run, and export only writes them; leave it out".into(),
        )
        .into());
    }
    limit_threads(&args.runtime)?;
    ep.check(precision)
        .map_err(|e| UsageError(words!("{}", e)))?;
    let cards = args
        .cards
        .iter()
        .map(|name| Card::find(name, &args.models.models))
        .collect::<Result<Vec<_>, _>>()?;
    model::make_folder(&args.models.models)?;
    let mut runtime = None;
    for card in cards {
        let model = Model::obtain(card, args.models.offline)?;
        let Ready { export, leftover } =
            prepare(&model, &args.models.models, args.runtime.target(), || {
                let library = library::find_or_install(args.runtime.ep, args.models.offline)?;
                opened(&mut runtime, &args.runtime, &library)
            })?;
        note(format!(
            "{} ({}): exported in {:.1} s, {:.1} MB",
            model.card.name,
            export.architecture,
            export.export_s,
            export.bytes() as f64 / 1e6
        ));
        note_leftover(&model.card.name, &leftover);
        let folder = match &args.out {
            Some(out) => {
                let folder = out.join(&model.card.name);
                copy(&export, &folder)
                    .with_context(|| format!("cannot copy the graphs to {}", folder.display()))?;
                folder
            }
            None => export.folder.clone(),
        };
        result(folder.to_string_lossy())?;
    }
    Ok(())
}

/// Each file whole or not at all; the graphs last, so that a graph never stands without its weights.
fn copy(exported: &Exported, folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for graph in exported.graphs.values() {
        for name in [format!("{}.data", graph.file), graph.file.clone()] {
            let mut from = fs::File::open(exported.folder.join(&name))?;
            files::write_atomic(&folder.join(&name), |to| {
                std::io::copy(&mut from, to).map(|_| ())
            })?;
        }
    }
    Ok(())
}
