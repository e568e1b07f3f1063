//! Audio files through CLAP's audio tower.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use clap_audio::{ClapFeatures, ClapFrontEnd, Crops, FusionShrink};
use ndarray::{Array1, Array2, Array4, ArrayView1, s};
use onnx_export::{AUDIO, Exported};
use ort_runtime::providers::Memory;
use ort_runtime::{Input, Runtime, Session, SessionError};

use super::EmbedError;
use super::batches::Batches;
use super::clap_text::check_finite;
use super::clips::{self, CropChoice};

/// Most sessions on one CPU. Each holds the tower's weights (280 MB for HTSAT-base), and beyond a few threads a
/// session's own scale well enough.
const MAX_WORKERS: usize = 4;

/// Workers that share a session: one prepares clips while another runs.
const SHARING: usize = 2;
/// Clips in one run on a device. Every run has as many, the last clip again where there are fewer: kernels differ by shape,
/// and a clip's embedding is not to depend on how many others are left.
const DEVICE_BATCH: usize = 32;

/// The audio tower of one checkpoint, loaded, with its front end.
///
/// On the CPU a run takes one clip, which int8 graphs rely on, and several sessions take one clip each: a clip's
/// activations fill a core's cache already, and one clip is decoded while another runs through the graph
/// (benches/RESULTS.md). Where there is one session, two workers share it, for the same reason.
pub struct AudioTower {
    sessions: Vec<Mutex<Session>>,
    workers: usize,
    front_end: ClapFrontEnd,
    fusion: bool,
    /// Clips that are prepared together.
    batch: usize,
    /// Clips in one run: as many, until memory runs out.
    at_once: AtomicUsize,
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
        let provider = options.provider.entry();
        let (sessions, workers) = match provider.several_sessions {
            true => {
                let each_its_own = options.threads.min(MAX_WORKERS).min(clips).max(1);
                (each_its_own, each_its_own)
            }
            false => (1, SHARING),
        };
        let batch = match provider.memory {
            Memory::Host => 1,
            Memory::Device(_) => DEVICE_BATCH,
        };
        let threads = (options.threads / sessions).max(1);
        let fusion = export.clap()?.fusion;
        let graph = export.graph(AUDIO)?;
        let sessions = thread::scope(|scope| {
            let loading: Vec<_> = (0..sessions)
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
            sessions: sessions.into_iter().map(Mutex::new).collect(),
            workers,
            front_end: ClapFrontEnd::new(fusion, shrink),
            fusion,
            batch,
            at_once: AtomicUsize::new(batch),
        })
    }

    /// Graph nodes by the provider that they ran on; empty before the first clip.
    pub fn placement(&self) -> BTreeMap<String, usize> {
        let mut sessions = self.sessions.iter().map(locked);
        sessions
            .find(|session| !session.placement().is_empty())
            .map(|session| session.placement().clone())
            .unwrap_or_default()
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
        let at_once = &self.at_once;
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            for session in self.sessions.iter().cycle().take(self.workers) {
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
                        let batched = one_batch(session, front_end, fusion, batch, at_once, choice);
                        // The receiver is gone when the sink failed: nobody wants more.
                        if send.send((start, batched)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(send);
            let mut early = BTreeMap::new();
            let mut expected = 0;
            for (start, batched) in receive {
                early.insert(start, batched);
                while let Some(batched) = early.remove(&expected) {
                    let handed = hand_over(batched, expected, &mut sink);
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

/// Hand the clips of a batch whose first is `first` to `sink`, in their order; the error of the one that ended it comes last.
fn hand_over<E: From<EmbedError>>(
    batched: Batched,
    first: usize,
    sink: &mut impl FnMut(EmbeddedClip) -> Result<(), E>,
) -> Result<(), E> {
    let rows = batched.embeddings.iter().flat_map(|run| run.rows());
    for (i, (embedding, crops)) in rows.zip(batched.crops).enumerate() {
        sink(EmbeddedClip {
            index: first + i,
            embedding,
            crops,
        })?;
    }
    batched.failed.map_or(Ok(()), |error| Err(E::from(error)))
}

/// A session that a panic elsewhere cannot have left half-way: it is borrowed for one run.
fn locked(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What came of a batch.
struct Batched {
    /// Of the clips before the first that cannot be embedded, `[clips, joint]` all together, by run.
    embeddings: Vec<Array2<f32>>,
    crops: Vec<Crops>,
    /// Why that one cannot.
    failed: Option<EmbedError>,
}

/// Embed one batch, at most `at_once` clips in a run.
fn one_batch(
    session: &Mutex<Session>,
    front_end: &ClapFrontEnd,
    fusion: bool,
    batch: &[(&str, &Path)],
    at_once: &AtomicUsize,
    choice: &CropChoice,
) -> Batched {
    let (mut features, mut crops, mut failed) = (Vec::new(), Vec::new(), None);
    for clip in clips::features(front_end, batch, choice) {
        match clip {
            Ok((of_clip, taken)) => {
                features.push(of_clip);
                crops.push(taken);
            }
            Err(error) => {
                failed = Some(error.into());
                break;
            }
        }
    }
    let mut embeddings = Vec::new();
    let mut runs = Batches::new(features.len(), at_once.load(Ordering::Relaxed));
    loop {
        let next = runs.next(
            |clips| {
                let size = at_once.load(Ordering::Relaxed);
                let embedded = run(&mut locked(session), fusion, &features[clips.clone()], size)?;
                for (embedding, (_, path)) in embedded.rows().into_iter().zip(&batch[clips]) {
                    check_finite(embedding, || path.display().to_string())?;
                }
                Ok(embedded)
            },
            EmbedError::is_out_of_memory,
            |halved| {
                at_once.store(halved.to, Ordering::Relaxed);
                halved.note("clips");
            },
        );
        match next {
            Ok(Some((_, embedded))) => embeddings.push(embedded),
            Ok(None) => break,
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    Batched {
        embeddings,
        crops,
        failed,
    }
}

/// One run of the graph on `clips`, the last one repeated until they are `size`: `[clips, joint]`.
fn run(
    session: &mut Session,
    fusion: bool,
    clips: &[ClapFeatures],
    size: usize,
) -> Result<Array2<f32>, EmbedError> {
    let (Some(first), Some(last)) = (clips.first(), clips.last()) else {
        return Ok(Array2::zeros((0, 0)));
    };
    let (channels, frames, bins) = first.log_mel.dim();
    let filled = || clips.iter().chain(std::iter::repeat(last));
    let size = size.max(clips.len());
    let mut log_mel = Array4::zeros((size, channels, frames, bins));
    for (mut slot, clip) in log_mel.outer_iter_mut().zip(filled()) {
        slot.assign(&clip.log_mel);
    }
    let longer: Array1<bool> = filled().take(size).map(|clip| clip.longer).collect();
    let mut inputs = vec![("log_mel", Input::Float(log_mel.view().into_dyn()))];
    if fusion {
        inputs.push(("longer", Input::Bool(longer.view().into_dyn())));
    }
    let mut embeddings = session.embed(&inputs)?;
    embeddings.slice_collapse(s![..clips.len(), ..]);
    Ok(embeddings)
}

#[cfg(test)]
mod tests;
