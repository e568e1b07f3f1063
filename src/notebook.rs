//! What is known of the notebook that an experiment redoes: `notebooks/NAME.yaml` beside the experiment's file, for the NAME
//! that its `notebook` says. Where the notebook is, where the experiment departs from it and why, and what was published.
//!
//! A run keeps a copy in its folder, so that its report needs no other file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use files::text::TextError;
use foreign::{Foreign, hint, words};
use serde::Deserialize;
use strict_yaml::{Document, YamlError};

use crate::labels::Word;
use crate::tables::{ClusterRow, Row, ScoreRow, StatsRow};

/// The copy in a run folder.
pub const NOTEBOOK: &str = "notebook.yaml";
/// The folder beside an experiment's file.
const FOLDER: &str = "notebooks";
/// Most bytes of such a file.
const LARGEST: u64 = 1 << 20;

/// What is known of a notebook.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notebook {
    /// Its name, which is the file's too.
    pub notebook: String,
    /// Where it can be found, in words.
    #[serde(rename = "where")]
    pub place: Option<String>,
    #[serde(default)]
    pub departures: Vec<Departure>,
    #[serde(default)]
    pub published: Vec<Published>,
}

/// One point in which the experiment is not the notebook.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Departure {
    /// What the notebook did.
    pub there: String,
    /// What is done instead, and why.
    pub here: String,
}

/// A number that the notebook published.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// What it is the number of.
    pub number: String,
    /// As it was published.
    pub value: String,
    pub verdict: Verdict,
    /// Why that is the verdict.
    pub because: String,
    /// The rows of this run that give the same number; the first entry that finds rows counts.
    #[serde(default)]
    pub ours: Vec<Rows>,
}

/// Whether a published number says something about ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is the same quantity, well measured.
    Comparable,
    /// About the same quantity.
    Rough,
    /// It does not measure what it says.
    Invalid,
}

/// Rows of one of the run's CSVs; the number is the mean of a column over them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    pub table: Table,
    pub column: String,
    /// Those of the arm whose checkpoint is a file of this name.
    pub checkpoint: String,
    /// Columns and what they must hold; an empty text is a cell without a value.
    #[serde(rename = "where", default)]
    pub cells: BTreeMap<String, String>,
}

/// A CSV of a run folder that numbers are published of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Table {
    Scores,
    Stats,
    Clusters,
}

impl Table {
    /// The file's name in a run folder.
    pub fn file(self) -> &'static str {
        match self {
            Self::Scores => ScoreRow::FILE,
            Self::Stats => StatsRow::FILE,
            Self::Clusters => ClusterRow::FILE,
        }
    }

    /// Every column that such a file may have, with `word` for labels.
    fn columns(self, word: &Word) -> Vec<Cow<'_, str>> {
        let fields = match self {
            Self::Scores => {
                let aliases = ScoreRow::ALIASES.iter().map(|(_, alias)| *alias);
                ScoreRow::all_columns().into_iter().chain(aliases).collect()
            }
            Self::Stats => StatsRow::all_columns(),
            Self::Clusters => ClusterRow::all_columns(),
        };
        fields.into_iter().map(|field| word.column(field)).collect()
    }
}

/// Why what is known of a notebook cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum NotebookError {
    #[error(transparent)]
    Yaml(#[from] YamlError),
    #[error(transparent)]
    Text(#[from] TextError),
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
}

/// The text of the file about the notebook `name` beside the experiment file `experiment`, checked; nothing when there is none.
/// The experiment's columns have `word` for labels.
///
/// # Errors
/// When the file is there and is wrong.
pub fn beside(experiment: &Path, name: &str, word: &Word) -> Result<Option<String>, NotebookError> {
    // The name is free text: one that is no file's name has no file.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Ok(None);
    }
    let folder = experiment.parent().unwrap_or(Path::new("")).join(FOLDER);
    let path = folder.join(format!("{name}.yaml"));
    if !path.exists() {
        return Ok(None);
    }
    let text = files::text::read(&path, LARGEST)?;
    let (document, found) = parsed(&text, &path, word)?;
    match found.notebook == name {
        true => Ok(Some(text)),
        false => Err(document
            .invalid(
                "notebook",
                words!("must be '{}', as the file's name says", Foreign::new(name)),
            )
            .into()),
    }
}

