//! `--crops`: the crops of an earlier run, taken again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap_audio::Crops;
use foreign::Foreign;
use foreign::words;

use crate::card::Card;
use crate::exit::UsageError;
use crate::experiment::Experiment;
use crate::spec;

/// A fused model hears a whole clip that is less than a mel frame (10 ms) longer than its 10 s. Clips about as long are
/// left to the front end, which knows their samples.
const SURELY_LONG_S: f64 = 10.02;

/// What `--crops` gave.
#[derive(Debug, Clone)]
pub struct RecordedCrops {
    pub path: PathBuf,
    pub sha256: String,
    /// By piece id.
    pub(super) crops: HashMap<String, Crops>,
}

impl RecordedCrops {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let crops = spec::crops::read(path)?;
        let sha256 =
            files::sha256_file(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            sha256,
            crops,
        })
    }

    /// The crops that each arm needs of the long pieces are in the file.
    /// `durations` are those of the pieces, in seconds.
    pub fn check(&self, experiment: &Experiment, durations: &[f64], cards: &[Card]) -> Result<()> {
        if experiment.crops.windows().is_some() {
            return Err(UsageError(words!(
                "{} states parts of pieces, and 'crops: windows' hears all of them; leave out --crops, or set crops=seeded",
                self.path.display()
            ))
            .into());
        }
        let pieces = experiment.pieces.iter().zip(durations);
        for (piece, duration_s) in pieces.filter(|(_, seconds)| **seconds > SURELY_LONG_S) {
            let crops = self.crops.get(&piece.id).copied().unwrap_or_default();
            for (arm, card) in experiment.arms.iter().zip(cards) {
                let (needs, has) = match card.architecture.fusion {
                    Some(true) => ("front, middle and back", crops.front.is_some()),
                    Some(false) => ("offset", crops.offset.is_some()),
                    // Known once the checkpoint is here.
                    None => continue,
                };
                if !has {
                    return Err(UsageError(words!(
                        "{} has no {} for {}: the piece is {:.1} s long, and arm '{}' hears 10 s of it; add the \
                     row, or leave out --crops",
                        self.path.display(),
                        needs,
                        Foreign::new(&piece.id),
                        duration_s,
                        Foreign::new(&arm.name)
                    ))
                .into());
                }
            }
        }
        Ok(())
    }
}
