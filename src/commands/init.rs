//! `harness init`: the built-in experiments and cards as files, to be changed, and a commented experiment of one's own.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use foreign::{Words, words};
use process::progress::result;

use crate::builtin::BUILTIN;
use crate::exit::UsageError;

/// What an experiment of one's own may begin as, and the name of its file.
const OWN: (&str, &str) = (
    "my_experiment.yaml",
    include_str!("../../assets/my_experiment.yaml"),
);

/// Write the files into `folder`, made if it is missing. What is there already is left as it is, unless `force`.
pub(crate) fn init(folder: &Path, force: bool) -> Result<()> {
    let own = (OWN.0, OWN.1.as_bytes());
    let files: Vec<(&str, &[u8])> = BUILTIN.files.iter().copied().chain([own]).collect();
    let is_other = |(name, bytes): &&(&str, &[u8])| {
        let found = fs::read(folder.join(name));
        found.is_ok_and(|found| found != *bytes)
    };
    let others: Vec<&str> = files
        .iter()
        .filter(is_other)
        .map(|(name, _)| *name)
        .collect();
    if let Some(first) = others.first().filter(|_| !force) {
        return Err(UsageError(words!(
            "{} is there and is another file{}; nothing was written: name another folder, or overwrite with --force",
            folder.join(first).display(),
            match others.len() {
                1 => Words::none(),
                n => words!(", and so are {} more", n - 1),
            }
        ))
        .into());
    }
    for (name, bytes) in &files {
        let path = files::inside(folder, name);
        let written = path.and_then(|path| {
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            files::write_bytes(&path, bytes)
        });
        written.with_context(|| format!("cannot write {}", folder.join(name).display()))?;
    }
    Ok(result(format!(
        "{} files in {}: experiments/, models/, and {} to begin with",
        files.len(),
        folder.display(),
        OWN.0
    ))?)
}
