//! A look at every audio file before anything long starts.

use std::path::Path;

use anyhow::{Result, bail};
use pipelines::clips::{self, ClipInfo};
use process::progress::note;

use crate::tables::SkippedRow;

/// Files that are read although something is wrong with them, of which each has a line: a recorder makes thousands.
const MOST_TOLD: usize = 5;

/// What was found.
#[derive(Debug)]
pub struct Survey {
    /// Of each file in its order; `None` for one that is left out.
    pub infos: Vec<Option<ClipInfo>>,
    pub skipped: Vec<SkippedRow>,
}

impl Survey {
    /// Those of `items`, one a file, that are not left out.
    pub fn keep<T>(&self, items: &mut Vec<T>) {
        let mut infos = self.infos.iter();
        items.retain(|_| infos.next().is_some_and(Option::is_some));
    }
}

/// Decode every file and note what is wrong with any. `what` is their plural: "pieces"; `others` more of them are known to be
/// good.
///
/// # Errors
/// When one cannot be used, unless `skip_bad`; when none can.
pub fn survey(paths: &[&Path], others: usize, what: &str, skip_bad: bool) -> Result<Survey> {
    let total = paths.len() + others;
    let mut infos = Vec::with_capacity(paths.len());
    let mut skipped = Vec::new();
    let mut odd = 0;
    for (result, path) in clips::survey(paths).into_iter().zip(paths) {
        if let Err(error) = &result {
            note(error.to_string());
            skipped.push(SkippedRow {
                path: path.display().to_string(),
                reason: error.to_string(),
            });
        }
        let info = result.ok();
        if let Some(told) = info.as_ref().and_then(|info| info.told) {
            odd += 1;
            if odd <= MOST_TOLD {
                note(format!("{}: {told}", path.display()));
            }
        }
        infos.push(info);
    }
    if odd > MOST_TOLD {
        note(format!("and {} more such files", odd - MOST_TOLD));
    }
    if !skipped.is_empty() && !skip_bad {
        bail!(
            "{} of {total} {what} cannot be used; repair or remove them, or leave them out with --skip-bad",
            skipped.len()
        );
    }
    if skipped.len() == total && total > 0 {
        bail!("none of the {total} {what} can be used");
    }
    Ok(Survey { infos, skipped })
}