/// What a run folder, whose columns have `word` for labels, keeps of its notebook; nothing when it keeps none.
///
/// # Errors
/// When the file cannot be read or is wrong.
pub fn kept(folder: &Path, word: &Word) -> Result<Option<Notebook>, NotebookError> {
    let path = folder.join(NOTEBOOK);
    if !path.exists() {
        return Ok(None);
    }
    // The folder may be a stranger's.
    let inside = files::in_its_folder(&path).map_err(|source| NotebookError::Read {
        path: path.clone(),
        source,
    })?;
    let text = files::text::read(&inside, LARGEST)?;
    Ok(Some(parsed(&text, &path, word)?.1))
}

fn parsed(text: &str, path: &Path, word: &Word) -> Result<(Document, Notebook), YamlError> {
    let document = Document::parse(text, path)?;
    let found: Notebook = document.to()?;
    for (i, published) in found.published.iter().enumerate() {
        let at = |key: String| format!("published.{i}.{key}");
        if published.verdict == Verdict::Invalid && !published.ours.is_empty() {
            return Err(document.invalid(
                &at("ours".to_owned()),
                "an invalid number has nothing to be compared with: leave `ours` out",
            ));
        }
        for (k, rows) in published.ours.iter().enumerate() {
            let valid = rows.table.columns(word);
            let valid: Vec<&str> = valid.iter().map(|column| &**column).collect();
            let named = [("column".to_owned(), &rows.column)].into_iter().chain(
                rows.cells
                    .keys()
                    .map(|column| (format!("where.{column}"), column)),
            );
            for (key, column) in named {
                if !valid.contains(&column.as_str()) {
                    let message = words!(
                        "{} has no column '{}'{}",
                        rows.table.file(),
                        Foreign::new(column),
                        hint(column, &valid)
                    );
                    return Err(document.invalid(&at(format!("ours.{k}.{key}")), message));
                }
            }
        }
    }
    Ok((document, found))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One of the project's own files.
    pub fn ours(name: &str) -> Notebook {
        let experiments = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
        let text = beside(&experiments.join("x.yaml"), name, &Word::default()).unwrap();
        parsed(&text.unwrap(), Path::new(NOTEBOOK), &Word::default())
            .unwrap()
            .1
    }

    fn refused(text: &str) -> String {
        let word = Word::default();
        parsed(text, Path::new("n.yaml"), &word)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn every_notebook_of_the_experiments_has_its_file() {
        let experiments = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
        let mut seen = 0;
        for entry in std::fs::read_dir(&experiments).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "yaml") {
                continue;
            }
            let draft =
                crate::tasks::open(&path, &crate::experiment::Overrides::default()).unwrap();
            if let Some(name) = &draft.experiment().notebook {
                assert!(!ours(name).departures.is_empty(), "{name}");
                seen += 1;
            }
        }
        assert_eq!(seen, 5);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let of = |ours: &str| {
            format!(
                "notebook: N\npublished:\n  - number: mean\n    value: \"1\"\n    verdict: comparable\n    because: x\n    ours:\n      - {ours}\n"
            )
        };
        let said = refused(&of("{ table: stats, column: meen, checkpoint: a.pt }"));
        assert!(
            said.contains("n.yaml:8") && said.contains("did you mean 'mean'"),
            "{said}"
        );
        let said = refused(&of(
            "{ table: stats, column: mean, checkpoint: a.pt, where: { tast: x } }",
        ));
        assert!(said.contains("did you mean 'taste'"), "{said}");
        let mood = Word::new("mood", None).unwrap();
        let rows = of("{ table: stats, column: mean, checkpoint: a.pt, where: { mood: all } }");
        assert!(
            parsed(&rows, Path::new("n.yaml"), &mood).is_ok()
                && refused(&rows).contains("no column 'mood'")
        );
        let invalid =
            of("{ table: stats, column: mean, checkpoint: a.pt }").replace("comparable", "invalid");
        assert!(refused(&invalid).contains("leave `ours` out"));
        assert!(refused("notebook: N\nwho: x\n").contains("who"));
    }

    #[test]
    fn a_name_that_is_no_file_name_has_no_file_and_another_name_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let experiment = folder.path().join("e.yaml");
        std::fs::create_dir(folder.path().join(FOLDER)).unwrap();
        std::fs::write(folder.path().join("secret.yaml"), "notebook: x").unwrap();
        for name in ["../secret", "", ".", "..", "a b", "nobody"] {
            assert!(
                beside(&experiment, name, &Word::default())
                    .unwrap()
                    .is_none(),
                "{name}"
            );
        }
        std::fs::write(
            folder.path().join(FOLDER).join("mine.yaml"),
            "notebook: other",
        )
        .unwrap();
        let said = beside(&experiment, "mine", &Word::default())
            .unwrap_err()
            .to_string();
        assert!(said.contains("must be 'mine'"), "{said}");
    }
}
