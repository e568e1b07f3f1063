//! How well the tastes lie apart: rows of `clusters.csv` and `similarity.csv`.

use analysis::davies_bouldin::davies_bouldin;
use analysis::displacement::centroid_distance;
use analysis::separation::{silhouette_difference, silhouette_interval, silhouette_test};
use analysis::silhouette::silhouette;
use analysis::similarity::{cross_similarity, group_distances, group_similarity};
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use rayon::prelude::*;

use super::conditions::{Condition, rows_of};
use super::maps::{Maps, joint_name};
use crate::labels::Word;
use crate::statistics::grouping::ALL;
use crate::tables::clusters::{ClusterKind, Metric};
use crate::tables::similarity::Against;
use crate::tables::{ClusterRow, SimilarityRow};

/// What the numbers of a run's clusters are computed with.
pub struct Settings<'a> {
    /// In the order of the tables.
    pub tastes: &'a [&'a str],
    /// Subsets beside all pieces: the first so many of each taste.
    pub subsets: &'a [usize],
    pub permutations: usize,
    pub seed: u64,
    /// For labels.
    pub word: &'a Word,
}

impl Settings<'_> {
    /// U+001F keeps ("ab", "c") and ("a", "bc") apart.
    fn label(&self, parts: &[&str], subset: Option<usize>) -> String {
        let subset = subset.map_or_else(String::new, |n| n.to_string());
        format!("clusters\u{1f}{}\u{1f}{subset}", parts.join("\u{1f}"))
    }
}

/// Every number; none when the pieces have fewer than two tastes. `joint` is the size of the joint map of all pieces.
pub fn clusters(
    conditions: &[Condition<'_>],
    settings: &Settings<'_>,
    maps: &Maps,
    joint: Option<usize>,
) -> Vec<ClusterRow> {
    if settings.tastes.len() < 2 {
        return Vec::new();
    }
    let subsets = std::iter::once(None).chain(settings.subsets.iter().copied().map(Some));
    let mut rows = Vec::new();
    for subset in subsets {
        let of_each: Vec<Vec<ClusterRow>> = conditions
            .par_iter()
            .map(|condition| of_condition(condition, subset, settings))
            .collect();
        rows.extend(of_each.into_iter().flatten());
        let pairs: Vec<(&Condition<'_>, &Condition<'_>)> = pairs(conditions).collect();
        let differences: Vec<Option<ClusterRow>> = pairs
            .par_iter()
            .map(|(a, b)| difference(a, b, subset, settings))
            .collect();
        rows.extend(differences.into_iter().flatten());
    }
    rows.extend(
        conditions
            .iter()
            .flat_map(|condition| of_texts(condition, settings)),
    );
    if let Some(most) = joint {
        rows.extend(of_arms(conditions, settings));
        rows.extend(displacements(
            conditions,
            settings,
            maps,
            &joint_name(most, conditions.len(), settings.word),
        ));
    }
    rows
}

/// A row whose interval, test and second arm are not there.
fn row(metric: Metric, arm: &str, taste: &str, n: usize, value: f64) -> ClusterRow {
    ClusterRow {
        kind: ClusterKind::Audio,
        metric,
        arm: arm.to_owned(),
        arm_b: None,
        taste: taste.to_owned(),
        pieces_per_taste: None,
        n,
        value,
        ci_low: None,
        ci_high: None,
        p: None,
    }
}

/// Rows of the condition that count, and the number of each one's taste.
fn chosen(
    condition: &Condition<'_>,
    subset: Option<usize>,
    settings: &Settings<'_>,
) -> (Vec<usize>, Vec<usize>) {
    let most = subset.unwrap_or(usize::MAX);
    let rows = condition.first_of_each(settings.tastes, most);
    condition.labelled(settings.tastes, &rows)
}

fn of_condition(
    condition: &Condition<'_>,
    subset: Option<usize>,
    settings: &Settings<'_>,
) -> Vec<ClusterRow> {
    let (rows, groups) = chosen(condition, subset, settings);
    let audio = rows_of(condition.audio.view(), &rows);
    let (name, n) = (condition.name, rows.len());
    let mut found = Vec::new();
    if let Some(value) = silhouette(audio.view(), &groups) {
        let label = settings.label(&["silhouette", name], subset);
        let interval = silhouette_interval(audio.view(), &groups, settings.seed, &label);
        let test = silhouette_test(
            audio.view(),
            &groups,
            settings.permutations,
            settings.seed,
            &label,
        );
        found.push(ClusterRow {
            ci_low: interval.map(|i| i.low),
            ci_high: interval.map(|i| i.high),
            p: test.map(|test| test.p),
            ..row(Metric::Silhouette, name, ALL, n, value.mean)
        });
        for ((group, taste), value) in settings.tastes.iter().enumerate().zip(&value.by_group) {
            let count = groups.iter().filter(|g| **g == group).count();
            found.extend(value.map(|value| row(Metric::Silhouette, name, taste, count, value)));
        }
    }
    let index = davies_bouldin(audio.view(), &groups);
    found.extend(index.map(|value| row(Metric::DaviesBouldin, name, ALL, n, value)));
    if let Some(distances) = group_distances(audio.view(), &groups) {
        for (metric, all, each) in [
            (
                Metric::IntraDistance,
                distances.intra_mean,
                &distances.intra,
            ),
            (
                Metric::InterDistance,
                distances.inter_mean,
                &distances.inter,
            ),
        ] {
            found.extend(all.map(|value| row(metric, name, ALL, n, value)));
            for ((group, taste), value) in settings.tastes.iter().enumerate().zip(each) {
                let count = groups.iter().filter(|g| **g == group).count();
                found.extend(value.map(|value| row(metric, name, taste, count, value)));
            }
        }
    }
    found
        .iter_mut()
        .for_each(|row| row.pieces_per_taste = subset);
    found
}

/// Conditions that hear the same pieces, or hear two sets under the same arm.
fn pairs<'c, 'a>(
    conditions: &'c [Condition<'a>],
) -> impl Iterator<Item = (&'c Condition<'a>, &'c Condition<'a>)> {
    let all = conditions.iter().enumerate();
    let all = all.flat_map(|(i, a)| conditions.iter().skip(i + 1).map(move |b| (a, b)));
    all.filter(|(a, b)| a.set == b.set || a.arm == b.arm)
}

