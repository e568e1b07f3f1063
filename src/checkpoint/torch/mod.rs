//! `.pt`, `.pth`, `pytorch_model.bin`: a zip with a pickle that describes the tensors and one entry a storage.
//!
//! Format: torch.save since PyTorch 1.6 (`torch/serialization.py`). The pickle goes through four steps, and nothing in
//! it is ever executed: the names of everything it would call are checked ([`globals`]), its stack is simulated to
//! bound memory and nesting ([`limits`]), candle's reader builds the tree of objects, and the tensors are picked out of
//! the tree and checked against the sizes of their storages ([`state_dict`]). Storages are not touched here.

mod archive;
mod globals;
mod limits;
mod opcodes;
mod state_dict;

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::pickle::{Object, Stack};

use self::archive::Archive;
use super::CheckpointError;
use super::file::WeightsFile;
use super::tensor::TensorInfo;
use crate::guard::guarded;
use crate::wording::Foreign;
use crate::words;

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
    let root = read_pickle(path, &pickle)?;
    state_dict::tensors(path, &root, &archive, file)
}

/// The tree of objects that a pickle describes.
fn read_pickle(path: &Path, pickle: &[u8]) -> Result<Object, CheckpointError> {
    globals::check(path, pickle)?;
    limits::check(path, pickle)?;
    let read = guarded(|| {
        let mut stack = Stack::empty();
        let mut reader = pickle;
        stack
            .read_loop(&mut reader)
            .and_then(|()| stack.finalize())
            .map_err(Foreign::said)
    });
    let read = read.unwrap_or_else(|| Err(Foreign::said("the reader cannot make sense of it")));
    read.map_err(|e| CheckpointError::damaged(path, words!("its pickle is not valid ({})", e)))
}
