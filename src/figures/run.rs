//! A run folder as figures see it: its scores, its tastes with their colours, and the words that figures share.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use foreign::words;
use foreign::{self, Foreign};

use super::manifest::Manifest;
use super::page::Words;
use super::theme::Palette;
use super::{FigureError, about};
use crate::labels::{Said, Word};
use crate::statistics::grouping::{MOST_TASTES, tastes};
use crate::tables::{self, MapRow, Row, SAMPLE, ScoreRow};
use crate::words::{counted, thousands};

/// The score as axes name it, with its unit.
pub const SCORE_AXIS: &str = "CLAP score (cosine)";
/// The score in titles.
pub const SCORE: &str = "CLAP score";
/// Written across figures whose scores come from random weights.
pub const RANDOM: &str = "random weights: not a finding";

pub struct Run<'m> {
    pub dir: PathBuf,
    pub manifest: &'m Manifest,
    /// What figures call an arm is a row's condition here: its arm, or a set of pieces under an arm. Empty for texts.
    pub rows: Vec<ScoreRow>,
    /// Whether they are those of a sample.
    pub sampled: bool,
    /// The arm of each condition.
    arms: HashMap<String, String>,
    /// The set of each condition, where sets of pieces are compared.
    sets: HashMap<String, String>,
    pub palette: Palette,
    /// Where the numbers come from, at the foot.
    pub caption: String,
    pub watermark: Option<&'static str>,
}

impl<'m> Run<'m> {
    /// Read `scores.csv`, or of a large run `sample.csv`; a run of texts has neither.
    pub fn read(dir: &Path, manifest: &'m Manifest) -> Result<Self, FigureError> {
        let there = |file: &str| dir.join(file).exists();
        let sampled = there(SAMPLE);
        let path = dir.join(if sampled { SAMPLE } else { ScoreRow::FILE });
        let texts = ["nearest.csv", "histogram.csv", MapRow::FILE];
        let texts = !sampled && !there(ScoreRow::FILE) && texts.into_iter().any(there);
        let mut run = Self {
            dir: dir.to_owned(),
            manifest,
            rows: Vec::new(),
            sampled,
            arms: HashMap::new(),
            sets: HashMap::new(),
            palette: Palette::new([]),
            caption: manifest.caption(None),
            watermark: manifest.random_weights.then_some(RANDOM),
        };
        if manifest.is_of_texts().unwrap_or(texts) && texts {
            let maps: Vec<MapRow> = run.optional()?.unwrap_or_default();
            let found = manifest
                .labels()
                .sorted(maps.iter().map(|row| row.taste.as_str()));
            run.palette = palette(&dir.join(MapRow::FILE), found, run.word())?;
            return Ok(run);
        }
        let mut rows: Vec<ScoreRow> = tables::read(&path, run.word())?;
        if rows.is_empty() {
            return Err(FigureError::Empty { path });
        }
        for row in &mut rows {
            let condition = row.condition().to_owned();
            let arm = std::mem::replace(&mut row.arm, condition.clone());
            if let Some(set) = &row.set {
                run.sets.insert(condition.clone(), set.clone());
            }
            run.arms.insert(condition, arm);
        }
        run.palette = palette(&path, tastes(&rows, manifest.labels()), run.word())?;
        run.rows = rows;
        run.caption = manifest.caption(Some(&run.pieces()));
        Ok(run)
    }

