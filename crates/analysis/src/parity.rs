//! The analyses of embeddings against numpy, scipy and scikit-learn: `tests/golden/clusters.json`, made by
//! `scripts/parity/clusters.py`.

use ndarray::{Array2, Axis};
use serde::Deserialize;

use super::davies_bouldin::davies_bouldin;
use super::frechet::frechet;
use super::kernel::kernel_distance;
use super::nearest::nearest;
use super::pca::pca;
use super::separation::{
    Interval, PERMUTATIONS, silhouette_difference, silhouette_interval, silhouette_test,
};
use super::silhouette::silhouette;
use super::similarity::{cross_similarity, group_distances, group_similarity};
use super::tsne::{TsneSettings, tsne};

const GOLDEN: &str = include_str!("../../../tests/golden/clusters.json");

#[derive(Deserialize)]
struct Golden {
    groups: Groups,
    pca: Vec<Pca>,
    distances: Vec<Distances>,
    nearest: Nearest,
    map: Map,
}

#[derive(Deserialize)]
struct Groups {
    a: Vec<Vec<f32>>,
    b: Vec<Vec<f32>>,
    groups: Vec<usize>,
    silhouettes: Vec<f64>,
    silhouette_interval: [f64; 2],
    silhouette_b: f64,
    silhouette_difference_interval: [f64; 2],
    silhouette_b_p: f64,
    davies_bouldin: f64,
    similarity: Vec<Vec<Option<f64>>>,
    cross_similarity: Vec<Vec<Option<f64>>>,
    intra: Vec<Option<f64>>,
    inter: Vec<Option<f64>>,
    intra_mean: f64,
    inter_mean: f64,
}

#[derive(Deserialize)]
struct Pca {
    rows: Vec<Vec<f32>>,
    k: usize,
    scores: Vec<Vec<f64>>,
    components: Vec<Vec<f64>>,
    ratio: Vec<f64>,
}

#[derive(Deserialize)]
struct Distances {
    a: Vec<Vec<f32>>,
    b: Vec<Vec<f32>>,
    frechet: f64,
    kernel: Kernel,
}

#[derive(Deserialize)]
struct Kernel {
    bandwidth: f64,
    distance: f64,
}

#[derive(Deserialize)]
struct Nearest {
    query: Vec<f32>,
    nearest: Vec<usize>,
    cosines: Vec<f64>,
}

#[derive(Deserialize)]
struct Map {
    rows: Vec<Vec<f32>>,
    exact: MapQuality,
    barnes_hut: MapQuality,
    affinities: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct MapQuality {
    kl_divergence: f64,
    trustworthiness: f64,
}

fn golden() -> Golden {
    serde_json::from_str(GOLDEN).unwrap()
}

fn matrix<T: Copy>(rows: &[Vec<T>]) -> Array2<T> {
    let values = rows.concat();
    Array2::from_shape_vec((rows.len(), rows[0].len()), values).unwrap()
}

#[track_caller]
fn close(ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours - theirs).abs() <= tolerance, "{ours}, not {theirs}");
}

#[track_caller]
fn all_close<'a>(ours: impl IntoIterator<Item = &'a f64>, theirs: &[f64], tolerance: f64) {
    let ours: Vec<f64> = ours.into_iter().copied().collect();
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        close(*ours, *theirs, tolerance);
    }
}

#[track_caller]
fn same_where_defined<'a>(ours: impl IntoIterator<Item = &'a Option<f64>>, theirs: &[Option<f64>]) {
    let ours: Vec<Option<f64>> = ours.into_iter().copied().collect();
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours.is_some(), theirs.is_some());
        close(ours.unwrap_or(0.0), theirs.unwrap_or(0.0), 1e-9);
    }
}

/// Other random draws: the ends agree within 8 % of the width.
#[track_caller]
fn same_interval(ours: Interval, theirs: [f64; 2]) {
    let tolerance = 0.08 * (theirs[1] - theirs[0]);
    close(ours.low, theirs[0], tolerance);
    close(ours.high, theirs[1], tolerance);
}

#[test]
fn silhouettes_and_what_they_say() {
    let case = golden().groups;
    let (a, b, groups) = (matrix(&case.a), matrix(&case.b), &case.groups);
    let found = silhouette(a.view(), groups).unwrap();
    all_close(&found.by_piece, &case.silhouettes, 1e-9);
    let of_a = silhouette_interval(a.view(), groups, 0, "golden").unwrap();
    close(of_a.estimate, found.mean, 1e-12);
    same_interval(of_a, case.silhouette_interval);
    let difference = silhouette_difference(a.view(), b.view(), groups, 0, "golden").unwrap();
    close(difference.estimate, found.mean - case.silhouette_b, 1e-9);
    same_interval(difference, case.silhouette_difference_interval);
    let test = silhouette_test(b.view(), groups, PERMUTATIONS, 0, "golden").unwrap();
    close(test.observed, case.silhouette_b, 1e-9);
    // Four standard errors of 4,000 permutations and 10,000.
    close(test.p, case.silhouette_b_p, 4.0 * 0.5 / 4_000_f64.sqrt());
}

