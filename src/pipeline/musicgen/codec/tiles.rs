//! A graph that runs over a signal in tiles, several at a time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::thread;

use ndarray::{Array2, ArrayView2, arr0, s};

use super::super::super::batches::Halved;
use crate::export::musicgen::Stages;
use crate::runtime::{GraphFile, Input, Runtime, Session, SessionError};

/// Most sessions on one CPU. Each holds the weights of the graph, 80 MB of the coarse stages.
const MAX_WORKERS: usize = 4;
/// Below this a tile is mostly what it shares with its neighbours.
const FEWEST_ROWS: usize = 16;

/// Stages of the codec, loaded.
///
/// On the CPU each session takes a tile of its own: its tensors stay in one core's cache, and no thread waits for another.
/// How a signal is cut depends on its length alone, and so does every sample.
pub(super) struct Tiles {
    plan: Stages,
    sessions: Vec<Session>,
    /// Most rows of the input in one tile.
    rows: usize,
}

impl Tiles {
    /// Load the graph of `plan` for tiles of about `rows` rows.
    pub fn load(
        runtime: &Runtime,
        graph: &GraphFile,
        plan: Stages,
        rows: usize,
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
            rows,
        })
    }

    /// Graph nodes by the provider that they ran on; empty before the first run.
    pub fn placement(&self) -> BTreeMap<String, usize> {
        let ran = self.sessions.iter().find(|s| !s.placement().is_empty());
        ran.map(|s| s.placement().clone()).unwrap_or_default()
    }

    /// What comes of all rows of `signal` `[rows, channels]`: `[rows * ratio, channels out]`. Where memory runs out, tiles
    /// become smaller from then on.
    pub fn run(&mut self, signal: ArrayView2<f32>) -> Result<Array2<f32>, SessionError> {
        loop {
            match self.run_at_once(signal) {
                Err(error) if error.is_out_of_memory() && self.rows > FEWEST_ROWS => {
                    let from = self.rows;
                    self.rows = (from / 2).max(FEWEST_ROWS);
                    let to = self.rows;
                    Halved { from, to }.note("rows in a tile of the codec");
                }
                other => return other,
            }
        }
    }

    fn run_at_once(&mut self, signal: ArrayView2<f32>) -> Result<Array2<f32>, SessionError> {
        let (total, plan) = (signal.nrows(), &self.plan);
        let width = plan.ratio * plan.channels_out;
        let mut output = vec![0.0; total * width];
        // As even as can be, so that all sessions end at about the same time.
        let rows = total.div_ceil(total.div_ceil(self.rows).max(1)).max(1);
        let tiles = Mutex::new(output.chunks_mut(rows * width).enumerate());
        thread::scope(|scope| {
            let workers = self.sessions.iter_mut().map(|session| {
                scope.spawn(|| {
                    loop {
                        let next = tiles.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some((tile, output)) = next else {
                            return Ok(());
                        };
                        one_tile(session, plan, signal, tile * rows, output)?;
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

/// Fill `output` with what comes of the rows of `signal` from `from` on.
fn one_tile(
    session: &mut Session,
    plan: &Stages,
    signal: ArrayView2<f32>,
    from: usize,
    output: &mut [f32],
) -> Result<(), SessionError> {
    let total = signal.nrows();
    let to = from + output.len() / (plan.ratio * plan.channels_out);
    let start = from.saturating_sub(plan.halo);
    let end = total.min(to + plan.halo);
    let [at, of, first, last] = [start, total, from, to].map(|n| arr0(n as i64));
    let inputs = [
        (
            "rows",
            Input::Float(signal.slice(s![start..end, ..]).into_dyn()),
        ),
        ("start", Input::Int64(at.view().into_dyn())),
        ("total", Input::Int64(of.view().into_dyn())),
        ("from", Input::Int64(first.view().into_dyn())),
        ("to", Input::Int64(last.view().into_dyn())),
    ];
    let [computed] = session.run(&inputs, ["output"])?;
    match computed.as_slice() {
        Some(computed) if computed.len() == output.len() => output.copy_from_slice(computed),
        _ => {
            let (expected, shape) = (output.len(), computed.shape());
            let detail = format!("the shape {shape:?} in place of {expected} values");
            return Err(session.output_error(detail));
        }
    }
    Ok(())
}
