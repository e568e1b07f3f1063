//! Experiments by their names: files of the working folder, or else those that the program brings.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use foreign::{Foreign, hint, words};

use crate::builtin::{BUILTIN, EXPERIMENTS, experiments};
use crate::exit::UsageError;

/// The file of an experiment: the one that is named, or else by its name that of the working folder, of its `experiments/`,
/// or of the program.
///
/// # Errors
/// When there is none; what is meant is named.
pub fn experiment(asked: &Path) -> Result<PathBuf> {
    let is_name = asked.components().count() == 1 && asked.extension().is_none();
    if !is_name || asked.is_file() {
        if !asked.exists()
            && let Some(name) = asked.file_stem().and_then(OsStr::to_str)
            && experiments().contains(&name)
        {
            return Err(UsageError(words!(
                "there is no file {}; for the built-in experiment: {}, and for its file: harness init",
                asked.display(),
                Foreign::new(name)
            ))
            .into());
        }
        return Ok(asked.to_owned());
    }
    let file = asked.with_extension("yaml");
    let here = [file.clone(), Path::new(EXPERIMENTS).join(&file)];
    if let Some(found) = here.into_iter().find(|path| path.is_file()) {
        return Ok(found);
    }
    let name = asked.to_string_lossy();
    if !experiments().contains(&&*name) {
        return Err(UsageError(words!(
            "there is no file and no built-in experiment {}{}",
            Foreign::new(&name),
            hint(&name, &experiments())
        ))
        .into());
    }
    Ok(BUILTIN.unpack()?.join(EXPERIMENTS).join(file))
}

/// The experiment called `name` that another one in `beside` waits for: the file next to it, unless that one is the program's,
/// which files of the working folder shadow; or else by name.
pub fn experiment_beside(beside: &Path, name: &str) -> PathBuf {
    let file = beside.with_file_name(format!("{name}.yaml"));
    if file.is_file() && !BUILTIN.has(beside) {
        return file;
    }
    experiment(Path::new(name)).unwrap_or(file)
}

/// The names that [`experiment`] knows here: those of the program, and those of files of `experiments/`.
///
/// # Errors
/// Those of the disk.
pub fn experiments_named() -> Result<Vec<String>> {
    let mut names: Vec<String> = experiments().into_iter().map(str::to_owned).collect();
    let entries = match fs::read_dir(EXPERIMENTS) {
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        entries => Some(entries.with_context(|| format!("cannot list {EXPERIMENTS}"))?),
    };
    for entry in entries.into_iter().flatten() {
        let name = entry?.file_name().into_string().unwrap_or_default();
        names.extend(name.strip_suffix(".yaml").map(str::to_owned));
    }
    names.sort();
    names.dedup();
    Ok(names)
}
