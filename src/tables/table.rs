//! Rows to and from CSV: whole-file writes, and reads whose errors name the file, the line and the column.

use std::borrow::Cow;
use std::io::{self, BufReader, Read, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use files::{self, WholeFile, regular};
use foreign::words;
use foreign::{Foreign, Words};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::fields::fields;
use super::some_fields::SomeFields;
use crate::labels::Word;

/// A row of one of our CSVs. Its serde fields are the columns, in order; those about labels are called by the experiment's word
/// for them ([`Word::column`]).
pub trait Row: Serialize + DeserializeOwned + Sized {
    /// The file's name in a run folder.
    const FILE: &'static str;
    /// A column and the name that it may have instead.
    const ALIASES: &'static [(&'static str, &'static str)] = &[];
    /// The most that such a file holds [bytes]; a row of pieces and arms takes a few hundred.
    const LARGEST: u64 = 256 << 20;

    /// The columns that every such file has, in their order; also the header of one without rows.
    fn columns() -> Vec<&'static str> {
        Self::all_columns()
    }

    /// The header of a file with this first row, some of [`Row::all_columns`] in their order.
    fn header(_first: Option<&Self>) -> Vec<&'static str> {
        Self::columns()
    }

    /// Every column that such a file may have.
    fn all_columns() -> Vec<&'static str> {
        let alias = |name: &&str| Self::ALIASES.iter().any(|(_, alias)| alias == name);
        let fields = fields::<Self>().iter().copied();
        fields.filter(|name| !alias(name)).collect()
    }
}

/// For files with embeddings, which take some ten thousand bytes a row, and for all that are read row by row [bytes].
pub const LARGEST_WITH_EMBEDDINGS: u64 = 16 << 30;
/// A row of two embeddings of 512 takes some twenty thousand [bytes].
const LONGEST_ROW: u64 = 16 << 20;

/// Why a CSV could not be written or read.
#[derive(Debug, Error)]
pub enum TableError {
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {}: {source}", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot read {}: it has no column `{column}`; a {file} begins with the line {columns}", path.display())]
    Column {
        path: PathBuf,
        column: Foreign,
        file: &'static str,
        columns: Words,
    },
    #[error("cannot read {}, line {line}: {message}; mend that line, or run the experiment again with --fresh", path.display())]
    Line {
        path: PathBuf,
        line: u64,
        message: Words,
    },
}

/// Write the header, with `word` for labels, and `rows` to `path`, whole or not at all. A number that is not finite is an error.
pub fn write<T: Row>(path: &Path, rows: &[T], word: &Word) -> Result<(), TableError> {
    let mut file = RowWriter::create(path, word)?;
    rows.iter().try_for_each(|row| file.add(row))?;
    file.finish()
}

/// A file of rows that need not all be in memory; it appears once it is finished.
pub struct RowWriter<T: Row> {
    path: PathBuf,
    word: Word,
    csv: csv::Writer<WholeFile>,
    /// Known from the first row on.
    columns: Option<Columns>,
    rows: PhantomData<T>,
}

enum Columns {
    /// Every field of a row.
    All,
    /// Some of them: whether each is one.
    Some(Vec<bool>),
}

impl<T: Row> RowWriter<T> {
    /// Begin the file that will be `path`, with `word` for labels.
    pub fn create(path: &Path, word: &Word) -> Result<Self, TableError> {
        let file = WholeFile::create(path).map_err(|source| TableError::Write {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            word: word.clone(),
            csv: plain_writer(file),
            columns: None,
            rows: PhantomData,
        })
    }

    pub fn add(&mut self, row: &T) -> Result<(), TableError> {
        let written = self.try_add(row);
        written.map_err(|source| self.failed(source))
    }

    fn try_add(&mut self, row: &T) -> io::Result<()> {
        let columns = match self.columns.take() {
            Some(columns) => columns,
            None => self.begin(Some(row))?,
        };
        match &columns {
            Columns::All => self.csv.serialize(row)?,
            Columns::Some(wanted) => self.csv.serialize(SomeFields { row, wanted })?,
        }
        self.columns = Some(columns);
        Ok(())
    }

