//! Dots spread sideways so that each is seen: wide where many values are alike, without any chance in it.

/// How far, of ±1, each dot moves to the side. `positions` are px along the value axis, sorted.
///
/// The van der Corput sequence spreads neighbours evenly; of more than [`MANY`] dots, whose even spread would show as stripes,
/// each has a scattered place instead, the same in every drawing. The width follows the number of dots within `reach` px.
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
        .map(|(i, width)| match positions.len() > MANY {
            true => width * scattered(i),
            false => width * (2.0 * van_der_corput(i + 1) - 1.0),
        })
        .collect()
}

const MANY: usize = 250;

/// Between -1 and 1, without order.
fn scattered(i: usize) -> f64 {
    (mixed(i) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// A number that has nothing to do with `i` but comes from it: the finaliser of SplitMix64 (G. Steele, D. Lea, C. Flood,
/// OOPSLA 2014).
pub fn mixed(i: usize) -> u64 {
    let mut x = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
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
