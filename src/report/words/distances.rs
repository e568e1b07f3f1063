//! How far two sets of pieces lie apart as a whole.

use super::{ALPHA, PLAIN, say};
use crate::report::html::Html;
use crate::report::load::Run;
use crate::report::number::{decimals, p};
use crate::statistics::grouping::ALL;
use crate::tables::DistanceRow;

pub fn sentences(run: &Run) -> Vec<Html> {
    let of_all = run.distances.iter().filter(|row| row.taste == ALL);
    let mut said: Vec<Html> = of_all
        .flat_map(|row| [Some(sentence(row)), by_taste(run, row)])
        .flatten()
        .collect();
    if run.distances.iter().any(|row| row.small_sample) {
        said.push(warning(&run.distances));
    }
    said
}

fn sentence(row: &DistanceRow) -> Html {
    let mut html = say("Under ");
    html.arm(&row.arm)
        .raw(", ")
        .arm(&row.set_a)
        .raw(" and ")
        .arm(&row.set_b)
        .raw(match row.kernel_p {
            Some(p) if p < ALPHA => " differ more than chance would make them",
            Some(_) => " show no clear difference",
            None => "",
        })
        .raw(": ");
    let mut parts = 0;
    if let Some(kernel) = row.kernel {
        let d = decimals(3, &[kernel]);
        html.raw("kernel audio distance ").figure(kernel, d);
        if let Some(value) = row.kernel_p {
            html.raw(", permutation test ").text(&p(value));
        }
        parts += 1;
    }
    if let Some(frechet) = row.frechet {
        html.raw(if parts > 0 { "; " } else { "" })
            .raw("Fréchet audio distance ")
            .figure(frechet, decimals(PLAIN, &[frechet]));
        if row.small_sample {
            html.raw(" (biased: see below)");
        }
        parts += 1;
    }
    if parts == 0 {
        html.raw("no distance, since a set has one piece");
    }
    html.raw(" (n&nbsp;=&nbsp;")
        .many(row.n_a)
        .raw(" and ")
        .many(row.n_b)
        .raw(").");
    html
}

/// The kernel distances of the tastes.
fn by_taste(run: &Run, all: &DistanceRow) -> Option<Html> {
    let same = |row: &&DistanceRow| {
        row.arm == all.arm && row.set_a == all.set_a && row.set_b == all.set_b && row.taste != ALL
    };
    let tastes = run.distances.iter().filter(same);
    let known: Vec<(&str, f64, &DistanceRow)> = tastes
        .filter_map(|row| Some((row.taste.as_str(), row.kernel?, row)))
        .collect();
    if known.is_empty() {
        return None;
    }
    let mut html = say(&run.say("By taste, kernel distance under "));
    html.arm(&all.arm).raw(": ");
    for (i, (taste, kernel, row)) in known.into_iter().enumerate() {
        html.raw(if i > 0 { ", " } else { "" })
            .name(taste)
            .raw(" ")
            .figure(kernel, decimals(3, &[kernel]))
            .raw(" (n&nbsp;=&nbsp;")
            .many(row.n_a)
            .raw(" and ")
            .many(row.n_b);
        if let Some(value) = row.kernel_p {
            html.raw(", ").text(&p(value));
        }
        html.raw(")");
    }
    html.raw(".");
    Some(html)
}

fn warning(rows: &[DistanceRow]) -> Html {
    let small = rows.iter().filter(|row| row.small_sample);
    let fewest = small
        .clone()
        .map(|row| row.n_a.min(row.n_b))
        .min()
        .unwrap_or(0);
    let dimensions = small.map(|row| row.dimensions).max().unwrap_or(0);
    let mut html = Html::new();
    html.raw("<strong>Fréchet distances here are biased upwards</strong>: sets of ")
        .count(fewest)
        .raw(" pieces are small against ")
        .count(dimensions)
        .text(" dimensions, so that the distance tells more of n than of the music. Compare only distances of equal n, and go by \
               the kernel distance, which has no such bias.");
    html
}

#[cfg(test)]
mod tests {
    use super::super::plain;
    use super::*;
    use crate::report::tests::run_of;
    use crate::tables::scores::row as score;

    #[test]
    fn small_sets_get_a_warning() {
        let (mut run, _folder) = run_of(&[score("1", "on", "sour", 0.1)]);
        run.distances = vec![DistanceRow {
            arm: "on".into(),
            set_a: "old".into(),
            set_b: "new".into(),
            taste: ALL.into(),
            n_a: 25,
            n_b: 25,
            dimensions: 512,
            frechet: Some(0.41),
            kernel: Some(-0.0004),
            kernel_p: Some(0.6),
            small_sample: true,
        }];
        let said: Vec<String> = sentences(&run).iter().map(plain).collect();
        assert_eq!(
            said[0],
            "Under on, old and new show no clear difference: kernel audio distance −0.0004, permutation test p = 0.600; \
             Fréchet audio distance 0.41 (biased: see below) (n = 25 and 25)."
        );
        assert!(said[1].starts_with(
            "Fréchet distances here are biased upwards: sets of 25 pieces are small against 512"
        ));
    }
}
