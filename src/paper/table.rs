//! The tables of runs: which there are, and how they are written.

use std::path::PathBuf;

use clap::ValueEnum;
use foreign::{Words, words};

use super::entry::Table;
use super::head::Head;
use super::run::{Run, WARNING};
use super::{PaperError, differences, latex, markdown, scores, separation, tidy};
use crate::labels::Labels;
use crate::tables::{HistogramRow, NearestRow, Row};

/// What a table is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Mean scores: a row for each arm, a column for all pieces and one for each taste
    Scores,
    /// Paired differences of each two arms, over all pieces and by taste
    Differences,
    /// How far the tastes lie apart: silhouettes, distances, similarity to prompts; where two sets are compared, their distances
    Separation,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Scores => "scores",
            Self::Differences => "paired differences",
            Self::Separation => "separation of tastes",
        }
    }
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// With booktabs and siunitx, numbers aligned on the decimal point
    Latex,
    /// A table as GitHub and pandoc read it
    Markdown,
    /// A number a line, with all its digits
    Csv,
}

/// Tables as text.
pub struct Made {
    /// Ends with a line feed.
    pub text: String,
    /// Said beside it.
    pub warning: Option<&'static str>,
}

/// The tables of the finished runs in `folders`, each folder once. With `baseline`, differences are those to this arm.
///
/// # Errors
/// When a folder holds no finished run, or a run has not what is asked.
pub fn table(
    folders: &[PathBuf],
    what: What,
    format: Format,
    baseline: Option<&str>,
) -> Result<Made, PaperError> {
    let runs = Run::open_all(folders)?;
    for run in &runs {
        let one = std::slice::from_ref(run);
        if tables(one, what, baseline)?.is_empty() {
            return Err(PaperError::Lacks {
                path: run.folder.clone(),
                what: what.name(),
                has: has(run)?,
            });
        }
    }
    let tables = tables(&runs, what, baseline)?;
    let random = runs.iter().filter(|run| run.is_random());
    let head = Head {
        origins: runs.iter().map(Run::origin).collect(),
        random: random.map(|run| run.label.clone()).collect(),
        several: runs.len() > 1,
        labels: Labels::of_several(runs.iter().map(|run| &run.labels)),
        label: runs
            .first()
            .map_or_else(String::new, |run| run.label.clone()),
    };
    let text = match format {
        Format::Latex => latex::written(&tables, &head),
        Format::Markdown => markdown::written(&tables, &head),
        Format::Csv => tidy::written(&tables, &head)?,
    };
    Ok(Made {
        text,
        warning: (!head.random.is_empty()).then_some(WARNING),
    })
}

/// Those that have numbers.
fn tables(runs: &[Run], what: What, baseline: Option<&str>) -> Result<Vec<Table>, PaperError> {
    let tables = match what {
        What::Scores => vec![scores::table(runs)?],
        What::Differences => vec![differences::table(runs, baseline)?],
        What::Separation => separation::tables(runs)?,
    };
    let full = tables.into_iter().filter(|table| !table.entries.is_empty());
    Ok(full.collect())
}

/// What a run has instead, in words.
fn has(run: &Run) -> Result<Words, PaperError> {
    let one = std::slice::from_ref(run);
    let mut found = Vec::new();
    for what in What::value_variants() {
        if !tables(one, *what, None)?.is_empty() {
            found.push(what.name());
        }
    }
    if !found.is_empty() {
        return Ok(words!("it has {}", Words::join(found, " and ")));
    }
    let files = [NearestRow::FILE, HistogramRow::FILE];
    let files = files
        .into_iter()
        .filter(|name| run.folder.join(name).exists());
    let files: Vec<&str> = files.collect();
    Ok(match files.is_empty() {
        true => "its CSVs hold no row for any table".into(),
        false => words!(
            "it is a run of texts: see its {}",
            Words::join(files, " and ")
        ),
    })
}
