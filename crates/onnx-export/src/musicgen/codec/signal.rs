//! Parts of signals, and where they stand in the whole.
//!
//! Positions and indices are i32, which every device computes with; a signal of 9 hours has fewer samples than it can count
//! twice.

use std::io;

use onnx_graph::{GraphBuilder, Value};

/// Tiles: consecutive rows each of a signal, all of one length, one tile behind another.
///
/// A tile may reach beyond the ends of its signal or of what was computed for it; such rows hold finite values without
/// meaning, are never read for a row within the halo of [`super::Stages`], and are cut off at last.
///
/// The length is known when the graph is made, and so is every position in a tile: what is left to compute of indices is
/// arithmetic on inputs, which a device does by itself. Lengths that a graph asks its tensors for are computed on the host,
/// and every one of them splits the graph or stops the device.
pub(super) struct Signal {
    /// `[tiles * rows, channels]`.
    pub x: Value,
    pub channels: usize,
    /// Rows of a tile, an even number behind a transposed convolution.
    pub rows: usize,
    /// Place of a tile's first row beside that of the input's, were it as long as these rows: what trimming is left to do.
    pub offset: i32,
    /// Position of each tile's first row, `[tiles, 1]` as the next two; negative if it begins before the signal.
    pub start: Value,
    /// Rows of the whole signal of each tile.
    pub total: Value,
    /// The numbers of the tiles, from 0.
    pub tile: Value,
}

impl Signal {
    /// For each tile the rows of `x` that `positions` (relative to its first row) stand for when the signal is mirrored at its
    /// two ends, without repeating them: `[tiles, positions]`. Positions that are not in the tile give some other row of it.
    pub fn mirrored(&self, graph: &mut GraphBuilder, positions: &[i32]) -> io::Result<Value> {
        let positions = graph.int32(&[1, positions.len()], positions)?;
        let twice_first = times(graph, &self.start, -2)?;
        let length = plus(graph, &self.total, -1)?;
        let length = times(graph, &length, 2)?;
        let twice_last = graph.add(&twice_first, &length);

        let other_side = graph.sub(&twice_first, &positions);
        let inside = larger(graph, &positions, &other_side);
        let other_side = graph.sub(&twice_last, &inside);
        let inside = smaller(graph, &inside, &other_side);
        let last = whole(graph, self.rows as i32 - 1)?;
        let inside = smaller(graph, &inside, &last);
        let zero = whole(graph, 0)?;
        let inside = larger(graph, &inside, &zero);
        self.of_all(graph, &inside)
    }

    /// For each tile the rows behind one more at the front of `x` that are at `positions` (relative to its first row), and that
    /// row in place of those beyond the signal or the tile: `[tiles, positions]`.
    pub fn or_first(&self, graph: &mut GraphBuilder, positions: &[i32]) -> io::Result<Value> {
        // Before every signal.
        const NOWHERE: i32 = i32::MIN / 2;
        let in_tile = |&at: &i32| (0..self.rows as i32).contains(&at);
        let known: Vec<i32> = positions
            .iter()
            .map(|at| if in_tile(at) { *at } else { NOWHERE })
            .collect();
        let positions = graph.int32(&[1, known.len()], &known)?;
        let zero = whole(graph, 0)?;
        let first = graph.sub(&zero, &self.start);
        let end = graph.sub(&self.total, &self.start);
        let before = graph.less(&positions, &first);
        let not_before = graph.not(&before);
        let inside = graph.less(&positions, &end);
        let inside = graph.and(&inside, &not_before);
        let behind = plus(graph, &positions, 1)?;
        let behind = self.of_all(graph, &behind)?;
        Ok(graph.select(&inside, &behind, &zero))
    }

    /// Rows of each tile as rows of all.
    fn of_all(&self, graph: &mut GraphBuilder, rows: &Value) -> io::Result<Value> {
        let first = times(graph, &self.tile, self.rows as i32)?;
        Ok(graph.add(rows, &first))
    }
}

/// The larger of two, element by element: ONNX Runtime's WebGPU has no `Max` and no `Abs` of whole numbers.
fn larger(graph: &mut GraphBuilder, a: &Value, b: &Value) -> Value {
    let less = graph.less(a, b);
    graph.select(&less, b, a)
}

fn smaller(graph: &mut GraphBuilder, a: &Value, b: &Value) -> Value {
    let less = graph.less(a, b);
    graph.select(&less, a, b)
}

fn whole(graph: &mut GraphBuilder, n: i32) -> io::Result<Value> {
    graph.int32(&[], &[n])
}

pub(super) fn plus(graph: &mut GraphBuilder, x: &Value, n: i32) -> io::Result<Value> {
    let n = whole(graph, n)?;
    Ok(graph.add(x, &n))
}

pub(super) fn times(graph: &mut GraphBuilder, x: &Value, n: i32) -> io::Result<Value> {
    let n = whole(graph, n)?;
    Ok(graph.mul(x, &n))
}
