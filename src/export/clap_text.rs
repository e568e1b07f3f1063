//! The text tower of CLAP: RoBERTa, pooler and projection.
//!
//! Source: Liu et al., RoBERTa (arXiv 1907.11692); `RobertaModel` and `ClapTextModel` of transformers;
//! `CLAP.encode_text` of laion_clap.

use crate::checkpoint::clap::ClapWeights;
use crate::onnx::{Axis, Element, GraphBuilder, Value};

use super::ExportError;
use super::blocks::Tower;

/// Build the graph: `input_ids` `[batch, tokens]` i64, padded with the pad id, and `attention_mask`
/// `[batch, tokens]` i64 (1 for tokens) to `embedding` `[batch, joint]` f32 of length 1.
pub(super) fn build(graph: &mut GraphBuilder, weights: &ClapWeights) -> Result<(), ExportError> {
    let text = weights.architecture().text.clone();
    let joint = weights.architecture().joint_dim;
    let axes = [Axis::Named("batch"), Axis::Named("tokens")];
    let ids = graph.input("input_ids", Element::Int64, &axes);
    let mask = graph.input("attention_mask", Element::Int64, &axes);
    let mut tower = Tower { graph, weights };
    let hidden = text.hidden as i64;

    let mut x = embed(&mut tower, &ids)?;
    let key_mask = tower.graph.cast(&mask, Element::Int32);
    let size = tower.graph.shape_of(&ids, 0, 2);
    let width = tower.graph.int64(&[1], &[hidden])?;
    let all_tokens = tower.graph.concat(&[&size, &width], 0);

    for layer in 0..text.layers {
        let name = format!("text_branch.encoder.layer.{layer}");
        tower.graph.scope(format!("{name}.attention"));
        // The pooler reads `<s>` alone, so the last layer computes no other query.
        let only_first = layer + 1 == text.layers;
        let (residual, queries) = if only_first {
            let x3 = tower.graph.reshape_to(&x, &all_tokens);
            let first = tower.graph.slice(&x3, 1, 0, 1)?;
            let first = tower.graph.reshape(&first, &[-1, hidden])?;
            (first, None)
        } else {
            (x.clone(), Some(&all_tokens))
        };
        let query = tower.linear(&residual, &format!("{name}.attention.self.query"))?;
        let query = match queries {
            Some(shape) => tower.graph.reshape_to(&query, shape),
            None => tower.graph.reshape(&query, &[-1, 1, hidden])?,
        };
        let key = tower.linear(&x, &format!("{name}.attention.self.key"))?;
        let key = tower.graph.reshape_to(&key, &all_tokens);
        let value = tower.linear(&x, &format!("{name}.attention.self.value"))?;
        let value = tower.graph.reshape_to(&value, &all_tokens);
        let context = tower.graph.multi_head_attention(
            [&query, &key, &value],
            text.heads,
            &key_mask,
            &Value::none(),
        );
        let context = tower.graph.reshape(&context, &[-1, hidden])?;
        let context = tower.linear(&context, &format!("{name}.attention.output.dense"))?;
        let sum = tower.graph.add(&context, &residual);
        let attended = tower.layer_norm(
            &sum,
            &format!("{name}.attention.output.LayerNorm"),
            text.layer_norm_eps,
        )?;

        tower.graph.scope(format!("{name}.mlp"));
        let inner = tower.linear(&attended, &format!("{name}.intermediate.dense"))?;
        let inner = tower.graph.gelu(&inner);
        let outer = tower.linear(&inner, &format!("{name}.output.dense"))?;
        let sum = tower.graph.add(&outer, &attended);
        x = tower.layer_norm(
            &sum,
            &format!("{name}.output.LayerNorm"),
            text.layer_norm_eps,
        )?;
    }

    tower.graph.scope("text_branch.pooler");
    let pooled = tower.linear(&x, "text_branch.pooler.dense")?;
    let pooled = tower.graph.tanh(&pooled);
    let embedding = tower.project(&pooled, "text_projection")?;
    let axes = [Axis::Named("batch"), Axis::Fixed(joint)];
    tower
        .graph
        .output("embedding", &embedding, Element::Float, &axes);
    Ok(())
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
