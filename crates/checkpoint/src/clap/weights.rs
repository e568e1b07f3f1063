//! A CLAP checkpoint that holds every tensor its architecture needs.

use std::collections::BTreeMap;

use foreign::words;
use foreign::{Foreign, Words};

use super::super::{Checkpoint, CheckpointError, Tensor};
use super::architecture::{ClapArchitecture, Htsat};
use super::{Naming, Requirement, compare, recognise, requirements};

/// What a card says of its checkpoint; what it leaves out is taken from the tensors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// `htsat-tiny`, `htsat-base` or `htsat-large`.
    pub audio: Option<String>,
    pub fusion: Option<bool>,
}

impl Expected {
    /// The architecture that the card claims, given what the tensors are. `Err` is the name that no tower has.
    pub(super) fn claimed(&self, found: &ClapArchitecture) -> Result<ClapArchitecture, Words> {
        let mut claimed = found.clone();
        if let Some(name) = &self.audio {
            claimed.audio = found.audio.resized(name).ok_or_else(|| {
                let known: Vec<_> = Htsat::known_names().collect();
                words!(
                    "the card names the audio tower `{}`; known are {}",
                    Foreign::new(name),
                    Words::join(known, ", ")
                )
            })?;
        }
        claimed.audio.fusion = self.fusion.unwrap_or(found.audio.fusion);
        Ok(claimed)
    }
}

/// The weights of a CLAP model, by canonical name.
#[derive(Debug)]
pub struct ClapWeights<'a> {
    checkpoint: &'a Checkpoint,
    architecture: ClapArchitecture,
    requirements: BTreeMap<String, Requirement>,
    leftover: Vec<String>,
}

impl<'a> ClapWeights<'a> {
    /// Recognise the architecture and check that every tensor it needs is there with its shape.
    ///
    /// # Errors
    /// What is missing or misshapen, by name; and when the card says otherwise than the tensors, what they are.
    pub fn load(
        checkpoint: &'a Checkpoint,
        expected: Option<&Expected>,
    ) -> Result<Self, CheckpointError> {
        let mismatch = |detail: Words| CheckpointError::Mismatch {
            path: checkpoint.path().to_owned(),
            detail,
        };
        let architecture = recognise(checkpoint)?;
        if let Some(expected) = expected {
            let claimed = expected.claimed(&architecture).map_err(mismatch)?;
            if claimed != architecture {
                let lacking = compare(checkpoint, &claimed).lacking();
                // Of towers without a name a card can only say whether they fuse.
                let name = architecture.audio.name();
                let audio = match Htsat::known_names().any(|known| known == name) {
                    true => words!("audio: {}, ", Foreign::new(&name)),
                    false => Words::none(),
                };
                return Err(mismatch(words!(
                    "the card says {}, the tensors are {}; write architecture: \
                     {{ {}fusion: {} }} into the card, or name another checkpoint{}",
                    claimed,
                    architecture,
                    audio,
                    architecture.audio.fusion,
                    lacking
                )));
            }
        }
        let found = compare(checkpoint, &architecture);
        if !found.fits() {
            return Err(mismatch(words!(
                "by its sizes it is {}, but it is not whole; fetch it again{}",
                architecture,
                found.lacking()
            )));
        }
        let needed = requirements(&architecture).into_iter();
        Ok(Self {
            checkpoint,
            requirements: needed.map(|r| (r.name.clone(), r)).collect(),
            architecture,
            leftover: found.leftover,
        })
    }

    pub fn architecture(&self) -> &ClapArchitecture {
        &self.architecture
    }

    pub fn checkpoint(&self) -> &'a Checkpoint {
        self.checkpoint
    }

    /// Tensors of the file that neither the model needs nor checkpoints are known to carry, to be named in a note.
    pub fn leftover(&self) -> &[String] {
        &self.leftover
    }

    /// A tensor that the model needs, by canonical name, in the shape of its [`Requirement`]. Every value is finite.
    pub fn get(&self, canonical: &str) -> Result<Tensor, CheckpointError> {
        let Some(requirement) = self.requirements.get(canonical) else {
            return Err(CheckpointError::NoTensor {
                path: self.checkpoint.path().to_owned(),
                tensor: Foreign::new(canonical),
            });
        };
        if let [source] = requirement.sources.as_slice() {
            return self.checkpoint.finite_f32(source);
        }
        let mut data = Vec::with_capacity(requirement.shape.iter().product());
        for source in &requirement.sources {
            data.extend_from_slice(&self.checkpoint.finite_f32(source)?.data);
        }
        Ok(Tensor {
            shape: requirement.shape.clone(),
            data,
        })
    }

    /// The mel filters that the unfused model was trained with, `[frequencies, mel bins]`, of laion's files.
    pub fn mel_filters(&self) -> Result<Option<Tensor>, CheckpointError> {
        self.optional("audio_branch.logmel_extractor.melW")
    }

    /// The windowed DFT kernels of laion's files, real and imaginary, each `[frequencies, 1, window]`.
    pub fn dft_kernels(&self) -> Result<Option<(Tensor, Tensor)>, CheckpointError> {
        let prefix = "audio_branch.spectrogram_extractor.stft";
        let real = self.optional(&format!("{prefix}.conv_real.weight"))?;
        let imaginary = self.optional(&format!("{prefix}.conv_imag.weight"))?;
        Ok(real.zip(imaginary))
    }

    fn optional(&self, name: &str) -> Result<Option<Tensor>, CheckpointError> {
        let present = self.architecture.naming == Naming::Laion
            && self.checkpoint.tensors().contains_key(name);
        present
            .then(|| self.checkpoint.finite_f32(name))
            .transpose()
    }
}