    /// What labels are called.
    pub fn word(&self) -> &'m Word {
        &self.manifest.labels().word
    }

    /// What the figure with this stem shows, in one line.
    pub fn about(&self, stem: &str) -> Said {
        about(stem, self.word())
    }

    /// The rows of another CSV of the folder; `None` when it is not there or has none.
    pub fn optional<T: Row>(&self) -> Result<Option<Vec<T>>, FigureError> {
        let path = self.dir.join(T::FILE);
        if !path.exists() {
            return Ok(None);
        }
        let rows: Vec<T> = tables::read(&path, self.word())?;
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }

    /// The arm that a condition is under.
    pub fn arm<'s>(&'s self, condition: &'s str) -> &'s str {
        self.arms.get(condition).map_or(condition, String::as_str)
    }

    /// The set that a condition is of; the condition itself where no sets are compared.
    pub fn set<'s>(&'s self, condition: &'s str) -> &'s str {
        self.sets.get(condition).map_or(condition, String::as_str)
    }

    /// The conditions in the order of the scores.
    pub fn conditions(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        let all = self.rows.iter().map(|row| row.arm.as_str());
        all.filter(|condition| seen.insert(*condition)).collect()
    }

    /// The sets of pieces that are compared, in the order of the scores; empty where there is but one.
    pub fn sets(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        let all = self.rows.iter().filter_map(|row| row.set.as_deref());
        all.filter(|set| seen.insert(*set)).collect()
    }

    /// `100 pieces`, or `a sample of 2,000 of 1,000,000 pieces`.
    fn pieces(&self) -> String {
        let key = |row: &'_ ScoreRow| (row.set.clone(), row.id.clone());
        let shown = self.rows.iter().map(key).collect::<HashSet<_>>().len();
        match (self.sampled, self.manifest.pieces) {
            (false, _) => counted(shown, "piece"),
            (true, None) => format!("a sample of {}", counted(shown, "piece")),
            (true, Some(all)) => {
                let shown = thousands(shown as u64);
                format!("a sample of {shown} of {}", counted(all, "piece"))
            }
        }
    }

    /// `n = 100`, or `n = 1,000,000, 2,000 of them shown`, of a group of `all` pieces of which `shown` are.
    pub fn n(&self, all: usize, shown: usize) -> String {
        let n = format!("n = {}", thousands(all as u64));
        match self.sampled {
            true => format!("{n}, {} of them shown", thousands(shown as u64)),
            false => n,
        }
    }

    /// What a figure of scores says beneath of a sample.
    pub fn what_is_of_all(&self) -> Vec<String> {
        let told =
            "dots and whiskers are of the sample; boxes, means, intervals and n of all pieces";
        self.sampled.then(|| told.to_owned()).into_iter().collect()
    }

    /// What was measured on: `100 pieces under 3 checkpoints`.
    pub fn subject(&self) -> String {
        let arms = self.conditions();
        let arms: HashSet<&str> = arms.iter().map(|condition| self.arm(condition)).collect();
        let pieces = self.pieces();
        let arms = self.manifest.counted_arms(&arms);
        match self.sets().len() {
            0 => format!("{pieces} under {arms}"),
            sets => format!("{pieces} in {} under {arms}", counted(sets, "set")),
        }
    }

    /// What is written around a figure.
    pub fn words(&self, title: String) -> Words<'_> {
        Words {
            title,
            legend: Vec::new(),
            key: Vec::new(),
            caption: &self.caption,
            watermark: self.watermark,
        }
    }

    /// That `arm` is one of the scores' and each of `tastes` too: otherwise `file` is of another run.
    pub fn must_know(&self, file: &str, arm: &str, tastes: &[&str]) -> Result<(), FigureError> {
        let strange = if !self
            .rows
            .iter()
            .any(|row| row.arm == arm || self.arm(&row.arm) == arm)
        {
            Some(words!(
                "it has the arm {}, which has no scores",
                Foreign::new(arm)
            ))
        } else {
            let known = |taste: &str| self.palette.iter().any(|(known, _)| known == taste);
            let strange = tastes.iter().find(|taste| !known(taste));
            strange.map(|taste| {
                words!(
                    "{} {}, which no piece has",
                    self.word().said("it has the taste"),
                    Foreign::new(taste)
                )
            })
        };
        strange.map_or(Ok(()), |what| Err(self.strange(file, what)))
    }

    /// The error of a file that does not go with the others.
    pub fn strange(&self, file: &str, what: foreign::Words) -> FigureError {
        FigureError::Strange {
            path: self.dir.join(file),
            what,
        }
    }
}

fn palette(path: &Path, tastes: Vec<&str>, word: &Word) -> Result<Palette, FigureError> {
    if tastes.len() > MOST_TASTES {
        return Err(FigureError::TooManyTastes {
            path: path.to_owned(),
            found: tastes.len(),
            most: MOST_TASTES,
            word: word.clone(),
        });
    }
    Ok(Palette::new(tastes))
}
