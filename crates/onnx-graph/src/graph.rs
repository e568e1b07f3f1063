//! Nodes, values and initializers of one graph, in the order in which they are made.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;

use prost::Message;
use serde::{Deserialize, Serialize};

use super::proto::{self, AttributeKind, DataLocation};
use super::{CONTRIB_DOMAIN, IR_VERSION, OPSET, WeightsFile};

/// Initializers up to this size stay inside the graph file; larger ones go to the external data file.
const INLINE_BYTES: usize = 2048;

/// The result of a node, an input or an initializer, by its unique name in the graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Value(String);

impl Value {
    /// An optional input that is left out.
    pub fn none() -> Self {
        Self(String::new())
    }
}

/// Element type of an input, an output or an initializer (`TensorProto.DataType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Element {
    Float = 1,
    Uint8 = 2,
    Int8 = 3,
    Int32 = 6,
    Int64 = 7,
    Bool = 9,
    Float16 = 10,
    Double = 11,
    Bfloat16 = 16,
}

/// Operators that the reader of a graph takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operators {
    /// Those of the ONNX specification.
    Standard,
    /// Also those that ONNX Runtime adds to them (`com.microsoft`).
    Contributed,
}

/// One axis of an input or output.
#[derive(Clone, Copy, Debug)]
pub enum Axis {
    Fixed(usize),
    /// Any size, the same wherever the name stands.
    Named(&'static str),
}

/// An attribute of a node.
pub(super) enum Attribute {
    Int(i64),
    Float(f32),
    Ints(Vec<i64>),
    Text(&'static str),
}

/// A graph under construction. Its weights go to `weights` at once.
pub struct GraphBuilder<'w> {
    graph: proto::Graph,
    weights: &'w mut WeightsFile,
    operators: Operators,
    scope: String,
    made: usize,
    constants: HashMap<(Element, Vec<usize>, Vec<u8>), Value>,
    /// What was made of each mask of keys: many layers share one.
    pub(super) mask_biases: HashMap<Value, Value>,
}

impl<'w> GraphBuilder<'w> {
    /// An empty graph for a reader of `operators`, whose large initializers go to `weights`.
    pub fn new(name: &str, weights: &'w mut WeightsFile, operators: Operators) -> Self {
        let graph = proto::Graph {
            name: Some(name.to_owned()),
            ..Default::default()
        };
        Self {
            graph,
            weights,
            operators,
            scope: String::new(),
            made: 0,
            constants: HashMap::new(),
            mask_biases: HashMap::new(),
        }
    }

    /// Operators that may be used.
    pub fn operators(&self) -> Operators {
        self.operators
    }

    /// Names of the nodes made from here on begin with `scope`, so that a profile reads like the model.
    pub fn scope(&mut self, scope: impl Into<String>) {
        self.scope = scope.into();
    }

    /// Declare an input.
    pub fn input(&mut self, name: &str, element: Element, axes: &[Axis]) -> Value {
        self.graph.input.push(value_info(name, element, axes));
        Value(name.to_owned())
    }

    /// Declare `value` as the output `name`.
    pub fn output(&mut self, name: &str, value: &Value, element: Element, axes: &[Axis]) {
        self.graph.node.push(proto::Node {
            input: vec![value.0.clone()],
            output: vec![name.to_owned()],
            name: Some(format!("output/{name}")),
            op_type: Some("Identity".to_owned()),
            ..Default::default()
        });
        self.graph.output.push(value_info(name, element, axes));
    }

    /// A weight or constant of any size, f32, row-major.
    pub fn tensor(&mut self, name: &str, shape: &[usize], data: &[f32]) -> io::Result<Value> {
        fits(name, shape, data.len())?;
        if size_of_val(data) <= INLINE_BYTES {
            return Ok(self.inline(Element::Float, shape, little_endian(data).into_owned()));
        }
        let offset = self.weights.append(&little_endian(data))?;
        Ok(self.external(name, Element::Float, shape, offset, size_of_val(data)))
    }

    /// A constant f32 that several layers share: stored once.
    pub fn shared(&mut self, name: &str, shape: &[usize], data: &[f32]) -> io::Result<Value> {
        fits(name, shape, data.len())?;
        let bytes = little_endian(data).into_owned();
        if bytes.len() <= INLINE_BYTES {
            return Ok(self.inline(Element::Float, shape, bytes));
        }
        let key = (Element::Float, shape.to_vec(), bytes);
        if let Some(value) = self.constants.get(&key) {
            return Ok(value.clone());
        }
        let value = self.tensor(name, shape, data)?;
        self.constants.insert(key, value.clone());
        Ok(value)
    }

