//! Names of the graphs, and of inputs and outputs that are numbered by layer.

pub const TEXT: &str = "text_encoder";
pub const CROSS: &str = "cross_attention";
pub const DECODER: &str = "decoder";
pub const CODEC_FRAMES: &str = "codec_frames";
pub const CODEC_COARSE: &str = "codec_coarse";
pub const CODEC_FINE: &str = "codec_fine";

/// Input of the decoder `[pieces, codebooks]` i64: what each codebook said last, or pad.
pub const CODES: &str = "codes";
/// Input of the decoder `[1]` i64, from 0.
pub const POSITION: &str = "position";

// Of a decoder that chooses the codes: inputs (`choice`), then what comes of a step, whose buffers are those of the
// inputs of the same meaning.
pub const CONDITIONAL_ROWS: &str = "conditional_rows";
pub const NULL_ROWS: &str = "null_rows";
pub const GUIDANCE: &str = "guidance";
pub const TEMPERATURE: &str = "temperature";
pub const LEAST: &str = "least";
pub const SPARE: &str = "spare";
pub const GREEDY: &str = "greedy";
pub const UNIFORMS: &str = "uniforms";
pub const BLOCK_START: &str = "block_start";
pub const FRAMES: &str = "frames";
pub const HISTORY: &str = "history";
/// Whole numbers from 0, one for each place of the cache.
pub const PLACES: &str = "places";
pub const NEXT_CODES: &str = "next_codes";
pub const NEXT_HISTORY: &str = "next_history";
pub const NEXT_POSITION: &str = "next_position";

/// Input of the decoder: keys or values so far, by layer.
pub fn past(layer: usize) -> [String; 2] {
    [format!("past_key.{layer}"), format!("past_value.{layer}")]
}

/// Output of the decoder: the same with the new step.
pub fn present(layer: usize) -> [String; 2] {
    [
        format!("present_key.{layer}"),
        format!("present_value.{layer}"),
    ]
}

/// Output of the decoder where the caller keeps the cache: what the step adds, by layer.
pub fn new(layer: usize) -> [String; 2] {
    [format!("new_key.{layer}"), format!("new_value.{layer}")]
}

/// Output of the cross-attention's graph and input of the decoder, by layer.
pub fn cross(layer: usize) -> [String; 2] {
    [format!("cross_key.{layer}"), format!("cross_value.{layer}")]
}
