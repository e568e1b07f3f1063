//! A small builder of ONNX graphs, with their weights in an external data file.
//!
//! It knows no architecture, reads no checkpoint and runs nothing. The messages follow the ONNX specification
//! (IR version 10, opset 20) plus the contributed operators of ONNX Runtime (`com.microsoft`, version 1).

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

mod attention;
mod choosing;
mod graph;
mod ops;
mod precision;
mod proto;
mod quantised;
mod rows;
mod weights;

pub use attention::{Cache, KeyLayout, MASKED, Scale};
pub use graph::{Axis, Element, GraphBuilder, Operators, Value};
pub use precision::Precision;
pub use quantised::{BlockWeight, ColumnWeight, ScaledRows};
pub use weights::WeightsFile;

/// Version of the default operator set that the graphs ask for (the first with `Gelu`).
pub const OPSET: i64 = 20;
/// Version of the file format that the graphs are written in (onnx 1.16).
pub const IR_VERSION: i64 = 10;
/// Domain of the operators that ONNX Runtime adds to the standard ones.
pub const CONTRIB_DOMAIN: &str = "com.microsoft";
