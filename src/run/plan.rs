//! An experiment that is ready to be run, and the runs that it waits for.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use pipelines::clips::{ClipInfo, CropChoice};

use super::crops::RecordedCrops;
use super::length::pieces_and_length;
use super::looked::{Known, Looked};
use super::making::Making;
use super::shards::{Share, Work};
use super::source::SourceRun;
use super::survey::survey;
use crate::args::RuntimeArgs;
use crate::card::Card;
use crate::experiment::{Draft, Experiment, Input};
use crate::shard::Shard;
use crate::spec::{Piece, Text};
use crate::tables::SkippedRow;

/// Texts that are embedded and go to the journal together: a kill costs at most so many, and one write is a megabyte or two.
pub(super) const TEXTS_AT_ONCE: usize = 256;

/// An experiment whose settings, pieces and cards are known.
#[derive(Debug)]
pub struct Plan {
    /// Of the experiment.
    pub file: PathBuf,
    /// Without the pieces that were left out.
    pub experiment: Experiment,
    /// Of each piece that is here, in their order; empty when they are yet to be made.
    pub clips: Vec<ClipInfo>,
    /// Of each of them, whether it is known from elsewhere and this process has not read its file.
    pub(super) unread: Vec<bool>,
    pub skipped: Vec<SkippedRow>,
    /// Of each arm, in their order.
    pub cards: Vec<Card>,
    /// How it makes its pieces, if it does.
    pub making: Option<Making>,
    /// What is known of the experiment's notebook: a checked [`crate::notebook`] file.
    pub notebook: Option<String>,
    /// The run that each set of pieces comes from, where it is one; there is one set unless two are compared.
    pub sources: Vec<Option<SourceRun>>,
    /// What is to be run before, when a set of pieces is not there yet.
    pub pending: Option<Box<Pending>>,
    /// What an experiment of texts embeds.
    pub texts: Vec<Text>,
    pub recorded: Option<RecordedCrops>,
    /// The folder asked for, or `runs/<experiment>`.
    pub folder: PathBuf,
    /// Where the cards are, and the graphs.
    pub models: PathBuf,
    pub runtime: RuntimeArgs,
    /// Pieces made at once.
    pub batch: Option<usize>,
    pub demo: bool,
    pub offline: bool,
    pub fresh: bool,
    /// The share that is computed, if not the whole run.
    pub shard: Option<Shard>,
    /// Where on the node's own disk a share has graphs and library.
    pub local_scratch: Option<PathBuf>,
    /// Nothing is computed but results of what shares have finished.
    pub no_compute: bool,
    /// Shares from unlike processors are refused.
    pub require_alike: bool,
    pub(super) skip_bad: bool,
}

impl Plan {
    /// How the crops of long pieces are chosen, the same for every arm.
    pub fn crop_choice(&self) -> CropChoice {
        let experiment = &self.experiment;
        match (&self.recorded, experiment.crops.policy()) {
            (Some(recorded), _) => CropChoice::Recorded(recorded.crops.clone()),
            (None, None) => CropChoice::Windows(experiment.crops.windows().unwrap_or_default()),
            (None, Some(policy)) => CropChoice::Policy {
                policy,
                seed: experiment.seed,
                experiment: experiment
                    .crops_of
                    .as_ref()
                    .unwrap_or(&experiment.name)
                    .clone(),
            },
        }
    }

    /// Whether any number means nothing.
    pub fn random_weights(&self) -> bool {
        let generator = self.making.iter().map(|making| &making.card);
        let mut cards = self.cards.iter().chain(generator);
        let mut sources = self.sources.iter().flatten();
        cards.any(|card| card.random_weights) || sources.any(|source| source.random_weights)
    }

    /// Where a piece's file is, in a run whose folder is `folder`.
    pub fn path_of(&self, piece: &Piece, folder: &Path) -> PathBuf {
        match self.making {
            Some(_) => folder.join(&piece.path),
            None => piece.path.clone(),
        }
    }

    /// `100 pieces, 49.9 min of audio`, of pieces that are to be made.
    pub fn work(&self) -> String {
        let durations = self.durations();
        pieces_and_length(durations.len(), durations.iter().sum())
    }

    /// Seconds of each piece: of those that are here, or as they will be made.
    fn durations(&self) -> Vec<f64> {
        match (&self.making, &self.pending) {
            (Some(making), _) => {
                let each = making.sizes().seconds(making.generation.duration_s);
                vec![each; self.experiment.pieces.len()]
            }
            (None, Some(pending)) => pending.plans().flat_map(Plan::durations).collect(),
            (None, None) => self.clips.iter().map(|clip| clip.duration_s).collect(),
        }
    }

    /// Pieces to be made in the folder asked for that have no file yet.
    pub fn without_file(&self) -> usize {
        let pieces = self.experiment.pieces.iter();
        pieces
            .filter(|piece| !self.folder.join(&piece.path).is_file())
            .count()
    }

