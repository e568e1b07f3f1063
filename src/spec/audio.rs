//! Where an experiment finds its pieces: `audio: { from | files with text | csv }`.

use std::path::PathBuf;

use foreign::words;
use foreign::{Foreign, Words, hint};
use serde::Deserialize;
use strict_yaml::{Document, YamlError};

use super::Audio;
use super::checks::is_name;
use super::generation::example;
use super::pieces;
use super::table::Names;
use super::template::Template;
use crate::labels::Labels;

/// One of `files` with `text`, `csv`, and `from`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAudio {
    pub from: Option<String>,
    pub files: Option<String>,
    pub text: Option<String>,
    pub csv: Option<String>,
    /// What the columns of the CSV are called, where they have other names.
    pub columns: Option<Names>,
}

/// What to read.
#[derive(Clone, Debug)]
pub enum Found {
    /// The pieces of a run: an experiment's name, or a folder.
    Run(String),
    /// Every audio file of a folder, with the prompt that is made for each.
    Folder(PathBuf, Template),
    /// A CSV whose columns may have other names.
    Csv(PathBuf, Names),
}

/// What stands in `audio` of an experiment.
pub(crate) fn resolve(
    document: &Document,
    mut raw: RawAudio,
    labels: &Labels,
) -> Result<(Audio, Found), YamlError> {
    let set = |key: &str| document.is_set(&format!("audio.{key}"));
    only_set(document, "audio", &mut raw);
    let wrong = |message: &'static str| Err(document.invalid("audio.text", message));
    match (&raw.from, &raw.csv, &raw.text) {
        (_, Some(_), Some(_)) if raw.files.is_none() => {
            return wrong("'audio.text' goes with 'files'; a CSV brings its prompts");
        }
        (Some(_), None, _) if set("text") => {
            return wrong("'audio.text' goes with 'files'; pieces of a run bring their prompts");
        }
        _ => {}
    }
    one(document, "audio", "audio.text", raw, labels)
}

/// One of the sets of an experiment that compares; `text` is that of the whole experiment.
pub(crate) fn resolve_set(
    document: &Document,
    key: &str,
    mut raw: RawAudio,
    labels: &Labels,
) -> Result<(Audio, Found), YamlError> {
    only_set(document, key, &mut raw);
    one(document, key, "text", raw, labels)
}

/// What `--set` names wins over what the file names, so that `--set audio.files=DIR` works on a file that has `from`;
/// `text` may stand beside `from` for it.
fn only_set(document: &Document, key: &str, raw: &mut RawAudio) {
    let set = |of: &str| document.is_set(&format!("{key}.{of}"));
    if set("from") || set("files") || set("csv") {
        raw.from = raw.from.take().filter(|_| set("from"));
        raw.files = raw.files.take().filter(|_| set("files"));
        raw.csv = raw.csv.take().filter(|_| set("csv"));
        raw.columns = raw.columns.take().filter(|_| raw.csv.is_some());
        if raw.files.is_none() && !set("text") {
            raw.text = None;
        }
    }
}

fn one(
    document: &Document,
    key: &str,
    text_key: &str,
    raw: RawAudio,
    labels: &Labels,
) -> Result<(Audio, Found), YamlError> {
    let wrong = |at: &str, message: Words| Err(document.invalid(at, message));
    let names = raw.columns.unwrap_or_default();
    let columns = format!("{key}.columns");
    let word = &labels.word;
    let known = pieces::columns(word);
    if !names.is_empty() && raw.csv.is_none() {
        return wrong(&columns, words!("'columns' goes with 'csv'"));
    }
    if let Some(other) = names.keys().find(|name| !known.contains(&name.as_str())) {
        let message = words!(
            "'columns' says what a column is called: unknown column '{}'{}",
            Foreign::new(other),
            hint(other, &known)
        );
        return wrong(&columns, message);
    }
    match (raw.from, raw.files, raw.csv, raw.text) {
        (None, None, None, _) => wrong(
            key,
            words!(
                "'{}' needs 'from' (the experiment that made the pieces), 'files' (a folder, with 'text') or 'csv' (path \
                 and prompt)",
                Foreign::new(key)
            ),
        ),
        (None, None, Some(csv), _) => {
            let path = PathBuf::from(csv);
            Ok((Audio::Csv(path.clone()), Found::Csv(path, names)))
        }
        (Some(from), None, None, _) if from.contains('/') || is_name(&from) => {
            Ok((Audio::From(from.clone()), Found::Run(from)))
        }
        (Some(_), None, None, _) => wrong(
            &format!("{key}.from"),
            words!(
                "'{}.from' is neither the name of an experiment nor a run folder with a '/', such as \
                 runs/gen_spanio_base",
                Foreign::new(key)
            ),
        ),
        (None, Some(_), None, None) => wrong(
            key,
            words!(
                "'{}' has 'files' and no 'text'; {}",
                Foreign::new(key),
                word.said("add the prompt, such as text: \"{taste} music\"")
            ),
        ),
        (None, Some(written), None, Some(text)) => {
            let template = Template::parse(text_key, &text, word)
                .map_err(|message| document.invalid(text_key, message))?;
            if template.uses_taste() && labels.order.is_empty() {
                let message = words!(
                    "'{}' {} {}",
                    Foreign::new(text_key),
                    word.said("has {taste}; list the tastes, such as tastes:"),
                    example(word)
                );
                return wrong(text_key, message);
            }
            let folder = PathBuf::from(written);
            let found = Found::Folder(folder.clone(), template);
            Ok((Audio::Files { folder, text }, found))
        }
        (from, files, csv, _) => {
            let keys = [
                from.map(|_| "'from'"),
                files.map(|_| "'files'"),
                csv.map(|_| "'csv'"),
            ];
            let keys = keys.into_iter().flatten();
            let message = words!(
                "'{}' has {}; keep one, or replace all of it: --set '{}={{csv: FILE}}'",
                Foreign::new(key),
                Words::join(keys, " and "),
                Foreign::new(key)
            );
            wrong(key, message)
        }
    }
}
