//! The text encoder: T5's, without padding.
//!
//! Source: Raffel et al., Exploring the Limits of Transfer Learning (arXiv 1910.10683); `T5EncoderModel` of transformers.

use checkpoint::musicgen::{MusicgenWeights, TextConfig};
use onnx_graph::{Axis, Element, GraphBuilder, KeyLayout, Scale, Value};

use super::super::ExportError;
use super::positions::bucket;
use super::{MusicgenTower, Plan};
use crate::MAX_PROMPT_TOKENS;

/// Build the graph: `input_ids` `[batch, tokens]` i64, at most [`MAX_PROMPT_TOKENS`] tokens, texts of one batch equally
/// long, to `last_hidden_state` `[batch, tokens, hidden]` after the final norm.
pub(super) fn build(
    graph: &mut GraphBuilder,
    weights: &MusicgenWeights,
    plan: &Plan,
) -> Result<(), ExportError> {
    let text = weights.config().text.clone();
    let axes = [Axis::Named("batch"), Axis::Named("tokens")];
    let ids = graph.input("input_ids", Element::Int64, &axes);
    let mut tower = MusicgenTower {
        graph,
        weights,
        precision: plan.precision,
    };
    let bias = relative_bias(&mut tower, &text, &ids)?;
    let size = tower.graph.shape_of(&ids, 0, 2);
    let inner = (text.heads * text.head_dim) as i64;
    let width = tower.graph.int64(&[1], &[inner])?;
    let per_token = tower.graph.concat(&[&size, &width], 0);

    tower.graph.scope("text_encoder.shared");
    let words = tower.weight("text_encoder.shared.weight")?;
    let x = tower.graph.gather(&words, &ids, 0);
    let mut x = tower.graph.reshape(&x, &[-1, text.hidden as i64])?;
    for layer in 0..text.layers {
        let block = format!("text_encoder.encoder.block.{layer}");
        tower.graph.scope(format!("{block}.attention"));
        let normed = rms_norm(
            &mut tower,
            &x,
            &format!("{block}.layer.0.layer_norm"),
            text.epsilon,
        )?;
        let attention = format!("{block}.layer.0.SelfAttention");
        let mut qkv = Vec::with_capacity(3);
        for part in ["q", "k", "v"] {
            let projected = tower.matrix(&normed, &format!("{attention}.{part}"))?;
            qkv.push(tower.graph.reshape_to(&projected, &per_token));
        }
        let context = tower.graph.multi_head_attention(
            [&qkv[0], &qkv[1], &qkv[2]],
            KeyLayout::Tokens,
            text.heads,
            Scale::None,
            &Value::none(),
            &bias,
        )?;
        let context = tower.graph.reshape(&context, &[-1, inner])?;
        let context = tower.matrix(&context, &format!("{attention}.o"))?;
        x = tower.graph.add(&x, &context);

        tower.graph.scope(format!("{block}.mlp"));
        let normed = rms_norm(
            &mut tower,
            &x,
            &format!("{block}.layer.1.layer_norm"),
            text.epsilon,
        )?;
        let feed_forward = format!("{block}.layer.1.DenseReluDense");
        let hidden = tower.matrix(&normed, &format!("{feed_forward}.wi"))?;
        let hidden = tower.graph.relu(&hidden);
        let hidden = tower.matrix(&hidden, &format!("{feed_forward}.wo"))?;
        x = tower.graph.add(&x, &hidden);
    }
    tower.graph.scope("text_encoder.final");
    let x = rms_norm(
        &mut tower,
        &x,
        "text_encoder.encoder.final_layer_norm",
        text.epsilon,
    )?;
    let width = tower.graph.int64(&[1], &[text.hidden as i64])?;
    let shape = tower.graph.concat(&[&size, &width], 0);
    let states = tower.graph.reshape_to(&x, &shape);
    let axes = [axes[0], axes[1], Axis::Fixed(text.hidden)];
    tower
        .graph
        .output("last_hidden_state", &states, Element::Float, &axes);
    Ok(())
}

/// T5's norm: no mean, no bias.
fn rms_norm(
    tower: &mut MusicgenTower,
    x: &Value,
    name: &str,
    epsilon: f32,
) -> Result<Value, ExportError> {
    let scale = tower.weight(&format!("{name}.weight"))?;
    let square = tower.graph.mul(x, x);
    let mean = tower.graph.mean(&square, -1, true)?;
    let epsilon = tower.graph.scalar(epsilon);
    let mean = tower.graph.add(&mean, &epsilon);
    let root = tower.graph.sqrt(&mean);
    let x = tower.graph.div(x, &root);
    Ok(tower.graph.mul(&x, &scale))
}

/// The bias of each relative position `[1, heads, tokens, tokens]`, the same in every block: block 0 has the weights.
///
/// The table has a row for every difference of two positions, so the graph only subtracts and gathers.
fn relative_bias(
    tower: &mut MusicgenTower,
    text: &TextConfig,
    ids: &Value,
) -> Result<Value, ExportError> {
    let name = "text_encoder.encoder.block.0.layer.0.SelfAttention.relative_attention_bias";
    tower.graph.scope(name);
    let by_bucket = tower.values(&format!("{name}.weight"))?;
    let last = MAX_PROMPT_TOKENS as i64 - 1;
    let mut table = Vec::with_capacity((2 * MAX_PROMPT_TOKENS - 1) * text.heads);
    for difference in -last..=last {
        let start = bucket(difference, text.buckets, text.max_distance) * text.heads;
        table.extend_from_slice(&by_bucket[start..start + text.heads]);
    }
    let shape = [2 * MAX_PROMPT_TOKENS - 1, text.heads];
    let table = tower
        .graph
        .tensor(&format!("{name}.by_difference"), &shape, &table)?;

    let tokens = tower.graph.shape_of(ids, 1, 2);
    let tokens = tower.graph.reshape(&tokens, &[])?;
    let [zero, one] = [tower.graph.int64(&[], &[0])?, tower.graph.int64(&[], &[1])?];
    let positions = tower.graph.range(&zero, &tokens, &one);
    let keys = tower.graph.reshape(&positions, &[1, -1])?;
    let queries = tower.graph.reshape(&positions, &[-1, 1])?;
    let difference = tower.graph.sub(&keys, &queries);
    let first = tower.graph.int64(&[], &[last])?;
    let row = tower.graph.add(&difference, &first);
    let bias = tower.graph.gather(&table, &row, 0);
    let bias = tower.graph.transpose(&bias, &[2, 0, 1]);
    let shape = tower.graph.int64(&[1], &[1])?;
    let rest = tower.graph.shape_of(&bias, 0, 3);
    let shape = tower.graph.concat(&[&shape, &rest], 0);
    Ok(tower.graph.reshape_to(&bias, &shape))
}