    /// Every text that an arm embeds, once: the prompts, or the captions, descriptors and queries.
    pub(super) fn texts_to_read(&self) -> Vec<&str> {
        let experiment = &self.experiment;
        let prompts = experiment.pieces.iter().map(|piece| piece.prompt.as_str());
        let texts = self.texts.iter().map(|text| text.text.as_str());
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

    /// Pieces of a share, and all that it computes: pieces, clips and texts.
    pub fn share_size(&self, shard: Shard) -> (usize, usize) {
        let (_, pieces, lines) = self.share(shard);
        (pieces, lines)
    }

    /// The items of a share, and its size.
    pub(super) fn share(&self, shard: Shard) -> (Share, usize, usize) {
        let letters: Vec<usize> = self.texts_to_read().iter().map(|text| text.len()).collect();
        let work = Work {
            seconds: &self.durations(),
            made: self.making.is_some(),
            arms: self.experiment.arms.len(),
            letters: &letters,
            stretch: TEXTS_AT_ONCE,
        };
        let share = Share::of(shard, &work);
        let (pieces, lines) = share.size(&work);
        (share, pieces, lines)
    }

    /// Hold the crops that the command line names against the pieces.
    pub(super) fn check_crops(&self) -> Result<()> {
        // Of several sets that wait for each other the lengths are not known together; they are checked once they are.
        if self.pending.is_some() && matches!(self.experiment.task.input(), Input::Sets(_)) {
            return Ok(());
        }
        match &self.recorded {
            Some(recorded) => recorded.check(&self.experiment, &self.durations(), &self.cards),
            None => Ok(()),
        }
    }

    /// The same plan with the pieces of finished runs, at the places of the sets that come from them.
    pub(super) fn attach(mut self, draft: Draft, sources: Vec<Option<SourceRun>>) -> Result<Self> {
        let limit = draft.experiment().limit;
        let check = self.shard.is_none();
        let runs = sources
            .iter()
            .enumerate()
            .map(|(i, source)| {
                let source = source.as_ref();
                source
                    .map(|source| source.pieces(limit_of(i, limit), check))
                    .transpose()
            })
            .collect::<Result<Vec<_>>>()?;
        self.experiment = draft.resolve(None, runs)?;
        self.sources = sources;
        let plan = self.look()?;
        plan.check_crops()?;
        Ok(plan)
    }

    /// Decode every piece of which nothing is known.
    pub(super) fn look(mut self) -> Result<Self> {
        let mut looked = Looked::of(&self.folder, self.shard.is_some());
        for source in self.sources.iter().flatten() {
            looked.add_run(source, self.shard.is_none());
        }
        let pieces = &self.experiment.pieces;
        let known: Vec<Option<&Known>> =
            pieces.iter().map(|piece| looked.get(&piece.path)).collect();
        let unknown = pieces
            .iter()
            .zip(&known)
            .filter(|(_, known)| known.is_none());
        let unknown: Vec<&Path> = unknown.map(|(piece, _)| piece.path.as_path()).collect();
        let found = survey(
            &unknown,
            pieces.len() - unknown.len(),
            "pieces",
            self.skip_bad,
        )?;
        let mut infos = found.infos.into_iter();
        let infos: Vec<Option<(ClipInfo, bool)>> = known
            .into_iter()
            .map(|known| match known {
                Some(known) => Some((known.info.clone(), !known.read)),
                None => infos.next().flatten().map(|info| (info, false)),
            })
            .collect();
        let mut kept = infos.iter().map(Option::is_some);
        self.experiment.pieces.retain(|_| kept.next() == Some(true));
        (self.clips, self.unread) = infos.into_iter().flatten().unzip();
        self.skipped = found.skipped;
        if !self.skipped.is_empty() {
            self.keep_pairs()?;
        }
        Ok(self)
    }

    /// Where two sets are compared, an item whose piece was left out of one set is left out of the other.
    fn keep_pairs(&mut self) -> Result<()> {
        let Input::Sets(sets) = self.experiment.task.input() else {
            return Ok(());
        };
        let sets = sets.len();
        let mut counts: HashMap<String, usize> = HashMap::new();
        for piece in &self.experiment.pieces {
            *counts.entry(piece.id.clone()).or_default() += 1;
        }
        let pieces = std::mem::take(&mut self.experiment.pieces);
        let clips = std::mem::take(&mut self.clips).into_iter();
        let clips = clips.zip(std::mem::take(&mut self.unread));
        let whole = |piece: &Piece| counts.get(&piece.id) == Some(&sets);
        let (paired, alone): (Vec<_>, Vec<_>) = pieces
            .into_iter()
            .zip(clips)
            .partition(|(piece, _)| whole(piece));
        self.skipped
            .extend(alone.iter().map(|(piece, _)| SkippedRow {
                path: piece.path.display().to_string(),
                reason: "the piece of this item in the other set cannot be used".to_owned(),
            }));
        let (pieces, clips): (Vec<Piece>, Vec<_>) = paired.into_iter().unzip();
        self.experiment.pieces = pieces;
        (self.clips, self.unread) = clips.into_iter().unzip();
        if self.experiment.pieces.is_empty() {
            bail!("no item has a usable piece in both sets");
        }
        Ok(())
    }
}

/// An experiment that waits for other runs.
#[derive(Debug)]
pub struct Pending {
    pub(super) draft: Draft,
    /// Of each set of pieces.
    pub runs: Vec<PendingRun>,
}

/// Where a set of pieces comes from.
#[derive(Debug)]
pub enum PendingRun {
    /// No run.
    None,
    Here(SourceRun),
    /// One that has to be made first.
    First(Box<Plan>),
}

impl Pending {
    pub(super) fn into_parts(self) -> (Draft, Vec<PendingRun>) {
        (self.draft, self.runs)
    }

    /// The plans of the runs that have to be made first.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.runs.iter().filter_map(|run| match run {
            PendingRun::First(plan) => Some(&**plan),
            _ => None,
        })
    }
}

/// Which pieces of set `i` are looked for: the first set says which items the limit leaves, and the other may have them in
/// another order.
pub(super) fn limit_of(i: usize, limit: Option<usize>) -> Option<usize> {
    limit.filter(|_| i == 0)
}
