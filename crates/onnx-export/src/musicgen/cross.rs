//! What the decoder attends to of the text: keys and values of every layer, made once a prompt.

use checkpoint::musicgen::MusicgenWeights;
use onnx_graph::{Axis, Element, GraphBuilder};

use super::super::ExportError;
use super::{MusicgenTower, Plan, names};

/// Build the graph: `last_hidden_state` `[batch, tokens, text]` to `encoder_hidden_states` `[batch, tokens, hidden]`
/// and, by layer, `cross_key.N` and `cross_value.N` `[batch, heads, tokens, head_dim]`.
pub(super) fn build(
    graph: &mut GraphBuilder,
    weights: &MusicgenWeights,
    plan: &Plan,
) -> Result<(), ExportError> {
    let config = weights.config();
    let (decoder, text) = (&config.decoder, config.text.hidden);
    let (batch, tokens) = (Axis::Named("batch"), Axis::Named("tokens"));
    let axes = [batch, tokens, Axis::Fixed(text)];
    let states = graph.input("last_hidden_state", Element::Float, &axes);
    let mut tower = MusicgenTower {
        graph,
        weights,
        precision: plan.precision,
    };
    let size = tower.graph.shape_of(&states, 0, 2);
    let mut x = tower.graph.reshape(&states, &[-1, text as i64])?;
    if text != decoder.hidden {
        tower.graph.scope("enc_to_dec_proj");
        x = tower.linear(&x, "enc_to_dec_proj")?;
    }
    let width = tower.graph.int64(&[1], &[decoder.hidden as i64])?;
    let shape = tower.graph.concat(&[&size, &width], 0);
    let projected = tower.graph.reshape_to(&x, &shape);
    let axes = [batch, tokens, Axis::Fixed(decoder.hidden)];
    tower
        .graph
        .output("encoder_hidden_states", &projected, Element::Float, &axes);

    let (heads, head_dim) = (decoder.heads, decoder.head_dim());
    let by_head = tower.graph.int64(&[2], &[heads as i64, head_dim as i64])?;
    let by_head = tower.graph.concat(&[&size, &by_head], 0);
    let axes = [batch, Axis::Fixed(heads), tokens, Axis::Fixed(head_dim)];
    for layer in 0..decoder.layers {
        let attention = format!("decoder.model.decoder.layers.{layer}.encoder_attn");
        tower.graph.scope(attention.clone());
        for (part, name) in ["k_proj", "v_proj"].iter().zip(names::cross(layer)) {
            let part = tower.matrix(&x, &format!("{attention}.{part}"))?;
            let part = tower.graph.reshape_to(&part, &by_head);
            let part = tower.graph.transpose(&part, &[0, 2, 1, 3]);
            tower.graph.output(&name, &part, Element::Float, &axes);
        }
    }
    Ok(())
}
