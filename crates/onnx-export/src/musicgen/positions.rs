//! The tables of positions: T5's buckets and the decoder's sinusoids.

/// T5's bucket of `difference` = key - query: half of the buckets a direction, of which half are exact and the rest
/// grow with the logarithm up to `max_distance` (`T5Attention._relative_position_bucket`, bidirectional).
pub(super) fn bucket(difference: i64, buckets: usize, max_distance: usize) -> usize {
    let each = buckets / 2;
    let direction = if difference > 0 { each } else { 0 };
    let distance = difference.unsigned_abs() as usize;
    let exact = each / 2;
    if distance < exact {
        return direction + distance;
    }
    // In f32 in this order, as torch has it: a quotient next to a whole number falls on the same side.
    let ratio = (distance as f32 / exact as f32).ln()
        / ((max_distance as f64 / exact as f64).ln() as f32)
        * (each - exact) as f32;
    direction + (exact + ratio as usize).min(each - 1)
}

/// Sinusoids of `positions` positions with `hidden` channels, row-major: cosines first, then sines, frequencies
/// `10000^(-i / (half - 1))` (`MusicgenSinusoidalPositionalEmbedding.get_embedding`).
///
/// Frequencies and angles are rounded to f32 where torch rounds them.
pub(super) fn sinusoids(positions: usize, hidden: usize) -> Vec<f32> {
    let half = hidden / 2;
    let step = 10_000f64.ln() / (half - 1) as f64;
    let frequencies: Vec<f32> = (0..half)
        .map(|i| f64::from(i as f32 * -(step as f32)).exp() as f32)
        .collect();
    let mut table = Vec::with_capacity(positions * hidden);
    for position in 0..positions {
        let angle = |frequency: &f32| f64::from(position as f32 * frequency);
        table.extend(frequencies.iter().map(|f| angle(f).cos() as f32));
        table.extend(frequencies.iter().map(|f| angle(f).sin() as f32));
        // torch pads an odd number of channels with a zero; they are even here.
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `T5Attention._relative_position_bucket` of transformers 5.23, 32 buckets up to 128.
    #[test]
    fn buckets_are_those_of_t5() {
        let known = [
            (0, 0),
            (-1, 1),
            (-7, 7),
            (-8, 8),
            (-11, 8),
            (-12, 9),
            (-15, 9),
            (-16, 10),
            (-23, 11),
            (-32, 12),
            (-64, 14),
            (-127, 15),
            (-128, 15),
            (-500, 15),
            (1, 17),
            (7, 23),
            (8, 24),
            (12, 25),
            (90, 30),
            (91, 31),
            (128, 31),
            (511, 31),
        ];
        for (difference, expected) in known {
            assert_eq!(bucket(difference, 32, 128), expected, "{difference}");
        }
    }

    #[test]
    fn the_first_position_is_ones_then_zeros() {
        let table = sinusoids(3, 8);
        assert_eq!(table[..8], [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(table.len(), 24);
        assert!((table[8] - 1f32.cos()).abs() < 1e-7 && (table[12] - 1f32.sin()).abs() < 1e-7);
        // The last frequency is 1 / 10000.
        assert!((table[16 + 7] - 2e-4).abs() < 1e-8, "{}", table[16 + 7]);
    }
}
