//! Weights in eight bits and in half precision.

use half::{bf16, f16};

/// The largest magnitude of a weight in int8.
const LARGEST: f32 = 127.0;
/// A block's zero in uint8.
const ZERO_POINT: f32 = 128.0;
/// Inputs that share a scale: the fewest that ONNX Runtime's kernel takes at full speed.
const BLOCK: usize = 128;
/// The fewest that it takes at all.
const SMALLEST_BLOCK: usize = 16;

/// A weight `[out, in]` in int8, one scale an output.
#[derive(Debug, PartialEq)]
pub(super) struct Columns {
    /// `[in, out]`, row-major.
    pub values: Vec<i8>,
    /// `[out]`.
    pub scales: Vec<f32>,
}

/// A weight `[out, in]` in uint8 around 128, one scale a block of inputs.
#[derive(Debug, PartialEq)]
pub(super) struct Blocks {
    /// `[out, blocks, block]`, row-major; a last block that is not full ends in zeros.
    pub values: Vec<u8>,
    /// `[out, blocks]`.
    pub scales: Vec<f32>,
    pub block: usize,
    /// Blocks of one output.
    pub blocks: usize,
}

/// Round `weight` `[outputs, inputs]` to int8 by output, nearest, symmetric.
pub(super) fn by_column(weight: &[f32], inputs: usize) -> Columns {
    let outputs = weight.len() / inputs.max(1);
    let mut values = vec![0; weight.len()];
    let mut scales = Vec::with_capacity(outputs);
    for (o, row) in weight.chunks_exact(inputs.max(1)).enumerate() {
        let scale = scale_of(row);
        for (i, &w) in row.iter().enumerate() {
            values[i * outputs + o] = (w / scale).round_ties_even() as i8;
        }
        scales.push(scale);
    }
    Columns { values, scales }
}

/// Round `weight` `[outputs, inputs]` to uint8 by block of inputs, nearest, symmetric around 128.
pub(super) fn by_block(weight: &[f32], inputs: usize) -> Blocks {
    let mut block = BLOCK;
    while block > SMALLEST_BLOCK && !inputs.is_multiple_of(block) {
        block /= 2;
    }
    let blocks = inputs.div_ceil(block);
    let outputs = weight.len() / inputs.max(1);
    let mut values = Vec::with_capacity(outputs * blocks * block);
    let mut scales = Vec::with_capacity(outputs * blocks);
    for row in weight.chunks_exact(inputs.max(1)) {
        for part in row.chunks(block) {
            let scale = scale_of(part);
            let rounded = part.iter().map(|&w| {
                let steps = (w / scale).round_ties_even();
                (steps + ZERO_POINT) as u8
            });
            values.extend(rounded);
            values.extend(std::iter::repeat_n(ZERO_POINT as u8, block - part.len()));
            scales.push(scale);
        }
    }
    Blocks {
        values,
        scales,
        block,
        blocks,
    }
}

/// The step of a range whose largest magnitude is 127 steps; 1 for zeros.
fn scale_of(values: &[f32]) -> f32 {
    let largest = values
        .iter()
        .fold(0.0f32, |largest, w| largest.max(w.abs()));
    // A subnormal step would lose the range itself.
    match largest / LARGEST {
        scale if scale >= f32::MIN_POSITIVE => scale,
        _ => 1.0,
    }
}

/// As little-endian IEEE halves; beyond their range the largest of them.
pub(super) fn to_f16(weight: &[f32]) -> Vec<u8> {
    let clamp = |w: f32| w.clamp(f16::MIN.to_f32(), f16::MAX.to_f32());
    weight
        .iter()
        .flat_map(|&w| f16::from_f32(clamp(w)).to_le_bytes())
        .collect()
}

/// As little-endian bfloat16.
pub(super) fn to_bf16(weight: &[f32]) -> Vec<u8> {
    weight
        .iter()
        .flat_map(|&w| bf16::from_f32(w).to_le_bytes())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_lie_transposed_and_reach_the_ends_of_the_range() {
        // Two outputs of three inputs.
        let made = by_column(&[1.27, -0.01, 0.0, -2.54, 1.0, 0.02], 3);
        assert_eq!(made.values, [127, -127, -1, 50, 0, 1]);
        assert!((made.scales[0] - 0.01).abs() < 1e-7 && (made.scales[1] - 0.02).abs() < 1e-7);
    }

    #[test]
    fn a_zero_row_stays_zero() {
        assert_eq!(by_column(&[0.0; 4], 4).values, [0; 4]);
        assert_eq!(by_column(&[1e-44; 4], 4).values, [0; 4]);
        let blocks = by_block(&[0.0; 32], 32);
        assert!(blocks.values.iter().all(|&v| v == 128));
    }

    #[test]
    fn blocks_divide_the_inputs_or_are_filled_up() {
        let by = |inputs: usize| {
            let made = by_block(&vec![1.0; 2 * inputs], inputs);
            (
                made.block,
                made.blocks,
                made.values.len(),
                made.scales.len(),
            )
        };
        assert_eq!(by(1024), (128, 8, 2 * 1024, 16));
        assert_eq!(by(96), (32, 3, 2 * 96, 6));
        assert_eq!(by(24), (16, 2, 2 * 32, 4));
        let last = by_block(&[1.0; 24], 24).values;
        assert_eq!(last[..24], [255; 24]);
        assert_eq!(last[24..], [128; 8]);
    }

    #[test]
    fn a_rounded_weight_is_within_half_a_step() {
        let weight: Vec<f32> = (0..256)
            .map(|i| ((i * 37 % 101) as f32 - 50.0) / 17.0)
            .collect();
        let made = by_block(&weight, 64);
        for (i, &w) in weight.iter().enumerate() {
            let scale = made.scales[i / 64];
            let back = (f32::from(made.values[i]) - 128.0) * scale;
            assert!((back - w).abs() <= scale * 0.500_1, "{w} became {back}");
        }
    }

    #[test]
    fn halves_saturate() {
        let bytes = to_f16(&[1.0, 1e9]);
        assert_eq!(bytes[..2], f16::ONE.to_le_bytes());
        assert_eq!(bytes[2..], f16::MAX.to_le_bytes());
        assert_eq!(to_bf16(&[-2.0]), bf16::from_f32(-2.0).to_le_bytes());
    }
}
