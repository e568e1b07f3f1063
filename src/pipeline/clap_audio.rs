//! Audio files through CLAP's audio tower.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use ndarray::{Array1, Array2, Array4, ArrayView1};

use super::EmbedError;
use super::clap_text::check_finite;
use super::clips::{self, CropChoice};
use crate::audio::{ClapFeatures, ClapFrontEnd, Crops, FusionShrink};
use crate::export::Exported;
use crate::runtime::{Input, Provider, Runtime, Session, SessionError};

/// Most sessions on one CPU. Each holds the tower's weights (280 MB for HTSAT-base), and beyond a few threads a
/// session's own scale well enough.
const MAX_WORKERS: usize = 4;

/// The audio tower of one checkpoint, loaded, with its front end.
///
/// On the CPU several sessions take one clip each: a clip's activations fill a core's cache already, and one clip is
/// decoded while another runs through the graph (benches/RESULTS.md).
pub struct AudioTower {
    sessions: Vec<Session>,
    front_end: ClapFrontEnd,
    fusion: bool,
    batch: usize,
}

/// The embedding of one clip.
pub struct EmbeddedClip<'a> {
    /// Place among the clips asked for.
    pub index: usize,
    /// `[joint]`, of length 1.
    pub embedding: ArrayView1<'a, f32>,
    /// The crops that were taken of it.
    pub crops: Crops,
}

impl AudioTower {
    /// Load the tower for about `clips` clips.
    pub fn load(
        runtime: &Runtime,
        export: &Exported,
        shrink: FusionShrink,
        clips: usize,
    ) -> Result<Self, EmbedError> {
        let options = runtime.options();
        let (workers, batch) = match options.provider {
            Provider::Cpu => (options.threads.min(MAX_WORKERS).min(clips).max(1), 1),
            Provider::OpenVino => (1, 1),
            Provider::Cuda => (1, 16),
        };
        let threads = (options.threads / workers).max(1);
        let fusion = export.clap()?.fusion;
        let graph = export.graph("audio")?;
        let sessions = thread::scope(|scope| {
            let loading: Vec<_> = (0..workers)
                .map(|_| scope.spawn(|| runtime.session(&graph, threads)))
                .collect();
            loading
                .into_iter()
                .map(|load| {
                    load.join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .collect::<Result<Vec<_>, SessionError>>()
        })?;
        Ok(Self {
            sessions,
            front_end: ClapFrontEnd::new(fusion, shrink),
            fusion,
            batch,
        })
    }

    /// Graph nodes by the provider that they ran on; empty before the first clip.
    pub fn placement(&self) -> BTreeMap<String, usize> {
        let ran = self.sessions.iter().find(|s| !s.placement().is_empty());
        ran.map(|s| s.placement().clone()).unwrap_or_default()
    }

    /// Embed the clips `(id, path)` and hand each to `sink`, in their order, as soon as it and all before it are
    /// ready.
    ///
    /// # Errors
    /// Of the first clip that cannot be embedded, or what `sink` returns; clips before it have reached the sink.
    pub fn embed<E: From<EmbedError>>(
        &mut self,
        clips: &[(&str, &Path)],
        choice: &CropChoice,
        mut sink: impl FnMut(EmbeddedClip) -> Result<(), E>,
    ) -> Result<(), E> {
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let (front_end, fusion, size) = (&self.front_end, self.fusion, self.batch);
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            for session in &mut self.sessions {
                let (send, next, stop) = (send.clone(), &next, &stop);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let start = next.fetch_add(size, Ordering::Relaxed);
                        let Some(batch) = clips.get(start..clips.len().min(start + size)) else {
                            break;
                        };
                        if batch.is_empty() {
                            break;
                        }
                        let result = one_batch(session, front_end, fusion, batch, choice);
                        // The receiver is gone when the sink failed: nobody wants more.
                        if send.send((start, result)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(send);
            let mut early = BTreeMap::new();
            let mut expected = 0;
            for (start, result) in receive {
                early.insert(start, result);
                while let Some(result) = early.remove(&expected) {
                    let handed = result.map_err(E::from).and_then(|(embeddings, crops)| {
                        for (i, embedding) in embeddings.rows().into_iter().enumerate() {
                            sink(EmbeddedClip {
                                index: expected + i,
                                embedding,
                                crops: crops[i],
                            })?;
                        }
                        Ok(())
                    });
                    if handed.is_err() {
                        stop.store(true, Ordering::Relaxed);
                        return handed;
                    }
                    expected += size;
                }
            }
            Ok(())
        })
    }
}

/// Embeddings `[clips, joint]` of one batch, and the crops taken.
fn one_batch(
    session: &mut Session,
    front_end: &ClapFrontEnd,
    fusion: bool,
    batch: &[(&str, &Path)],
    choice: &CropChoice,
) -> Result<(Array2<f32>, Vec<Crops>), EmbedError> {
    let (features, crops): (Vec<_>, Vec<_>) = clips::features(front_end, batch, choice)?
        .into_iter()
        .unzip();
    let embeddings = run(session, fusion, &features)?;
    for (embedding, (_, path)) in embeddings.rows().into_iter().zip(batch) {
        check_finite(embedding, || path.display().to_string())?;
    }
    Ok((embeddings, crops))
}

/// One run of the graph on `clips`: `[clips, joint]`.
fn run(
    session: &mut Session,
    fusion: bool,
    clips: &[ClapFeatures],
) -> Result<Array2<f32>, EmbedError> {
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
    if fusion {
        inputs.push(("longer", Input::Bool(longer.view().into_dyn())));
    }
    Ok(session.embed(&inputs)?)
}
