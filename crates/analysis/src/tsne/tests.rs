use ndarray::{Array2, Axis, concatenate};

use super::*;
use crate::matrix::tests::{clouds, same_on_any_threads};

fn quick() -> TsneSettings {
    TsneSettings {
        iterations: 300,
        ..TsneSettings::default()
    }
}

/// Share of points whose nearest point in the map is of their own group.
fn own_neighbour(points: &Array2<f64>, groups: &[usize]) -> f64 {
    let squared = |i: usize, j: usize| {
        let d = &points.row(i) - &points.row(j);
        d.dot(&d)
    };
    let own = (0..groups.len()).filter(|&i| {
        let others = (0..groups.len()).filter(|&j| j != i);
        let nearest = others.min_by(|&a, &b| squared(i, a).total_cmp(&squared(i, b)));
        nearest.is_some_and(|j| groups[i] == groups[j])
    });
    own.count() as f64 / groups.len() as f64
}

#[test]
fn clouds_stay_apart_exactly_and_with_the_tree() {
    let (rows, groups) = clouds(4, 60, 32, 0.4, 5);
    let exact = tsne(rows.view(), &TsneSettings::default(), 42).unwrap();
    assert!(exact.exact && exact.perplexity == 30.0);
    assert!(own_neighbour(&exact.points, &groups) > 0.99);
    let tree = map(rows.view(), &TsneSettings::default(), 42, false).unwrap();
    assert!(!tree.exact);
    assert!(own_neighbour(&tree.points, &groups) > 0.99);
    assert!(exact.kl_divergence > 0.0 && tree.kl_divergence > 0.0);
    let centre = exact.points.mean_axis(Axis(0)).unwrap();
    assert!(centre.iter().all(|c| c.abs() < 1e-9));
}

#[test]
fn the_same_to_the_bit_on_any_threads_and_again() {
    let (rows, _) = clouds(3, 40, 16, 0.5, 6);
    for exact in [true, false] {
        same_on_any_threads(|| map(rows.view(), &quick(), 1, exact).unwrap());
        let first = map(rows.view(), &quick(), 1, exact);
        assert_eq!(first, map(rows.view(), &quick(), 1, exact));
        assert_ne!(first, map(rows.view(), &quick(), 2, exact));
    }
}

#[test]
fn few_points_lower_the_perplexity() {
    let (rows, _) = clouds(2, 10, 8, 0.5, 7);
    let map = tsne(rows.view(), &quick(), 0).unwrap();
    assert!((map.perplexity - 19.0 / 3.0).abs() < 1e-12);
    let four = tsne(rows.slice(ndarray::s![8..12, ..]), &quick(), 0).unwrap();
    assert_eq!((four.perplexity, four.points.dim()), (1.0, (4, 2)));
    assert!(four.points.iter().all(|v| v.is_finite()));
    let three = tsne(rows.slice(ndarray::s![..3, ..]), &quick(), 0);
    assert_eq!(three, Err(TsneError::TooFew { points: 3 }));
}

#[test]
fn equal_pieces_give_no_nan() {
    let (rows, _) = clouds(2, 30, 8, 0.5, 8);
    let twice = concatenate![Axis(0), rows, rows, rows.slice(ndarray::s![..1, ..])];
    for exact in [true, false] {
        for perplexity in [1.0, 30.0] {
            let settings = TsneSettings {
                perplexity,
                ..quick()
            };
            let map = map(twice.view(), &settings, 0, exact).unwrap();
            assert!(map.points.iter().all(|v| v.is_finite()));
            assert!(map.kl_divergence.is_finite());
        }
    }
    let equal = Array2::from_elem((9, 4), 0.5_f32);
    assert_eq!(tsne(equal.view(), &quick(), 0), Err(TsneError::NoSpread));
    // Two places only: a single component.
    let two = Array2::from_shape_fn((12, 4), |(i, j)| if i % 2 == j { 1.0_f32 } else { 0.0 });
    let map = tsne(two.view(), &quick(), 0).unwrap();
    assert!(map.points.iter().all(|v| v.is_finite()) && map.kl_divergence.is_finite());
}

#[test]
fn without_components_the_embeddings_themselves_are_taken() {
    let (rows, groups) = clouds(3, 30, 12, 0.4, 9);
    let settings = TsneSettings {
        pca_components: 0,
        ..quick()
    };
    let map = tsne(rows.view(), &settings, 0).unwrap();
    assert!(own_neighbour(&map.points, &groups) > 0.95);
}

#[test]
fn settings_have_ranges() {
    let refused = |change: fn(&mut TsneSettings), named: &str| {
        let mut settings = TsneSettings::default();
        change(&mut settings);
        let error = settings.validate().unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("`{named}` of t-SNE is")),
            "{error}"
        );
        let (rows, _) = clouds(1, 8, 4, 1.0, 1);
        assert!(tsne(rows.view(), &settings, 0).is_err());
    };
    assert_eq!(TsneSettings::default().validate(), Ok(()));
    refused(|s| s.perplexity = 0.5, "perplexity");
    refused(|s| s.perplexity = f64::NAN, "perplexity");
    refused(|s| s.learning_rate = f64::INFINITY, "learning_rate");
    refused(|s| s.iterations = 249, "iterations");
    refused(|s| s.early_exaggeration = 0.9, "early_exaggeration");
    refused(|s| s.pca_components = 10_001, "pca_components");
    let hole = ndarray::array![[1.0_f32, f32::NAN], [0.0, 1.0], [1.0, 0.0], [0.5, 0.5]];
    assert_eq!(tsne(hole.view(), &quick(), 0), Err(TsneError::NotFinite));
}