    /// Write the header of a file with this first row.
    fn begin(&mut self, first: Option<&T>) -> io::Result<Columns> {
        let header = T::header(first);
        let all = T::all_columns();
        let of = |name: &str| T::ALIASES.iter().find(|(_, alias)| *alias == name);
        let fields: Vec<&str> = header
            .iter()
            .map(|name| of(name).map_or(*name, |(field, _)| *field))
            .collect();
        let named = header.iter().map(|name| self.word.column(name));
        self.csv.write_record(named.map(Cow::into_owned))?;
        Ok(match fields == all {
            true => Columns::All,
            false => Columns::Some(all.iter().map(|field| fields.contains(field)).collect()),
        })
    }

    /// Give the file its name.
    pub fn finish(mut self) -> Result<(), TableError> {
        let written = match self.columns {
            Some(_) => Ok(()),
            None => self.begin(None).map(|_| ()),
        };
        written.map_err(|source| self.failed(source))?;
        let Self { path, csv, .. } = self;
        let file = csv.into_inner().map_err(|e| e.into_error());
        file.and_then(WholeFile::finish)
            .map_err(|source| TableError::Write { path, source })
    }

    fn failed(&self, source: io::Error) -> TableError {
        TableError::Write {
            path: self.path.clone(),
            source,
        }
    }
}

fn plain_writer<W: Write>(file: W) -> csv::Writer<W> {
    let mut builder = csv::WriterBuilder::new();
    builder.has_headers(false).from_writer(file)
}

/// Read every row of `path`, whose columns have `word` for labels. Columns are found by name, so others may stand beside ours.
pub fn read<T: Row>(path: &Path, word: &Word) -> Result<Vec<T>, TableError> {
    rows_of(path, T::LARGEST, word)?.collect()
}

/// As [`read`], one row at a time: for files that need not fit into memory.
pub fn rows<T: Row>(
    path: &Path,
    word: &Word,
) -> Result<impl Iterator<Item = Result<T, TableError>> + use<T>, TableError> {
    rows_of(path, LARGEST_WITH_EMBEDDINGS, word)
}

/// What a column about labels of another word is read as: no field has the name.
const NOT_OURS: &str = "(not ours)";

fn rows_of<T: Row>(
    path: &Path,
    largest: u64,
    word: &Word,
) -> Result<impl Iterator<Item = Result<T, TableError>> + use<T>, TableError> {
    let mut csv = reader(path, largest)?;
    let header = csv.headers().map_err(|e| explain(path, e, None))?.clone();
    let fields = header.iter().map(|name| word.field(name));
    let fields: csv::StringRecord = fields.map(|field| field.unwrap_or(NOT_OURS)).collect();
    for column in T::columns() {
        let alias = T::ALIASES.iter().find(|(of, _)| *of == column);
        let named = |name: &str| name == column || alias.is_some_and(|(_, alias)| *alias == name);
        if !fields.iter().any(named) {
            let called = |field: &str| Foreign::new(word.column(field));
            return Err(TableError::Column {
                path: path.to_owned(),
                column: called(column),
                file: T::FILE,
                columns: Words::join(T::columns().into_iter().map(called), ","),
            });
        }
    }
    csv.set_headers(fields);
    let path = path.to_owned();
    Ok(csv
        .into_deserialize()
        .map(move |row| row.map_err(|e| explain(&path, e, Some(&header)))))
}

/// A CSV of a run folder, which may be a stranger's: a regular file of the folder of at most `limit_bytes`, none of whose
/// rows is longer than memory should hold.
pub fn reader(path: &Path, limit_bytes: u64) -> Result<csv::Reader<impl Read + use<>>, TableError> {
    let open = |source| TableError::Open {
        path: path.to_owned(),
        source,
    };
    // The folder may be a stranger's.
    let file = files::in_its_folder(path).and_then(|path| regular::open(&path));
    let file = file.map_err(open)?;
    if file.metadata().map_err(open)?.len() > limit_bytes {
        return Err(open(regular::too_large(limit_bytes)));
    }
    Ok(csv::Reader::from_reader(BoundedRows::new(BufReader::new(
        file,
    ))))
}

/// A CSV none of whose rows is longer than [`LONGEST_ROW`]: the reader of rows keeps one whole.
struct BoundedRows<R> {
    inner: R,
    /// Bytes of the row so far.
    row: u64,
    quoted: bool,
}

