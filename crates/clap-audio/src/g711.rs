//! The two laws of ITU-T G.711: 8 bits to samples, full scale ±1, as 16-bit integers hold them.

/// Of 16-bit integers.
const SCALE: f32 = 1.0 / 32_768.0;

pub(super) fn a_law(stored: u8) -> f32 {
    let bits = stored ^ 0x55;
    let (segment, step) = (u32::from(bits >> 4 & 7), i32::from(bits & 0x0f) << 4);
    let size = match segment {
        0 => step + 8,
        _ => (step + 0x108) << (segment - 1),
    };
    let value = if bits & 0x80 == 0 { -size } else { size };
    value as f32 * SCALE
}

pub(super) fn mu_law(stored: u8) -> f32 {
    const BIAS: i32 = 0x84;
    let bits = !stored;
    let (segment, step) = (u32::from(bits >> 4 & 7), i32::from(bits & 0x0f) << 3);
    let size = ((step + BIAS) << segment) - BIAS;
    let value = if bits & 0x80 == 0 { size } else { -size };
    value as f32 * SCALE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From Python 3.11: `audioop.alaw2lin` and `ulaw2lin` of bytes 0 to 255.
    #[test]
    fn every_byte_is_the_sample_of_the_reference() {
        let integers = |law: fn(u8) -> f32| -> Vec<i32> {
            (0..=255)
                .map(|stored| (law(stored) * 32_768.0) as i32)
                .collect()
        };
        let (a, mu) = (integers(a_law), integers(mu_law));
        // Their order counts in the sum.
        let sum = |samples: &[i32]| {
            let step =
                |sum: i64, sample: &i32| (sum * 31 + i64::from(*sample)).rem_euclid(1_000_000_007);
            samples.iter().fold(0, step)
        };
        assert_eq!((a[0], a[85], a[213], sum(&a)), (-5504, -8, 8, 390496332));
        assert_eq!(
            (mu[0], mu[127], mu[255], sum(&mu)),
            (-32124, 0, 0, 263150891)
        );
    }
}
