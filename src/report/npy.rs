//! Arrays of codes and embeddings as NumPy reads them.
//!
//! By hand: the header is one line, and the crate for it brings a parser of Python literals along, with assembly.

use std::io::{self, Write};
use std::path::Path;

use ndarray::Array2;

use crate::files;

/// Magic, version 1.0, and the length of the header after them.
const START_BYTES: usize = 10;
/// NumPy's alignment of the data.
const ALIGN_BYTES: usize = 64;

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
    let descr = T::DESCR;
    let header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // Spaces and a line end up to the next boundary.
    let whole = (START_BYTES + header.len() + 1).next_multiple_of(ALIGN_BYTES);
    let length = whole - START_BYTES;
    files::write_atomic(path, |file| {
        file.write_all(b"\x93NUMPY\x01\x00")?;
        file.write_all(&(length as u16).to_le_bytes())?;
        writeln!(file, "{header:<0$}", length - 1)?;
        // In logical order, however the array lies in memory.
        array.iter().try_for_each(|value| value.write_to(file))
    })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

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
