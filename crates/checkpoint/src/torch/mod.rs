//! `.pt`, `.pth`, `pytorch_model.bin`: a zip with a pickle that describes the tensors and one entry a storage.
//!
//! Format: torch.save since PyTorch 1.6 (`torch/serialization.py`). The pickle goes through three steps, and nothing in
//! it is ever executed: the names of everything it would call are checked ([`globals`]), its instructions are followed to
//! the tree of values that it describes, with bounds on memory and nesting ([`machine`]), and the tensors are picked out of
//! the tree and checked against the sizes of their storages ([`state_dict`]). Storages are not touched here.

mod archive;
mod globals;
mod machine;
mod opcodes;
mod state_dict;

use std::collections::BTreeMap;

use foreign::Foreign;
use foreign::words;

use self::archive::Archive;
use super::CheckpointError;
use super::file::WeightsFile;
use super::tensor::TensorInfo;

/// The pickle of a checkpoint with optimizer state takes well under 1 MB.
const LARGEST_PICKLE: usize = 64 << 20;
/// `little` or `big`.
const LARGEST_WORD: usize = 64;

/// The tensors of the state_dict in the file with index `file`, by the names in the file.
pub(super) fn tensors(
    weights: &WeightsFile,
    file: usize,
) -> Result<BTreeMap<String, TensorInfo>, CheckpointError> {
    let path = &weights.path;
    let archive = Archive::open(weights)?;
    if let Some(order) = archive.bytes("byteorder", LARGEST_WORD)?
        && order != b"little"
    {
        return Err(CheckpointError::unsupported(
            path,
            words!(
                "its byte order is `{}`, only little-endian files are read",
                Foreign::new(String::from_utf8_lossy(&order))
            ),
            "save it again with torch on an ordinary machine",
        ));
    }
    let pickle_bytes = archive.range("data.pkl").map_or(0, |range| range.len());
    if pickle_bytes > LARGEST_PICKLE {
        return Err(CheckpointError::unsupported(
            path,
            words!(
                "its pickle takes {} bytes, at most {} are read",
                pickle_bytes,
                LARGEST_PICKLE
            ),
            "save only the state_dict with torch.save",
        ));
    }
    let pickle = archive
        .bytes("data.pkl", LARGEST_PICKLE)?
        .unwrap_or_default();
    globals::check(path, &pickle)?;
    let root = machine::tree(path, &pickle)?;
    state_dict::tensors(path, &root, &archive, file)
}
