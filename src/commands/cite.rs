//! `harness cite`: what to cite for finished runs.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use process::progress::note;

use super::table::{put, told};
use super::{check_not_of_a_run, embed};
use crate::paper;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  harness cite runs/weights > harness.bib
  harness cite runs/weights runs/gen_spanio --out harness.bib

The program, ONNX Runtime, each checkpoint with its revision and SHA-256, the papers that its card cites, and the data; also those \
of the runs that made the pieces, where they are still there.")]
pub struct CiteArgs {
    /// Run folders, such as runs/weights
    #[arg(required = true, value_name = "RUN_DIR")]
    pub run_dirs: Vec<PathBuf>,
    /// Write to a file instead of to standard output
    #[arg(long, value_name = "FILE.bib")]
    pub out: Option<PathBuf>,
}

pub(crate) fn cite(args: &CiteArgs) -> Result<()> {
    if let Some(out) = &args.out {
        embed::check_out(out)?;
        check_not_of_a_run(out, &args.run_dirs)?;
    }
    let cited = paper::cite(&args.run_dirs).map_err(told)?;
    for told in &cited.notes {
        note(told);
    }
    put(&cited.text, args.out.as_ref())
}
