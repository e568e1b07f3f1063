//! One safetensors file: a JSON header with names, types, shapes and offsets, then the bytes.
//!
//! Format: <https://huggingface.co/docs/safetensors>. The header is parsed by the `safetensors` crate, which checks
//! that the tensors fill the data without gaps or overlaps; the sizes are checked against the file here.

use std::collections::BTreeMap;

use ::safetensors::Dtype as Stored;
use ::safetensors::tensor::Metadata;
use foreign::guarded;
use foreign::words;
use foreign::{Foreign, Words};

use super::CheckpointError;
use super::file::WeightsFile;
use super::tensor::{Dtype, Place, TensorInfo};

/// Headers of the largest public models take about 100 kB; parsing needs a multiple of the header in memory.
const LARGEST_HEADER: usize = 16 << 20;

/// The tensors of the file with index `file`, by the names in the file.
pub(super) fn tensors(
    weights: &WeightsFile,
    file: usize,
) -> Result<BTreeMap<String, TensorInfo>, CheckpointError> {
    let path = &weights.path;
    let damaged = |detail: Words| CheckpointError::damaged(path, detail);
    let start = weights.head(8)?;
    let Ok(length) = <[u8; 8]>::try_from(start.as_slice()) else {
        return Err(damaged(words!(
            "a safetensors file has 8 bytes at least, this one {}",
            start.len()
        )));
    };
    let length = u64::from_le_bytes(length);
    let rest = weights.len() - start.len();
    let header = usize::try_from(length).ok().filter(|&n| n <= rest);
    let Some(header_bytes) = header else {
        return Err(damaged(words!(
            "its header claims {} bytes, the file holds {}",
            length,
            rest
        )));
    };
    if header_bytes > LARGEST_HEADER {
        return Err(CheckpointError::unsupported(
            path,
            words!(
                "its safetensors header takes {} bytes, at most {} are read",
                header_bytes,
                LARGEST_HEADER
            ),
            "no model needs such a header; fetch the file from its publisher again",
        ));
    }
    let first = start.len() + header_bytes;
    let header = weights.bytes(start.len()..first)?;
    let data_bytes = weights.len() - first;
    let read = guarded(|| serde_json::from_slice(&header).map_err(Foreign::said));
    let read = read.unwrap_or_else(|| Err(Foreign::said("the reader cannot make sense of it")));
    let metadata: Metadata =
        read.map_err(|e| damaged(words!("its safetensors header is not valid ({})", e)))?;
    if metadata.data_len() != data_bytes {
        return Err(damaged(words!(
            "its header describes {} bytes of tensors, the file holds {}",
            metadata.data_len(),
            data_bytes
        )));
    }
    let mut found = BTreeMap::new();
    for (name, info) in metadata.tensors() {
        let Some(dtype) = dtype(info.dtype) else {
            return Err(CheckpointError::tensor(
                path,
                &name,
                words!(
                    "its type {} is not read here; take a version in f32, f16 or bf16",
                    Foreign::new(format!("{:?}", info.dtype))
                ),
            ));
        };
        let (start, end) = info.data_offsets;
        if end > data_bytes {
            return Err(CheckpointError::tensor(
                path,
                &name,
                words!(
                    "it ends at byte {} of {}; the file is damaged, fetch it again",
                    end,
                    data_bytes
                ),
            ));
        }
        let place = Place {
            file,
            start: first + start,
            span: end - start,
            strides: None,
        };
        let info = TensorInfo {
            dtype,
            shape: info.shape.clone(),
            place,
        };
        found.insert(name, info);
    }
    Ok(found)
}

fn dtype(stored: Stored) -> Option<Dtype> {
    Some(match stored {
        Stored::F32 => Dtype::F32,
        Stored::F16 => Dtype::F16,
        Stored::BF16 => Dtype::BF16,
        Stored::F64 => Dtype::F64,
        Stored::I64 => Dtype::I64,
        Stored::I32 => Dtype::I32,
        Stored::I16 => Dtype::I16,
        Stored::I8 => Dtype::I8,
        Stored::U64 => Dtype::U64,
        Stored::U32 => Dtype::U32,
        Stored::U16 => Dtype::U16,
        Stored::U8 => Dtype::U8,
        Stored::BOOL => Dtype::Bool,
        _ => return None,
    })
}
