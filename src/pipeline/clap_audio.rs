//! Log-mels through CLAP's audio tower.

use ndarray::{Array1, Array2, Array4, Axis};

use super::EmbedError;
use super::clap_text::check_finite;
use crate::audio::ClapFeatures;
use crate::export::Exported;
use crate::runtime::{Input, Provider, Runtime, Session};

/// The audio tower of one checkpoint, loaded.
pub struct AudioTower {
    session: Session,
    fusion: bool,
    batch: usize,
}

impl AudioTower {
    pub fn load(runtime: &Runtime, export: &Exported) -> Result<Self, EmbedError> {
        Ok(Self {
            session: runtime.session(&export.audio_path())?,
            fusion: export.fusion,
            batch: match runtime.options().provider {
                // A clip's activations fill a core's cache already; more at once are slower (benches/RESULTS.md).
                Provider::Cpu | Provider::OpenVino => 1,
                Provider::Cuda => 16,
            },
        })
    }

    /// Graph nodes by the provider that they ran on.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Embeddings `[clips, joint]` of length 1; `done` hears after each batch how many clips it held.
    pub fn embed(
        &mut self,
        clips: &[ClapFeatures],
        mut done: impl FnMut(usize),
    ) -> Result<Array2<f32>, EmbedError> {
        let mut rows = Vec::with_capacity(clips.len());
        for batch in clips.chunks(self.batch) {
            let embeddings = self.run(batch)?;
            for (i, row) in embeddings.rows().into_iter().enumerate() {
                check_finite(row, || format!("clip {} of a batch", i + 1))?;
            }
            rows.push(embeddings);
            done(batch.len());
        }
        let views: Vec<_> = rows.iter().map(|r| r.view()).collect();
        Ok(ndarray::concatenate(Axis(0), &views).unwrap_or_else(|_| Array2::zeros((0, 0))))
    }

    /// All of `clips` in one batch: `[clips, joint]`.
    pub fn run(&mut self, clips: &[ClapFeatures]) -> Result<Array2<f32>, EmbedError> {
        let Some(first) = clips.first() else {
            return Ok(Array2::zeros((0, 0)));
        };
        let (channels, frames, bins) = first.log_mel.dim();
        let mut log_mel = Array4::zeros((clips.len(), channels, frames, bins));
        for (mut slot, clip) in log_mel.outer_iter_mut().zip(clips) {
            slot.assign(&clip.log_mel);
        }
        let longer: Array1<bool> = clips.iter().map(|clip| clip.longer).collect();
        let mut inputs = vec![("log_mel", Input::Float(log_mel.view().into_dyn()))];
        if self.fusion {
            inputs.push(("longer", Input::Bool(longer.view().into_dyn())));
        }
        Ok(self.session.embed(&inputs)?)
    }
}
