//! `harness diff`: two runs of one experiment, row by row.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use foreign::words;
use process::progress;

use super::check_not_of_a_run;
use super::embed::check_out;
use crate::diff::{self, Moved, Side};
use crate::exit::UsageError;
use crate::tables;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  harness diff runs/weights runs/weights-246aa47424df
  harness diff runs/weights runs/cuda/weights --tolerance 0.0001 --out moved.csv

Rows are matched by arm and id. A row moves by its CLAP score in B minus that in A; in runs of texts, \
which have no scores, by 1 minus the cosine of its two embeddings.
Exit codes: 0 nothing moved beyond the tolerance, 1 something did or a row is in one run only, \
2 the two cannot be compared.")]
pub struct DiffArgs {
    /// A run folder, such as runs/weights
    #[arg(value_name = "RUN_A")]
    pub run_a: PathBuf,
    /// The run folder to hold against it
    #[arg(value_name = "RUN_B")]
    pub run_b: PathBuf,
    /// The largest change that still passes; by default every change counts
    #[arg(
        long,
        value_name = "T",
        default_value_t = 0.0,
        value_parser = tolerance,
        allow_negative_numbers = true
    )]
    pub tolerance: f64,
    /// Show the N rows that moved most
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub top: usize,
    /// Write every row with its change to a CSV
    #[arg(long, value_name = "FILE.csv")]
    pub out: Option<PathBuf>,
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("it must be a number, 0 or more".to_owned()),
    }
}

pub(crate) fn diff(args: &DiffArgs) -> Result<()> {
    if let Some(out) = &args.out {
        check_out(out)?;
        check_not_of_a_run(out, [&args.run_a, &args.run_b])?;
    }
    // Exit code 1 is for runs that differ: whatever keeps them from being compared is 2, as with diff(1).
    let compared =
        diff::compare(&args.run_a, &args.run_b).map_err(|error| UsageError(words!("{}", error)))?;
    note(&compared.a, &compared.b);
    progress::result(diff::report(&compared, args.top))?;
    if let Some(out) = &args.out {
        let table = compared.table();
        tables::write(out, &table, &compared.word()).context("the rows were not written")?;
        progress::note(format!("{} rows in {}", table.len(), out.display()));
    }
    let moved = compared.moved(args.tolerance);
    if !moved.is_nothing() {
        bail!(
            "{}",
            verdict(&moved, compared.rows.pairs.len(), args.tolerance)
        );
    }
    progress::result(match args.tolerance > 0.0 {
        true => format!("\nnothing moved by more than {}", args.tolerance),
        false => "\nno difference in any row".to_owned(),
    })?;
    Ok(())
}

/// What a reader has to know before the numbers.
fn note(a: &Side, b: &Side) {
    for side in [a, b] {
        if side.manifest.is_none() {
            progress::note(format!(
                "{} has no manifest.json: settings are not compared, and the run may not be finished",
                side.folder.display()
            ));
        }
    }
    if a.random_weights || b.random_weights {
        progress::note("random weights: the numbers mean nothing");
    }
}

/// `the runs differ: 3 of 12 rows moved by more than 0.001, most of all sweet_01 under fusion on (0.0123)`.
fn verdict(moved: &Moved, pairs: usize, tolerance: f64) -> String {
    let mut parts = Vec::new();
    if let Some(largest) = moved.largest {
        let (by, key) = (largest.moved_by(), &largest.key);
        let by = match by < 1e-4 {
            true => format!("{by:.1e}"),
            false => format!("{by:.6}"),
        };
        parts.push(format!(
            "{} of {pairs} rows moved by more than {tolerance}, most of all {key} ({by})",
            moved.rows
        ));
    }
    for (side, n) in [("A", moved.only_in_a), ("B", moved.only_in_b)] {
        match n {
            0 => {}
            1 => parts.push(format!("1 row is only in {side}")),
            n => parts.push(format!("{n} rows are only in {side}")),
        }
    }
    format!("the runs differ: {}", parts.join("; "))
}
