//! Checks of what several tasks have: names, tastes, arms and the limit.

use foreign::words;
use foreign::{Foreign, Words, hint};
use serde::Deserialize;
use strict_yaml::{Document, YamlError};

use super::{Arm, Piece, SpecError};
use crate::labels::{Labels, Word};
use crate::statistics::grouping::{ALL, MOST_TASTES};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawArm {
    pub name: String,
    pub model: String,
}

/// Longest name of an experiment, an arm or a taste.
const MAX_NAME_CHARS: usize = 100;

/// The tastes given, which must have all those of the pieces; when none are given, those of the pieces as they come.
pub fn tastes_of(
    document: &Document,
    pieces: &[Piece],
    given: &Labels,
) -> Result<Vec<String>, YamlError> {
    let mut found: Vec<String> = Vec::new();
    for taste in pieces.iter().filter_map(|piece| piece.taste.as_ref()) {
        if !found.contains(taste) {
            found.push(taste.clone());
        }
    }
    let Labels { word, order: given } = given;
    if found.iter().any(|taste| taste == ALL) {
        return Err(document.invalid("tastes", reserved(word)));
    }
    if found.len() > MOST_TASTES {
        let message = words!(
            "the run's pieces have {} {}; the figures have room for {}",
            found.len(),
            word.said("tastes"),
            MOST_TASTES
        );
        return Err(document.invalid("tastes", message));
    }
    if given.is_empty() {
        return Ok(found);
    }
    let known: Vec<&str> = given.iter().map(String::as_str).collect();
    match found.iter().find(|taste| !given.contains(taste)) {
        Some(taste) => {
            let message = words!(
                "{} '{}'{}",
                word.said("the run's pieces have the taste"),
                Foreign::new(taste),
                hint(taste, &known)
            );
            Err(document.invalid("tastes", message))
        }
        None => Ok(given.clone()),
    }
}

/// Why no taste may be called [`ALL`].
pub fn reserved(word: &Word) -> Words {
    words!(
        "'{}' {}",
        ALL,
        word.said("stands for all tastes together in every table; rename that taste")
    )
}

/// The name becomes a folder's.
pub fn check_name(document: &Document, name: &str) -> Result<(), YamlError> {
    if !is_name(name) {
        let message = words!(
            "'experiment' is '{}'; it names a folder: letters, digits, '.', '_' and '-', no '.' first",
            Foreign::new(name)
        );
        return Err(document.invalid("experiment", message));
    }
    Ok(())
}

/// Whether an experiment can be called so.
pub fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty()
        && name.len() <= MAX_NAME_CHARS
        && !name.starts_with('.')
        && name.chars().all(good)
}

/// A name for tables and plots.
pub fn check_label(document: &Document, key: &str, label: &str) -> Result<(), YamlError> {
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
    let called = Foreign::new(document.path_written(key));
    Err(document.invalid(key, words!("'{}' {}", called, problem)))
}

pub fn tastes(
    document: &Document,
    tastes: Vec<String>,
    word: &Word,
) -> Result<Vec<String>, YamlError> {
    if tastes.len() > MOST_TASTES {
        let message = words!(
            "{} has {} entries; the figures have room for {}",
            word.said("'tastes'"),
            tastes.len(),
            MOST_TASTES
        );
        return Err(document.invalid("tastes", message));
    }
    for (i, taste) in tastes.iter().enumerate() {
        let key = format!("tastes.{i}");
        check_label(document, &key, taste)?;
        if taste == ALL {
            return Err(document.invalid(&key, reserved(word)));
        }
        if tastes[..i].contains(taste) {
            return Err(document.invalid(
                &key,
                words!(
                    "{} names '{}' twice",
                    word.said("'tastes'"),
                    Foreign::new(taste)
                ),
            ));
        }
    }
    Ok(tastes)
}

pub(crate) fn arms(document: &Document, arms: Vec<RawArm>) -> Result<Vec<Arm>, YamlError> {
    if arms.is_empty() {
        return Err(document.invalid("arms", "'arms' is empty; name at least one model"));
    }
    for (i, arm) in arms.iter().enumerate() {
        let key = format!("arms.{i}.name");
        check_label(document, &key, &arm.name)?;
        check_label(document, &format!("arms.{i}.model"), &arm.model)?;
        if arms[..i].iter().any(|other| other.name == arm.name) {
            let message = words!(
                "two arms are called '{}'; give each a name of its own",
                Foreign::new(&arm.name)
            );
            return Err(document.invalid(&key, message));
        }
    }
    Ok(arms
        .into_iter()
        .map(|RawArm { name, model }| Arm { name, model })
        .collect())
}

pub fn limit(
    document: &Document,
    written: Option<u64>,
    flag: Option<usize>,
) -> Result<Option<usize>, SpecError> {
    match (flag, written) {
        (Some(0), _) => Err(SpecError::Flag {
            flag: "--limit 0",
            message: "leaves no piece".into(),
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
