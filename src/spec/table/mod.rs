//! A list with named columns, a CSV or JSON Lines, read whole and strictly; errors name the line.

mod csv;
mod json_lines;
mod list;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use ::csv::StringRecord;
use files::{regular, text};
use foreign::words;
use foreign::{Foreign, Words, hint};
use list::List;

use super::SpecError;

/// A parsed list.
pub(super) struct Table {
    pub path: PathBuf,
    columns: Vec<String>,
    /// What the file has besides, of which rows have nothing.
    others: Vec<String>,
    rows: Vec<StringRecord>,
}

/// What columns are called in a file, by what they are called here.
pub(crate) type Names = BTreeMap<String, String>;

/// Give the columns that `names` names the names that they have here.
///
/// `there` is all that the file has, `columns` first.
fn rename(columns: &mut [String], names: &Names, there: &[String]) -> Result<(), Words> {
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

/// What is said of a Parquet file: docs/decisions.md says why none is read.
const PARQUET: &str = "it is Parquet, which is not read; write it as a CSV, such as with python3 -c \"import pandas; \
    pandas.read_parquet('train.parquet', columns=['path', 'prompt']).to_csv('pieces.csv', index=False)\"";

fn is_parquet(path: &Path) -> bool {
    let mut begins = [0; 4];
    let opened = regular::open(path);
    opened.is_ok_and(|mut file| file.read_exact(&mut begins).is_ok()) && begins == *b"PAR1"
}

fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
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
        let list = csv::read(path, &text::read(path, limit_bytes)?, required)?;
        Self::of(path, list, required, &Names::new())
    }

    /// Read a list of at most `limit_bytes`, a CSV or JSON Lines, that has all of `required` and may have more of `wanted`, some
    /// of which it calls by other `names`.
    pub fn read_list(
        path: &Path,
        limit_bytes: u64,
        required: &[&str],
        wanted: &[&str],
        names: &Names,
    ) -> Result<Self, SpecError> {
        let text = text::read(path, limit_bytes);
        let text = text.map_err(|error| match is_parquet(path) {
            true => SpecError::File {
                path: path.to_owned(),
                message: words!("{}", PARQUET),
            },
            false => error.into(),
        })?;
        let called = |all: &[&'_ str]| -> Vec<String> {
            let called = |name: &&str| names.get(*name).map_or(*name, String::as_str).to_owned();
            all.iter().map(called).collect()
        };
        let (needed, wanted) = (called(required), called(wanted));
        let list = match json_lines::is_one(path, &text) {
            true => json_lines::read(path, &text, &borrowed(&wanted))?,
            false => csv::read(path, &text, &borrowed(&needed))?,
        };
        Self::of(path, list, required, names)
    }

    fn of(path: &Path, list: List, required: &[&str], names: &Names) -> Result<Self, SpecError> {
        let List {
            must,
            mut columns,
            others,
            rows,
        } = list;
        let there = [&columns[..], &others].concat();
        let renamed = rename(&mut columns, names, &there);
        renamed.map_err(|message| SpecError::line(path, 1, message))?;
        let is_missing = |name: &&str| !columns.iter().any(|column| column == name);
        let missing: Vec<&str> = required.iter().copied().filter(is_missing).collect();
        if !missing.is_empty() {
            let listed = |names: &[&str]| Words::join(names.iter().map(Foreign::new), ",");
            let there = [borrowed(&columns), borrowed(&others)].concat();
            let message = words!(
                "{} {}; {} is missing{}",
                must,
                listed(required),
                listed(&missing),
                match there.concat().is_empty() {
                    true => Words::none(),
                    false => words!(", and there are {}", listed(&there)),
                }
            );
            return Err(SpecError::line(path, 1, message));
        }
        Ok(Table {
            path: path.to_owned(),
            columns,
            others,
            rows,
        })
    }

    /// Refuse any other column: a mistyped one would be ignored silently.
    pub fn only(&self, valid: &[&str]) -> Result<(), SpecError> {
        let mut all = self.columns.iter().chain(&self.others);
        match all.find(|name| !valid.contains(&name.as_str())) {
            Some(name) => {
                let message = words!(
                    "unknown column '{}'{}",
                    Foreign::new(name),
                    hint(name, valid)
                );
                Err(SpecError::line(&self.path, 1, message))
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
        SpecError::line(&self.table.path, self.line(), message)
    }
}
