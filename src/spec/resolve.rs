//! An experiment as written → a checked [`Experiment`].

use std::path::PathBuf;

use super::raw::{RawArm, RawAudio, RawExperiment};
use super::template::Template;
use super::{Arm, Audio, Experiment, Overrides, SpecError, pieces};
use crate::wording::shown;
use crate::yaml::{Document, YamlError};

/// Longest name of an experiment, an arm or a taste.
const MAX_NAME_CHARS: usize = 100;

pub(super) fn resolve(
    mut document: Document,
    overrides: &Overrides,
) -> Result<Experiment, SpecError> {
    for assignment in &overrides.set {
        document.set(assignment)?;
    }
    let raw: RawExperiment = document.to()?;
    check_name(&document, &raw.experiment)?;
    let tastes = tastes(&document, raw.tastes)?;
    let arms = arms(&document, raw.arms)?;
    let limit = limit(&document, raw.limit, overrides.limit)?;
    let (audio, template) = audio(
        &document,
        raw.audio,
        overrides.files.clone(),
        !tastes.is_empty(),
    )?;
    let (mut pieces, tastes) = match (&audio, &template) {
        (Audio::Files { folder, .. }, Some(template)) => (
            pieces::from_folder(&document, folder, template, &tastes)?,
            tastes,
        ),
        (Audio::Files { .. }, None) => {
            return Err(document.invalid("audio", "'audio.text' is missing").into());
        }
        (Audio::Csv(path), _) => pieces::from_csv(path, tastes)?,
    };
    pieces.truncate(limit.unwrap_or(usize::MAX));
    Ok(Experiment {
        name: raw.experiment,
        notebook: raw.notebook,
        task: raw.task,
        seed: overrides.seed.unwrap_or(raw.seed),
        crops: raw.crops,
        arms,
        tastes,
        audio,
        pieces,
        limit,
    })
}

/// The name becomes a folder's.
fn check_name(document: &Document, name: &str) -> Result<(), YamlError> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty()
        || name.len() > MAX_NAME_CHARS
        || name.starts_with('.')
        || !name.chars().all(good)
    {
        let message = format!(
            "'experiment' is '{}'; it names a folder: letters, digits, '.', '_' and '-', no '.' first",
            shown(name)
        );
        return Err(document.invalid("experiment", message));
    }
    Ok(())
}

/// A name for tables and plots.
fn check_label(document: &Document, key: &str, label: &str) -> Result<(), YamlError> {
    let problem = if label.trim().is_empty() {
        "is empty"
    } else if label.trim() != label {
        "begins or ends with a space"
    } else if label.chars().count() > MAX_NAME_CHARS {
        "is longer than 100 characters"
    } else if label.chars().any(char::is_control) {
        "holds a control character"
    } else {
        return Ok(());
    };
    Err(document.invalid(key, format!("'{key}' {problem}")))
}

fn tastes(document: &Document, tastes: Vec<String>) -> Result<Vec<String>, YamlError> {
    for (i, taste) in tastes.iter().enumerate() {
        let key = format!("tastes.{i}");
        check_label(document, &key, taste)?;
        if tastes[..i].contains(taste) {
            return Err(document.invalid(&key, format!("'tastes' names '{}' twice", shown(taste))));
        }
    }
    Ok(tastes)
}

fn arms(document: &Document, arms: Vec<RawArm>) -> Result<Vec<Arm>, YamlError> {
    if arms.is_empty() {
        return Err(document.invalid("arms", "'arms' is empty; name at least one model"));
    }
    for (i, arm) in arms.iter().enumerate() {
        let key = format!("arms.{i}.name");
        check_label(document, &key, &arm.name)?;
        check_label(document, &format!("arms.{i}.model"), &arm.model)?;
        if arms[..i].iter().any(|other| other.name == arm.name) {
            let message = format!(
                "two arms are called '{}'; give each a name of its own",
                shown(&arm.name)
            );
            return Err(document.invalid(&key, message));
        }
    }
    Ok(arms
        .into_iter()
        .map(|RawArm { name, model }| Arm { name, model })
        .collect())
}

fn limit(
    document: &Document,
    written: Option<u64>,
    flag: Option<usize>,
) -> Result<Option<usize>, SpecError> {
    match (flag, written) {
        (Some(0), _) => Err(SpecError::Flag {
            flag: "--limit 0",
            message: "leaves no piece".to_owned(),
        }),
        (Some(limit), _) => Ok(Some(limit)),
        (None, Some(0)) => Err(document
            .invalid("limit", "'limit' is 0, which leaves no piece")
            .into()),
        // A limit beyond the address space limits nothing.
        (None, Some(limit)) => Ok(Some(usize::try_from(limit).unwrap_or(usize::MAX))),
        (None, None) => Ok(None),
    }
}

fn audio(
    document: &Document,
    raw: RawAudio,
    files: Option<PathBuf>,
    has_tastes: bool,
) -> Result<(Audio, Option<Template>), YamlError> {
    let RawAudio {
        files: written,
        text,
        csv,
    } = raw;
    match (written, csv, text) {
        (Some(_), Some(_), _) => Err(document.invalid(
            "audio",
            "'audio' has both 'files' and 'csv'; keep one, or replace all of it: --set 'audio={csv: FILE}'",
        )),
        (None, None, _) => {
            Err(document.invalid("audio", "'audio' needs 'files' (a folder, with 'text') or 'csv' (path and prompt)"))
        }
        (None, Some(_), Some(_)) => {
            Err(document.invalid("audio.text", "'audio.text' goes with 'files'; a CSV brings its prompts"))
        }
        (None, Some(_), None) if files.is_some() => {
            Err(document.invalid("audio", "'audio' must have 'files' and 'text' to take its pieces from another folder"))
        }
        (None, Some(csv), None) => Ok((Audio::Csv(csv.into()), None)),
        (Some(_), None, None) => Err(document.invalid(
            "audio",
            "'audio' has 'files' and no 'text'; add the prompt, such as text: \"{taste} music\"",
        )),
        (Some(written), None, Some(text)) => {
            let template = Template::parse(&text).map_err(|message| document.invalid("audio.text", message))?;
            if template.uses_taste() && !has_tastes {
                let message = "'audio.text' has {taste}; list the tastes, such as tastes: [bitter, sour, sweet, salty]";
                return Err(document.invalid("audio.text", message));
            }
            let folder = files.unwrap_or_else(|| written.into());
            Ok((Audio::Files { folder, text }, Some(template)))
        }
    }
}
