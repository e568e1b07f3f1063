//! A MusicGen checkpoint that holds every tensor its configuration needs.

use std::collections::BTreeMap;

use foreign::Foreign;
use foreign::words;

use super::super::{Checkpoint, CheckpointError, Match, Tensor};
use super::MusicgenConfig;
use super::requirements::{Requirement, Source, is_known_unused, requirements};

/// The weights of a MusicGen model, by canonical name.
#[derive(Debug)]
pub struct MusicgenWeights<'a> {
    checkpoint: &'a Checkpoint,
    config: MusicgenConfig,
    requirements: BTreeMap<String, Requirement>,
    leftover: Vec<String>,
}

impl<'a> MusicgenWeights<'a> {
    /// Read the configuration and check that every tensor it needs is there with its shape.
    ///
    /// # Errors
    /// A configuration that is missing, impossible or of something that is not implemented (melody, stereo); what is
    /// missing or misshapen, by name.
    pub fn load(checkpoint: &'a Checkpoint) -> Result<Self, CheckpointError> {
        let config = MusicgenConfig::read(checkpoint)?;
        let found = compare(checkpoint, &config);
        if !found.fits() {
            return Err(CheckpointError::Mismatch {
                path: checkpoint.path().to_owned(),
                detail: words!(
                    "its config.json says {}, and the tensors are not those; use the config.json that came with \
                     them, or fetch them again{}",
                    config,
                    found.lacking()
                ),
            });
        }
        let needed = requirements(&config, checkpoint).into_iter();
        Ok(Self {
            checkpoint,
            requirements: needed.map(|need| (need.name.clone(), need)).collect(),
            config,
            leftover: found.leftover,
        })
    }

    pub fn checkpoint(&self) -> &'a Checkpoint {
        self.checkpoint
    }

    pub fn config(&self) -> &MusicgenConfig {
        &self.config
    }

    /// Tensors of the file that neither the model needs nor checkpoints are known to carry, to be named in a note.
    pub fn leftover(&self) -> &[String] {
        &self.leftover
    }

    /// A tensor that the model needs, by canonical name. Every value is finite; weight norm is applied.
    pub fn get(&self, canonical: &str) -> Result<Tensor, CheckpointError> {
        let Some(requirement) = self.requirements.get(canonical) else {
            return Err(CheckpointError::NoTensor {
                path: self.checkpoint.path().to_owned(),
                tensor: Foreign::new(canonical),
            });
        };
        match &requirement.source {
            Source::Plain(name) => self.checkpoint.finite_f32(name),
            Source::WeightNorm { gain, direction } => self.normalised(gain, direction),
        }
    }

    /// The sum runs in f64, so that it is the same however it is vectorised.
    fn normalised(&self, gain: &str, direction: &str) -> Result<Tensor, CheckpointError> {
        let gains = self.checkpoint.finite_f32(gain)?;
        let directions = self.checkpoint.finite_f32(direction)?;
        let row = directions.data.len() / gains.data.len().max(1);
        let mut data = directions.data;
        for (values, &gain) in data.chunks_exact_mut(row.max(1)).zip(gains.data.iter()) {
            let squares: f64 = values.iter().map(|&v| f64::from(v).powi(2)).sum();
            let norm = squares.sqrt();
            if norm == 0.0 {
                return Err(CheckpointError::tensor(
                    self.checkpoint.path(),
                    direction,
                    "a row of it is all zeros, which has no direction; fetch the file again",
                ));
            }
            let factor = f64::from(gain) / norm;
            values
                .iter_mut()
                .for_each(|v| *v = (f64::from(*v) * factor) as f32);
        }
        Ok(Tensor {
            shape: directions.shape,
            data,
        })
    }
}

/// The tensors of `checkpoint` against those of a model of `config`.
pub(super) fn compare(checkpoint: &Checkpoint, config: &MusicgenConfig) -> Match {
    let needed = requirements(config, checkpoint);
    let needed = needed.into_iter().flat_map(Requirement::in_file);
    Match::of(checkpoint, needed, is_known_unused)
}
