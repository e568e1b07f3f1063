//! The choice of the codes as a part of the decoder's graph, so that a step leaves nothing for the host to do: guidance,
//! temperature, top-k, top-p and the draw, then the delay pattern, and what the next step is fed.
//!
//! It is the arithmetic of `pipeline::musicgen::sampler`, in the same order and in f64 from the weights on, so that the same
//! logits and the same random numbers give the same codes. What may differ are the last bits of an exponential and of a
//! sum, which matter only where a draw lies that close to the border between two codes.
//!
//! All that changes from step to step is in three outputs whose buffers are also the inputs of the same meaning. They are
//! overwritten in place: no node may read the old values that does not come before in the graph.

use std::io;

use checkpoint::musicgen::DecoderConfig;
use onnx_graph::{Axis, Element, GraphBuilder, Value};

use super::names;

/// What the history holds in place of a code whose logits were not all finite.
pub const NOT_FINITE: i64 = -1;

/// Inputs of the choice beside the decoder's own: all stay where they are for as long as a batch lasts.
struct Asked {
    /// Rows of the logits that see a text, and those of the null branch, `[pieces]` i64 each; the same ones without guidance.
    rows: [Value; 2],
    /// `[1]` f32.
    guidance: Value,
    /// `[1]` f64.
    temperature: Value,
    /// Place among the logits in rising order of the smallest that may be drawn, `[1]` i64.
    least: Value,
    /// The part of the weights that top-p may take away, `[1]` f64.
    spare: Value,
    /// Whether the largest logit is taken, `[1]` bool.
    greedy: Value,
    /// Uniform in [0, 1), for a block of steps, `[block, pieces, codebooks]` f64.
    uniforms: Value,
    /// `[1]` i64.
    frames: Value,
    /// Codes chosen in the block, `[pieces, codebooks, block]` i64.
    history: Value,
}

impl Asked {
    fn new(graph: &mut GraphBuilder, decoder: &DecoderConfig) -> Self {
        let (pieces, block) = (Axis::Named("pieces"), Axis::Named("block"));
        let (one, codebooks) = (Axis::Fixed(1), Axis::Fixed(decoder.codebooks));
        let mut rows = |name| graph.input(name, Element::Int64, &[pieces]);
        let rows = [rows(names::CONDITIONAL_ROWS), rows(names::NULL_ROWS)];
        let mut scalar = |name, element| graph.input(name, element, &[one]);
        Self {
            rows,
            guidance: scalar(names::GUIDANCE, Element::Float),
            temperature: scalar(names::TEMPERATURE, Element::Double),
            least: scalar(names::LEAST, Element::Int64),
            spare: scalar(names::SPARE, Element::Double),
            greedy: scalar(names::GREEDY, Element::Bool),
            frames: scalar(names::FRAMES, Element::Int64),
            uniforms: graph.input(
                names::UNIFORMS,
                Element::Double,
                &[block, pieces, codebooks],
            ),
            history: graph.input(names::HISTORY, Element::Int64, &[pieces, codebooks, block]),
        }
    }
}

/// Which step this is, as the nodes of the graph may ask.
pub struct At {
    /// `[1]` i64, from 0.
    pub position: Value,
    /// The same, from the beginning of the block.
    column: Value,
}

impl At {
    /// One node reads the input `position`, and all others what came of it: then it may be overwritten.
    pub fn new(graph: &mut GraphBuilder, position: &Value) -> Self {
        let axes = [Axis::Fixed(1)];
        let block_start = graph.input(names::BLOCK_START, Element::Int64, &axes);
        let column = graph.sub(position, &block_start);
        Self {
            position: graph.add(&column, &block_start),
            column,
        }
    }
}

/// Add the choice from `logits` `[rows, codebooks * vocab]` at a step to the graph. Outputs: `next_codes`
/// `[pieces, codebooks]` i64, what is fed at the next step; `next_history`, the history with the codes of this step; and
/// `next_position` `[1]` i64.
pub fn build(
    graph: &mut GraphBuilder,
    decoder: &DecoderConfig,
    logits: &Value,
    at: &At,
) -> io::Result<()> {
    graph.scope("choice");
    let asked = Asked::new(graph, decoder);
    let guided = guided(graph, decoder, &asked, logits)?;
    let finite = {
        // Infinity and NaN times zero are NaN, and so is their sum.
        let zero = graph.scalar(0.0);
        let zeros = graph.mul(&guided, &zero);
        let zeros = graph.sum(&zeros, -1, false)?;
        graph.equal(&zeros, &zero)
    };
    let chosen = chosen(graph, decoder, &asked, &guided, at)?;
    next(graph, decoder, &asked, [&chosen, &finite], at)
}

/// Classifier-free guidance on raw logits: `[pieces, codebooks, vocab]`.
fn guided(
    graph: &mut GraphBuilder,
    decoder: &DecoderConfig,
    asked: &Asked,
    logits: &Value,
) -> io::Result<Value> {
    let conditional = graph.gather(logits, &asked.rows[0], 0);
    let null = graph.gather(logits, &asked.rows[1], 0);
    let apart = graph.sub(&conditional, &null);
    let apart = graph.mul(&apart, &asked.guidance);
    let guided = graph.add(&null, &apart);
    graph.reshape(
        &guided,
        &[-1, decoder.codebooks as i64, decoder.vocab as i64],
    )
}

