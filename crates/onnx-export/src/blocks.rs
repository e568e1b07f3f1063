//! Pieces that more than one tower is made of.

use checkpoint::clap::ClapWeights;
use checkpoint::musicgen::MusicgenWeights;
use checkpoint::{CheckpointError, Tensor};
use onnx_graph::Precision;
use onnx_graph::{BlockWeight, Element, GraphBuilder, Operators, Value};

use super::ExportError;
use super::quantise;

/// Weights by their canonical names.
pub(super) trait Weights {
    fn get(&self, name: &str) -> Result<Tensor, CheckpointError>;
}

impl Weights for ClapWeights<'_> {
    fn get(&self, name: &str) -> Result<Tensor, CheckpointError> {
        ClapWeights::get(self, name)
    }
}

impl Weights for MusicgenWeights<'_> {
    fn get(&self, name: &str) -> Result<Tensor, CheckpointError> {
        MusicgenWeights::get(self, name)
    }
}

/// A linear layer as the checkpoints store it.
pub(super) struct Layer {
    pub name: String,
    /// `[out, in]`, row-major.
    pub weight: Vec<f32>,
    /// `[out]`.
    pub bias: Option<Vec<f32>>,
    pub inputs: usize,
}

impl Layer {
    /// The layer `name` with a bias.
    pub fn read<W: Weights>(weights: &W, name: &str) -> Result<Self, CheckpointError> {
        let bias = weights.get(&format!("{name}.bias"))?;
        Ok(Self {
            bias: Some(bias.data),
            ..Self::without_bias(weights, name)?
        })
    }

    /// The layer `name` without one.
    pub fn without_bias<W: Weights>(weights: &W, name: &str) -> Result<Self, CheckpointError> {
        let weight = weights.get(&format!("{name}.weight"))?;
        let outputs = weight.shape.first().copied().unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            inputs: weight.data.len() / outputs.max(1),
            weight: weight.data,
            bias: None,
        })
    }

    pub fn outputs(&self) -> usize {
        self.weight.len() / self.inputs.max(1)
    }

    pub fn weight_name(&self) -> String {
        format!("{}.weight", self.name)
    }

    pub fn bias_name(&self) -> String {
        format!("{}.bias", self.name)
    }
}

/// A graph and the checkpoint that its weights come from.
pub(super) struct Tower<'g, 'w, 'c, W = ClapWeights<'c>> {
    pub graph: &'g mut GraphBuilder<'w>,
    pub weights: &'c W,
    /// What the products are computed in.
    pub precision: Precision,
}

