//! How far two embeddings lie apart.

/// 1 minus the cosine of two embeddings, 0 to 2, in f64; `None` when they have other lengths, or one of them is zero or holds a
/// value that is not finite.
///
/// As half the squared distance of the two at length 1, which keeps the digits that 1 - cosine would cancel: two embeddings
/// that differ in their last bits are not at distance 0.
pub(super) fn distance(a: &[f32], b: &[f32]) -> Option<f64> {
    let finite = |v: &[f32]| v.iter().all(|x| x.is_finite());
    if a.len() != b.len() || a.is_empty() || !finite(a) || !finite(b) {
        return None;
    }
    if a == b {
        return Some(0.0);
    }
    let length = |v: &[f32]| {
        let squares: f64 = v.iter().map(|&x| f64::from(x).powi(2)).sum();
        Some(squares.sqrt()).filter(|length| *length > 0.0)
    };
    let (length_a, length_b) = (length(a)?, length(b)?);
    let squares = a.iter().zip(b).map(|(&x, &y)| {
        let difference = f64::from(x) / length_a - f64::from(y) / length_b;
        difference * difference
    });
    Some((squares.sum::<f64>() / 2.0).min(2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_vectors_whose_angle_is_known() {
        assert_eq!(distance(&[1.0, 0.0], &[1.0, 0.0]), Some(0.0));
        assert_eq!(distance(&[1.0, 0.0], &[0.0, 3.0]), Some(1.0));
        assert_eq!(distance(&[1.0, 0.0], &[-0.5, 0.0]), Some(2.0));
        let sixty = distance(&[1.0, 0.0], &[0.5, 0.75_f32.sqrt()]).unwrap();
        assert!((sixty - 0.5).abs() < 1e-7, "{sixty}");
        assert_eq!(distance(&[1.0], &[1.0, 0.0]), None);
        assert_eq!(distance(&[0.0], &[1.0]), None);
        assert_eq!(distance(&[], &[]), None);
        for odd in [f32::NAN, f32::INFINITY] {
            assert_eq!(distance(&[odd, 1.0], &[odd, 1.0]), None);
            assert_eq!(distance(&[0.5, 1.0], &[1.0, odd]), None);
        }
    }

    #[test]
    fn the_last_bit_of_one_value_shows() {
        let a = [0.6_f32, 0.8];
        let b = [0.6_f32.next_up(), 0.8];
        let apart = distance(&a, &b).unwrap();
        assert!(apart > 0.0 && apart < 1e-14, "{apart}");
    }
}
