//! The decoder's steps for one batch of pieces: rows, caches, and what each row attends to.

use checkpoint::musicgen::DecoderConfig;
use ndarray::{Array1, Array2, Array4, ArrayView2, arr0, s};
use onnx_export::musicgen::names;
use onnx_export::{CacheForm, DecoderCache};
use onnx_graph::MASKED;
use ort_runtime::{Bound, Session};

use super::GenerateError;
use super::text::Attended;

/// Texts are padded to a multiple of this many tokens, the floats of the widest vectors. Masked keys add exact zeros, but
/// the sums of ONNX Runtime run in vectors; whole vectors keep the order of the summands, whatever the longest text of a
/// batch.
const TOKENS_AT_A_TIME: usize = 16;
/// A single row takes another path through the matrix product, with another order of summands.
const FEWEST_ROWS: usize = 2;

/// Places by which a cache grows that the graph reads in full at every step.
const PLACES_AT_A_TIME: usize = 128;

/// Where a graph takes its steps by itself, the first is taken several times over when it is recorded ([`Bound::records`]).
const FEWEST_PLACES: usize = 8;

/// A batch on its way.
pub(super) struct Batch<'s> {
    pub bound: Bound<'s>,
    rows: usize,
    /// Steps to take in all.
    steps: usize,
    decoder: DecoderConfig,
    cache: DecoderCache,
    /// Places of the caches; as many as are needed so far in those that grow.
    pub capacity: usize,
}

impl<'s> Batch<'s> {
    /// Caches for `steps` steps of the pieces that attend to `texts`; with `guided`, a null row for each piece behind
    /// all conditional ones.
    pub fn start(
        session: &'s mut Session,
        decoder: &DecoderConfig,
        cache: DecoderCache,
        texts: &[&Attended],
        steps: usize,
        guided: bool,
    ) -> Result<Self, GenerateError> {
        let pieces = texts.len();
        let layout = Layout::new(pieces, guided);
        let mut bound = Bound::new(session)?;
        bound.input("row_pieces", layout.row_pieces.view().into_dyn())?;
        bound.input("cross_rows", layout.cross_rows.view().into_dyn())?;
        bound.input("cross_places", layout.cross_places.view().into_dyn())?;

        let longest = texts.iter().map(|text| text.tokens).max().unwrap_or(0);
        let tokens = longest.next_multiple_of(TOKENS_AT_A_TIME);
        let attending: Vec<&Attended> = layout.texts.iter().map(|&piece| texts[piece]).collect();
        let mut bias = Array4::from_elem((attending.len(), 1, 1, tokens), MASKED);
        for (row, text) in attending.iter().enumerate() {
            bias.slice_mut(s![row, .., .., ..text.tokens]).fill(0.0);
        }
        bound.input("cross_bias", bias.view().into_dyn())?;
        let (heads, head_dim) = (decoder.heads, decoder.head_dim());
        let mut padded = Array4::zeros((attending.len(), heads, tokens, head_dim));
        let rows = layout.row_pieces.len();
        let capacity = match cache.form {
            CacheForm::Shared => steps.max(FEWEST_PLACES),
            CacheForm::Appended => 0,
        };
        for layer in 0..decoder.layers {
            for (i, name) in names::cross(layer).iter().enumerate() {
                padded.fill(0.0);
                for (row, text) in attending.iter().enumerate() {
                    let values = text.layers[layer][i].slice(s![0, .., .., ..]);
                    padded
                        .slice_mut(s![row, .., ..text.tokens, ..])
                        .assign(&values);
                }
                bound.input(name, padded.view().into_dyn())?;
            }
        }
        if cache.form == CacheForm::Shared {
            let pairs: Vec<(String, String)> = (0..decoder.layers)
                .flat_map(|layer| names::past(layer).into_iter().zip(names::present(layer)))
                .collect();
            bound.caches(&pairs, &[rows, heads, capacity, head_dim])?;
        }
        bound.output("logits", &[rows, decoder.codebooks * decoder.vocab])?;
        Ok(Self {
            bound,
            rows,
            steps,
            decoder: decoder.clone(),
            cache,
            capacity,
        })
    }

    /// Room for the step at `position` in caches that grow.
    fn make_room(&mut self, position: usize) -> Result<(), GenerateError> {
        if self.cache.form != CacheForm::Appended || position < self.capacity {
            return Ok(());
        }
        self.capacity = (position + 1)
            .next_multiple_of(PLACES_AT_A_TIME)
            .min(self.steps.max(position + 1));
        let (heads, head_dim) = (self.decoder.heads, self.decoder.head_dim());
        let shape = [self.rows, heads, self.capacity, head_dim];
        for layer in 0..self.decoder.layers {
            for (past, new) in names::past(layer).iter().zip(names::new(layer)) {
                self.bound.growing_cache(past, &new, shape)?;
            }
        }
        Ok(())
    }

    /// What the caches hold of every row after some steps, by layer keys and values `[rows, heads, capacity, head_dim]`,
    /// of shared caches in f32.
    pub fn cached(&self, layer: usize) -> Result<[&[f32]; 2], GenerateError> {
        let [keys, values] = names::past(layer);
        Ok([self.bound.cached(&keys)?, self.bound.cached(&values)?])
    }

