//! `harness report`: the page of a run, or of several side by side.

use std::path::{Path, PathBuf};

use anyhow::Result;
use process::progress;

use crate::report;

pub(crate) fn report(run_dirs: &[PathBuf], out: Option<&Path>) -> Result<()> {
    let path = report::write_for(run_dirs, out)?;
    Ok(progress::result(path.to_string_lossy())?)
}
