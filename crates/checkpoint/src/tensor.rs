//! Element types, where a tensor lies in a file, and its conversion to f32.

use std::fmt;

use half::{bf16, f16};

use super::CheckpointError;
use super::file::WeightsFile;

/// Element types that checkpoints use. Only the floating ones can be read as weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dtype {
    F32,
    F16,
    BF16,
    F64,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool,
}

impl Dtype {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 | Self::U64 => 8,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 | Self::BF16 | Self::I16 | Self::U16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// Whether [`super::Checkpoint::f32`] converts it.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F16 | Self::BF16 | Self::F64)
    }
}

impl foreign::Safe for Dtype {}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::F64 => "f64",
            Self::I64 => "i64",
            Self::I32 => "i32",
            Self::I16 => "i16",
            Self::I8 => "i8",
            Self::U64 => "u64",
            Self::U32 => "u32",
            Self::U16 => "u16",
            Self::U8 => "u8",
            Self::Bool => "bool",
        })
    }
}

/// What a checkpoint says of one tensor. The extent was checked against the file when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub(super) place: Place,
}

impl TensorInfo {
    /// The number of elements.
    pub fn elements(&self) -> usize {
        // An empty axis first: the others may have any size then, and their product overflow.
        match self.shape.contains(&0) {
            true => 0,
            false => self.shape.iter().product(),
        }
    }

    /// The bytes of its elements.
    pub fn bytes(&self) -> usize {
        self.elements() * self.dtype.size()
    }
}

/// Where a tensor's elements are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of the file among those of the checkpoint.
    pub file: usize,
    /// Byte offset of the first element in it.
    pub start: usize,
    /// Bytes from the first element to the end of the last.
    pub span: usize,
    /// Steps in elements, one an axis, 0 for an axis of one element; `None` when the elements lie in row-major order without gaps.
    pub strides: Option<Vec<usize>>,
}

/// A tensor's values in row-major order, `shape.iter().product()` of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub data: Vec<f32>,
}

/// The number of elements of a shape and how far its last element is from its first, plus one; both 0 when an axis
/// is empty, `None` when they overflow.
pub(super) fn extent(shape: &[usize], strides: &[usize]) -> Option<(usize, usize)> {
    if shape.contains(&0) {
        return Some((0, 0));
    }
    let mut elements = 1usize;
    let mut last = 0usize;
    for (&size, &stride) in shape.iter().zip(strides) {
        elements = elements.checked_mul(size)?;
        last = last.checked_add((size - 1).checked_mul(stride)?)?;
    }
    Some((elements, last.checked_add(1)?))
}

/// Whether strides are those of row-major order without gaps. Axes of one element may have any.
pub(super) fn is_contiguous(shape: &[usize], strides: &[usize]) -> bool {
    let mut step = 1usize;
    shape.contains(&0)
        || shape.iter().zip(strides).rev().all(|(&size, &stride)| {
            let fits = size == 1 || stride == step;
            step = step.saturating_mul(size);
            fits
        })
}

/// Read a tensor as f32 from its place in `file`. `None` when the type is not a floating one or the bytes are too few.
///
/// # Errors
/// When the file cannot be read there.
pub(super) fn read_f32(
    info: &TensorInfo,
    file: &WeightsFile,
) -> Result<Option<Vec<f32>>, CheckpointError> {
    let place = &info.place;
    let lies_in_file = place
        .start
        .checked_add(place.span)
        .is_some_and(|end| end <= file.len());
    if !lies_in_file {
        return Ok(None);
    }
    if info.dtype == Dtype::F32 && place.strides.is_none() && cfg!(target_endian = "little") {
        // As they will be used: large tensors are not held twice.
        let mut values = vec![0f32; place.span / 4];
        file.read(place.start, bytemuck::cast_slice_mut(&mut values))?;
        return Ok((values.len() == info.elements()).then_some(values));
    }
    let bytes = file.bytes(place.start..place.start + place.span)?;
    Ok(convert(info, &bytes))
}

/// A tensor as f32 from the `span` bytes at its place.
fn convert(info: &TensorInfo, bytes: &[u8]) -> Option<Vec<f32>> {
    let values = match info.dtype {
        Dtype::F32 => gather(info, bytes, f32::from_le_bytes),
        Dtype::F16 => gather(info, bytes, |b| f16::from_le_bytes(b).to_f32()),
        Dtype::BF16 => gather(info, bytes, |b| bf16::from_le_bytes(b).to_f32()),
        Dtype::F64 => gather(info, bytes, |b| f64::from_le_bytes(b) as f32),
        _ => None,
    }?;
    (values.len() == info.elements()).then_some(values)
}

fn gather<const N: usize>(
    info: &TensorInfo,
    bytes: &[u8],
    convert: impl Fn([u8; N]) -> f32,
) -> Option<Vec<f32>> {
    let stored = bytes.as_chunks::<N>().0;
    let Some(strides) = &info.place.strides else {
        return Some(stored.iter().map(|b| convert(*b)).collect());
    };
    let mut values = Vec::with_capacity(info.elements());
    let mut index = vec![0usize; info.shape.len()];
    let mut at = 0usize;
    for _ in 0..info.elements() {
        values.push(convert(*stored.get(at)?));
        // The next index in row-major order: the last axis that has room moves on, those after it start again.
        for axis in (0..index.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < info.shape[axis] {
                break;
            }
            at -= strides[axis] * info.shape[axis];
            index[axis] = 0;
        }
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_are_exact_and_do_not_overflow() {
        assert_eq!(extent(&[2, 3], &[3, 1]), Some((6, 6)));
        assert_eq!(extent(&[2, 3], &[1, 2]), Some((6, 6)));
        assert_eq!(extent(&[2, 0], &[usize::MAX, 1]), Some((0, 0)));
        assert_eq!(extent(&[], &[]), Some((1, 1)));
        assert_eq!(extent(&[usize::MAX, 2], &[0, 0]), None);
        assert_eq!(extent(&[3], &[usize::MAX]), None);
    }

    #[test]
    fn axes_of_one_element_do_not_break_contiguity() {
        assert!(is_contiguous(&[1, 5], &[0, 1]));
        assert!(is_contiguous(&[4, 1, 3], &[3, 99, 1]));
        assert!(!is_contiguous(&[2, 3], &[1, 2]));
    }

    #[test]
    fn a_transposed_tensor_is_read_in_row_major_order() {
        let bytes: Vec<u8> = (0..6).flat_map(|i| (i as f32).to_le_bytes()).collect();
        let info = TensorInfo {
            dtype: Dtype::F32,
            shape: vec![3, 2],
            place: Place {
                file: 0,
                start: 0,
                span: 24,
                strides: Some(vec![1, 3]),
            },
        };
        let values = convert(&info, &bytes).unwrap();
        assert_eq!(values, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    }
}
