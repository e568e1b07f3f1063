//! Linear layers in int8 whose activations are rounded around a centre.
//!
//! A clip's tokens, and a text's, have most of what they are in common. Rounded as they stand, they are rounded by steps for
//! that common part, and the weights' own rounding adds a constant error to every token. So what is rounded is the
//! difference to a centre, the mean of the tokens of one clip or text, and the centre goes through the layer in fp32:
//!
//! `W x + b = W' (x - c) + (W c + b)`, W' the rounded weight.
//!
//! That holds for any centre, needs no calibration, and costs one row in fp32 for each clip or text. With random weights of
//! the real size it takes the error of an embedding from 0.003 to 0.0001 (1 - cosine) for HTSAT-base, and from 0.027 to
//! 0.0002 for RoBERTa (benches/RESULTS.md).
//!
//! In attention the constant of the keys moves all scores of a query alike, so it drops out of the softmax; that of the
//! values passes the weighted mean unchanged, so it is the centre of what comes out.

use std::io;

use onnx_graph::{ColumnWeight, Element, ScaledRows, Value};

use super::ExportError;
use super::blocks::{Layer, Tower, Weights};
use super::quantise;

/// Which activations share the range that they are rounded over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// All of a run: for graphs that take one clip a run.
    Run,
    /// Those of one token: what else is in the batch does not matter.
    Token,
}

/// Activations as a centre and what is left.
pub(super) struct Centred {
    /// `[batch, tokens, in]`.
    rest: Value,
    /// `[batch, in]`.
    centre: Value,
    /// The rest in eight bits, once a layer has asked for it by token.
    rows: Option<ScaledRows>,
}

impl Centred {
    /// What is left, `[batch, tokens, in]`, over a centre `[batch, in]`.
    pub fn of(rest: Value, centre: Value) -> Self {
        Self {
            rest,
            centre,
            rows: None,
        }
    }
}

impl<W: Weights> Tower<'_, '_, '_, W> {
    /// `x` `[batch, tokens, width]` around its means by `shares` `[batch or 1, 1, tokens]`, which add up to 1.
    pub fn centred(&mut self, x: &Value, shares: &Value, width: usize) -> io::Result<Centred> {
        let centre = self.graph.matmul(shares, x);
        let rest = self.graph.sub(x, &centre);
        let centre = self.graph.reshape(&centre, &[-1, width as i64])?;
        Ok(Centred::of(rest, centre))
    }

    /// What a layer makes of all but the centre: `[batch, tokens, out]`.
    pub fn of_rest(
        &mut self,
        x: &mut Centred,
        layer: &Layer,
        range: Range,
    ) -> Result<Value, ExportError> {
        let made = quantise::by_column(&layer.weight, layer.inputs);
        let outputs = made.scales.len();
        let values = self.graph.raw_tensor(
            &format!("{}.int8", layer.name),
            Element::Int8,
            &[layer.inputs, outputs],
            bytemuck::cast_slice(&made.values),
        )?;
        let scales = format!("{}.scales", layer.name);
        let scales = self.graph.tensor(&scales, &[outputs], &made.scales)?;
        let weight = ColumnWeight { values, scales };
        Ok(match range {
            Range::Run => self.graph.matmul_together(&x.rest, &weight),
            Range::Token => {
                let rows = match x.rows.take() {
                    Some(rows) => rows,
                    None => self.graph.scaled_rows(&x.rest)?,
                };
                let product = self.graph.matmul_by_row(&rows, &weight)?;
                x.rows = Some(rows);
                product
            }
        })
    }

    /// What a layer makes of the centre, its bias included: `[batch, out]`, fp32.
    pub fn of_centre(&mut self, x: &Centred, layer: &Layer) -> Result<Value, ExportError> {
        self.product(&x.centre, layer)
    }

    /// A layer of both: `[batch, tokens, out]`.
    pub fn of_both(
        &mut self,
        x: &mut Centred,
        layer: &Layer,
        range: Range,
    ) -> Result<Value, ExportError> {
        let outputs = layer.outputs();
        let rest = self.of_rest(x, layer, range)?;
        let centre = self.of_centre(x, layer)?;
        let centre = self.graph.reshape(&centre, &[-1, 1, outputs as i64])?;
        Ok(self.graph.add(&rest, &centre))
    }
}