fn difference(
    a: &Condition<'_>,
    b: &Condition<'_>,
    subset: Option<usize>,
    settings: &Settings<'_>,
) -> Option<ClusterRow> {
    let (rows, groups) = chosen(a, subset, settings);
    let (theirs, _) = chosen(b, subset, settings);
    let same = |(x, y): (&usize, &usize)| a.ids[*x] == b.ids[*y];
    if rows.len() != theirs.len() || !rows.iter().zip(&theirs).all(same) {
        return None;
    }
    let (of_a, of_b) = (
        rows_of(a.audio.view(), &rows),
        rows_of(b.audio.view(), &theirs),
    );
    let value = silhouette(of_a.view(), &groups)?.mean - silhouette(of_b.view(), &groups)?.mean;
    let label = settings.label(&["difference", a.name, b.name], subset);
    let interval = silhouette_difference(of_a.view(), of_b.view(), &groups, settings.seed, &label);
    Some(ClusterRow {
        arm_b: Some(b.name.to_owned()),
        pieces_per_taste: subset,
        ci_low: interval.map(|i| i.low),
        ci_high: interval.map(|i| i.high),
        ..row(Metric::SilhouetteDifference, a.name, ALL, rows.len(), value)
    })
}

/// Of the prompts, where a taste has several: with one prompt a taste it is 1 whatever the model does.
fn of_texts(condition: &Condition<'_>, settings: &Settings<'_>) -> Option<ClusterRow> {
    if !condition.has_various_prompts(settings.tastes) {
        return None;
    }
    let (rows, groups) = chosen(condition, None, settings);
    let text = rows_of(condition.text.view(), &rows);
    let value = silhouette(text.view(), &groups)?.mean;
    Some(ClusterRow {
        kind: ClusterKind::Text,
        ..row(Metric::Silhouette, condition.name, ALL, rows.len(), value)
    })
}

