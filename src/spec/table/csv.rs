//! Rows of a CSV, whatever separates its columns.

use std::path::Path;

use ::csv::{Error, ErrorKind, ReaderBuilder};
use foreign::words;
use foreign::{Foreign, Words};
use process::progress::note;

use super::list::List;
use crate::spec::SpecError;

/// What stands between columns where it is no comma, with its name: spreadsheets of countries whose decimals have commas write
/// semicolons, and some programs tabs.
const SEPARATORS: [(u8, &str); 2] = [(b';', "semicolons"), (b'\t', "tabs")];

/// A comma, or what the header shows to be the separator: with it, it has more of the columns that are needed.
fn separator(text: &str, required: &[&str]) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let known = |separator: u8| {
        let mut reader = ReaderBuilder::new()
            .delimiter(separator)
            .from_reader(header.as_bytes());
        let columns = reader.headers().cloned().unwrap_or_default();
        let is_there = |name: &&&str| columns.iter().any(|column| column.trim() == **name);
        required.iter().filter(is_there).count()
    };
    let mut best = (b',', known(b','));
    for (separator, _) in SEPARATORS {
        let count = known(separator);
        if count > best.1 {
            best = (separator, count);
        }
    }
    best.0
}

/// Every row of the text of a file that has the columns `required`.
pub(super) fn read(path: &Path, text: &str, required: &[&str]) -> Result<List, SpecError> {
    let separator = separator(text, required);
    if let Some((_, name)) = SEPARATORS.iter().find(|(other, _)| *other == separator) {
        note(format!(
            "{}: its columns are separated by {name}",
            path.display()
        ));
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| csv_error(path, &e))?;
    let columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    for (i, name) in columns.iter().enumerate() {
        if columns[..i].contains(name) {
            let message = words!("the column '{}' is there twice", Foreign::new(name));
            return Err(SpecError::line(path, 1, message));
        }
    }
    let rows = reader
        .records()
        .collect::<Result<_, _>>()
        .map_err(|e| csv_error(path, &e))?;
    Ok(List {
        must: "the header must name the columns",
        columns,
        others: Vec::new(),
        rows,
    })
}

fn csv_error(path: &Path, error: &Error) -> SpecError {
    let line = error.position().map_or(1, |position| position.line());
    let message: Words = match error.kind() {
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            words!(
                "this row has {} fields, the header {}; put a text with a comma in quotes",
                len,
                expected_len
            )
        }
        _ => words!("this is not CSV: {}", Foreign::said(error)),
    };
    SpecError::line(path, line, message)
}
