//! Everything that can be checked before anything long starts.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::demo::{self, Demo};
use super::survey::survey;
use crate::audio::Crops;
use crate::card::{Card, Kind};
use crate::cli::{MODELS, RunArgs, RuntimeArgs};
use crate::commands::UsageError;
use crate::files;
use crate::model;
use crate::pipeline::clips::{ClipInfo, CropChoice};
use crate::report::SkippedRow;
use crate::spec::{self, Experiment, Overrides};

/// An experiment whose pieces are readable and whose cards are known.
#[derive(Debug)]
pub struct Plan {
    /// Without the pieces that were left out.
    pub experiment: Experiment,
    /// Of each piece, in their order.
    pub clips: Vec<ClipInfo>,
    pub skipped: Vec<SkippedRow>,
    /// Of each arm, in their order.
    pub cards: Vec<Card>,
    pub recorded: Option<RecordedCrops>,
    /// The folder asked for, or `runs/<experiment>`.
    pub folder: PathBuf,
    /// Where the cards are, and the graphs.
    pub models: PathBuf,
    pub runtime: RuntimeArgs,
    pub offline: bool,
    pub fresh: bool,
}

/// What `--crops` gave.
#[derive(Debug, Clone)]
pub struct RecordedCrops {
    pub path: PathBuf,
    pub sha256: String,
    crops: HashMap<String, Crops>,
}

impl Plan {
    /// How the crops of long pieces are chosen, the same for every arm.
    pub fn crop_choice(&self) -> CropChoice {
        match &self.recorded {
            Some(recorded) => CropChoice::Recorded(recorded.crops.clone()),
            None => CropChoice::Policy {
                policy: self.experiment.crops,
                seed: self.experiment.seed,
                experiment: self.experiment.name.clone(),
            },
        }
    }

    /// Whether any arm's numbers mean nothing.
    pub fn random_weights(&self) -> bool {
        self.cards.iter().any(|card| card.random_weights)
    }
}

/// Check one experiment file under the command line's settings. Every piece is decoded and every card read; no model
/// is loaded and nothing is fetched.
pub fn plan(path: &Path, args: &RunArgs) -> Result<Plan> {
    let demo = args.demo.then(|| unpack_demo(args)).transpose()?;
    let overrides = Overrides {
        set: args.set.clone(),
        seed: args.seed,
        limit: args.limit,
        files: demo.as_ref().map(|d| d.pieces.clone()),
    };
    let mut experiment = spec::open(path, &overrides)?.resolve(None)?;
    let models = match &demo {
        Some(demo) => demo.models.clone(),
        None => args.models.models.clone(),
    };
    let cards = experiment
        .arms
        .iter()
        .map(|arm| {
            Card::find_kind(Kind::Clap, &arm.model, &models)
                .with_context(|| format!("arm '{}'", arm.name))
        })
        .collect::<Result<Vec<_>>>()?;
    let recorded = args.crops.as_deref().map(read_crops).transpose()?;
    let paths: Vec<&Path> = experiment.pieces.iter().map(|p| p.path.as_path()).collect();
    let found = survey(&paths, "pieces", args.skip_bad)?;
    found.keep(&mut experiment.pieces);
    let clips: Vec<ClipInfo> = found.infos.into_iter().flatten().collect();
    // Those that are on the hub yet are checked once they are fetched.
    for card in &cards {
        model::check_if_here(card)?;
    }
    if let Some(recorded) = &recorded {
        check_crops(recorded, &experiment, &clips, &cards)?;
    }
    let folder = match &args.out {
        Some(out) => out.clone(),
        None => Path::new("runs").join(&experiment.name),
    };
    check_writable(&folder)?;
    Ok(Plan {
        experiment,
        clips,
        skipped: found.skipped,
        cards,
        recorded,
        folder,
        models,
        runtime: args.runtime.clone(),
        offline: args.models.offline,
        fresh: args.fresh,
    })
}

/// The demo brings its own pieces and models: asking for others with it is a mistake.
fn unpack_demo(args: &RunArgs) -> Result<Demo> {
    let pieces = args.set.iter().find(|set| set.starts_with("audio"));
    let models = (args.models.models != Path::new(MODELS)).then(|| "--models".to_owned());
    match pieces.map(|set| format!("--set {set}")).or(models) {
        Some(other) => Err(UsageError(format!(
            "--demo brings its own pieces and models, so {other} would change nothing; leave one of them out"
        ))
        .into()),
        None => demo::unpack(),
    }
}

fn read_crops(path: &Path) -> Result<RecordedCrops> {
    let crops = spec::crops::read(path)?;
    let sha256 =
        files::sha256_file(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(RecordedCrops {
        path: path.to_owned(),
        sha256,
        crops,
    })
}

/// A fused model hears a whole clip that is less than a mel frame (10 ms) longer than its 10 s. Clips about as long are
/// left to the front end, which knows their samples.
const SURELY_LONG_S: f64 = 10.02;

/// The crops that each arm needs of the long pieces are in the file.
fn check_crops(
    recorded: &RecordedCrops,
    experiment: &Experiment,
    clips: &[ClipInfo],
    cards: &[Card],
) -> Result<()> {
    let pieces = experiment.pieces.iter().zip(clips);
    for (piece, clip) in pieces.filter(|(_, clip)| clip.duration_s > SURELY_LONG_S) {
        let crops = recorded.crops.get(&piece.id).copied().unwrap_or_default();
        for (arm, card) in experiment.arms.iter().zip(cards) {
            let (needs, has) = match card.architecture.fusion {
                Some(true) => ("front, middle and back", crops.front.is_some()),
                Some(false) => ("offset", crops.offset.is_some()),
                // Known once the checkpoint is here.
                None => continue,
            };
            if !has {
                return Err(UsageError(format!(
                    "{} has no {needs} for {}: the piece is {:.1} s long, and arm '{}' hears 10 s of it; add the \
                     row, or leave out --crops",
                    recorded.path.display(),
                    piece.id,
                    clip.duration_s,
                    arm.name
                ))
                .into());
            }
        }
    }
    Ok(())
}

/// The run folder, or the nearest folder above it that exists, takes new files.
fn check_writable(folder: &Path) -> Result<()> {
    let absolute = std::path::absolute(folder)?;
    let existing = absolute
        .ancestors()
        .find(|a| a.exists())
        .unwrap_or(Path::new("/"));
    if !existing.is_dir() {
        return Err(UsageError(format!(
            "the run folder cannot be {}: {} is a file",
            folder.display(),
            existing.display()
        ))
        .into());
    }
    tempfile::tempfile_in(existing).with_context(|| {
        format!(
            "cannot write the run folder {}; choose another with --out",
            folder.display()
        )
    })?;
    Ok(())
}