    /// A weight of another type than f32: its bytes as ONNX stores them, little endian.
    pub fn raw_tensor(
        &mut self,
        name: &str,
        element: Element,
        shape: &[usize],
        bytes: &[u8],
    ) -> io::Result<Value> {
        let size = match element {
            Element::Uint8 | Element::Int8 | Element::Bool => 1,
            Element::Float16 | Element::Bfloat16 => 2,
            Element::Float | Element::Int32 => 4,
            Element::Int64 | Element::Double => 8,
        };
        fits(name, shape, bytes.len() / size)?;
        if bytes.len() <= INLINE_BYTES {
            return Ok(self.inline(element, shape, bytes.to_vec()));
        }
        let offset = self.weights.append(bytes)?;
        Ok(self.external(name, element, shape, offset, bytes.len()))
    }

    /// A constant of i64, such as a shape or indices.
    pub fn int64(&mut self, shape: &[usize], data: &[i64]) -> io::Result<Value> {
        fits("indices", shape, data.len())?;
        self.indices(
            Element::Int64,
            shape,
            data.iter().flat_map(|x| x.to_le_bytes()).collect(),
        )
    }

    /// A constant of i32: indices that are computed on devices which have no arithmetic of i64.
    pub fn int32(&mut self, shape: &[usize], data: &[i32]) -> io::Result<Value> {
        fits("indices", shape, data.len())?;
        self.indices(
            Element::Int32,
            shape,
            data.iter().flat_map(|x| x.to_le_bytes()).collect(),
        )
    }

    /// The same bytes are written once.
    fn indices(&mut self, element: Element, shape: &[usize], bytes: Vec<u8>) -> io::Result<Value> {
        if bytes.len() <= INLINE_BYTES {
            return Ok(self.inline(element, shape, bytes));
        }
        let key = (element, shape.to_vec(), bytes);
        if let Some(value) = self.constants.get(&key) {
            return Ok(value.clone());
        }
        let offset = self.weights.append(&key.2)?;
        let name = self.unique("indices");
        let value = self.external(&name, element, shape, offset, key.2.len());
        self.constants.insert(key, value.clone());
        Ok(value)
    }

    /// A scalar constant, f32.
    pub fn scalar(&mut self, x: f32) -> Value {
        self.inline(Element::Float, &[], x.to_le_bytes().to_vec())
    }

    /// Equal small constants are stored once.
    fn inline(&mut self, element: Element, shape: &[usize], bytes: Vec<u8>) -> Value {
        let key = (element, shape.to_vec(), bytes);
        if let Some(value) = self.constants.get(&key) {
            return value.clone();
        }
        let name = self.unique("constant");
        self.graph.initializer.push(proto::Tensor {
            dims: shape.iter().map(|&d| d as i64).collect(),
            data_type: Some(element as i32),
            name: Some(name.clone()),
            raw_data: Some(key.2.clone()),
            ..Default::default()
        });
        self.constants.insert(key, Value(name.clone()));
        Value(name)
    }

    fn external(
        &mut self,
        name: &str,
        element: Element,
        shape: &[usize],
        offset: u64,
        bytes: usize,
    ) -> Value {
        let entry = |key: &str, value: String| proto::StringEntry {
            key: Some(key.to_owned()),
            value: Some(value),
        };
        let name = name.to_owned();
        self.graph.initializer.push(proto::Tensor {
            dims: shape.iter().map(|&d| d as i64).collect(),
            data_type: Some(element as i32),
            name: Some(name.clone()),
            external_data: vec![
                entry("location", self.weights.file_name()),
                entry("offset", offset.to_string()),
                entry("length", bytes.to_string()),
            ],
            data_location: Some(DataLocation::External as i32),
            ..Default::default()
        });
        Value(name)
    }

    /// Add a node with one output. `domain` is empty for the standard operators.
    pub(super) fn node(
        &mut self,
        domain: &str,
        op: &str,
        inputs: &[&Value],
        attributes: Vec<(&str, Attribute)>,
    ) -> Value {
        let output = self.unique(op);
        self.push_node(domain, op, inputs, output.clone(), &[], attributes);
        Value(output)
    }