/// Whether a joint map shows the arms rather than the tastes.
fn of_arms(conditions: &[Condition<'_>], settings: &Settings<'_>) -> Option<ClusterRow> {
    let (mut parts, mut groups): (Vec<Array2<f32>>, Vec<usize>) = Default::default();
    for (arm, condition) in conditions.iter().enumerate() {
        let (rows, _) = chosen(condition, None, settings);
        groups.extend(rows.iter().map(|_| arm));
        parts.push(rows_of(condition.audio.view(), &rows));
    }
    let views: Vec<ArrayView2<'_, f32>> = parts.iter().map(|part| part.view()).collect();
    let joint = concatenate(Axis(0), &views).ok()?;
    let value = silhouette(joint.view(), &groups)?.mean;
    Some(row(
        Metric::SilhouetteOfArms,
        "joint",
        ALL,
        groups.len(),
        value,
    ))
}

/// How far each taste moves on the joint map from one arm to another: the notebook's number, which says more of the
/// checkpoints than of fusion.
fn displacements(
    conditions: &[Condition<'_>],
    settings: &Settings<'_>,
    maps: &Maps,
    joint: &str,
) -> Vec<ClusterRow> {
    let mut found = Vec::new();
    for (a, b) in pairs(conditions) {
        for taste in settings.tastes {
            let of_taste = maps.points(joint).filter(|row| row.taste == *taste);
            let of_pair = of_taste.filter(|row| row.arm == a.name || row.arm == b.name);
            let (at, groups): (Vec<[f64; 2]>, Vec<usize>) = of_pair
                .map(|row| ([row.tsne_1, row.tsne_2], usize::from(row.arm == b.name)))
                .unzip();
            let points = Array2::from(at);
            found.extend(
                centroid_distance(points.view(), &groups, 0, 1).map(|value| ClusterRow {
                    kind: ClusterKind::Map,
                    arm_b: Some(b.name.to_owned()),
                    ..row(
                        Metric::CentroidDisplacement,
                        a.name,
                        taste,
                        groups.len(),
                        value,
                    )
                }),
            );
        }
    }
    found
}

/// How alike the tastes sound, and how near the pieces of each lie to the prompts of each.
pub fn similarity(conditions: &[Condition<'_>], tastes: &[&str]) -> Vec<SimilarityRow> {
    if tastes.len() < 2 {
        return Vec::new();
    }
    let mut found = Vec::new();
    for condition in conditions {
        let all: Vec<usize> = (0..condition.ids.len()).collect();
        let (rows, groups) = condition.labelled(tastes, &all);
        let audio = rows_of(condition.audio.view(), &rows);
        let text = rows_of(condition.text.view(), &rows);
        let sizes: Vec<usize> = (0..tastes.len())
            .map(|taste| groups.iter().filter(|group| **group == taste).count())
            .collect();
        for (against, means) in [
            (Against::Audio, group_similarity(audio.view(), &groups)),
            (
                Against::Text,
                cross_similarity(audio.view(), &groups, text.view(), &groups),
            ),
        ] {
            let Some(means) = means else { continue };
            for ((a, b), value) in means.indexed_iter() {
                let Some(similarity) = *value else { continue };
                let n = match against {
                    Against::Audio if a == b => sizes[a] * (sizes[a] - 1) / 2,
                    _ => sizes[a] * sizes[b],
                };
                found.push(SimilarityRow {
                    arm: condition.name.to_owned(),
                    against,
                    taste_a: tastes[a].to_owned(),
                    taste_b: tastes[b].to_owned(),
                    n,
                    similarity,
                });
            }
        }
    }
    found
}
