//! The order of file names that people expect: `bitter_2` before `bitter_10`.

use std::cmp::Ordering;

/// Compare two names with each run of digits read as one number; equal numbers fall back to the plain order, so that
/// only equal names are equal.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let (digits_l, digits_r) = (digits(left), digits(right));
        let order = if digits_l > 0 && digits_r > 0 {
            let (number_l, number_r) = (&left[..digits_l], &right[..digits_r]);
            (left, right) = (&left[digits_l..], &right[digits_r..]);
            number(number_l, number_r)
        } else {
            let (mut chars_l, mut chars_r) = (left.chars(), right.chars());
            let order = chars_l.next().cmp(&chars_r.next());
            (left, right) = (chars_l.as_str(), chars_r.as_str());
            order
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Digits of any length: without the zeros in front, the longer one is larger.
fn number(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers() {
        let mut names = [
            "b_10",
            "b_2",
            "b_02",
            "a_1",
            "b",
            "b_99999999999999999999999",
            "é_1",
            "b_2x",
        ];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            [
                "a_1",
                "b",
                "b_02",
                "b_2",
                "b_2x",
                "b_10",
                "b_99999999999999999999999",
                "é_1"
            ]
        );
    }
}
