//! The constants of windowed attention: in which order tokens lie, the relative position bias and the masks of
//! shifted windows.
//!
//! Source: Liu et al., Swin Transformer (arXiv 2103.14030); `window_partition`, `WindowAttention` and
//! `PatchMerging` of laion_clap's `htsat.py`.
//!
//! Everything in a block but its attention works token by token, so the tokens are kept in the order of the
//! windows that attention wants next: one gather between two blocks takes the place of roll, partition and their
//! reverses.

/// The token of a square grid, row-major, that lies at each place of a sequence.
pub(super) type Order = Vec<usize>;

/// Value added to the score of two tokens that a shifted window holds from different regions.
const MASKED: f32 = -100.0;

/// Window after window, each row by row, of a `side` x `side` grid rolled up and left by `shift`.
pub(super) fn window_order(side: usize, window: usize, shift: usize) -> Order {
    let per_side = side / window;
    let mut order = Vec::with_capacity(side * side);
    for w in 0..per_side * per_side {
        let (top, left) = (w / per_side * window, w % per_side * window);
        for t in 0..window * window {
            let row = (top + t / window + shift) % side;
            let column = (left + t % window + shift) % side;
            order.push(row * side + column);
        }
    }
    order
}

/// The four tokens that patch merging joins, in its order (0,0), (1,0), (0,1), (1,1), for each token of the
/// grid half as wide, which follow each other as `merged`.
pub(super) fn merge_order(side: usize, merged: &[usize]) -> Order {
    let half = side / 2;
    merged
        .iter()
        .flat_map(|&token| {
            let (row, column) = (2 * (token / half), 2 * (token % half));
            [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(r, c)| (row + r) * side + column + c)
        })
        .collect()
}

/// Indices that take a sequence from the order `from` to the order `to`; `None` when they are the same.
pub(super) fn reorder(from: &[usize], to: &[usize]) -> Option<Vec<i64>> {
    if from == to {
        return None;
    }
    let mut place = vec![0i64; from.len()];
    for (i, &token) in from.iter().enumerate() {
        place[token] = i as i64;
    }
    Some(to.iter().map(|&token| place[token]).collect())
}

/// What is added to the scores: the relative position bias of `table` `[(2 window - 1)^2, heads]`, plus for shifted
/// windows their mask. `[windows or 1, heads, window^2, window^2]`, row-major, and the number of windows.
pub(super) fn attention_bias(
    table: &[f32],
    heads: usize,
    side: usize,
    window: usize,
    shift: usize,
) -> (usize, Vec<f32>) {
    let tokens = window * window;
    let span = 2 * window - 1;
    let mut relative = vec![0f32; heads * tokens * tokens];
    for h in 0..heads {
        for q in 0..tokens {
            for k in 0..tokens {
                let rows = q / window + window - 1 - k / window;
                let columns = q % window + window - 1 - k % window;
                relative[(h * tokens + q) * tokens + k] =
                    table[(rows * span + columns) * heads + h];
            }
        }
    }
    if shift == 0 {
        return (1, relative);
    }
    let windows = (side / window) * (side / window);
    let order = window_order(side, window, 0);
    let mut bias = Vec::with_capacity(windows * relative.len());
    for members in order.chunks_exact(tokens) {
        let regions: Vec<usize> = members
            .iter()
            .map(|&t| {
                region(t / side, side, window, shift) * 3 + region(t % side, side, window, shift)
            })
            .collect();
        for (i, &value) in relative.iter().enumerate() {
            let (q, k) = (i / tokens % tokens, i % tokens);
            let mask = if regions[q] == regions[k] {
                0.0
            } else {
                MASKED
            };
            bias.push(value + mask);
        }
    }
    (windows, bias)
}

/// Which of the three stretches of a rolled axis a position is in: untouched, of the last window, wrapped around.
fn region(position: usize, side: usize, window: usize, shift: usize) -> usize {
    usize::from(position >= side - window) + usize::from(position >= side - shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_a_small_grid() {
        assert_eq!(
            window_order(4, 2, 0),
            [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]
        );
        assert_eq!(window_order(4, 2, 1)[..4], [5, 6, 9, 10]);
        assert_eq!(window_order(4, 2, 1)[12..], [15, 12, 3, 0]);
    }

    #[test]
    fn merging_takes_columns_of_two() {
        assert_eq!(merge_order(4, &[0, 3]), [0, 4, 1, 5, 10, 14, 11, 15]);
    }

    #[test]
    fn reordering_goes_where_it_says() {
        let (from, to) = (window_order(8, 4, 0), window_order(8, 4, 2));
        let moved: Vec<usize> = reorder(&from, &to)
            .unwrap()
            .iter()
            .map(|&i| from[i as usize])
            .collect();
        assert_eq!(moved, to);
        assert_eq!(reorder(&to, &to), None);
    }

    #[test]
    fn only_tokens_of_one_region_see_each_other() {
        let (side, window, shift) = (4, 2, 1);
        let table = vec![0.0; 9];
        let (windows, bias) = attention_bias(&table, 1, side, window, shift);
        assert_eq!((windows, bias.len()), (4, 4 * 16));
        // The first window holds one region, the last four of one token each.
        assert!(bias[..16].iter().all(|&b| b == 0.0));
        let last: Vec<f32> = bias[48..].to_vec();
        for q in 0..4 {
            for k in 0..4 {
                assert_eq!(last[q * 4 + k], if q == k { 0.0 } else { MASKED });
            }
        }
    }
}
