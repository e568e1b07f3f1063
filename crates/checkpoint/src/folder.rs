//! Model folders as a hub gives them: `config.json` and the weights in one file or in shards.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Component, Path};

use files::regular;
use foreign::Foreign;
use foreign::words;
use serde_json::Value;

use super::file::WeightsFile;
use super::{Checkpoint, CheckpointError, Format, safetensors};

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const TORCH: &str = "pytorch_model.bin";
/// Indices of the largest public models take a few MB.
const LARGEST_JSON: u64 = 16 << 20;

pub(super) fn open(folder: &Path) -> Result<Checkpoint, CheckpointError> {
    let mut checkpoint = if folder.join(SINGLE).is_file() {
        Checkpoint::open_file(&folder.join(SINGLE))?
    } else if folder.join(INDEX).is_file() {
        open_shards(folder)?
    } else if folder.join(TORCH).is_file() {
        let mut checkpoint = Checkpoint::open_file(&folder.join(TORCH))?;
        checkpoint.read_config(folder)?;
        checkpoint
    } else {
        return Err(CheckpointError::unsupported(
            folder,
            words!("the folder holds none of {}, {}, {}", SINGLE, INDEX, TORCH),
            "name the checkpoint file itself, or download the folder again",
        ));
    };
    checkpoint.path = folder.to_owned();
    Ok(checkpoint)
}

fn open_shards(folder: &Path) -> Result<Checkpoint, CheckpointError> {
    let index = folder.join(INDEX);
    let mut checkpoint = Checkpoint::empty(folder, Format::ShardedSafetensors);
    checkpoint.read_config(folder)?;
    checkpoint.companions.push(index.clone());

    let listed = shard_of_each_tensor(&index)?;
    let mut found = BTreeMap::new();
    for shard in listed.values().collect::<BTreeSet<_>>() {
        let path = folder.join(shard);
        if !path.is_file() {
            return Err(CheckpointError::unsupported(
                &path,
                words!("the shard is missing, {} names it", INDEX),
                "download it, or the folder again",
            ));
        }
        let file = WeightsFile::open(&path)?;
        let tensors = safetensors::tensors(&file, checkpoint.weights.len())?;
        checkpoint.weights.push(file);
        // A tensor that the index puts into another shard, or does not name, is not part of the model.
        let here = tensors.into_iter();
        found.extend(here.filter(|(name, _)| listed.get(name) == Some(shard)));
    }
    if let Some((name, shard)) = listed.iter().find(|(name, _)| !found.contains_key(*name)) {
        return Err(CheckpointError::tensor(
            folder,
            name,
            words!(
                "the index says it is in {}, where it is not; download the folder again",
                Foreign::new(shard)
            ),
        ));
    }
    checkpoint.add(found)?;
    Ok(checkpoint)
}

/// The index: tensor name to a file name in the same folder.
fn shard_of_each_tensor(index: &Path) -> Result<BTreeMap<String, String>, CheckpointError> {
    let json = read_json(index)?;
    let Some(map) = json.get("weight_map").and_then(Value::as_object) else {
        return Err(CheckpointError::damaged(
            index,
            "it has no weight_map of tensors to files",
        ));
    };
    map.iter()
        .map(|(name, shard)| match shard.as_str() {
            Some(shard) if is_bare_name(shard) => Ok((name.clone(), shard.to_owned())),
            _ => Err(CheckpointError::unsupported(
                index,
                words!(
                    "tensor `{}` is said to be in {}, which is not a file name in this folder",
                    Foreign::new(name),
                    Foreign::new(shard.to_string())
                ),
                "take the folder from its publisher again",
            )),
        })
        .collect()
}

fn is_bare_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let bare = matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    );
    bare && !name.contains(['/', '\\', '\0', ':'])
}

/// A JSON file of bounded size.
pub(super) fn read_json(path: &Path) -> Result<Value, CheckpointError> {
    let io = |e| CheckpointError::io(path, e);
    let text = regular::read(path, LARGEST_JSON).map_err(|e| match e.kind() {
        ErrorKind::FileTooLarge => CheckpointError::unsupported(
            path,
            words!("it takes more than {} MB", LARGEST_JSON >> 20),
            "no model needs such a file; take it from its publisher again",
        ),
        _ => io(e),
    })?;
    serde_json::from_slice(&text).map_err(|e| {
        CheckpointError::damaged(path, words!("it is not valid JSON ({})", Foreign::said(e)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_shard_leaves_the_folder() {
        assert!(is_bare_name("model-00001-of-00002.safetensors"));
        for name in ["../x", "/etc/passwd", "a/b", "..", ".", "", "a\\b", "C:x"] {
            assert!(!is_bare_name(name), "{name}");
        }
    }
}
