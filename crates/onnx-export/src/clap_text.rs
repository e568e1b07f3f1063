//! The text tower of CLAP: RoBERTa, pooler and projection.
//!
//! Source: Liu et al., RoBERTa (arXiv 1907.11692); `RobertaModel` and `ClapTextModel` of transformers;
//! `CLAP.encode_text` of laion_clap.

use checkpoint::clap::ClapWeights;
use onnx_graph::Precision;
use onnx_graph::{Axis, Element, GraphBuilder, KeyLayout, Scale, Value};

use super::ExportError;
use super::blocks::{Layer, Tower};
use super::centred::{Centred, Range};

/// Build the graph: `input_ids` `[batch, tokens]` i64, padded with the pad id, and `attention_mask`
/// `[batch, tokens]` i64 (1 for tokens) to `embedding` `[batch, joint]` f32 of length 1.
pub(super) fn build(
    graph: &mut GraphBuilder,
    weights: &ClapWeights,
    precision: Precision,
) -> Result<(), ExportError> {
    let text = weights.architecture().text.clone();
    let joint = weights.architecture().joint_dim;
    let axes = [Axis::Named("batch"), Axis::Named("tokens")];
    let ids = graph.input("input_ids", Element::Int64, &axes);
    let mask = graph.input("attention_mask", Element::Int64, &axes);
    let mut tower = Tower {
        graph,
        weights,
        precision,
    };

    let x = embed(&mut tower, &ids)?;
    let size = tower.graph.shape_of(&ids, 0, 2);
    let width = tower.graph.int64(&[1], &[text.hidden as i64])?;
    let batch = Batch {
        key_mask: tower.graph.cast(&mask, Element::Int32),
        by_text: tower.graph.concat(&[&size, &width], 0),
        shares: match precision {
            Precision::Int8 => Some(shares(&mut tower, &mask)?),
            _ => None,
        },
    };
    let mut x = tower.graph.reshape_to(&x, &batch.by_text);
    for layer in 0..text.layers {
        let name = format!("text_branch.encoder.layer.{layer}");
        // The pooler reads `<s>` alone, so the last layer computes no other query.
        let only_first = layer + 1 == text.layers;
        x = match (&batch.shares, only_first) {
            (Some(shares), false) => centred_layer(&mut tower, &name, &x, &batch, shares)?,
            _ => encoder_layer(&mut tower, &name, &x, &batch, only_first)?,
        };
    }

    tower.graph.scope("text_branch.pooler");
    let x = tower.graph.reshape(&x, &[-1, text.hidden as i64])?;
    let pooled = tower.linear(&x, "text_branch.pooler.dense")?;
    let pooled = tower.graph.tanh(&pooled);
    let embedding = tower.project(&pooled, "text_projection")?;
    let axes = [Axis::Named("batch"), Axis::Fixed(joint)];
    tower
        .graph
        .output("embedding", &embedding, Element::Float, &axes);
    Ok(())
}

/// What the layers know of a batch.
struct Batch {
    /// `[batch, tokens]` i32, 0 for padding.
    key_mask: Value,
    /// `[batch, tokens, hidden]` as a shape.
    by_text: Value,
    /// The part of each token in the mean of its text `[batch, 1, tokens]`; for int8.
    shares: Option<Value>,
}

/// One over the number of a text's tokens for each of them, 0 for padding: `[batch, 1, tokens]`.
fn shares(tower: &mut Tower, mask: &Value) -> Result<Value, ExportError> {
    let mask = tower.graph.cast(mask, Element::Float);
    let count = tower.graph.sum(&mask, 1, true)?;
    let shares = tower.graph.div(&mask, &count);
    Ok(tower.graph.reshape(&shares, &[0, 1, -1])?)
}

/// One layer on `x` `[batch, tokens, hidden]`, of the same shape or, with `only_first`, `[batch, 1, hidden]`.
fn encoder_layer(
    tower: &mut Tower,
    name: &str,
    x: &Value,
    batch: &Batch,
    only_first: bool,
) -> Result<Value, ExportError> {
    let (heads, hidden) = {
        let text = &tower.weights.architecture().text;
        (text.heads, text.hidden as i64)
    };
    tower.graph.scope(format!("{name}.attention"));
    let residual = match only_first {
        true => tower.graph.slice(x, 1, 0, 1)?,
        false => x.clone(),
    };
    let rows = tower.graph.reshape(x, &[-1, hidden])?;
    let residual = tower.graph.reshape(&residual, &[-1, hidden])?;
    let query = tower.linear(&residual, &format!("{name}.attention.self.query"))?;
    let query = match only_first {
        true => tower.graph.reshape(&query, &[-1, 1, hidden])?,
        false => tower.graph.reshape_to(&query, &batch.by_text),
    };
    let key = tower.linear(&rows, &format!("{name}.attention.self.key"))?;
    let key = tower.graph.reshape_to(&key, &batch.by_text);
    let value = tower.linear(&rows, &format!("{name}.attention.self.value"))?;
    let value = tower.graph.reshape_to(&value, &batch.by_text);
    let context = attend(tower, [&query, &key, &value], heads, batch)?;
    let context = tower.graph.reshape(&context, &[-1, hidden])?;
    let context = tower.linear(&context, &format!("{name}.attention.output.dense"))?;
    let attended = norm_of_sum(
        tower,
        &context,
        &residual,
        &format!("{name}.attention.output"),
    )?;

    tower.graph.scope(format!("{name}.mlp"));
    let inner = tower.linear(&attended, &format!("{name}.intermediate.dense"))?;
    let inner = tower.graph.gelu(&inner);
    let outer = tower.linear(&inner, &format!("{name}.output.dense"))?;
    let x = norm_of_sum(tower, &outer, &attended, &format!("{name}.output"))?;
    Ok(match only_first {
        true => tower.graph.reshape(&x, &[-1, 1, hidden])?,
        false => tower.graph.reshape_to(&x, &batch.by_text),
    })
}