    /// What a graph that chooses the codes wants to know of its cache, once.
    pub fn tell_of_cache(&mut self) -> Result<(), GenerateError> {
        match self.cache.fused {
            true => {
                // A device records its kernels for as long as nothing changes that is read on the host, and this is: so it
                // is the capacity, an upper bound, and the position tells what is filled.
                let total = arr0(self.capacity as i32);
                self.bound.input("total", total.view().into_dyn())?;
            }
            false => {
                let places = Array1::from_iter(0..self.capacity as i64);
                self.bound.input(names::PLACES, places.view().into_dyn())?;
            }
        }
        Ok(())
    }

    /// Feed `codes` `[pieces, codebooks]` at `position` and return the logits `[rows, codebooks * vocab]`, conditional
    /// rows first.
    pub fn step(
        &mut self,
        codes: ArrayView2<i64>,
        position: usize,
    ) -> Result<&[f32], GenerateError> {
        self.step_as_if_at(codes, position, position)
    }

    /// As [`Batch::step`], with the position of another step than that which is next in the cache; only where the graph
    /// attends to it with one operator.
    pub fn step_as_if_at(
        &mut self,
        codes: ArrayView2<i64>,
        position: usize,
        as_if_at: usize,
    ) -> Result<&[f32], GenerateError> {
        self.make_room(position)?;
        self.bound.input(names::CODES, codes.into_dyn())?;
        let at = Array1::from_elem(1, as_if_at as i64);
        self.bound.input(names::POSITION, at.view().into_dyn())?;
        if self.cache.fused {
            // Bounded by the position limit of the model, which is far below.
            let filled = position as i32;
            let lengths = Array1::from_elem(self.rows, filled);
            self.bound.input("lengths", lengths.view().into_dyn())?;
            self.bound
                .input("total", arr0(filled + 1).view().into_dyn())?;
        } else {
            let mut filled = Array4::from_elem((1, 1, 1, self.capacity), MASKED);
            filled.slice_mut(s![.., .., .., ..position]).fill(0.0);
            self.bound.input("filled", filled.view().into_dyn())?;
        }
        self.bound.run()?;
        if self.cache.form == CacheForm::Appended {
            for layer in 0..self.decoder.layers {
                for (past, new) in names::past(layer).iter().zip(names::new(layer)) {
                    self.bound.append(past, &new, position)?;
                }
            }
        }
        Ok(self.bound.read("logits")?)
    }
}

/// Which row belongs to which piece, and which of them see a text.
#[derive(Debug, PartialEq)]
struct Layout {
    /// The piece of each row `[rows]`.
    row_pieces: Array1<i64>,
    /// The rows that see a text `[texts]`.
    cross_rows: Array1<i64>,
    /// For each row its place among those, or one beyond the last `[rows]`.
    cross_places: Array1<i64>,
    /// The piece of each text `[texts]`.
    texts: Vec<usize>,
}

impl Layout {
    fn new(pieces: usize, guided: bool) -> Self {
        let index = |i: usize| i as i64;
        // A lone piece is computed twice where its row would be alone.
        let texts: Vec<usize> = (0..pieces.max(FEWEST_ROWS))
            .map(|row| row.min(pieces.saturating_sub(1)))
            .collect();
        let pieces_of_texts = || texts.iter().copied().map(index);
        let (row_pieces, cross_places) = match guided {
            true => (
                (0..pieces).chain(0..pieces).map(index).collect(),
                (0..pieces)
                    .chain(std::iter::repeat_n(texts.len(), pieces))
                    .map(index)
                    .collect(),
            ),
            false => (
                pieces_of_texts().collect(),
                (0..texts.len()).map(index).collect(),
            ),
        };
        let cross_rows = match guided {
            true => pieces_of_texts().collect(),
            false => (0..texts.len()).map(index).collect(),
        };
        Self {
            row_pieces,
            cross_rows,
            cross_places,
            texts,
        }
    }
}

/// The codes to feed `[pieces, codebooks]`, from each piece's own.
pub(super) fn fed<'c>(
    pieces: impl ExactSizeIterator<Item = &'c [i64]>,
    codebooks: usize,
) -> Array2<i64> {
    let mut codes = Array2::zeros((pieces.len(), codebooks));
    for (mut row, piece) in codes.rows_mut().into_iter().zip(pieces) {
        row.iter_mut().zip(piece).for_each(|(to, &code)| *to = code);
    }
    codes
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn conditional_rows_come_first_and_no_row_is_alone() {
        let three = Layout::new(3, true);
        assert_eq!(three.row_pieces, array![0, 1, 2, 0, 1, 2]);
        assert_eq!(three.cross_rows, array![0, 1, 2]);
        assert_eq!(three.cross_places, array![0, 1, 2, 3, 3, 3]);
        let one = Layout::new(1, true);
        assert_eq!(one.row_pieces, array![0, 0]);
        assert_eq!(one.cross_rows, array![0, 0]);
        assert_eq!(one.cross_places, array![0, 2]);
        assert_eq!(one.texts, [0, 0]);
        let unguided = Layout::new(1, false);
        assert_eq!(unguided.row_pieces, array![0, 0]);
        assert_eq!(unguided.cross_rows, array![0, 1]);
        assert_eq!(unguided.cross_places, array![0, 1]);
        let unguided = Layout::new(3, false);
        assert_eq!(unguided.row_pieces, array![0, 1, 2]);
        assert_eq!(unguided.cross_places, array![0, 1, 2]);
    }
}
