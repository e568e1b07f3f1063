//! `harness table`: numbers of finished runs for a paper.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use foreign::words;
use process::progress::{note, result};

use super::{check_not_of_a_run, embed};
use crate::exit::UsageError;
use crate::paper::{self, Format, PaperError, What};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  harness table runs/weights                                   scores by taste, in LaTeX
  harness table runs/weights --what differences --baseline \"630k, fusion on\"
  harness table runs/weights runs/other --format markdown      two runs side by side
  harness table runs/weights --what separation --format csv --out separation.csv

Numbers are means with bootstrap 95 % intervals and n, as the run computed them. In bold is the highest score of a column only \
where the interval of its paired difference to every other arm of its run excludes 0, and a difference whose interval excludes 0, \
each of at least 8 pieces; neither is corrected for several comparisons. Nothing is compared between runs. The first lines of LaTeX say what it needs.")]
pub struct TableArgs {
    /// Run folders, such as runs/weights
    #[arg(required = true, value_name = "RUN_DIR")]
    pub run_dirs: Vec<PathBuf>,
    /// What the table is of
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = What::Scores)]
    pub what: What,
    /// How it is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Latex)]
    pub format: Format,
    /// With --what differences: only those of the other arms to this one
    #[arg(long, value_name = "ARM")]
    pub baseline: Option<String>,
    /// Write to a file instead of to standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

pub(crate) fn table(args: &TableArgs) -> Result<()> {
    if args.baseline.is_some() && args.what != What::Differences {
        return Err(UsageError("--baseline goes with --what differences".into()).into());
    }
    if let Some(out) = &args.out {
        embed::check_out(out)?;
        check_not_of_a_run(out, &args.run_dirs)?;
    }
    let baseline = args.baseline.as_deref();
    let made = paper::table(&args.run_dirs, args.what, args.format, baseline).map_err(told)?;
    if let Some(warning) = made.warning {
        note(warning);
    }
    put(&made.text, args.out.as_ref())
}

/// What another command line would mend is a fault of this one.
pub(super) fn told(error: PaperError) -> anyhow::Error {
    match error.is_usage() {
        true => UsageError(words!("{}", error)).into(),
        false => error.into(),
    }
}

/// To a file, whole, or to standard output.
pub(super) fn put(text: &str, out: Option<&PathBuf>) -> Result<()> {
    match out {
        Some(out) => files::write_bytes(out, text.as_bytes())
            .with_context(|| format!("cannot write --out {}", out.display())),
        None => Ok(result(text.trim_end())?),
    }
}
