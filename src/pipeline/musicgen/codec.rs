//! Codes to audio, through the codec's graph.

use std::collections::BTreeMap;

use ndarray::{Array3, ArrayView2, Axis};

use super::GenerateError;
use crate::export::Exported;
use crate::export::musicgen::names;
use crate::runtime::{Input, Runtime, Session};

/// EnCodec's decoder, loaded.
pub(super) struct Codec {
    session: Session,
}

impl Codec {
    pub fn load(runtime: &Runtime, export: &Exported) -> Result<Self, GenerateError> {
        let threads = runtime.options().threads;
        Ok(Self {
            session: runtime.session(&export.path(names::CODEC)?, threads)?,
        })
    }

    /// Graph nodes by provider, by graph.
    pub fn placement(&self) -> BTreeMap<String, BTreeMap<String, usize>> {
        BTreeMap::from([(names::CODEC.to_owned(), self.session.placement().clone())])
    }

    /// Hand over the audio of each piece, in their order; `codes` are `[codebooks, frames]`.
    pub fn decode<E: From<GenerateError>>(
        &mut self,
        codes: &[ArrayView2<i64>],
        mut each: impl FnMut(usize, Vec<f32>) -> Result<(), E>,
    ) -> Result<(), E> {
        for (piece, codes) in codes.iter().enumerate() {
            // Two equal ones: a single row takes another path through the LSTM's matrix products.
            let mut batch = Array3::zeros((2, codes.nrows(), codes.ncols()));
            batch
                .axis_iter_mut(Axis(0))
                .for_each(|mut row| row.assign(codes));
            let inputs = [("codes", Input::Int64(batch.view().into_dyn()))];
            let [audio] = self
                .session
                .run(&inputs, ["audio"])
                .map_err(GenerateError::from)?;
            let audio = audio.index_axis(Axis(0), 0).iter().copied().collect();
            each(piece, audio)?;
        }
        Ok(())
    }
}
