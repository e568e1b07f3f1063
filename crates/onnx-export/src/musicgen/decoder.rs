//! One step of the decoder, for all pieces of a batch, on caches that the caller owns.
//!
//! Source: Copet et al., Simple and Controllable Music Generation (arXiv 2306.05284); `MusicgenForCausalLM` of
//! transformers. The null branch of classifier-free guidance sees no text: all its keys are masked there, and value and
//! output projections have no bias, so its cross-attention adds exactly nothing and is not computed.

use checkpoint::musicgen::DecoderConfig;
use checkpoint::musicgen::MusicgenWeights;
use onnx_graph::{Axis, Element, GraphBuilder, KeyLayout, Scale, Value};

use super::super::ExportError;
use super::choice;
use super::positions::sinusoids;
use super::self_attention::CachedAttention;
use super::{MusicgenTower, Plan, names};

/// torch's default, which no configuration states.
const EPSILON: f32 = 1e-5;
const MODEL: &str = "decoder.model.decoder";

/// Inputs that every layer's cross-attention needs.
struct Texts {
    /// Rows that see a text `[texts]` i64.
    rows: Value,
    /// For each row its place among those, or `texts` for a row that sees none `[rows]` i64.
    places: Value,
    /// 0 for a token and a score out of the softmax for padding `[texts, 1, 1, tokens]`.
    bias: Value,
    /// Zeros `[1, hidden]`: what the cross-attention adds to a row that sees no text.
    nothing: Value,
}

/// Build the graph.
///
/// Inputs: `codes` `[pieces, codebooks]` i64, what each codebook said last (or pad); `row_pieces` `[rows]` i64, the
/// piece of each row; `position` `[1]` i64, from 0; those of the cache ([`CachedAttention`]); `cross_rows`, `cross_places`
/// and `cross_bias` ([`Texts`]); by layer `cross_key.N`, `cross_value.N` `[texts, heads, tokens, head_dim]`.
/// Outputs: `logits` `[rows, codebooks * vocab]`, and those of the cache. With [`Plan::choose_codes`] also the inputs and
/// outputs of [`choice::build`].
pub(super) fn build(
    graph: &mut GraphBuilder,
    weights: &MusicgenWeights,
    plan: &Plan,
) -> Result<(), ExportError> {
    let decoder = weights.config().decoder.clone();
    let (pieces, rows) = (Axis::Named("pieces"), Axis::Named("rows"));
    let (texts, tokens) = (Axis::Named("texts"), Axis::Named("tokens"));
    let one = Axis::Fixed(1);
    let axes = [pieces, Axis::Fixed(decoder.codebooks)];
    let codes = graph.input(names::CODES, Element::Int64, &axes);
    let row_pieces = graph.input("row_pieces", Element::Int64, &[rows]);
    let position = graph.input(names::POSITION, Element::Int64, &[one]);
    let at = plan.choose_codes.then(|| choice::At::new(graph, &position));
    let position = at.as_ref().map_or(position, |at| at.position.clone());
    let zeros = vec![0.0; decoder.hidden];
    let inputs = Texts {
        nothing: graph.tensor("nothing", &[1, decoder.hidden], &zeros)?,
        rows: graph.input("cross_rows", Element::Int64, &[texts]),
        places: graph.input("cross_places", Element::Int64, &[rows]),
        bias: graph.input("cross_bias", Element::Float, &[texts, one, one, tokens]),
    };
    let mut tower = MusicgenTower {
        graph,
        weights,
        precision: plan.precision,
    };
    let cached = CachedAttention::new(&mut tower, plan, &position, &row_pieces)?;
    let x = embed(&mut tower, &decoder, &codes, &position)?;
    let mut x = tower.graph.gather(&x, &row_pieces, 0);
    for layer in 0..decoder.layers {
        x = self_attention(&mut tower, &cached, layer, &x)?;
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
    let logits = tower.matrices(&x, "decoder.lm_heads", &heads)?;
    let axes = [rows, Axis::Fixed(decoder.codebooks * decoder.vocab)];
    tower.graph.output("logits", &logits, Element::Float, &axes);
    if let Some(at) = &at {
        choice::build(tower.graph, &decoder, &logits, at)?;
    }
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
    cached: &CachedAttention,
    layer: usize,
    x: &Value,
) -> Result<Value, ExportError> {
    let name = format!("{MODEL}.layers.{layer}.self_attn");
    tower.graph.scope(name.clone());
    let normed = tower.layer_norm(x, &format!("{name}_layer_norm"), EPSILON)?;
    let layers = ["q_proj", "k_proj", "v_proj"].map(|part| format!("{name}.{part}"));
    let qkv = tower.matrices(&normed, &format!("{name}.qkv"), &layers)?;
    let context = cached.attend(tower, layer, &qkv)?;
    let context = tower.matrix(&context, &format!("{name}.out_proj"))?;
    Ok(tower.graph.add(x, &context))
}

fn cross_attention(
    tower: &mut MusicgenTower,
    decoder: &DecoderConfig,
    layer: usize,
    x: &Value,
    texts: &Texts,
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
    let rows = tower.graph.gather(x, &texts.rows, 0);
    let normed = tower.layer_norm(&rows, &format!("{name}_layer_norm"), EPSILON)?;
    let query = tower.matrix(&normed, &format!("{name}.q_proj"))?;
    let query = tower.graph.reshape(&query, &[-1, 1, hidden as i64])?;
    let context = tower.graph.multi_head_attention(
        [&query, &key, &value],
        KeyLayout::Heads,
        heads,
        Scale::HeadDim(decoder.head_dim()),
        &Value::none(),
        &texts.bias,
    )?;
    let context = tower.graph.reshape(&context, &[-1, hidden as i64])?;
    let context = tower.matrix(&context, &format!("{name}.out_proj"))?;
    let context = tower.graph.concat(&[&context, &texts.nothing], 0);
    let context = tower.graph.gather(&context, &texts.places, 0);
    Ok(tower.graph.add(x, &context))
}
