//! A CSV with named columns, read whole and strictly; errors name the line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use files::text;
use foreign::words;
use foreign::{Foreign, Words, hint};
use process::progress::note;

use super::SpecError;

/// A parsed CSV.
pub(super) struct Table {
    pub path: PathBuf,
    columns: Vec<String>,
    rows: Vec<StringRecord>,
}

/// What columns are called in a file, by what they are called here.
pub(crate) type Names = BTreeMap<String, String>;

/// Give the columns that `names` names the names that they have here.
fn rename(columns: &mut [String], names: &Names) -> Result<(), Words> {
    let there = columns.to_vec();
    // What has such a name and is not meant is another column.
    for column in columns
        .iter_mut()
        .filter(|column| names.contains_key(*column))
    {
        column.insert_str(0, "(not taken) ");
    }
    for (name, called) in names {
        let place = there.iter().position(|column| column == called);
        let column = place.and_then(|place| columns.get_mut(place));
        let Some(column) = column else {
            return Err(words!(
                "it has no column '{}', which 'columns' takes for {}; there are {}",
                Foreign::new(called),
                Foreign::new(name),
                Words::join(there.iter().map(Foreign::new), ",")
            ));
        };
        column.clone_from(name);
    }
    Ok(())
}

/// What stands between columns where it is no comma, with its name: spreadsheets of countries whose decimals have commas write
/// semicolons, and some programs tabs.
const SEPARATORS: [(u8, &str); 2] = [(b';', "semicolons"), (b'\t', "tabs")];

/// A comma, or what the header shows to be the separator: with it, it has more of the columns that are needed.
fn separator(text: &str, required: &[String]) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let known = |separator: u8| {
        let mut reader = ReaderBuilder::new()
            .delimiter(separator)
            .from_reader(header.as_bytes());
        let columns = reader.headers().cloned().unwrap_or_default();
        let is_there = |name: &&String| columns.iter().any(|column| column.trim() == *name);
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

/// One row, with its line from 1.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'a Table,
    record: &'a StringRecord,
}

impl Table {
    /// Read a CSV of at most `limit_bytes` whose header has all of `required`.
    pub fn read(path: &Path, limit_bytes: u64, required: &[&str]) -> Result<Self, SpecError> {
        Self::read_as(path, limit_bytes, required, &Names::new())
    }

    /// The same of a file that calls some columns by other `names`.
    pub fn read_as(
        path: &Path,
        limit_bytes: u64,
        required: &[&str],
        names: &Names,
    ) -> Result<Self, SpecError> {
        let text = text::read(path, limit_bytes)?;
        let called = |name: &&str| names.get(*name).map_or(*name, String::as_str).to_owned();
        let separator = separator(&text, &required.iter().map(called).collect::<Vec<_>>());
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
        let mut columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        for (i, name) in columns.iter().enumerate() {
            if columns[..i].contains(name) {
                return Err(line_error(
                    path,
                    1,
                    words!("the column '{}' is there twice", Foreign::new(name)),
                ));
            }
        }
        rename(&mut columns, names).map_err(|message| line_error(path, 1, message))?;
        let missing: Vec<&str> = required
            .iter()
            .copied()
            .filter(|name| !columns.iter().any(|c| c == name))
            .collect();
        if !missing.is_empty() {
            let listed = |names: &[&str]| Words::join(names.iter().map(Foreign::new), ",");
            let there: Vec<&str> = columns.iter().map(String::as_str).collect();
            let message = words!(
                "the header must name the columns {}; {} is missing{}",
                listed(required),
                listed(&missing),
                match there.concat().is_empty() {
                    true => Words::none(),
                    false => words!(", and there are {}", listed(&there)),
                }
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
