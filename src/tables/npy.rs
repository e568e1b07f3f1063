//! Arrays of codes and embeddings as NumPy reads and writes them.
//!
//! By hand: the header is one line, and the crate for it brings a parser of Python literals along, with assembly.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use files::{self, WholeFile, regular};
use foreign::words;
use foreign::{Foreign, Words};
use ndarray::Array2;
use thiserror::Error;

/// Two million embeddings of 512 [bytes].
const LARGEST: u64 = 4 << 30;

/// Magic, version 1.0, and the length of the header after them.
const START_BYTES: usize = 10;
/// NumPy's alignment of the data.
const ALIGN_BYTES: usize = 64;

/// Why an array could not be read.
#[derive(Debug, Error)]
#[error("cannot read {}: {message}; run the experiment again, or remove the file", path.display())]
pub struct NpyError {
    pub path: PathBuf,
    pub message: Words,
}

/// What a `.npy` file may hold.
pub trait Element: Copy {
    /// NumPy's name of the type: `<i8`.
    const DESCR: &'static str;

    fn write_to(self, out: &mut impl Write) -> io::Result<()>;
}

impl Element for i64 {
    const DESCR: &'static str = "<i8";

    fn write_to(self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.to_le_bytes())
    }
}

impl Element for f32 {
    const DESCR: &'static str = "<f4";

    fn write_to(self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.to_le_bytes())
    }
}

/// Write an array, such as codes `[codebooks, frames]` or embeddings `[rows, dimensions]`, as a `.npy` file of version 1.0
/// in C order, whole or not at all (`numpy.lib.format`).
///
/// # Errors
/// When the file cannot be written; what stood at `path` stays then.
pub fn write_npy<T: Element>(path: &Path, array: &Array2<T>) -> io::Result<()> {
    let (rows, columns) = array.dim();
    files::write_atomic(path, |file| {
        write_header::<T>(file, rows, columns)?;
        // In logical order, however the array lies in memory.
        array.iter().try_for_each(|value| value.write_to(file))
    })
}

fn write_header<T: Element>(file: &mut impl Write, rows: usize, columns: usize) -> io::Result<()> {
    let descr = T::DESCR;
    let header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // Spaces and a line end up to the next boundary.
    let whole = (START_BYTES + header.len() + 1).next_multiple_of(ALIGN_BYTES);
    let length = whole - START_BYTES;
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&(length as u16).to_le_bytes())?;
    writeln!(file, "{header:<0$}", length - 1)
}

/// An array `[rows, columns]` of 32-bit floats whose rows need not all be in memory; the file appears once it is finished.
pub struct NpyWriter {
    file: WholeFile,
    rows: usize,
    columns: usize,
    bytes: Vec<u8>,
}

impl NpyWriter {
    pub fn create(path: &Path, rows: usize, columns: usize) -> io::Result<Self> {
        let mut file = WholeFile::create(path)?;
        write_header::<f32>(&mut file, rows, columns)?;
        Ok(Self {
            file,
            rows,
            columns,
            bytes: Vec::new(),
        })
    }

    /// The next row.
    pub fn add(&mut self, row: &[f32]) -> io::Result<()> {
        let Some(left) = self
            .rows
            .checked_sub(1)
            .filter(|_| row.len() == self.columns)
        else {
            let found = row.len();
            return Err(io::Error::other(format!(
                "a row of {found} values too many, or of another length"
            )));
        };
        self.rows = left;
        self.bytes.clear();
        self.bytes
            .extend(row.iter().flat_map(|value| value.to_le_bytes()));
        self.file.write_all(&self.bytes)
    }

    /// Give the file its name.
    pub fn finish(self) -> io::Result<()> {
        match self.rows {
            0 => self.file.finish(),
            lacking => Err(io::Error::other(format!("{lacking} rows are missing"))),
        }
    }
}

/// Read `[rows, columns]` of 32-bit floats, as [`write_npy`] and `numpy.save` write them. Values may be NaN.
///
/// # Errors
/// When the file cannot be read, is no `.npy` file, holds another type or number of axes, or is shorter or longer than its
/// shape says.
pub fn read_npy(path: &Path) -> Result<Array2<f32>, NpyError> {
    let failed = |message: Words| NpyError {
        path: path.to_owned(),
        message,
    };
    let bytes = files::in_its_folder(path).and_then(|path| regular::read(&path, LARGEST));
    let bytes = bytes.map_err(|error| failed(Foreign::said(error).into()))?;
    parse(&bytes).map_err(failed)
}

