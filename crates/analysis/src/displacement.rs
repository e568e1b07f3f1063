//! How far groups lie from each other in a map.

use ndarray::{Array1, ArrayView2, Axis};

/// The distance of the centroids of the groups `a` and `b` among `points` `[pieces, 2]`, in the unit of the map; `None` when
/// either has no piece, or `groups` is not one number for each point.
///
/// Distances are to be compared within one map only: another map has another scale. Between two embeddings in one map, such as
/// two checkpoints', the distance says which of them a piece comes from and nothing of what they have in common.
pub fn centroid_distance(
    points: ArrayView2<'_, f64>,
    groups: &[usize],
    a: usize,
    b: usize,
) -> Option<f64> {
    if groups.len() != points.nrows() {
        return None;
    }
    let centroid = |group: usize| -> Option<Array1<f64>> {
        let members: Vec<usize> = (0..groups.len()).filter(|&i| groups[i] == group).collect();
        points.select(Axis(0), &members).mean_axis(Axis(0))
    };
    let apart = centroid(a)? - centroid(b)?;
    Some(apart.dot(&apart).sqrt()).filter(|distance| distance.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn centroids_are_means() {
        let points = array![[0.0, 0.0], [2.0, 0.0], [4.0, 4.0]];
        assert_eq!(
            centroid_distance(points.view(), &[0, 0, 1], 0, 1),
            Some(5.0)
        );
        assert_eq!(centroid_distance(points.view(), &[0, 0, 1], 0, 2), None);
        assert_eq!(centroid_distance(points.view(), &[0, 1], 0, 1), None);
    }
}
