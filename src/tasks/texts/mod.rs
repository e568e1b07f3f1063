//! `task: texts`: text embeddings of captions and their descriptors, and what lies nearest to each query.

mod captions;
mod results;
mod told;

use anyhow::Result;
use foreign::words;
use serde::Serialize;
use strict_yaml::Document;

use super::keys::task_keys;
use crate::experiment::{Drafted, Heard, Input, Kind, Overrides, Source, Task};
use crate::labels::Word;
use crate::results::{Computed, Results};
use crate::spec::checks::{RawArm, arms};
use crate::spec::tsne::RawTsne;
use crate::spec::{Captions, HeardParts, SpecError};
use captions::RawCaptions;

pub(super) const KIND: Kind = Kind { name: NAME, read };
const NAME: &str = "texts";

/// Beyond these a number was mistyped.
const MOST_QUERIES: usize = 1_000;
const MOST_NEAREST: u64 = 1_000;

task_keys! {
    /// As written.
    Keys {
        captions: RawCaptions,
        model: String,
        #[serde(default)]
        queries: Vec<String>,
        #[serde(default = "ten")]
        nearest: u64,
    } {
        #[serde(default)]
        tsne: RawTsne,
    }
}

fn ten() -> u64 {
    10
}

/// What only such experiments have.
#[derive(Debug, Serialize)]
struct Texts {
    texts: Settings,
}

#[derive(Debug, Serialize)]
struct Settings {
    captions: Captions,
    /// Texts whose nearest neighbours are listed, and how many of them.
    queries: Vec<String>,
    nearest: usize,
}

fn read(document: &Document, overrides: &Overrides) -> Result<Drafted, SpecError> {
    let keys: Keys = document.to()?;
    let head = keys.head(document, overrides)?;
    let (captions, shrunk) = captions::resolve(document, &keys.captions, overrides.demo.as_ref())?;
    if keys.queries.len() > MOST_QUERIES || !(1..=MOST_NEAREST).contains(&keys.nearest) {
        let message = words!(
            "'queries' may have {} entries, and 'nearest' be from 1 to {}",
            MOST_QUERIES,
            MOST_NEAREST
        );
        return Err(document.invalid("queries", message).into());
    }
    for (i, query) in keys.queries.iter().enumerate() {
        if query.trim().is_empty() || keys.queries[..i].contains(query) {
            let key = format!("queries.{i}");
            let message = words!("'queries.{}' is empty or there twice", i);
            return Err(document.invalid(&key, message).into());
        }
    }
    let arm = RawArm {
        name: keys.model.clone(),
        model: keys.model,
    };
    let heard = Heard {
        labels: head.labels(document, Vec::new())?,
        arms: arms(document, vec![arm])?,
        crops: HeardParts::default(),
        tsne: keys.tsne,
    };
    let texts = Settings {
        captions: captions.clone(),
        queries: keys.queries,
        nearest: keys.nearest as usize,
    };
    let task = Texts { texts };
    let drafted = head.drafted(document, heard, task, Source::Captions(captions))?;
    Ok(Drafted { shrunk, ..drafted })
}

impl Task for Texts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn not_counted(&self) -> &'static [&'static str] {
        &["texts.captions"]
    }

    fn input(&self) -> Input<'_> {
        Input::Texts {
            queries: &self.texts.queries,
        }
    }

    fn plan(&self, _: &Word) -> Vec<(&'static str, String)> {
        let Settings {
            queries, nearest, ..
        } = &self.texts;
        let text = match queries.len() {
            0 => return Vec::new(),
            1 => format!("{nearest} captions and descriptors to 1 query"),
            n => format!("{nearest} captions and descriptors to each of {n} queries"),
        };
        vec![("nearest", text)]
    }

    fn results(&self, run: &Computed<'_>) -> Result<Results> {
        results::write(run, &self.texts)
    }
}

#[cfg(test)]
mod tests;
