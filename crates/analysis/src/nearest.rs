//! The embeddings most like one.

use ndarray::{ArrayView1, ArrayView2};

use super::matrix::unit_rows;

/// The `k` rows of `embeddings` `[pieces, dimensions]` with the highest cosine to `query` `[dimensions]`, as (row, cosine),
/// the highest first; of equal ones the first row. Fewer where there are fewer; `None` when the dimensions differ or a value
/// is not finite.
pub fn nearest(
    embeddings: ArrayView2<'_, f32>,
    query: ArrayView1<'_, f32>,
    k: usize,
) -> Option<Vec<(usize, f64)>> {
    if embeddings.ncols() != query.len() {
        return None;
    }
    let query = unit_rows(query.insert_axis(ndarray::Axis(0)))?;
    let cosines = unit_rows(embeddings)?.dot(&query.row(0));
    let mut found: Vec<(usize, f64)> = cosines.iter().copied().enumerate().collect();
    let order = |x: &(usize, f64), y: &(usize, f64)| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0));
    if k < found.len() {
        found.select_nth_unstable_by(k, order);
        found.truncate(k);
    }
    found.sort_by(order);
    found
        .iter_mut()
        .for_each(|(_, cosine)| *cosine = cosine.clamp(-1.0, 1.0));
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_most_similar_come_first_and_ties_by_index() {
        let rows = array![
            [0.0_f32, 1.0],
            [1.0, 0.0],
            [0.6, 0.8],
            [1.0, 0.0],
            [-1.0, 0.0]
        ];
        let found = nearest(rows.view(), array![2.0_f32, 0.0].view(), 3).unwrap();
        assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [1, 3, 2]);
        assert_eq!(found[0].1, 1.0);
        let all = nearest(rows.view(), array![2.0_f32, 0.0].view(), 99).unwrap();
        assert_eq!((all.len(), all[4]), (5, (4, -1.0)));
        assert_eq!(nearest(rows.view(), array![1.0_f32].view(), 1), None);
        assert_eq!(
            nearest(rows.view(), array![1.0_f32, 0.0].view(), 0),
            Some(vec![])
        );
    }
}
