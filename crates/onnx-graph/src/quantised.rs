//! Matrix products in eight bits and in half precision, on inputs and to outputs in f32.

use std::io;

use super::CONTRIB_DOMAIN;
use super::graph::Attribute::Int;
use super::graph::{Element, GraphBuilder, Value};

/// Largest magnitude of a weight or activation in int8: the range is symmetric, so that zero stays zero.
const LARGEST: f32 = 127.0;
/// The zero of an activation in uint8.
const ZERO_POINT: u8 = 128;
/// Below it a row counts as zeros.
const SMALLEST: f32 = 1e-20;

/// A weight in int8 with one scale an output.
pub struct ColumnWeight {
    /// `[in, out]` i8.
    pub values: Value,
    /// `[out]` f32.
    pub scales: Value,
}

/// A weight in uint8 around 128, with one scale a block of inputs of an output.
pub struct BlockWeight {
    /// `[out, blocks, block]` u8.
    pub values: Value,
    /// `[out, blocks]` f32.
    pub scales: Value,
    pub inputs: usize,
    pub outputs: usize,
    /// A power of two, at least 16.
    pub block: usize,
}

/// Activations in uint8, each row with a scale of its own.
pub struct ScaledRows {
    values: Value,
    /// `[.., 1]`, the largest magnitude of each row.
    scales: Value,
}

impl GraphBuilder<'_> {
    /// `x` `[rows, in]` times a weight in blocks: `[rows, out]`. Activations are rounded to int8 block by
    /// block within each row, so that no row depends on another.
    pub fn linear_in_blocks(&mut self, x: &Value, weight: &BlockWeight) -> Value {
        let inputs = [x, &weight.values, &weight.scales];
        let attributes = vec![
            ("K", Int(weight.inputs as i64)),
            ("N", Int(weight.outputs as i64)),
            ("bits", Int(8)),
            ("block_size", Int(weight.block as i64)),
            // int8 products.
            ("accuracy_level", Int(4)),
        ];
        self.node(CONTRIB_DOMAIN, "MatMulNBits", &inputs, attributes)
    }

    /// `x` `[.., in]` times a weight in int8: `[.., out]`. Activations are rounded to uint8 over the range of the whole tensor.
    pub fn matmul_together(&mut self, x: &Value, weight: &ColumnWeight) -> Value {
        self.node(
            CONTRIB_DOMAIN,
            "DynamicQuantizeMatMul",
            &[x, &weight.values, &weight.scales],
            vec![],
        )
    }

    /// `x` `[.., in]` in uint8, each row over a range of its own, so that no row depends on another.
    pub fn scaled_rows(&mut self, x: &Value) -> io::Result<ScaledRows> {
        let magnitude = self.abs(x);
        let axes = self.int64(&[1], &[-1])?;
        let keep = vec![("keepdims", Int(1))];
        let largest = self.node("", "ReduceMax", &[&magnitude, &axes], keep);
        let smallest = self.scalar(SMALLEST);
        let scales = self.max(&largest, &smallest);
        let unit = self.div(x, &scales);
        let [step, zero] = self.steps()?;
        let values = self.node("", "QuantizeLinear", &[&unit, &step, &zero], vec![]);
        Ok(ScaledRows { values, scales })
    }

    /// [`GraphBuilder::scaled_rows`] times a weight in int8: `[.., out]`.
    pub fn matmul_by_row(&mut self, x: &ScaledRows, weight: &ColumnWeight) -> io::Result<Value> {
        let [step, zero] = self.steps()?;
        let product = self.node(
            CONTRIB_DOMAIN,
            "MatMulIntegerToFloat",
            &[&x.values, &weight.values, &step, &weight.scales, &zero],
            vec![],
        );
        Ok(self.mul(&product, &x.scales))
    }

    /// Step and zero of a row whose largest magnitude is 1.
    fn steps(&mut self) -> io::Result<[Value; 2]> {
        let zero = self.raw_tensor("zero_point", Element::Uint8, &[], &[ZERO_POINT])?;
        Ok([self.scalar(LARGEST.recip()), zero])
    }

    /// As [`GraphBuilder::linear`] with the product in half precision: `weight` `[out, in]` is f16 or bf16 (`element`).
    pub fn linear_in_half(
        &mut self,
        x: &Value,
        weight: &Value,
        element: Element,
        bias: Option<&Value>,
    ) -> Value {
        let x = self.cast(x, element);
        let product = self.linear(&x, weight, None);
        let product = self.cast(&product, Element::Float);
        match bias {
            Some(bias) => self.add(&product, bias),
            None => product,
        }
    }
}
