//! Dots spread sideways so that each is seen: wide where many values are alike, without any chance in it.

/// How far, of ±1, each dot moves to the side. `positions` are px along the value axis, sorted.
///
/// The van der Corput sequence spreads neighbours evenly; the width follows the number of dots within `reach` px.
pub fn offsets(positions: &[f64], reach: f64) -> Vec<f64> {
    let mut counts = Vec::with_capacity(positions.len());
    let (mut first, mut end) = (0, 0);
    for &position in positions {
        while position - positions[first] > reach {
            first += 1;
        }
        while end < positions.len() && positions[end] - position <= reach {
            end += 1;
        }
        counts.push(end - first - 1);
    }
    // A handful of close dots need only a part of the width.
    let most = counts.iter().copied().max().unwrap_or(0).max(6) as f64;
    let widths = counts.iter().map(|&count| (count as f64 / most).sqrt());
    widths
        .enumerate()
        .map(|(i, width)| width * (2.0 * van_der_corput(i + 1) - 1.0))
        .collect()
}

/// The digits of `i` in base two, mirrored behind the point.
fn van_der_corput(mut i: usize) -> f64 {
    let (mut value, mut digit) = (0.0, 0.5);
    while i > 0 {
        if i & 1 == 1 {
            value += digit;
        }
        digit /= 2.0;
        i >>= 1;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_dots_stay_in_the_middle_and_crowds_spread() {
        assert_eq!(offsets(&[], 3.0), Vec::<f64>::new());
        assert_eq!(offsets(&[10.0, 50.0], 3.0), [0.0, 0.0]);
        let crowd = offsets(&[10.0; 64], 3.0);
        assert!(crowd.iter().all(|o| o.abs() <= 1.0));
        assert!(crowd.iter().any(|o| *o > 0.9) && crowd.iter().any(|o| *o < -0.9));
    }
}
