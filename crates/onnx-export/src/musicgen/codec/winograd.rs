//! Short filters whose coefficients are matrices, with a third less arithmetic.
//!
//! Winograd's minimal filtering (Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, arXiv 1509.09308)
//! makes several outputs at once from differences of the inputs d0..d3. Two taps, three outputs with four products instead
//! of six:
//!
//! ```text
//! m1 = a (d0 - d2)    m2 = (a + b)/2 (d1 + d2)    m3 = (a - b)/2 (d2 - d1)    m4 = b (d1 - d3)
//! a d0 + b d1 = m1 + m2 + m3      a d1 + b d2 = m2 - m3      a d2 + b d3 = m2 + m3 - m4
//! ```
//!
//! and three taps, two outputs, likewise:
//!
//! ```text
//! m1 = a (d0 - d2)    m2 = (a + b + c)/2 (d1 + d2)    m3 = (a - b + c)/2 (d2 - d1)    m4 = c (d1 - d3)
//! a d0 + b d1 + c d2 = m1 + m2 + m3      a d1 + b d2 + c d3 = m2 - m3 - m4
//! ```
//!
//! The factors are small and the sums short: the error stays that of the plain products (1e-6, relative).

use onnx_graph::{GraphBuilder, Value};

use super::super::super::ExportError;

/// A filter `[out, in]` a tap, row-major.
pub(super) enum Taps {
    Two([Vec<f32>; 2]),
    Three([Vec<f32>; 3]),
}

impl Taps {
    /// Outputs that are made at once.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Two(_) => 3,
            Self::Three(_) => 2,
        }
    }

    /// The positions of d0..d3 of `groups` groups of outputs, those of d0 first; d0 of the first group is at -1.
    pub fn positions(&self, groups: usize) -> Vec<i32> {
        let group =
            |step: usize| (0..groups).map(move |group| (group * self.outputs() + step) as i32 - 1);
        (0..4).flat_map(group).collect()
    }

    /// The filter `name` over the rows of `x` `[rows, in]`, plus `bias` `[out]`: `[tiles * groups, outputs * out]`, the outputs
    /// of a group one after another. `rows` `[tiles, 4 * groups]` are those at [`Taps::positions`].
    pub fn apply(
        &self,
        graph: &mut GraphBuilder,
        name: &str,
        x: &Value,
        rows: &Value,
        bias: &[f32],
    ) -> Result<Value, ExportError> {
        let rows = graph.reshape(rows, &[0, 4, -1])?;
        let mut d = Vec::with_capacity(4);
        for step in 0..4 {
            let rows = graph.slice(&rows, 1, step, step + 1)?;
            let rows = graph.reshape(&rows, &[-1])?;
            d.push(graph.gather(x, &rows, 0));
        }
        let inputs = [
            graph.sub(&d[0], &d[2]),
            graph.add(&d[1], &d[2]),
            graph.sub(&d[2], &d[1]),
            graph.sub(&d[1], &d[3]),
        ];
        let outputs = bias.len();
        let bias = graph.tensor(&format!("{name}.bias"), &[outputs], bias)?;
        let mut m = Vec::with_capacity(4);
        for (factor, input) in inputs.iter().enumerate() {
            let matrix = self.factor(factor);
            let shape = [outputs, matrix.len() / outputs.max(1)];
            let matrix = graph.tensor(&format!("{name}.winograd.{factor}"), &shape, &matrix)?;
            // m2 is in every output once.
            let bias = (factor == 1).then_some(&bias);
            m.push(graph.linear(input, &matrix, bias));
        }
        let sum = graph.add(&m[1], &m[2]);
        let difference = graph.sub(&m[1], &m[2]);
        let first = graph.add(&m[0], &sum);
        let outputs = match self {
            Self::Two(_) => vec![first, difference, graph.sub(&sum, &m[3])],
            Self::Three(_) => vec![first, graph.sub(&difference, &m[3])],
        };
        let outputs: Vec<&Value> = outputs.iter().collect();
        Ok(graph.concat(&outputs, 1))
    }

    /// The matrix of m1, m2, m3 or m4.
    fn factor(&self, which: usize) -> Vec<f32> {
        match self {
            Self::Two([a, b]) => {
                let taps = a.iter().zip(b);
                let of = |f: fn(f32, f32) -> f32| taps.map(|(&a, &b)| f(a, b)).collect();
                match which {
                    0 => a.clone(),
                    1 => of(|a, b| (a + b) / 2.0),
                    2 => of(|a, b| (a - b) / 2.0),
                    _ => b.clone(),
                }
            }
            Self::Three([a, b, c]) => {
                let taps = a.iter().zip(b).zip(c);
                let of =
                    |f: fn(f32, f32, f32) -> f32| taps.map(|((&a, &b), &c)| f(a, b, c)).collect();
                match which {
                    0 => a.clone(),
                    1 => of(|a, b, c| (a + b + c) / 2.0),
                    2 => of(|a, b, c| (a - b + c) / 2.0),
                    _ => c.clone(),
                }
            }
        }
    }
}
