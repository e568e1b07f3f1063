//! Where an experiment finds its pieces: `audio: { from | files with text | csv }`.

use std::path::PathBuf;

use super::Audio;
use super::raw::RawAudio;
use super::resolve::is_name;
use super::template::Template;
use crate::yaml::{Document, YamlError};

/// What to read.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Run,
    Folder(PathBuf, Template),
    Csv(PathBuf),
}

/// What `--set` names wins over what the file names, so that `--set audio.files=DIR` works on a file that has `from`;
/// `text` may stand beside `from` for it.
pub(super) fn resolve(
    document: &Document,
    mut raw: RawAudio,
    has_tastes: bool,
) -> Result<(Audio, Found), YamlError> {
    let set = |key: &str| document.is_set(&format!("audio.{key}"));
    if set("from") || set("files") || set("csv") {
        raw.from = raw.from.filter(|_| set("from"));
        raw.files = raw.files.filter(|_| set("files"));
        raw.csv = raw.csv.filter(|_| set("csv"));
        let of_files = raw.files.is_some() || set("text");
        raw.text = raw.text.filter(|_| of_files);
    }
    let wrong = |key: &str, message: &str| Err(document.invalid(key, message));
    match (raw.from, raw.files, raw.csv, raw.text) {
        (None, None, None, _) => wrong(
            "audio",
            "'audio' needs 'from' (the experiment that made the pieces), 'files' (a folder, with 'text') or 'csv' (path \
             and prompt)",
        ),
        (None, None, Some(_), Some(_)) => wrong(
            "audio.text",
            "'audio.text' goes with 'files'; a CSV brings its prompts",
        ),
        (None, None, Some(csv), None) => {
            let path = PathBuf::from(csv);
            Ok((Audio::Csv(path.clone()), Found::Csv(path)))
        }
        (Some(_), None, None, _) if set("text") => wrong(
            "audio.text",
            "'audio.text' goes with 'files'; pieces of a run bring their prompts",
        ),
        (Some(from), None, None, _) if from.contains('/') || is_name(&from) => {
            Ok((Audio::From(from), Found::Run))
        }
        (Some(_), None, None, _) => wrong(
            "audio.from",
            "'audio.from' is neither the name of an experiment nor a run folder with a '/', such as runs/gen_spanio_base",
        ),
        (None, Some(_), None, None) => wrong(
            "audio",
            "'audio' has 'files' and no 'text'; add the prompt, such as text: \"{taste} music\"",
        ),
        (None, Some(written), None, Some(text)) => {
            let template = Template::parse("audio.text", &text)
                .map_err(|message| document.invalid("audio.text", message))?;
            if template.uses_taste() && !has_tastes {
                let message = "'audio.text' has {taste}; list the tastes, such as tastes: [bitter, sour, sweet, salty]";
                return wrong("audio.text", message);
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
            let keys: Vec<&str> = keys.into_iter().flatten().collect();
            let message = format!(
                "'audio' has {}; keep one, or replace all of it: --set 'audio={{csv: FILE}}'",
                keys.join(" and ")
            );
            wrong("audio", &message)
        }
    }
}
