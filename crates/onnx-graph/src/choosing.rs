//! Operators that a choice among many numbers is made of. Semantics: the ONNX operator specification, opset 20.

use std::io;

use super::graph::Attribute::Int;
use super::graph::{Axis, Element, GraphBuilder, Value};

impl GraphBuilder<'_> {
    /// A constant in f64 of any shape, row-major.
    pub fn double(&mut self, shape: &[usize], data: &[f64]) -> io::Result<Value> {
        let bytes: Vec<u8> = data.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.raw_tensor("doubles", Element::Double, shape, &bytes)
    }

    pub fn exp(&mut self, x: &Value) -> Value {
        self.node("", "Exp", &[x], vec![])
    }

    pub fn or(&mut self, a: &Value, b: &Value) -> Value {
        self.node("", "Or", &[a, b], vec![])
    }

    /// Place of the largest element along the last axis, i64, without that axis; of equal ones the first.
    pub fn place_of_largest(&mut self, x: &Value) -> Value {
        let attributes = vec![("axis", Int(-1)), ("keepdims", Int(0))];
        self.node("", "ArgMax", &[x], attributes)
    }

    /// The `count` elements of the last axis in rising order, and where each was, i64; of equal ones the first comes first.
    pub fn rising(&mut self, x: &Value, count: usize) -> io::Result<[Value; 2]> {
        let count = self.int64(&[1], &[count as i64])?;
        let attributes = vec![("axis", Int(-1)), ("largest", Int(0)), ("sorted", Int(1))];
        Ok(self.node_of_two("TopK", &[x, &count], attributes))
    }

    /// `x` with `new` in the places `indices` (i64, shaped as `new`) along `axis`.
    pub fn scatter(&mut self, x: &Value, indices: &Value, new: &Value, axis: i64) -> Value {
        let inputs = [x, indices, new];
        self.node("", "ScatterElements", &inputs, vec![("axis", Int(axis))])
    }

    /// As [`GraphBuilder::select`], as an output of the graph with its name, type and axes.
    pub fn select_to_output(
        &mut self,
        [condition, yes, no]: [&Value; 3],
        output: (&str, Element, &[Axis]),
    ) -> Value {
        self.output_node("Where", &[condition, yes, no], output, vec![])
    }

    /// As [`GraphBuilder::add`], as an output of the graph with its name, type and axes.
    pub fn add_to_output(
        &mut self,
        a: &Value,
        b: &Value,
        output: (&str, Element, &[Axis]),
    ) -> Value {
        self.output_node("Add", &[a, b], output, vec![])
    }
}
