//! A graph that runs over a signal in tiles, several at a time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::thread;

use ndarray::{Array2, Array3, ArrayView2, s};
use onnx_export::musicgen::Stages;
use ort_runtime::{GraphFile, Input, Runtime, Session, SessionError};

use super::super::super::batches::Halved;

/// Most sessions on one CPU. Each holds the weights of the graph, 80 MB of the coarse stages.
const MAX_WORKERS: usize = 4;

/// Stages of the codec, loaded.
///
/// On the CPU each session takes a tile of its own: its tensors stay in one core's cache, and no thread waits for another.
/// Where a signal is cut depends on nothing, and so does every sample.
pub(super) struct Tiles {
    plan: Stages,
    sessions: Vec<Session>,
    /// Most tiles of a run.
    at_once: usize,
}

impl Tiles {
    /// Load the graph of `plan` for runs of up to `at_once` tiles.
    pub fn load(
        runtime: &Runtime,
        graph: &GraphFile,
        plan: Stages,
        at_once: usize,
    ) -> Result<Self, SessionError> {
        let options = runtime.options();
        let workers = match options.provider.entry().several_sessions {
            true => options.threads.clamp(1, MAX_WORKERS),
            false => 1,
        };
        let threads = (options.threads / workers).max(1);
        let sessions = (0..workers).map(|_| runtime.session(graph, threads));
        Ok(Self {
            plan,
            sessions: sessions.collect::<Result<_, _>>()?,
            at_once,
        })
    }

    /// Graph nodes by the provider that they ran on; empty before the first run.
    pub fn placement(&self) -> BTreeMap<String, usize> {
        let ran = self.sessions.iter().find(|s| !s.placement().is_empty());
        ran.map(|s| s.placement().clone()).unwrap_or_default()
    }

    /// What comes of all rows of `signal` `[rows, channels]`: `[rows * ratio, channels out]`. Where memory runs out, runs
    /// take fewer tiles from then on.
    pub fn run(&mut self, signal: ArrayView2<f32>) -> Result<Array2<f32>, SessionError> {
        loop {
            match self.run_at_once(signal) {
                Err(error) if error.is_out_of_memory() && self.at_once > 1 => {
                    let from = self.at_once;
                    self.at_once = from / 2;
                    let to = self.at_once;
                    Halved { from, to }.note("tiles of the codec");
                }
                other => return other,
            }
        }
    }

    fn run_at_once(&mut self, signal: ArrayView2<f32>) -> Result<Array2<f32>, SessionError> {
        let (total, plan, at_once) = (signal.nrows(), &self.plan, self.at_once);
        let mut output = vec![0.0; total * plan.ratio * plan.channels_out];
        let runs = Mutex::new(output.chunks_mut(at_once * plan.values_out()).enumerate());
        thread::scope(|scope| {
            let workers = self.sessions.iter_mut().map(|session| {
                scope.spawn(|| {
                    loop {
                        let next = runs.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some((run, output)) = next else {
                            return Ok(());
                        };
                        one_run(session, plan, signal, run * at_once, output)?;
                    }
                })
            });
            let workers: Vec<_> = workers.collect();
            workers.into_iter().try_for_each(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })?;
        let shape = (total * plan.ratio, plan.channels_out);
        Array2::from_shape_vec(shape, output)
            .map_err(|e| self.sessions[0].output_error(e.to_string()))
    }
}

/// Fill `output` with what comes of the tiles of `signal` from the `first` on; the last one may be cut off.
fn one_run(
    session: &mut Session,
    plan: &Stages,
    signal: ArrayView2<f32>,
    first: usize,
    output: &mut [f32],
) -> Result<(), SessionError> {
    let total = signal.nrows();
    let tiles = output.len().div_ceil(plan.values_out());
    let mut rows = Array3::zeros((tiles, plan.rows_in(), plan.channels));
    let mut start = Array2::zeros((tiles, 1));
    for (tile, mut slot) in rows.outer_iter_mut().enumerate() {
        // The first row of the tile is at `from` less the halo, which may lie before the signal.
        let from = (first + tile) * plan.rows;
        let begin = from.saturating_sub(plan.halo);
        let end = total.min(from + plan.rows + plan.halo);
        let place = begin + plan.halo - from;
        slot.slice_mut(s![place..place + end - begin, ..])
            .assign(&signal.slice(s![begin..end, ..]));
        start[[tile, 0]] = from as i32 - plan.halo as i32;
    }
    let totals = Array2::from_elem((tiles, 1), total as i32);
    let numbers = Array2::from_shape_fn((tiles, 1), |(tile, _)| tile as i32);
    let inputs = [
        ("rows", Input::Float(rows.view().into_dyn())),
        ("start", Input::Int32(start.view().into_dyn())),
        ("total", Input::Int32(totals.view().into_dyn())),
        ("tile", Input::Int32(numbers.view().into_dyn())),
    ];
    let [computed] = session.run(&inputs, ["output"])?;
    match computed.as_slice() {
        Some(computed) if computed.len() == tiles * plan.values_out() => {
            output.copy_from_slice(&computed[..output.len()]);
            Ok(())
        }
        _ => {
            let (expected, shape) = (tiles * plan.values_out(), computed.shape());
            let detail = format!("the shape {shape:?} in place of {expected} values");
            Err(session.output_error(detail))
        }
    }
}