impl<R> BoundedRows<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            row: 0,
            quoted: false,
        }
    }
}

impl<R: Read> Read for BoundedRows<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        for byte in &buffer[..n] {
            self.row += 1;
            match byte {
                b'"' => self.quoted = !self.quoted,
                b'\n' if !self.quoted => self.row = 0,
                _ => {}
            }
            if self.row > LONGEST_ROW {
                let told = format!("a row of it has more than {LONGEST_ROW} bytes");
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, told));
            }
        }
        Ok(n)
    }
}

/// The error of the `csv` crate in words: line, column name, what was expected.
fn explain(path: &Path, error: csv::Error, header: Option<&csv::StringRecord>) -> TableError {
    let line = error.position().map_or(1, csv::Position::line);
    let message = match error.into_kind() {
        csv::ErrorKind::Io(source) => {
            let path = path.to_owned();
            return TableError::Open { path, source };
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".into(),
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => words!(
            "it has {} fields where the header has {}",
            len,
            expected_len
        ),
        csv::ErrorKind::Deserialize { err, .. } => {
            let place = err.field().and_then(|i| usize::try_from(i).ok());
            match place.and_then(|i| header.and_then(|h| h.get(i))) {
                Some(column) => words!(
                    "column `{}`: {}",
                    Foreign::new(column),
                    Foreign::said(err.kind())
                ),
                None => Foreign::said(err.kind()).into(),
            }
        }
        other => Foreign::said(format_args!("{other:?}")).into(),
    };
    TableError::Line {
        path: path.to_owned(),
        line,
        message,
    }
}

/// Serde helpers for a column of numbers that may be absent but never NaN or infinite. What is read from a file, which may
/// be anybody's, also lies between `low` and `high`.
macro_rules! numbers {
    ($(#[$docs:meta])* $name:ident, $low:expr, $high:expr) => {
        $(#[$docs])*
        // Some columns may all be empty, and some none.
        #[allow(dead_code)]
        pub(super) mod $name {
            use serde::{Deserialize, Deserializer, Serializer, de, ser};

            pub fn written(value: f64) -> Result<f64, String> {
                let message = || format!("{value} is not a finite number");
                value.is_finite().then_some(value).ok_or_else(message)
            }

            fn read(value: f64) -> Result<f64, String> {
                let (low, high): (f64, f64) = ($low, $high);
                match written(value)? {
                    value if (low..=high).contains(&value) => Ok(value),
                    value => Err(format!("{value:e} is not between {low:e} and {high:e}")),
                }
            }

            pub fn serialize<S: Serializer>(value: &f64, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_f64(written(*value).map_err(ser::Error::custom)?)
            }

            pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
                read(f64::deserialize(d)?).map_err(de::Error::custom)
            }

            /// The same for a column that may be empty.
            pub mod option {
                use super::{Deserialize, Deserializer, Serializer, de, read, ser, written};

                pub fn serialize<S: Serializer>(
                    value: &Option<f64>,
                    s: S,
                ) -> Result<S::Ok, S::Error> {
                    match value {
                        Some(value) => {
                            s.serialize_some(&written(*value).map_err(ser::Error::custom)?)
                        }
                        None => s.serialize_none(),
                    }
                }

                pub fn deserialize<'de, D: Deserializer<'de>>(
                    d: D,
                ) -> Result<Option<f64>, D::Error> {
                    let value = Option::<f64>::deserialize(d)?;
                    value.map(read).transpose().map_err(de::Error::custom)
                }
            }
        }
    };
}

numbers!(
    /// Numbers that are told and never drawn: an effect size, whose divisor may be next to nothing, an index, a distance.
    finite, -1e18, 1e18
);
numbers!(
    /// Numbers that figures place on a scale of others: cosines and their differences. Figures have room for some thousand pixels;
    /// ten thousand times a scale's span is far outside of them, and still a number that a rasteriser holds.
    drawn, -1e4, 1e4
);
numbers!(
    /// Places on maps, whose scale is made of them.
    place, -1e12, 1e12
);
numbers!(
    /// Probabilities and shares.
    share, 0.0, 1.0
);
numbers!(
    /// Correlations, which rounding may lead over 1.
    correlation, -1.0 - 1e-9, 1.0 + 1e-9
);

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use super::*;
    use crate::tables::{DrawsRow, EmbeddingRow, ScoreRow, SkippedRow, StatsRow};

    /// The header that serde would write for `row` is `COLUMNS`.
    pub fn assert_columns<T: Row>(row: &T) {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.serialize(row).unwrap();
        let text = String::from_utf8(csv.into_inner().unwrap()).unwrap();
        assert_eq!(text.lines().next().unwrap(), T::all_columns().join(","));
    }

    #[test]
    fn a_file_without_rows_has_its_header() {
        fn check<T: Row>(folder: &Path) {
            let path = folder.join(T::FILE);
            write::<T>(&path, &[], &Word::default()).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(text, format!("{}\n", T::columns().join(",")));
            assert!(read::<T>(&path, &Word::default()).unwrap().is_empty());
        }
        let folder = tempfile::tempdir().unwrap();
        check::<ScoreRow>(folder.path());
        check::<EmbeddingRow>(folder.path());
        check::<StatsRow>(folder.path());
        check::<SkippedRow>(folder.path());
        check::<DrawsRow>(folder.path());
    }

    #[test]
    fn columns_about_labels_have_the_word_of_the_experiment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.csv");
        let mood = Word::new("mood", None).unwrap();
        let rows = [crate::tables::scores::row("1", "on", "calm", 0.5)];
        write(&path, &rows, &mood).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("id,prompt,audio_path,clap_score,mood,arm,"),
            "{text}"
        );
        assert_eq!(read::<ScoreRow>(&path, &mood).unwrap(), rows);
        let told = read::<ScoreRow>(&path, &Word::default())
            .unwrap_err()
            .to_string();
        assert!(told.contains("no column `taste`"), "{told}");
        // A column that is called as another experiment's is somebody's own.
        let beside: String = text
            .lines()
            .map(|line| format!("{line},{}\n", line.len()))
            .collect();
        fs::write(
            &path,
            beside.replacen(
                &format!(",{}\n", text.lines().next().unwrap().len()),
                ",taste\n",
                1,
            ),
        )
        .unwrap();
        assert_eq!(read::<ScoreRow>(&path, &mood).unwrap(), rows);
        fs::write(&path, "id,prompt\n").unwrap();
        let told = read::<ScoreRow>(&path, &mood).unwrap_err().to_string();
        assert!(told.contains("clap_score,mood,arm"), "{told}");
    }

    fn error(text: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.csv");
        fs::write(&path, text).unwrap();
        read::<ScoreRow>(&path, &Word::default())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn errors_name_the_file_the_line_and_the_column() {
        let header = "id,prompt,audio_path,clap_score,taste,arm,front,middle,back,offset\n";
        let good = "1,p,a.wav,0.100000,sweet,on,,,,\n";
        let with = |line: &str| error(format!("{header}{good}{line}\n").as_bytes());

        let e = with("2,p,a.wav,high,sweet,on,,,,");
        assert!(e.contains("scores.csv, line 3: column `clap_score`"), "{e}");
        let e = with("2,p,a.wav,NaN,sweet,on,,,,");
        assert!(
            e.contains("line 3") && e.contains("not a finite number"),
            "{e}"
        );
        let e = with("2,p,a.wav,0.1,sweet,on,-4,,,");
        assert!(e.contains("line 3: column `front`"), "{e}");
        let e = with("2,p,a.wav");
        assert!(
            e.contains("line 3: it has 3 fields where the header has 10"),
            "{e}"
        );
        let e = error(&[header.as_bytes(), b"2,\xff,a.wav,0.1,sweet,on,,,,\n"].concat());
        assert!(e.contains("line 2: it is not UTF-8"), "{e}");
        let e = error(b"");
        assert!(e.contains("no column `id`"), "{e}");
        let e = error(b"id,prompt\n1,x\n");
        assert!(e.contains("no column `audio_path`"), "{e}");

        let e = read::<ScoreRow>(Path::new("nowhere/scores.csv"), &Word::default()).unwrap_err();
        assert!(
            e.to_string()
                .starts_with("cannot read nowhere/scores.csv: ")
        );
    }
}
