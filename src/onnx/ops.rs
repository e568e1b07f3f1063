//! The operators that the exporters use, one method each. Semantics: the ONNX operator specification, opset 20,
//! and ONNX Runtime's contributed operators where the name says `multi_head_attention`.

use std::io;

use super::CONTRIB_DOMAIN;
use super::graph::Attribute::{self, Float, Int, Ints};
use super::graph::{Axis, Element, GraphBuilder, Value};

/// Keys and values of one layer of a decoder, kept by the caller.
pub struct Cache<'a> {
    pub past: [Value; 2],
    /// Names of the outputs that take the grown cache.
    pub present: [String; 2],
    pub axes: &'a [Axis],
}

impl GraphBuilder<'_> {
    pub fn add(&mut self, a: &Value, b: &Value) -> Value {
        self.node("", "Add", &[a, b], vec![])
    }

    pub fn sub(&mut self, a: &Value, b: &Value) -> Value {
        self.node("", "Sub", &[a, b], vec![])
    }

    pub fn mul(&mut self, a: &Value, b: &Value) -> Value {
        self.node("", "Mul", &[a, b], vec![])
    }

    pub fn div(&mut self, a: &Value, b: &Value) -> Value {
        self.node("", "Div", &[a, b], vec![])
    }

    /// Element-wise maximum.
    pub fn max(&mut self, a: &Value, b: &Value) -> Value {
        self.node("", "Max", &[a, b], vec![])
    }

    /// Element-wise comparison, bool.
    pub fn equal(&mut self, a: &Value, b: &Value) -> Value {
        self.node("", "Equal", &[a, b], vec![])
    }

    pub fn not(&mut self, a: &Value) -> Value {
        self.node("", "Not", &[a], vec![])
    }

    /// `yes` where `condition`, else `no`; all three broadcast.
    pub fn select(&mut self, condition: &Value, yes: &Value, no: &Value) -> Value {
        self.node("", "Where", &[condition, yes, no], vec![])
    }

    pub fn cast(&mut self, x: &Value, to: Element) -> Value {
        self.node("", "Cast", &[x], vec![("to", Int(to as i64))])
    }

    pub fn relu(&mut self, x: &Value) -> Value {
        self.node("", "Relu", &[x], vec![])
    }

    pub fn abs(&mut self, x: &Value) -> Value {
        self.node("", "Abs", &[x], vec![])
    }

    pub fn sqrt(&mut self, x: &Value) -> Value {
        self.node("", "Sqrt", &[x], vec![])
    }

    /// Whole numbers `start`, `start + 1`, ... below `end`, all scalars of one type.
    pub fn range(&mut self, start: &Value, end: &Value, step: &Value) -> Value {
        self.node("", "Range", &[start, end, step], vec![])
    }

    pub fn sigmoid(&mut self, x: &Value) -> Value {
        self.node("", "Sigmoid", &[x], vec![])
    }

    pub fn tanh(&mut self, x: &Value) -> Value {
        self.node("", "Tanh", &[x], vec![])
    }

    /// Exact (erf) GELU.
    pub fn gelu(&mut self, x: &Value) -> Value {
        self.node("", "Gelu", &[x], vec![])
    }

    /// `x` `[rows, in]` times the transpose of `weight` `[out, in]`, plus `bias` `[out]`: a linear layer with its
    /// weight as the checkpoints store it.
    pub fn linear(&mut self, x: &Value, weight: &Value, bias: Option<&Value>) -> Value {
        let mut inputs = vec![x, weight];
        inputs.extend(bias);
        self.node("", "Gemm", &inputs, vec![("transB", Int(1))])
    }

    /// Layer normalisation over the last axis.
    pub fn layer_norm(&mut self, x: &Value, scale: &Value, bias: &Value, epsilon: f32) -> Value {
        let attributes = vec![("axis", Int(-1)), ("epsilon", Float(epsilon))];
        self.node("", "LayerNormalization", &[x, scale, bias], attributes)
    }

    /// Multi-head attention, fused: queries `[batch, q, hidden]`, keys and values `[batch, k, hidden]` or both
    /// `[batch, heads, k, head_dim]`; `key_mask` `[batch, k]` i32 (0 is masked) and `bias`
    /// `[batch or 1, heads or 1, q, k]` added to the scaled scores. The scale is 1 / sqrt(head_dim).
    pub fn multi_head_attention(
        &mut self,
        qkv: [&Value; 3],
        heads: usize,
        key_mask: &Value,
        bias: &Value,
    ) -> Value {
        self.attention(qkv, heads, key_mask, bias, vec![])
    }

    /// As [`GraphBuilder::multi_head_attention`] without a mask, with scores that are not scaled, as in T5.
    pub fn unscaled_attention(&mut self, qkv: [&Value; 3], heads: usize, bias: &Value) -> Value {
        let scale = vec![("scale", Float(1.0))];
        self.attention(qkv, heads, &Value::none(), bias, scale)
    }

    fn attention(
        &mut self,
        [query, key, value]: [&Value; 3],
        heads: usize,
        key_mask: &Value,
        bias: &Value,
        mut attributes: Vec<(&str, Attribute)>,
    ) -> Value {
        attributes.push(("num_heads", Int(heads as i64)));
        self.node(
            CONTRIB_DOMAIN,
            "MultiHeadAttention",
            &[query, key, value, &Value::none(), key_mask, bias],
            attributes,
        )
    }

    /// Causal attention of one new position a row on a cache that the caller owns: packed queries, keys and values
    /// `[rows, 1, 3 * hidden]`, `cache.past` keys and values `[rows, heads, capacity, head_dim]` of which the first
    /// `lengths` `[rows]` i32 are filled, and `total` i32, a scalar: the filled ones with the new one. The new keys and
    /// values are written behind the filled ones into the graph's outputs `cache.present`, which are best bound to the
    /// same buffers as the past: then nothing is copied. Returns `[rows, 1, hidden]`.
    pub fn cached_attention(
        &mut self,
        qkv: &Value,
        heads: usize,
        cache: &Cache,
        lengths: &Value,
        total: &Value,
    ) -> Value {
        let none = Value::none();
        let [key, value] = &cache.past;
        let [present_key, present_value] = &cache.present;
        self.node_with_outputs(
            CONTRIB_DOMAIN,
            "GroupQueryAttention",
            &[qkv, &none, &none, key, value, lengths, total],
            &[
                (present_key, Element::Float, cache.axes),
                (present_value, Element::Float, cache.axes),
            ],
            vec![
                ("num_heads", Int(heads as i64)),
                ("kv_num_heads", Int(heads as i64)),
            ],
        )
    }

    /// Reshape to `shape`; -1 is inferred, 0 is copied from the input.
    pub fn reshape(&mut self, x: &Value, shape: &[i64]) -> io::Result<Value> {
        let shape = self.int64(&[shape.len()], shape)?;
        Ok(self.reshape_to(x, &shape))
    }

    /// Reshape to a shape that is itself computed, i64 `[rank]`.
    pub fn reshape_to(&mut self, x: &Value, shape: &Value) -> Value {
        self.node("", "Reshape", &[x, shape], vec![])
    }

    pub fn transpose(&mut self, x: &Value, permutation: &[usize]) -> Value {
        let permutation = permutation.iter().map(|&p| p as i64).collect();
        self.node("", "Transpose", &[x], vec![("perm", Ints(permutation))])
    }

    /// Rows of `x` along `axis`, by `indices` (i64).
    pub fn gather(&mut self, x: &Value, indices: &Value, axis: i64) -> Value {
        self.node("", "Gather", &[x, indices], vec![("axis", Int(axis))])
    }

    pub fn concat(&mut self, parts: &[&Value], axis: i64) -> Value {
        self.node("", "Concat", parts, vec![("axis", Int(axis))])
    }

    /// Elements `start..end` along `axis`.
    pub fn slice(&mut self, x: &Value, axis: i64, start: i64, end: i64) -> io::Result<Value> {
        let [start, end, axis] = [
            self.int64(&[1], &[start])?,
            self.int64(&[1], &[end])?,
            self.int64(&[1], &[axis])?,
        ];
        Ok(self.node("", "Slice", &[x, &start, &end, &axis], vec![]))
    }

    /// Append `count` zeros at the end of `axis`, of `rank` axes.
    pub fn pad_end(
        &mut self,
        x: &Value,
        rank: usize,
        axis: usize,
        count: i64,
    ) -> io::Result<Value> {
        let mut pads = vec![0; 2 * rank];
        pads[rank + axis] = count;
        let pads = self.int64(&[2 * rank], &pads)?;
        Ok(self.node("", "Pad", &[x, &pads], vec![]))
    }

    /// Sizes of the axes `start..end`, i64.
    pub fn shape_of(&mut self, x: &Value, start: i64, end: i64) -> Value {
        self.node(
            "",
            "Shape",
            &[x],
            vec![("start", Int(start)), ("end", Int(end))],
        )
    }

    /// Repeat `x` along each axis, by counts i64 `[rank]`.
    pub fn tile(&mut self, x: &Value, repeats: &Value) -> Value {
        self.node("", "Tile", &[x, repeats], vec![])
    }

    /// Running sum along `axis`.
    pub fn cumulative_sum(&mut self, x: &Value, axis: i64) -> io::Result<Value> {
        let axis = self.int64(&[], &[axis])?;
        Ok(self.node("", "CumSum", &[x, &axis], vec![]))
    }

    /// Mean over `axis`.
    pub fn mean(&mut self, x: &Value, axis: i64, keep: bool) -> io::Result<Value> {
        self.reduce("ReduceMean", x, axis, keep)
    }

    /// Sum over `axis`.
    pub fn sum(&mut self, x: &Value, axis: i64, keep: bool) -> io::Result<Value> {
        self.reduce("ReduceSum", x, axis, keep)
    }

    /// Euclidean length over `axis`.
    pub fn l2_norm(&mut self, x: &Value, axis: i64, keep: bool) -> io::Result<Value> {
        self.reduce("ReduceL2", x, axis, keep)
    }

    fn reduce(&mut self, op: &str, x: &Value, axis: i64, keep: bool) -> io::Result<Value> {
        let axes = self.int64(&[1], &[axis])?;
        Ok(self.node(
            "",
            op,
            &[x, &axes],
            vec![("keepdims", Int(i64::from(keep)))],
        ))
    }
}