fn parse(bytes: &[u8]) -> Result<Array2<f32>, Words> {
    let header = Header::parse(bytes)?;
    let data = bytes.get(header.bytes..).unwrap_or_default();
    header.check(data.len() as u64)?;
    let values: Vec<f32> = data
        .as_chunks::<4>()
        .0
        .iter()
        .map(|value| f32::from_le_bytes(*value))
        .collect();
    Array2::from_shape_vec((header.rows, header.columns), values)
        .map_err(|error| Foreign::said(error).into())
}

/// What stands before the values.
struct Header {
    bytes: usize,
    rows: usize,
    columns: usize,
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, Words> {
        let no_npy = || Words::from("it is no array of NumPy");
        let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or_else(no_npy)?;
        // Versions 2 and 3 have a longer length of the header and are otherwise the same.
        let (header, data) = match rest {
            [1, _, a, b, rest @ ..] => rest.split_at_checked(u16::from_le_bytes([*a, *b]).into()),
            [2 | 3, _, a, b, c, d, rest @ ..] => {
                let length = u32::from_le_bytes([*a, *b, *c, *d]);
                rest.split_at_checked(usize::try_from(length).map_err(|_| no_npy())?)
            }
            _ => None,
        }
        .ok_or_else(no_npy)?;
        let bytes = bytes.len() - data.len();
        let header = std::str::from_utf8(header).map_err(|_| no_npy())?;
        let descr = after(header, "'descr':").ok_or_else(no_npy)?;
        if !descr.starts_with("'<f4'") {
            let found = descr.split(',').next().unwrap_or(descr);
            return Err(words!(
                "it holds values of type {}, not 32-bit floats",
                Foreign::new(found)
            ));
        }
        let fortran = after(header, "'fortran_order':").ok_or_else(no_npy)?;
        if !fortran.starts_with("False") {
            return Err("it is in Fortran order, not in C order".into());
        }
        let shape = after(header, "'shape':")
            .and_then(|rest| rest.strip_prefix('(')?.split_once(')'))
            .ok_or_else(no_npy)?
            .0;
        let axes: Option<Vec<usize>> = shape
            .split(',')
            .map(str::trim)
            .filter(|axis| !axis.is_empty())
            .map(|axis| axis.parse().ok())
            .collect();
        match axes.as_deref() {
            Some(&[rows, columns]) => Ok(Self {
                bytes,
                rows,
                columns,
            }),
            _ => Err(words!(
                "its shape is ({}), not (rows, columns)",
                Foreign::new(shape)
            )),
        }
    }

    /// That so many bytes of values follow.
    fn check(&self, found: u64) -> Result<(), Words> {
        let values = self.rows.checked_mul(self.columns);
        let expected = values.and_then(|values| (values as u64).checked_mul(4));
        match expected == Some(found) {
            true => Ok(()),
            false => Err(words!(
                "its shape is ({}, {}), and {} bytes of values follow",
                self.rows,
                self.columns,
                found
            )),
        }
    }
}

/// The rows of an array of 32-bit floats, one after the other: for those that need not fit into memory.
pub struct NpyRows {
    file: BufReader<File>,
    rows: usize,
    columns: usize,
}

impl NpyRows {
    /// # Errors
    /// Those of [`read_npy`].
    pub fn open(path: &Path) -> Result<Self, NpyError> {
        let failed = |message: Words| NpyError {
            path: path.to_owned(),
            message,
        };
        let said = |error: io::Error| failed(Foreign::said(error).into());
        let file = files::in_its_folder(path).and_then(|path| regular::open(&path));
        let file = file.map_err(said)?;
        let length = file.metadata().map_err(said)?.len();
        let mut file = BufReader::with_capacity(1 << 16, file);
        let header = Header::parse(file.fill_buf().map_err(said)?).map_err(failed)?;
        let values = length.saturating_sub(header.bytes as u64);
        header.check(values).map_err(failed)?;
        file.consume(header.bytes);
        Ok(Self {
            file,
            rows: header.rows,
            columns: header.columns,
        })
    }

    /// How many there are.
    pub fn count_rows(&self) -> usize {
        self.rows
    }

    /// The next row.
    ///
    /// # Errors
    /// Those of the disk; behind the last row, that there is no more.
    pub fn next_row(&mut self) -> io::Result<Vec<f32>> {
        let mut bytes = vec![0; self.columns * 4];
        self.file.read_exact(&mut bytes)?;
        let values = bytes.as_chunks::<4>().0.iter();
        Ok(values.map(|value| f32::from_le_bytes(*value)).collect())
    }
}

