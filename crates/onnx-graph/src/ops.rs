//! The standard operators that the exporters use, one method each. Semantics: the ONNX operator specification, opset 20.

use std::io;

use super::graph::Attribute::{Float, Int, Ints};
use super::graph::{Axis, Element, GraphBuilder, Value};

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

    /// Softmax over the last axis.
    pub fn softmax(&mut self, x: &Value) -> Value {
        self.node("", "Softmax", &[x], vec![("axis", Int(-1))])
    }

    /// Matrix product over the last two axes; the axes before them broadcast.
    pub fn matmul(&mut self, a: &Value, b: &Value) -> Value {
        self.node("", "MatMul", &[a, b], vec![])
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

    /// `x` repeated to a shape that is itself computed, i64 `[rank]`.
    pub fn expand(&mut self, x: &Value, shape: &Value) -> Value {
        self.node("", "Expand", &[x, shape], vec![])
    }

    /// A reshape whose result is an output of the graph, with its name, type and axes, and goes on in the graph too.
    pub fn reshape_to_output(
        &mut self,
        x: &Value,
        shape: &Value,
        output: (&str, Element, &[Axis]),
    ) -> Value {
        self.output_node("Reshape", &[x, shape], output, vec![])
    }

    /// `x` with `new` in the places `indices` (i64, shaped as `new`) along `axis`, as an output of the graph with its name,
    /// type and axes. Bound to the memory of `x`, it changes that in place.
    pub fn scatter_to_output(
        &mut self,
        x: &Value,
        indices: &Value,
        new: &Value,
        axis: i64,
        output: (&str, Element, &[Axis]),
    ) {
        let inputs = [x, indices, new];
        self.output_node(
            "ScatterElements",
            &inputs,
            output,
            vec![("axis", Int(axis))],
        );
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