impl<W: Weights> Tower<'_, '_, '_, W> {
    /// The weight `name` as the checkpoint has it.
    pub fn weight(&mut self, name: &str) -> Result<Value, ExportError> {
        let tensor = self.weights.get(name)?;
        Ok(self.graph.tensor(name, &tensor.shape, &tensor.data)?)
    }

    /// The values of the weight `name`, for arithmetic at export.
    pub fn values(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        Ok(self.weights.get(name)?.data)
    }

    /// `x` `[rows, in]` through the linear layer `name`: `[rows, out]`. Under int8 in fp32: such layers are few and small,
    /// or go through [`super::centred`].
    pub fn linear(&mut self, x: &Value, name: &str) -> Result<Value, ExportError> {
        let layer = Layer::read(self.weights, name)?;
        self.product(x, &layer)
    }

    /// As [`Tower::linear`] for a layer of any origin.
    pub fn product(&mut self, x: &Value, layer: &Layer) -> Result<Value, ExportError> {
        let shape = [layer.outputs(), layer.inputs];
        let half = match self.precision {
            Precision::Fp16 => Some((Element::Float16, quantise::to_f16(&layer.weight))),
            Precision::Bf16 if !self.told_by_option() => {
                Some((Element::Bfloat16, quantise::to_bf16(&layer.weight)))
            }
            _ => None,
        };
        let bias = match layer.bias.as_ref() {
            Some(bias) => Some(self.graph.tensor(&layer.bias_name(), &[bias.len()], bias)?),
            None => None,
        };
        let name = layer.weight_name();
        Ok(match half {
            Some((element, bytes)) => {
                let weight = self.graph.raw_tensor(&name, element, &shape, &bytes)?;
                self.graph
                    .linear_in_half(x, &weight, element, bias.as_ref())
            }
            None => {
                let weight = self.graph.tensor(&name, &shape, &layer.weight)?;
                self.graph.linear(x, &weight, bias.as_ref())
            }
        })
    }

    /// Readers of the standard operators that compute in bf16 (OpenVINO) round a graph in fp32 for themselves.
    fn told_by_option(&self) -> bool {
        self.graph.operators() == Operators::Standard
    }

    /// As [`Tower::linear`], for a layer without a bias; `name` is the weight's without `.weight`. Under int8 in blocks.
    pub fn matrix(&mut self, x: &Value, name: &str) -> Result<Value, ExportError> {
        self.matrices(x, name, &[name.to_owned()])
    }

    /// Several layers without a bias as one: `x` `[rows, in]` to their outputs side by side. Under int8 in blocks.
    pub fn matrices(
        &mut self,
        x: &Value,
        name: &str,
        layers: &[String],
    ) -> Result<Value, ExportError> {
        let mut weight = Vec::new();
        let mut inputs = 0;
        for layer in layers {
            let tensor = self.weights.get(&format!("{layer}.weight"))?;
            inputs = tensor.shape.last().copied().unwrap_or_default();
            weight.extend_from_slice(&tensor.data);
        }
        let layer = Layer {
            name: name.to_owned(),
            weight,
            bias: None,
            inputs,
        };
        if self.precision != Precision::Int8 {
            return self.product(x, &layer);
        }
        let outputs = layer.outputs();
        let made = quantise::by_block(&layer.weight, inputs);
        let shape = [outputs, made.blocks, made.block];
        let values = format!("{name}.int8");
        let scales = format!("{name}.scales");
        let weight = BlockWeight {
            values: self
                .graph
                .raw_tensor(&values, Element::Uint8, &shape, &made.values)?,
            scales: self.graph.tensor(&scales, &shape[..2], &made.scales)?,
            inputs,
            outputs,
            block: made.block,
        };
        Ok(self.graph.linear_in_blocks(x, &weight))
    }

    /// Layer normalisation `name` over the last axis.
    pub fn layer_norm(
        &mut self,
        x: &Value,
        name: &str,
        epsilon: f32,
    ) -> Result<Value, ExportError> {
        let scale = self.weight(&format!("{name}.weight"))?;
        let bias = self.weight(&format!("{name}.bias"))?;
        Ok(self.graph.layer_norm(x, &scale, &bias, epsilon))
    }

    /// `pooled` `[batch, width]` through a projection head (linear, ReLU, linear) and to length 1:
    /// `[batch, joint]`. As `torch.nn.functional.normalize`, a vector shorter than 1e-12 is divided by 1e-12.
    pub fn project(&mut self, pooled: &Value, name: &str) -> Result<Value, ExportError> {
        self.graph.scope(name);
        let hidden = self.linear(pooled, &format!("{name}.0"))?;
        let hidden = self.graph.relu(&hidden);
        let projected = self.linear(&hidden, &format!("{name}.2"))?;
        let length = self.graph.l2_norm(&projected, -1, true)?;
        let smallest = self.graph.scalar(1e-12);
        let length = self.graph.max(&length, &smallest);
        Ok(self.graph.div(&projected, &length))
    }
}

/// A batch normalisation with stored statistics as `y = scale * x + shift`, one pair a channel.
pub(super) struct FoldedBatchNorm {
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

impl FoldedBatchNorm {
    /// torch's default; no CLAP checkpoint states another.
    const EPSILON: f64 = 1e-5;

    pub fn read(tower: &Tower, name: &str) -> Result<Self, CheckpointError> {
        let get = |part: &str| tower.values(&format!("{name}.{part}"));
        let (weight, bias) = (get("weight")?, get("bias")?);
        let (mean, variance) = (get("running_mean")?, get("running_var")?);
        let scale: Vec<f64> = weight
            .iter()
            .zip(&variance)
            .map(|(&w, &v)| f64::from(w) / (f64::from(v) + Self::EPSILON).sqrt())
            .collect();
        let shift = scale
            .iter()
            .zip(bias.iter().zip(&mean))
            .map(|(s, (&b, &m))| (f64::from(b) - s * f64::from(m)) as f32)
            .collect();
        Ok(Self {
            scale: scale.iter().map(|&s| s as f32).collect(),
            shift,
        })
    }

    /// Fold into the linear layer before it: `weight` `[out, in]` row-major, `bias` `[out]`.
    pub fn fold_into(&self, weight: &mut [f32], bias: &mut [f32]) {
        let inputs = weight.len() / bias.len().max(1);
        for (o, row) in weight.chunks_exact_mut(inputs.max(1)).enumerate() {
            row.iter_mut().for_each(|w| *w *= self.scale[o]);
            bias[o] = bias[o] * self.scale[o] + self.shift[o];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folded_norm_gives_what_the_layer_and_the_norm_give() {
        let norm = FoldedBatchNorm {
            scale: vec![2.0, -1.0],
            shift: vec![0.5, 3.0],
        };
        let (mut weight, mut bias) = (vec![1.0, 2.0, 3.0, 4.0], vec![10.0, 20.0]);
        let x = [0.25, -0.5];
        let layer = |w: &[f32], b: &[f32]| -> Vec<f32> {
            w.chunks(2)
                .zip(b)
                .map(|(row, b)| row[0] * x[0] + row[1] * x[1] + b)
                .collect()
        };
        let plain = layer(&weight, &bias);
        let expected = [2.0 * plain[0] + 0.5, -plain[1] + 3.0];
        norm.fold_into(&mut weight, &mut bias);
        assert_eq!(layer(&weight, &bias), expected);
    }
}
