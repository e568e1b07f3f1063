//! Audio files through CLAP's audio tower.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use clap_audio::{ClapFeatures, ClapFrontEnd, Crops, FusionShrink};
use ndarray::{Array1, Array2, Array4, ArrayView1, Axis, s};
use onnx_export::{AUDIO, Exported};
use ort_runtime::providers::Memory;
use ort_runtime::{Input, Runtime, Session, SessionError};
use rayon::prelude::*;

use super::EmbedError;
use super::batches::Batches;
use super::clap_text::check_finite;
use super::clips::{self, ClipError, CropChoice};
use super::windows::{Windowed, Windows};

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
    /// Its windows, where it was heard in such.
    pub windows: Option<&'a Windowed>,
}

impl AudioTower {
    /// Load the tower for about `clips` clips; of clips heard in windows, for as many as there are windows.
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
        // A clip heard in windows is as much work as many.
        let size = match choice {
            CropChoice::Windows(_) => 1,
            _ => self.batch,
        };
        let tower = &*self;
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
                        let batched = match choice {
                            CropChoice::Windows(windows) => {
                                tower.in_windows(session, batch, windows)
                            }
                            choice => tower.one_batch(session, batch, choice),
                        };
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
            windows: batched.windows.get(i),
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
    /// Of clips that are heard in windows.
    windows: Vec<Windowed>,
    /// Why that one cannot.
    failed: Option<EmbedError>,
}

impl AudioTower {
    /// Embed one batch.
    fn one_batch(
        &self,
        session: &Mutex<Session>,
        batch: &[(&str, &Path)],
        choice: &CropChoice,
    ) -> Batched {
        let (mut features, mut crops, mut failed) = (Vec::new(), Vec::new(), None);
        for clip in clips::features(&self.front_end, batch, choice) {
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
        let ran = self.run_all(session, &features, |i| batch[i].1, &mut embeddings);
        Batched {
            embeddings,
            crops,
            windows: Vec::new(),
            failed: ran.err().or(failed),
        }
    }

    /// Embed clips all of which is heard, one after the other.
    fn in_windows(
        &self,
        session: &Mutex<Session>,
        batch: &[(&str, &Path)],
        windows: &Windows,
    ) -> Batched {
        let mut batched = Batched {
            embeddings: Vec::new(),
            crops: Vec::new(),
            windows: Vec::new(),
            failed: None,
        };
        for (_, path) in batch {
            match self.windowed(session, path, windows) {
                Ok((of_clip, joint)) => {
                    let pooled = Array1::from(windows.pool.of(&of_clip.embeddings, joint));
                    batched.embeddings.push(pooled.insert_axis(Axis(0)));
                    batched.crops.push(Crops::default());
                    batched.windows.push(of_clip);
                }
                Err(error) => {
                    batched.failed = Some(error);
                    break;
                }
            }
        }
        batched
    }

    /// The windows of one clip, as many at a time as a run takes, and the dimensions of their embeddings.
    fn windowed(
        &self,
        session: &Mutex<Session>,
        path: &Path,
        windows: &Windows,
    ) -> Result<(Windowed, usize), EmbedError> {
        let (mut last, mut waiting, mut embeddings) = (0, Vec::new(), Vec::new());
        let mut went = Ok(());
        clap_audio::each_window(path, windows.hop(), |start, samples| {
            if went.is_err() {
                return;
            }
            last = start;
            went = clips::window(&self.front_end, path, samples)
                .map_err(Into::into)
                .and_then(|features| {
                    waiting.push(features);
                    // On a device as many as a run takes, on the CPU one for each session.
                    if waiting.len() < self.batch.max(self.sessions.len()) {
                        return Ok(());
                    }
                    let full = std::mem::take(&mut waiting);
                    self.run_windows(session, &full, path, &mut embeddings)
                });
        })
        .map_err(ClipError::from)?;
        went?;
        self.run_windows(session, &waiting, path, &mut embeddings)?;
        let joint = embeddings.first().map_or(0, Array2::ncols);
        let embeddings = embeddings.iter().flatten().copied().collect();
        Ok((Windowed { last, embeddings }, joint))
    }

    /// Run some windows of one clip: together on a device, and on the CPU each in a session that is free, so that one long clip is
    /// no more work for one core than for all.
    fn run_windows(
        &self,
        session: &Mutex<Session>,
        features: &[ClapFeatures],
        path: &Path,
        embeddings: &mut Vec<Array2<f32>>,
    ) -> Result<(), EmbedError> {
        if self.sessions.len() == 1 {
            return self.run_all(session, features, |_| path, embeddings);
        }
        let each = features.par_iter().map(|window| {
            let free = || self.sessions.iter().find_map(|other| other.try_lock().ok());
            let mut session = free().unwrap_or_else(|| locked(session));
            self.run_finite(&mut session, std::slice::from_ref(window), 1, |_| path)
        });
        embeddings.extend(each.collect::<Result<Vec<_>, EmbedError>>()?);
        Ok(())
    }

    /// One run, whose embeddings are finite; `path` are the files of the clips by place.
    fn run_finite<'p>(
        &self,
        session: &mut Session,
        clips: &[ClapFeatures],
        size: usize,
        path: impl Fn(usize) -> &'p Path,
    ) -> Result<Array2<f32>, EmbedError> {
        let embedded = run(session, self.fusion, clips, size)?;
        for (i, embedding) in embedded.rows().into_iter().enumerate() {
            check_finite(embedding, || path(i).display().to_string())?;
        }
        Ok(embedded)
    }

    /// Run clips, at most `at_once` in a run, and put their embeddings, `[clips, joint]` by run, behind those that are there.
    /// `path` are the files of the clips by place.
    fn run_all<'p>(
        &self,
        session: &Mutex<Session>,
        features: &[ClapFeatures],
        path: impl Fn(usize) -> &'p Path,
        embeddings: &mut Vec<Array2<f32>>,
    ) -> Result<(), EmbedError> {
        let at_once = || self.at_once.load(Ordering::Relaxed);
        let mut runs = Batches::new(features.len(), at_once());
        while let Some((_, embedded)) = runs.next(
            |clips| {
                let first = clips.start;
                let path = |i| path(first + i);
                self.run_finite(&mut locked(session), &features[clips], at_once(), path)
            },
            EmbedError::is_out_of_memory,
            |halved| {
                self.at_once.store(halved.to, Ordering::Relaxed);
                halved.note("clips");
            },
        )? {
            embeddings.push(embedded);
        }
        Ok(())
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
