//! The settings that every experiment has, checked.

use std::sync::Arc;

use strict_yaml::Document;

use super::Experiment;
use super::source::Source;
use super::task::Task;
use crate::labels::{Labels, Word};
use crate::spec::checks::{self, check_name};
use crate::spec::label;
use crate::spec::tsne::{self, RawTsne};
use crate::spec::{Arm, HeardParts, Shrink, SpecError};

/// What the command line changes in an experiment.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--set path.to.key=value`, in the order given: the last one wins.
    pub set: Vec<String>,
    pub seed: Option<u64>,
    pub limit: Option<usize>,
    /// What `--demo` makes smaller.
    pub demo: Option<Shrink>,
}

/// What a file's settings are, once they are checked.
#[derive(Clone, Debug)]
pub struct Drafted {
    /// Without pieces.
    pub experiment: Experiment,
    /// Nobody has said the seed.
    pub default_seed: bool,
    pub source: Source,
    /// What was cut down, in words.
    pub shrunk: Vec<String>,
}

/// The keys that stand in every file, checked.
pub(crate) struct Head {
    /// For labels.
    pub word: Word,
    name: String,
    notebook: Option<String>,
    /// `None` when nobody has said it.
    seed: Option<u64>,
    limit: Option<usize>,
}

/// Who hears or reads, and how: labels and arms are checked.
pub(crate) struct Heard {
    pub labels: Labels,
    pub arms: Vec<Arm>,
    pub crops: HeardParts,
    pub tsne: RawTsne,
}

impl Head {
    /// Check what is written under what the command line says.
    pub fn checked(
        document: &Document,
        overrides: &Overrides,
        name: &str,
        notebook: Option<&String>,
        seed: Option<u64>,
        limit: Option<u64>,
    ) -> Result<Self, SpecError> {
        check_name(document, name)?;
        Ok(Self {
            word: label::read(document)?,
            name: name.to_owned(),
            notebook: notebook.cloned(),
            seed: overrides.seed.or(seed),
            limit: checks::limit(document, limit, overrides.limit)?,
        })
    }

    /// What labels are called, with those that the file lists.
    pub fn labels(&self, document: &Document, listed: Vec<String>) -> Result<Labels, SpecError> {
        let word = self.word.clone();
        let order = checks::tastes(document, listed, &word)?;
        Ok(Labels { word, order })
    }

    /// The experiment of a task whose own settings are checked.
    pub fn drafted(
        self,
        document: &Document,
        heard: Heard,
        task: impl Task + 'static,
        source: Source,
    ) -> Result<Drafted, SpecError> {
        let experiment = Experiment {
            name: self.name,
            notebook: self.notebook,
            task: Arc::new(task),
            seed: self.seed.unwrap_or_default(),
            crops: heard.crops,
            crops_of: None,
            arms: heard.arms,
            word: heard.labels.word,
            tastes: heard.labels.order,
            tsne: tsne::resolve(document, heard.tsne)?,
            pieces: Vec::new(),
            limit: self.limit,
        };
        Ok(Drafted {
            experiment,
            default_seed: self.seed.is_none(),
            source,
            shrunk: Vec::new(),
        })
    }
}
