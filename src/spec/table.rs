//! A CSV with named columns, read whole and strictly; errors name the line.

use std::path::{Path, PathBuf};

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use files::text;
use foreign::words;
use foreign::{Foreign, Words, hint};

use super::SpecError;

/// A parsed CSV.
pub(super) struct Table {
    pub path: PathBuf,
    columns: Vec<String>,
    rows: Vec<StringRecord>,
}

/// One row, with its line from 1.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'a Table,
    record: &'a StringRecord,
}

impl Table {
    /// Read a CSV of at most `limit_bytes` whose header has all of `required`.
    pub fn read(path: &Path, limit_bytes: u64, required: &[&str]) -> Result<Self, SpecError> {
        let text = text::read(path, limit_bytes)?;
        let mut reader = ReaderBuilder::new().from_reader(text.as_bytes());
        let header = reader.headers().map_err(|e| csv_error(path, &e))?;
        let columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        for (i, name) in columns.iter().enumerate() {
            if columns[..i].contains(name) {
                return Err(line_error(
                    path,
                    1,
                    words!("the column '{}' is there twice", Foreign::new(name)),
                ));
            }
        }
        let missing: Vec<&str> = required
            .iter()
            .copied()
            .filter(|name| !columns.iter().any(|c| c == name))
            .collect();
        if !missing.is_empty() {
            let message = words!(
                "the header must name the columns {}; {} is missing",
                Words::join(required.iter().map(Foreign::new), ","),
                Words::join(missing.iter().map(Foreign::new), ",")
            );
            return Err(line_error(path, 1, message));
        }
        let rows = reader
            .records()
            .collect::<Result<_, _>>()
            .map_err(|e| csv_error(path, &e))?;
        Ok(Table {
            path: path.to_owned(),
            columns,
            rows,
        })
    }

    /// Refuse any other column: a mistyped one would be ignored silently.
    pub fn only(&self, valid: &[&str]) -> Result<(), SpecError> {
        match self
            .columns
            .iter()
            .find(|name| !valid.contains(&name.as_str()))
        {
            Some(name) => {
                let hint = hint(name, valid);
                Err(line_error(
                    &self.path,
                    1,
                    words!("unknown column '{}'{}", Foreign::new(name), hint),
                ))
            }
            None => Ok(()),
        }
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|record| Row {
            table: self,
            record,
        })
    }
}

impl<'a> Row<'a> {
    /// The trimmed field of a column; empty when the table has no such column.
    pub fn get(&self, column: &str) -> &'a str {
        self.whole(column).trim()
    }

    /// As [`Row::get`], with the space around it.
    pub fn whole(&self, column: &str) -> &'a str {
        let index = self.table.columns.iter().position(|name| name == column);
        index
            .and_then(|index| self.record.get(index))
            .unwrap_or_default()
    }

    /// The line on which the row begins, from 1.
    pub fn line(&self) -> u64 {
        self.record.position().map_or(0, |position| position.line())
    }

    pub fn error(&self, message: impl Into<Words>) -> SpecError {
        line_error(&self.table.path, self.line(), message)
    }
}

fn line_error(path: &Path, line: u64, message: impl Into<Words>) -> SpecError {
    SpecError::Line {
        path: path.to_owned(),
        line,
        message: message.into(),
    }
}

fn csv_error(path: &Path, error: &csv::Error) -> SpecError {
    let line = error.position().map_or(1, |position| position.line());
    let message = match error.kind() {
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
    line_error(path, line, message)
}