    /// As [`GraphBuilder::node`], for an operator whose further outputs are outputs of the graph: what it writes there
    /// is not copied once more, and may be a buffer of the caller. Their names, types and axes are `outputs`.
    pub(super) fn node_with_outputs(
        &mut self,
        domain: &str,
        op: &str,
        inputs: &[&Value],
        outputs: &[(&str, Element, &[Axis])],
        attributes: Vec<(&str, Attribute)>,
    ) -> Value {
        let output = self.unique(op);
        let names: Vec<&str> = outputs.iter().map(|(name, ..)| *name).collect();
        self.push_node(domain, op, inputs, output.clone(), &names, attributes);
        for (name, element, axes) in outputs {
            self.graph.output.push(value_info(name, *element, axes));
        }
        Value(output)
    }

    /// A standard operator whose one output is the graph's output with that name, type and axes.
    pub(super) fn output_node(
        &mut self,
        op: &str,
        inputs: &[&Value],
        (name, element, axes): (&str, Element, &[Axis]),
        attributes: Vec<(&str, Attribute)>,
    ) -> Value {
        self.push_node("", op, inputs, name.to_owned(), &[], attributes);
        self.graph.output.push(value_info(name, element, axes));
        Value(name.to_owned())
    }

    /// As [`GraphBuilder::node`], for an operator with two outputs.
    pub(super) fn node_of_two(
        &mut self,
        op: &str,
        inputs: &[&Value],
        attributes: Vec<(&str, Attribute)>,
    ) -> [Value; 2] {
        let [first, second] = [self.unique(op), self.unique(op)];
        self.push_node("", op, inputs, first.clone(), &[&second], attributes);
        [Value(first), Value(second)]
    }

    fn push_node(
        &mut self,
        domain: &str,
        op: &str,
        inputs: &[&Value],
        output: String,
        further: &[&str],
        attributes: Vec<(&str, Attribute)>,
    ) {
        let mut outputs = vec![output.clone()];
        outputs.extend(further.iter().map(|&name| name.to_owned()));
        self.graph.node.push(proto::Node {
            input: inputs.iter().map(|v| v.0.clone()).collect(),
            output: outputs,
            name: Some(output),
            op_type: Some(op.to_owned()),
            attribute: attributes.into_iter().map(attribute).collect(),
            domain: (!domain.is_empty()).then(|| domain.to_owned()),
        });
    }

    fn unique(&mut self, what: &str) -> String {
        self.made += 1;
        let number = self.made;
        if self.scope.is_empty() {
            format!("{what}_{number}")
        } else {
            format!("{}/{what}_{number}", self.scope)
        }
    }

    /// The bytes of the `.onnx` file. `producer` is the name and version of the program; `metadata` is kept in the model's own
    /// properties.
    pub fn encode(self, producer: (&str, &str), metadata: &[(&str, String)]) -> Vec<u8> {
        let opset = |domain: &str, version| proto::OperatorSetId {
            domain: Some(domain.to_owned()),
            version: Some(version),
        };
        proto::Model {
            ir_version: Some(IR_VERSION),
            producer_name: Some(producer.0.to_owned()),
            producer_version: Some(producer.1.to_owned()),
            graph: Some(self.graph),
            opset_import: match self.operators {
                Operators::Standard => vec![opset("", OPSET)],
                Operators::Contributed => vec![opset("", OPSET), opset(CONTRIB_DOMAIN, 1)],
            },
            metadata_props: metadata
                .iter()
                .map(|(key, value)| proto::StringEntry {
                    key: Some((*key).to_owned()),
                    value: Some(value.clone()),
                })
                .collect(),
        }
        .encode_to_vec()
    }
}

/// A tensor with another number of values than its shape says would make a graph that nobody can load.
fn fits(name: &str, shape: &[usize], values: usize) -> io::Result<()> {
    if shape.iter().product::<usize>() == values {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("{name} has {values} values and the shape {shape:?}"),
    ))
}

/// The bytes of `data` as ONNX stores them; no copy where the machine stores them so too.
fn little_endian(data: &[f32]) -> Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        Cow::Borrowed(bytemuck::cast_slice(data))
    } else {
        Cow::Owned(data.iter().flat_map(|x| x.to_le_bytes()).collect())
    }
}

