//! One step of the decoder, for all pieces of a batch, on caches that the caller owns.
//!
//! Source: Copet et al., Simple and Controllable Music Generation (arXiv 2306.05284); `MusicgenForCausalLM` of
//! transformers. The null branch of classifier-free guidance sees no text: all its keys are masked there, and value and
//! output projections have no bias, so its cross-attention adds exactly nothing and is not computed.

use crate::checkpoint::musicgen::MusicgenWeights;
use crate::onnx::{Axis, Cache, Element, GraphBuilder, Value};

use super::super::ExportError;
use super::positions::sinusoids;
use super::{MusicgenTower, names};
use crate::checkpoint::musicgen::DecoderConfig;

/// torch's default, which no configuration states.
const EPSILON: f32 = 1e-5;
const MODEL: &str = "decoder.model.decoder";

/// Inputs that every layer needs.
struct Inputs {
    /// Filled positions of the caches `[rows]` i32.
    lengths: Value,
    /// The same and the new one, i32, a scalar.
    total: Value,
    /// Rows that see a text `[texts]` i64.
    cross_rows: Value,
    /// For each row its place among those, or `texts` for a row that sees none `[rows]` i64.
    cross_places: Value,
    /// 0 for a token and the lowest finite number for padding `[texts, 1, 1, tokens]`.
    cross_bias: Value,
    /// Zeros `[1, hidden]`: what the cross-attention adds to a row that sees no text.
    nothing: Value,
}

/// Build the graph.
///
/// Inputs: `codes` `[pieces, codebooks]` i64, what each codebook said last (or pad); `row_pieces` `[rows]` i64, the
/// piece of each row; `position` `[1]` i64, from 0; [`Inputs`]; by layer `past_key.N`, `past_value.N`
/// `[rows, heads, capacity, head_dim]` and `cross_key.N`, `cross_value.N` `[texts, heads, tokens, head_dim]`.
/// Outputs: `logits` `[rows, codebooks * vocab]`; by layer `present_key.N`, `present_value.N`, shaped as the past.
pub(super) fn build(
    graph: &mut GraphBuilder,
    weights: &MusicgenWeights,
) -> Result<(), ExportError> {
    let decoder = weights.config().decoder.clone();
    let (pieces, rows) = (Axis::Named("pieces"), Axis::Named("rows"));
    let (texts, tokens) = (Axis::Named("texts"), Axis::Named("tokens"));
    let one = Axis::Fixed(1);
    let axes = [pieces, Axis::Fixed(decoder.codebooks)];
    let codes = graph.input("codes", Element::Int64, &axes);
    let row_pieces = graph.input("row_pieces", Element::Int64, &[rows]);
    let position = graph.input("position", Element::Int64, &[one]);
    let zeros = vec![0.0; decoder.hidden];
    let inputs = Inputs {
        nothing: graph.tensor("nothing", &[1, decoder.hidden], &zeros)?,
        lengths: graph.input("lengths", Element::Int32, &[rows]),
        total: graph.input("total", Element::Int32, &[]),
        cross_rows: graph.input("cross_rows", Element::Int64, &[texts]),
        cross_places: graph.input("cross_places", Element::Int64, &[rows]),
        cross_bias: graph.input("cross_bias", Element::Float, &[texts, one, one, tokens]),
    };
    let mut tower = MusicgenTower { graph, weights };
    let x = embed(&mut tower, &decoder, &codes, &position)?;
    let mut x = tower.graph.gather(&x, &row_pieces, 0);
    for layer in 0..decoder.layers {
        x = self_attention(&mut tower, &decoder, layer, &x, &inputs)?;
        x = cross_attention(&mut tower, &decoder, layer, &x, &inputs)?;
        let name = format!("{MODEL}.layers.{layer}");
        tower.graph.scope(format!("{name}.mlp"));
        let normed = tower.layer_norm(&x, &format!("{name}.final_layer_norm"), EPSILON)?;
        let inner = tower.matrix(&normed, &format!("{name}.fc1"))?;
        let inner = tower.graph.gelu(&inner);
        let outer = tower.matrix(&inner, &format!("{name}.fc2"))?;
        x = tower.graph.add(&x, &outer);
    }
    tower.graph.scope("decoder.lm_heads");
    let x = tower.layer_norm(&x, &format!("{MODEL}.layer_norm"), EPSILON)?;
    let heads: Vec<String> = (0..decoder.codebooks)
        .map(|codebook| format!("decoder.lm_heads.{codebook}"))
        .collect();
    let logits = tower.matrices(&x, "decoder.lm_heads.weight", &heads)?;
    let axes = [rows, Axis::Fixed(decoder.codebooks * decoder.vocab)];
    tower.graph.output("logits", &logits, Element::Float, &axes);
    Ok(())
}