/// The codes `[pieces, codebooks]` i64.
fn chosen(
    graph: &mut GraphBuilder,
    decoder: &DecoderConfig,
    asked: &Asked,
    logits: &Value,
    at: &At,
) -> io::Result<Value> {
    let vocab = decoder.vocab;
    let largest = graph.place_of_largest(logits);
    let [rising, places] = graph.rising(logits, vocab)?;
    let none = graph.double(&[], &[0.0])?;

    // The part of the softmax of each that top-k leaves, not yet divided by their sum.
    let least = graph.gather(&rising, &asked.least, -1);
    let last = graph.int64(&[1], &[vocab as i64 - 1])?;
    let most = graph.gather(&rising, &last, -1);
    let [wide, most] = [&rising, &most].map(|x| graph.cast(x, Element::Double));
    let powers = graph.sub(&wide, &most);
    let powers = graph.div(&powers, &asked.temperature);
    let weights = graph.exp(&powers);
    let left_out = graph.less(&rising, &least);
    let weights = graph.select(&left_out, &none, &weights);

    // Top-p: the unlikeliest go as long as together they are within the spare part; the likeliest always stays.
    let total = graph.sum(&weights, -1, true)?;
    let spare = graph.mul(&total, &asked.spare);
    let below = graph.cumulative_sum(&weights, -1)?;
    let stays = graph.less(&spare, &below);
    let mut always = vec![0u8; vocab];
    always[vocab.saturating_sub(1)..].fill(1);
    let always = graph.raw_tensor("always_kept", Element::Bool, &[1, 1, vocab], &always)?;
    let stays = graph.or(&stays, &always);
    let weights = graph.select(&stays, &weights, &none);

    // The draw, in the order of the codes: the first whose sum is above a uniform part of the whole is behind all whose
    // sum is not.
    let weights = graph.scatter(&weights, &places, &weights, -1);
    let sums = graph.cumulative_sum(&weights, -1)?;
    let total = graph.gather(&sums, &last, -1);
    let uniform = graph.gather(&asked.uniforms, &at.column, 0);
    let uniform = graph.reshape(&uniform, &[-1, decoder.codebooks as i64, 1])?;
    let target = graph.mul(&total, &uniform);
    let beyond = graph.less(&target, &sums);
    let before = graph.not(&beyond);
    let before = graph.cast(&before, Element::Int64);
    let drawn = graph.sum(&before, -1, false)?;
    // A uniform part that was rounded up to the whole is behind every code.
    let behind = graph.whole(vocab as i64 - 1)?;
    let behind = graph.less(&behind, &drawn);
    let take_largest = graph.or(&asked.greedy, &behind);
    Ok(graph.select(&take_largest, &largest, &drawn))
}

/// The outputs of the step from `chosen` and `finite` `[pieces, codebooks]`.
fn next(
    graph: &mut GraphBuilder,
    decoder: &DecoderConfig,
    asked: &Asked,
    [chosen, finite]: [&Value; 2],
    at: &At,
) -> io::Result<()> {
    let (pieces, one) = (Axis::Named("pieces"), Axis::Fixed(1));
    let codebooks = Axis::Fixed(decoder.codebooks);
    // Codebook k speaks from step k on, for as many steps as there are frames (pipelines::musicgen::delay).
    let delays: Vec<i64> = (0..decoder.codebooks as i64).collect();
    let delays = graph.int64(&[1, decoder.codebooks], &delays)?;
    let early = graph.less(&at.position, &delays);
    let begun = graph.not(&early);
    let end = graph.add(&delays, &asked.frames);
    let not_over = graph.less(&at.position, &end);
    let speaks = graph.and(&begun, &not_over);
    let pad = graph.whole(decoder.pad() as i64)?;
    graph.select_to_output(
        [&speaks, chosen, &pad],
        (names::NEXT_CODES, Element::Int64, &[pieces, codebooks]),
    );

    let nothing = graph.times(chosen, 0)?;
    let place = graph.add(&nothing, &at.column);
    let not_finite = graph.whole(NOT_FINITE)?;
    let told = graph.select(finite, chosen, &not_finite);
    let by_place = [-1, decoder.codebooks as i64, 1];
    let told = graph.reshape(&told, &by_place)?;
    let into = graph.reshape(&place, &by_place)?;
    let axes = [pieces, codebooks, Axis::Named("block")];
    graph.scatter_to_output(
        &asked.history,
        &into,
        &told,
        2,
        (names::NEXT_HISTORY, Element::Int64, &axes),
    );

    let one_more = graph.whole(1)?;
    graph.add_to_output(
        &at.position,
        &one_more,
        (names::NEXT_POSITION, Element::Int64, &[one]),
    );
    Ok(())
}