fn attribute((name, value): (&str, Attribute)) -> proto::Attribute {
    let mut out = proto::Attribute {
        name: Some(name.to_owned()),
        ..Default::default()
    };
    let kind = match value {
        Attribute::Int(i) => {
            out.i = Some(i);
            AttributeKind::Int
        }
        Attribute::Float(f) => {
            out.f = Some(f);
            AttributeKind::Float
        }
        Attribute::Ints(ints) => {
            out.ints = ints;
            AttributeKind::Ints
        }
        Attribute::Text(text) => {
            out.s = Some(text.as_bytes().to_vec());
            AttributeKind::String
        }
    };
    out.kind = Some(kind as i32);
    out
}

fn value_info(name: &str, element: Element, axes: &[Axis]) -> proto::ValueInfo {
    let dim = axes
        .iter()
        .map(|axis| match axis {
            Axis::Fixed(n) => proto::Dimension {
                dim_value: Some(*n as i64),
                dim_param: None,
            },
            Axis::Named(name) => proto::Dimension {
                dim_value: None,
                dim_param: Some((*name).to_owned()),
            },
        })
        .collect();
    proto::ValueInfo {
        name: Some(name.to_owned()),
        r#type: Some(proto::Type {
            tensor_type: Some(proto::TensorType {
                elem_type: Some(element as i32),
                shape: Some(proto::Shape { dim }),
            }),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A graph of one linear layer whose weight is large enough to go outside.
    fn linear(folder: &std::path::Path) -> (proto::Model, Vec<u8>) {
        let path = folder.join("g.onnx.data");
        let mut weights = WeightsFile::create(&path).unwrap();
        let mut graph = GraphBuilder::new("g", &mut weights, Operators::Contributed);
        let x = graph.input(
            "x",
            Element::Float,
            &[Axis::Named("batch"), Axis::Fixed(32)],
        );
        let w: Vec<f32> = (0..32 * 32).map(|i| i as f32).collect();
        let first = graph.tensor("first", &[32, 32], &w).unwrap();
        let weight = graph.tensor("weight", &[32, 32], &w).unwrap();
        let bias = graph.tensor("bias", &[32], &[1.0; 32]).unwrap();
        graph.scope("layer");
        let y = graph.linear(&x, &first, Some(&bias));
        let y = graph.linear(&y, &weight, Some(&bias));
        let y = graph.reshape(&y, &[-1, 8, 4]).unwrap();
        let y = graph.reshape(&y, &[-1, 8, 4]).unwrap();
        graph.output("y", &y, Element::Float, &[Axis::Named("batch")]);
        let bytes = graph.encode(("harness", "0"), &[("made_by", "a test".to_owned())]);
        weights.finish().unwrap();
        (
            proto::Model::decode(bytes.as_slice()).unwrap(),
            std::fs::read(path).unwrap(),
        )
    }

    #[test]
    fn large_weights_lie_outside_where_the_graph_says() {
        let folder = tempfile::tempdir().unwrap();
        let (model, data) = linear(folder.path());
        let graph = model.graph.unwrap();
        let weight = graph
            .initializer
            .iter()
            .find(|t| t.name.as_deref() == Some("weight"))
            .unwrap();
        let entry = |key: &str| {
            let found = weight
                .external_data
                .iter()
                .find(|e| e.key.as_deref() == Some(key));
            found.unwrap().value.clone().unwrap()
        };
        assert_eq!(entry("location"), "g.onnx.data");
        assert_eq!(entry("length"), (32 * 32 * 4).to_string());
        let offset: usize = entry("offset").parse().unwrap();
        assert_eq!(offset % 4096, 0);
        assert_eq!(data[offset + 4..offset + 8], 1f32.to_le_bytes());
        assert_eq!(offset + 32 * 32 * 4, data.len());
    }

    #[test]
    fn names_are_unique_and_equal_constants_are_one() {
        let folder = tempfile::tempdir().unwrap();
        let graph = linear(folder.path()).0.graph.unwrap();
        let mut names: Vec<&String> = graph
            .node
            .iter()
            .flat_map(|n| &n.output)
            .chain(graph.initializer.iter().filter_map(|t| t.name.as_ref()))
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        // first, weight, the bias that both layers have, and the shape that both reshapes have.
        assert_eq!(graph.initializer.len(), 4);
        assert!(
            graph.node[0]
                .name
                .as_ref()
                .unwrap()
                .starts_with("layer/Gemm")
        );
    }
}