#[test]
fn distances_within_and_between_groups() {
    let case = golden().groups;
    let (a, b, groups) = (matrix(&case.a), matrix(&case.b), &case.groups);
    let found = davies_bouldin(a.view(), groups).unwrap();
    // scikit-learn's distances come from squares.
    close(found, case.davies_bouldin, 1e-7);
    let similarity = group_similarity(a.view(), groups).unwrap();
    same_where_defined(&similarity, &case.similarity.concat());
    let cross = cross_similarity(a.view(), groups, b.view(), groups).unwrap();
    same_where_defined(&cross, &case.cross_similarity.concat());
    let distances = group_distances(a.view(), groups).unwrap();
    same_where_defined(&distances.intra, &case.intra);
    same_where_defined(&distances.inter, &case.inter);
    close(distances.intra_mean.unwrap(), case.intra_mean, 1e-9);
    close(distances.inter_mean.unwrap(), case.inter_mean, 1e-9);
    let near = golden().nearest;
    let query = ndarray::aview1(&near.query);
    let (rows, cosines): (Vec<_>, Vec<_>) =
        nearest(a.view(), query, 5).unwrap().into_iter().unzip();
    assert_eq!(rows, near.nearest);
    all_close(&cosines, &near.cosines, 1e-9);
}

#[test]
fn components_and_their_signs() {
    for case in golden().pca {
        let found = pca(matrix(&case.rows).view(), case.k).unwrap();
        all_close(&found.scores, &case.scores.concat(), 1e-7);
        all_close(&found.components, &case.components.concat(), 1e-7);
        all_close(&found.explained_variance_ratio, &case.ratio, 1e-10);
    }
}

#[test]
fn distances_of_sets() {
    for case in golden().distances {
        let (a, b) = (matrix(&case.a), matrix(&case.b));
        let found = frechet(a.view(), b.view()).unwrap();
        // scipy's square root of a singular matrix is good to half the digits.
        close(found.distance, case.frechet, 1e-6);
        let found = kernel_distance(a.view(), b.view()).unwrap();
        close(found.bandwidth, case.kernel.bandwidth, 1e-9);
        close(found.distance, case.kernel.distance, 1e-9);
    }
}

/// L. Venna and S. Kaski's measure of how few of a map's neighbours are strangers, as `sklearn.manifold.trustworthiness`.
fn trustworthiness(rows: &Array2<f64>, points: &Array2<f64>, k: usize) -> f64 {
    let n = rows.nrows();
    let order = |i: usize, distance: &dyn Fn(usize) -> f64| {
        let mut others: Vec<usize> = (0..n).filter(|&j| j != i).collect();
        others.sort_by(|&x, &y| distance(x).total_cmp(&distance(y)));
        others
    };
    let mut penalty = 0;
    for i in 0..n {
        let near = order(i, &|j| 1.0 - rows.row(i).dot(&rows.row(j)));
        let mapped = order(i, &|j| {
            let apart = &points.row(i) - &points.row(j);
            apart.dot(&apart)
        });
        for j in &mapped[..k] {
            let rank = near.iter().position(|other| other == j).unwrap() + 1;
            penalty += rank.saturating_sub(k);
        }
    }
    1.0 - 2.0 * penalty as f64 / (n * k * (2 * n - 3 * k - 1)) as f64
}

/// Descents of floating-point maps part after some hundred steps, so maps are compared by how good they are.
#[test]
fn maps_are_as_good_as_those_of_scikit_learn() {
    let case = golden().map;
    let rows = matrix(&case.rows);
    let mut scores = pca(rows.view(), 50).unwrap().scores;
    super::matrix::normalise(&mut scores);
    let affinities = super::tsne::affinities_of(&scores, 30.0);
    for (i, theirs) in case.affinities.iter().enumerate() {
        // They are of the order of 1e-4, from distances in f32.
        all_close(affinities.row(i), theirs, 2e-9);
    }
    let settings = TsneSettings {
        iterations: 1000,
        ..TsneSettings::default()
    };
    for (exact, theirs) in [(true, &case.exact), (false, &case.barnes_hut)] {
        let map = super::tsne::map(rows.view(), &settings, 42, exact).unwrap();
        let better = map.kl_divergence - theirs.kl_divergence;
        assert!(
            better < 0.03 * theirs.kl_divergence,
            "{}",
            map.kl_divergence
        );
        let kept = trustworthiness(&scores, &map.points, 12);
        assert!(kept > theirs.trustworthiness - 0.01, "{kept}");
        let mean = map.points.mean_axis(Axis(0)).unwrap();
        assert!(mean.iter().all(|m| m.abs() < 1e-9));
    }
    assert!(tsne(rows.view(), &settings, 42).unwrap().exact);
}
