//! How far the embeddings of the same rows lie apart.

use super::rows::{Pair, Rows};

/// Embeddings of one arm, or of one kind of text.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingChange {
    pub condition: String,
    pub audio: Option<Cosines>,
    pub text: Option<Cosines>,
}

/// Cosines of the two embeddings of each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Cosines {
    /// Rows.
    pub n: usize,
    /// Rows whose embeddings point the same way to the bit.
    pub same: usize,
    /// -1 to 1.
    pub min: f64,
    pub mean: f64,
    /// Id of the row with the lowest.
    pub min_id: String,
}

pub(super) fn of(rows: &Rows) -> Vec<EmbeddingChange> {
    let changes = rows
        .by_condition()
        .into_iter()
        .map(|(name, pairs)| EmbeddingChange {
            condition: name.to_owned(),
            audio: cosines(&pairs, |pair| pair.audio_distance),
            text: cosines(&pairs, |pair| pair.text_distance),
        });
    changes
        .filter(|change| change.audio.is_some() || change.text.is_some())
        .collect()
}

fn cosines(pairs: &[&Pair], distance: impl Fn(&Pair) -> Option<f64>) -> Option<Cosines> {
    let known: Vec<(f64, &str)> = pairs
        .iter()
        .filter_map(|pair| Some((distance(pair)?, pair.key.id.as_str())))
        .collect();
    // The first of several.
    let (far, id) = *known.iter().rev().max_by(|x, y| x.0.total_cmp(&y.0))?;
    let sum: f64 = known.iter().map(|(distance, _)| distance).sum();
    Some(Cosines {
        n: known.len(),
        same: known
            .iter()
            .filter(|(distance, _)| *distance == 0.0)
            .count(),
        min: 1.0 - far,
        mean: 1.0 - sum / known.len() as f64,
        min_id: id.to_owned(),
    })
}

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
