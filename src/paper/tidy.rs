//! The numbers of tables as CSV, one a line, with all their digits.

use serde::Serialize;

use super::PaperError;
use super::entry::{Entry, Table};
use super::head::Head;
use super::run::WARNING;
use crate::tables::cell::guarded;

/// The fields of a line, in their order.
const HEADER: [&str; 13] = [
    "run", "arm", "arm_b", "taste", "measure", "n", "n_b", "value", "ci_low", "ci_high", "p",
    "bold", "warning",
];

#[derive(Serialize)]
struct Line<'e> {
    run: &'e str,
    arm: &'e str,
    /// What it is compared with; empty otherwise.
    arm_b: Option<&'e str>,
    taste: &'e str,
    measure: &'static str,
    n: usize,
    /// Of the second of two sets.
    n_b: Option<usize>,
    value: f64,
    ci_low: Option<f64>,
    ci_high: Option<f64>,
    p: Option<f64>,
    /// Whether the number is marked in a table; see the notes of one.
    bold: bool,
    /// Of a run whose numbers mean nothing.
    warning: &'static str,
}

pub fn written(tables: &[Table], head: &Head) -> Result<String, PaperError> {
    let mut csv = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    let columns = HEADER.map(|column| head.labels.word.column(column));
    csv.write_record(columns.iter().map(|column| column.as_bytes()))?;
    for entry in tables.iter().flat_map(|table| &table.entries) {
        add(&mut csv, entry, head.random.contains(&entry.run))?;
    }
    let bytes = csv
        .into_inner()
        .map_err(|e| csv::Error::from(e.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn add(csv: &mut csv::Writer<Vec<u8>>, entry: &Entry, random: bool) -> Result<(), csv::Error> {
    // A spreadsheet must not take a name for a formula.
    let [run, arm, taste] = [&entry.run, &entry.arm, &entry.taste].map(|text| guarded(text));
    let arm_b = entry.arm_b.as_deref().map(guarded);
    csv.serialize(Line {
        run: &run,
        arm: &arm,
        arm_b: arm_b.as_deref(),
        taste: &taste,
        measure: entry.measure.name(),
        n: entry.n,
        n_b: entry.n_b,
        value: entry.value,
        ci_low: entry.interval.map(|i| i.0),
        ci_high: entry.interval.map(|i| i.1),
        p: entry.p,
        bold: entry.bold,
        warning: if random { WARNING } else { "" },
    })
}
