//! A part of a signal, and where it stands in the whole.

use std::io;

use crate::onnx::{GraphBuilder, Value};

/// Consecutive rows of a signal.
///
/// A part may reach beyond the ends of the signal or of what was computed for it; such rows hold finite values without
/// meaning, are never read for a row within the halo of [`super::Stages`], and are cut off at last.
pub(super) struct Signal {
    /// `[rows, channels]`.
    pub x: Value,
    pub channels: usize,
    /// Number of rows here, a scalar as the next two.
    pub rows: Value,
    /// Position of the first row; negative if the part begins before the signal.
    pub start: Value,
    /// Rows of the whole signal.
    pub total: Value,
}

impl Signal {
    /// The rows that `positions` (relative to the first row, any shape) stand for when the signal is mirrored at its two
    /// ends, without repeating them. Positions that are not in the part give some other row of it.
    pub fn mirrored(&self, graph: &mut GraphBuilder, positions: &Value) -> io::Result<Value> {
        let twice_start = graph.times(&self.start, 2)?;
        let zero = graph.whole(0)?;
        let twice_first = graph.sub(&zero, &twice_start);
        let length = graph.plus(&self.total, -1)?;
        let length = graph.times(&length, 2)?;
        let twice_last = graph.add(&twice_first, &length);

        let other_side = graph.sub(&twice_first, positions);
        let inside = graph.max(positions, &other_side);
        let other_side = graph.sub(&twice_last, &inside);
        let inside = graph.min(&inside, &other_side);
        let last = graph.plus(&self.rows, -1)?;
        let inside = graph.min(&inside, &last);
        Ok(graph.max(&inside, &zero))
    }

    /// `positions` (relative to the first row), with [`Signal::rows`] in place of those beyond the signal or the part.
    pub fn or_behind(&self, graph: &mut GraphBuilder, positions: &Value) -> io::Result<Value> {
        let zero = graph.whole(0)?;
        let first = graph.sub(&zero, &self.start);
        let first = graph.max(&first, &zero);
        let end = graph.sub(&self.total, &self.start);
        let end = graph.min(&end, &self.rows);
        let before = graph.less(positions, &first);
        let not_before = graph.not(&before);
        let inside = graph.less(positions, &end);
        let inside = graph.and(&inside, &not_before);
        Ok(graph.select(&inside, positions, &self.rows))
    }
}