/// The sum of the codebooks' embeddings, and the position's: `[pieces, hidden]`.
fn embed(
    tower: &mut MusicgenTower,
    decoder: &DecoderConfig,
    codes: &Value,
    position: &Value,
) -> Result<Value, ExportError> {
    tower.graph.scope(format!("{MODEL}.embed_tokens"));
    // One table behind another, and each codebook's codes moved to its own.
    let rows = decoder.vocab + 1;
    let mut table = Vec::with_capacity(decoder.codebooks * rows * decoder.hidden);
    for codebook in 0..decoder.codebooks {
        table.extend(tower.values(&format!("{MODEL}.embed_tokens.{codebook}.weight"))?);
    }
    let shape = [decoder.codebooks * rows, decoder.hidden];
    let table = tower
        .graph
        .tensor(&format!("{MODEL}.embed_tokens"), &shape, &table)?;
    let starts: Vec<i64> = (0..decoder.codebooks).map(|k| (k * rows) as i64).collect();
    let starts = tower.graph.int64(&[1, decoder.codebooks], &starts)?;
    let indices = tower.graph.add(codes, &starts);
    let embedded = tower.graph.gather(&table, &indices, 0);
    let embedded = tower.graph.sum(&embedded, 1, false)?;

    tower.graph.scope(format!("{MODEL}.embed_positions"));
    let table = sinusoids(decoder.max_positions, decoder.hidden);
    let shape = [decoder.max_positions, decoder.hidden];
    let table = tower
        .graph
        .tensor(&format!("{MODEL}.embed_positions.weights"), &shape, &table)?;
    let position = tower.graph.gather(&table, position, 0);
    Ok(tower.graph.add(&embedded, &position))
}

fn self_attention(
    tower: &mut MusicgenTower,
    decoder: &DecoderConfig,
    layer: usize,
    x: &Value,
    inputs: &Inputs,
) -> Result<Value, ExportError> {
    let name = format!("{MODEL}.layers.{layer}.self_attn");
    tower.graph.scope(name.clone());
    let hidden = decoder.hidden as i64;
    let axes = [
        Axis::Named("rows"),
        Axis::Fixed(decoder.heads),
        Axis::Named("capacity"),
        Axis::Fixed(decoder.head_dim()),
    ];
    let [key, value] = names::past(layer);
    let cache = Cache {
        past: [
            tower.graph.input(&key, Element::Float, &axes),
            tower.graph.input(&value, Element::Float, &axes),
        ],
        present: names::present(layer),
        axes: &axes,
    };
    let normed = tower.layer_norm(x, &format!("{name}_layer_norm"), EPSILON)?;
    let layers = ["q_proj", "k_proj", "v_proj"].map(|part| format!("{name}.{part}"));
    let qkv = tower.matrices(&normed, &format!("{name}.qkv.weight"), &layers)?;
    let qkv = tower.graph.reshape(&qkv, &[-1, 1, 3 * hidden])?;
    let (lengths, total) = (&inputs.lengths, &inputs.total);
    let context = tower
        .graph
        .cached_attention(&qkv, decoder.heads, &cache, lengths, total);
    let context = tower.graph.reshape(&context, &[-1, hidden])?;
    let context = tower.matrix(&context, &format!("{name}.out_proj"))?;
    Ok(tower.graph.add(x, &context))
}

fn cross_attention(
    tower: &mut MusicgenTower,
    decoder: &DecoderConfig,
    layer: usize,
    x: &Value,
    inputs: &Inputs,
) -> Result<Value, ExportError> {
    let name = format!("{MODEL}.layers.{layer}.encoder_attn");
    tower.graph.scope(name.clone());
    let (hidden, heads) = (decoder.hidden, decoder.heads);
    let axes = [
        Axis::Named("texts"),
        Axis::Fixed(heads),
        Axis::Named("tokens"),
        Axis::Fixed(decoder.head_dim()),
    ];
    let [key, value] = names::cross(layer);
    let key = tower.graph.input(&key, Element::Float, &axes);
    let value = tower.graph.input(&value, Element::Float, &axes);
    let rows = tower.graph.gather(x, &inputs.cross_rows, 0);
    let normed = tower.layer_norm(&rows, &format!("{name}_layer_norm"), EPSILON)?;
    let query = tower.matrix(&normed, &format!("{name}.q_proj"))?;
    let query = tower.graph.reshape(&query, &[-1, 1, hidden as i64])?;
    let no_mask = Value::none();
    let context = tower.graph.multi_head_attention(
        [&query, &key, &value],
        heads,
        &no_mask,
        &inputs.cross_bias,
    );
    let context = tower.graph.reshape(&context, &[-1, hidden as i64])?;
    let context = tower.matrix(&context, &format!("{name}.out_proj"))?;
    let context = tower.graph.concat(&[&context, &inputs.nothing], 0);
    let context = tower.graph.gather(&context, &inputs.cross_places, 0);
    Ok(tower.graph.add(x, &context))
}
