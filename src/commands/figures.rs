//! `harness figures`: every figure of a run again, from its CSVs.

use std::path::PathBuf;

use anyhow::Result;
use process::progress;

use crate::figures;

pub(crate) fn redraw(run_dirs: &[PathBuf], pdf: bool) -> Result<()> {
    let draw = match pdf {
        true => figures::redraw_with_pdf,
        false => figures::redraw,
    };
    for run_dir in run_dirs {
        for path in draw(run_dir)? {
            progress::result(path.to_string_lossy())?;
        }
    }
    Ok(())
}
