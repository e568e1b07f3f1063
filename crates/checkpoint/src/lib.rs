//! Checkpoints as their publishers ship them: names, shapes and values of tensors, read lazily and strictly.
//!
//! Only what is asked for is read of a file: a 2.3 GB file with optimizer state costs its
//! directory and the tensors that are read. Every size, offset and stride is checked against the file when it is
//! opened. Nothing in a pickle is executed. [`clap`] and [`musicgen`] know which tensors a model needs.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

pub mod clap;
mod error;
mod file;
mod folder;
mod matching;
pub mod musicgen;
mod safetensors;
mod sniff;
mod tensor;
mod torch;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use self::error::CheckpointError;
use self::file::WeightsFile;
pub use self::matching::{Match, Misshapen};
use self::sniff::Container;
pub use self::tensor::{Dtype, Tensor, TensorInfo};
use foreign::Foreign;
use foreign::words;

/// The container of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A zip as torch.save writes it.
    Torch,
    /// One safetensors file.
    Safetensors,
    /// Several safetensors files with an index.
    ShardedSafetensors,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Torch => "PyTorch zip",
            Self::Safetensors => "safetensors",
            Self::ShardedSafetensors => "safetensors in shards",
        })
    }
}

/// An opened checkpoint.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    format: Format,
    config: Option<Value>,
    /// Read beside the weights: `config.json`, the index of shards.
    companions: Vec<PathBuf>,
    weights: Vec<WeightsFile>,
    tensors: BTreeMap<String, TensorInfo>,
}

impl Checkpoint {
    /// Open a `.pt`, a `.safetensors` or a model folder; what it is shows in its content, not its name.
    ///
    /// A folder holds `model.safetensors`, or `model.safetensors.index.json` with its shards, or `pytorch_model.bin`,
    /// and mostly a `config.json`, which is also read beside a single safetensors file.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let metadata = std::fs::metadata(path).map_err(|e| CheckpointError::io(path, e))?;
        match metadata.is_dir() {
            true => folder::open(path),
            false => Self::open_file(path),
        }
    }

    fn open_file(path: &Path) -> Result<Self, CheckpointError> {
        let mut checkpoint = Self::empty(path, Format::Torch);
        let file = WeightsFile::open(path)?;
        let found = match sniff::container(path, &file.head(sniff::HEAD)?)? {
            Container::TorchZip => torch::tensors(&file, 0)?,
            Container::Safetensors => {
                checkpoint.format = Format::Safetensors;
                let folder = path.parent().unwrap_or(Path::new(""));
                checkpoint.read_config(folder)?;
                safetensors::tensors(&file, 0)?
            }
        };
        checkpoint.weights.push(file);
        checkpoint.add(found)?;
        Ok(checkpoint)
    }

    fn empty(path: &Path, format: Format) -> Self {
        Self {
            path: path.to_owned(),
            format,
            config: None,
            companions: Vec::new(),
            weights: Vec::new(),
            tensors: BTreeMap::new(),
        }
    }

    /// Read `config.json` of a folder if it has one.
    fn read_config(&mut self, folder: &Path) -> Result<(), CheckpointError> {
        let path = folder.join("config.json");
        if path.is_file() {
            self.config = Some(folder::read_json(&path)?);
            self.companions.push(path);
        }
        Ok(())
    }

    /// Take tensors over under their names without one leading `module.`, which torch's DataParallel adds.
    fn add(&mut self, found: BTreeMap<String, TensorInfo>) -> Result<(), CheckpointError> {
        for (name, info) in found {
            let bare = name.strip_prefix("module.").unwrap_or(&name).to_owned();
            if self.tensors.contains_key(&bare) {
                return Err(CheckpointError::tensor(
                    &self.path,
                    &bare,
                    "the checkpoint has it twice, with and without `module.` or in two shards; \
                     fetch it again",
                ));
            }
            self.tensors.insert(bare, info);
        }
        Ok(())
    }

    /// What was given to [`Checkpoint::open`].
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn format(&self) -> Format {
        self.format
    }

    /// The `config.json` beside the weights.
    pub fn config(&self) -> Option<&Value> {
        self.config.as_ref()
    }

    /// Every tensor of the model, by name without `module.`. Optimizer state is not among them.
    pub fn tensors(&self) -> &BTreeMap<String, TensorInfo> {
        &self.tensors
    }

    /// Every file that was read, weights first: what a hash of the checkpoint must cover.
    pub fn files(&self) -> Vec<PathBuf> {
        let weights = self.weights.iter().map(|file| file.path.clone());
        weights.chain(self.companions.iter().cloned()).collect()
    }

    /// No file of weights was changed since it was opened.
    pub fn check_unchanged(&self) -> Result<(), CheckpointError> {
        self.weights
            .iter()
            .try_for_each(WeightsFile::check_unchanged)
    }

    /// A tensor's values as f32, in row-major order: f16, bf16 and f64 are converted, strided tensors are put in order.
    /// Integers are refused: no weight is one.
    pub fn f32(&self, name: &str) -> Result<Tensor, CheckpointError> {
        let info = self
            .tensors
            .get(name)
            .ok_or_else(|| CheckpointError::NoTensor {
                path: self.path.clone(),
                tensor: Foreign::new(name),
            })?;
        if !info.dtype.is_float() {
            return Err(CheckpointError::tensor(
                &self.path,
                name,
                words!(
                    "its type is {}, and weights are floating-point; fetch the file again",
                    info.dtype
                ),
            ));
        }
        let place = &info.place;
        let read = self
            .weights
            .get(place.file)
            .map(|file| tensor::read_f32(info, file));
        match read.transpose()?.flatten() {
            Some(data) => Ok(Tensor {
                shape: info.shape.clone(),
                data,
            }),
            None => Err(CheckpointError::tensor(
                &self.path,
                name,
                "its elements do not fill its shape; fetch the file again",
            )),
        }
    }

    /// As [`Checkpoint::f32`], and every value is finite.
    pub fn finite_f32(&self, name: &str) -> Result<Tensor, CheckpointError> {
        let tensor = self.f32(name)?;
        match tensor.data.iter().position(|v| !v.is_finite()) {
            None => Ok(tensor),
            Some(at) => Err(CheckpointError::tensor(
                &self.path,
                name,
                words!(
                    "element {} is {}, and no weight is; fetch the file again",
                    at,
                    tensor.data[at]
                ),
            )),
        }
    }
}