/// The same in int8 (see [`super::centred`]).
fn centred_layer(
    tower: &mut Tower,
    name: &str,
    x: &Value,
    batch: &Batch,
    shares: &Value,
) -> Result<Value, ExportError> {
    let (heads, hidden) = {
        let text = &tower.weights.architecture().text;
        (text.heads, text.hidden)
    };
    tower.graph.scope(format!("{name}.attention"));
    let of = |part: &str| Layer::read(tower.weights, &format!("{name}.{part}"));
    let (query, key) = (of("attention.self.query")?, of("attention.self.key")?);
    let (value, output) = (of("attention.self.value")?, of("attention.output.dense")?);
    let (up, down) = (of("intermediate.dense")?, of("output.dense")?);

    let mut centred = tower.centred(x, shares, hidden)?;
    let centre = tower.of_centre(&centred, &value)?;
    let query = tower.of_both(&mut centred, &query, Range::Token)?;
    let key = tower.of_rest(&mut centred, &key, Range::Token)?;
    let value = tower.of_rest(&mut centred, &value, Range::Token)?;
    let rest = attend(tower, [&query, &key, &value], heads, batch)?;
    let mut context = Centred::of(rest, centre);
    let context = tower.of_both(&mut context, &output, Range::Token)?;
    let attended = norm_of_sum(tower, &context, x, &format!("{name}.attention.output"))?;

    tower.graph.scope(format!("{name}.mlp"));
    let mut centred = tower.centred(&attended, shares, hidden)?;
    let inner = tower.of_both(&mut centred, &up, Range::Token)?;
    let inner = tower.graph.gelu(&inner);
    let mut centred = tower.centred(&inner, shares, down.inputs)?;
    let outer = tower.of_both(&mut centred, &down, Range::Token)?;
    norm_of_sum(tower, &outer, &attended, &format!("{name}.output"))
}

fn attend(
    tower: &mut Tower,
    qkv: [&Value; 3],
    heads: usize,
    batch: &Batch,
) -> Result<Value, ExportError> {
    let head_dim = tower.weights.architecture().text.hidden / heads;
    Ok(tower.graph.multi_head_attention(
        qkv,
        KeyLayout::Tokens,
        heads,
        Scale::HeadDim(head_dim),
        &batch.key_mask,
        &Value::none(),
    )?)
}

/// Post-norm: the layer norm of a block's output and its residual.
fn norm_of_sum(
    tower: &mut Tower,
    output: &Value,
    residual: &Value,
    name: &str,
) -> Result<Value, ExportError> {
    let epsilon = tower.weights.architecture().text.layer_norm_eps;
    let sum = tower.graph.add(output, residual);
    tower.layer_norm(&sum, &format!("{name}.LayerNorm"), epsilon)
}

/// Word, position and token type embeddings of `ids` `[batch, tokens]`, normalised: `[batch * tokens, hidden]`.
///
/// Positions count the tokens that are not padding and start after the pad id, which padding itself keeps.
fn embed(tower: &mut Tower, ids: &Value) -> Result<Value, ExportError> {
    let text = &tower.weights.architecture().text;
    let (pad_id, hidden, epsilon) = (text.pad_id as i64, text.hidden, text.layer_norm_eps);
    let name = "text_branch.embeddings";
    tower.graph.scope(name);
    let pad = tower.graph.int64(&[], &[pad_id])?;
    let is_pad = tower.graph.equal(ids, &pad);
    let is_token = tower.graph.not(&is_pad);
    let is_token = tower.graph.cast(&is_token, Element::Int64);
    let count = tower.graph.cumulative_sum(&is_token, 1)?;
    let positions = tower.graph.mul(&count, &is_token);
    let positions = tower.graph.add(&positions, &pad);

    let words = tower.weight(&format!("{name}.word_embeddings.weight"))?;
    let words = tower.graph.gather(&words, ids, 0);
    // Every token has type 0, so its row goes into the position table.
    let table_name = format!("{name}.position_embeddings.weight");
    let mut table = tower.values(&table_name)?;
    let types = tower.values(&format!("{name}.token_type_embeddings.weight"))?;
    for row in table.chunks_exact_mut(hidden) {
        row.iter_mut().zip(&types).for_each(|(p, t)| *p += t);
    }
    let rows = table.len() / hidden;
    let table = tower.graph.tensor(&table_name, &[rows, hidden], &table)?;
    let positions = tower.graph.gather(&table, &positions, 0);
    let sum = tower.graph.add(&words, &positions);
    let sum = tower.graph.reshape(&sum, &[-1, hidden as i64])?;
    tower.layer_norm(&sum, &format!("{name}.LayerNorm"), epsilon)
}