/// What follows a key of the header.
fn after<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    header.split_once(key).map(|(_, rest)| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn arrays_come_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("embeddings.npy");
        let values = array![[0.1_f32, -0.0, f32::MIN_POSITIVE], [1e-45, 3.0, -7.5]];
        write_npy(&path, &values).unwrap();
        assert_eq!(read_npy(&path).unwrap(), values);
        let at_once = std::fs::read(&path).unwrap();
        let mut rows = NpyWriter::create(&path, 2, 3).unwrap();
        rows.add(&[0.1, -0.0, f32::MIN_POSITIVE]).unwrap();
        assert!(rows.add(&[1.0]).is_err());
        rows.add(&[1e-45, 3.0, -7.5]).unwrap();
        assert!(rows.add(&[0.0; 3]).is_err());
        rows.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), at_once);
        assert!(NpyWriter::create(&path, 1, 3).unwrap().finish().is_err());
        let mut rows = NpyRows::open(&path).unwrap();
        assert_eq!(rows.count_rows(), 2);
        for row in values.rows() {
            assert_eq!(rows.next_row().unwrap(), row.to_vec());
        }
        assert!(rows.next_row().is_err());
        std::fs::write(&path, &at_once[..at_once.len() - 1]).unwrap();
        assert!(NpyRows::open(&path).is_err());
        std::fs::write(&path, &at_once).unwrap();
        // Version 2.0, as NumPy writes a header that is long.
        let bytes = std::fs::read(&path).unwrap();
        let second = [b"\x93NUMPY\x02\x00", &bytes[8..10], b"\0\0", &bytes[10..]].concat();
        assert_eq!(parse(&second).unwrap(), values);
    }

    #[test]
    fn what_is_no_such_array_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        write_npy(&path, &array![[0.5_f32, -1.0]]).unwrap();
        let good = std::fs::read(&path).unwrap();
        let said = |bytes: &[u8]| parse(bytes).unwrap_err().to_string();
        for cut in 0..128 {
            assert_eq!(said(&good[..cut]), "it is no array of NumPy");
        }
        assert_eq!(
            said(&good[..131]),
            "its shape is (1, 2), and 3 bytes of values follow"
        );
        assert!(said(&[&good[..], b"x"].concat()).ends_with("and 9 bytes of values follow"));
        let header = |from: &str, to: &str| {
            let text = String::from_utf8_lossy(&good[10..128]).replace(from, to);
            [&good[..10], text.as_bytes(), &good[128..]].concat()
        };
        assert_eq!(
            said(&header("<f4", "<f8")),
            "it holds values of type '<f8', not 32-bit floats"
        );
        assert!(said(&header("(1, 2)", "(1, 9)")).starts_with("its shape is (1, 9)"));
        assert!(said(&header("(1, 2), ", "(12,),  ")).contains("not (rows, columns)"));
        assert!(said(&header("False, ", "True,  ")).contains("Fortran order"));
        let missing = read_npy(&folder.path().join("none.npy")).unwrap_err();
        assert!(missing.to_string().contains("none.npy"));
    }

    fn written(codes: &Array2<i64>) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.npy");
        write_npy(&path, codes).unwrap();
        std::fs::read(path).unwrap()
    }

    /// The bytes of `numpy.save` of numpy 2.4 for the same array.
    #[test]
    fn the_bytes_are_those_of_numpy() {
        let bytes = written(&array![[0, 2047, -1], [1, 2, 3]]);
        let header =
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }";
        assert_eq!(bytes[..header.len()], header[..]);
        let padding = &bytes[header.len()..128];
        assert!(padding[..padding.len() - 1].iter().all(|b| *b == b' '));
        assert_eq!(padding.last(), Some(&b'\n'));
        let values: Vec<i64> = bytes[128..]
            .as_chunks::<8>()
            .0
            .iter()
            .map(|b| i64::from_le_bytes(*b))
            .collect();
        assert_eq!(values, [0, 2047, -1, 1, 2, 3]);
        assert_eq!(bytes.len(), 128 + 6 * 8);
    }

    /// As `numpy.save` of numpy 2.4 does for float32.
    #[test]
    fn embeddings_are_float32() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("embeddings.npy");
        write_npy(&path, &array![[0.5_f32, -1.0]]).unwrap();
        let bytes = std::fs::read(path).unwrap();
        let header =
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
        assert_eq!(bytes[..header.len()], header[..]);
        assert_eq!(
            bytes[128..],
            [0.5_f32.to_le_bytes(), (-1.0_f32).to_le_bytes()].concat()
        );
    }

    #[test]
    fn the_order_in_memory_does_not_matter() {
        let codes = array![[1, 2], [3, 4], [5, 6]];
        let turned = codes.t().to_owned();
        assert_eq!(written(&codes.t().to_owned()), written(&turned));
        let fortran = Array2::from_shape_fn(ndarray::ShapeBuilder::f((3, 2)), |at| codes[at]);
        assert!(!fortran.is_standard_layout());
        assert_eq!(written(&fortran), written(&codes));
    }
}
