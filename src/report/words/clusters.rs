//! Whether the embeddings tell the tastes apart.

use super::{ALPHA, PLAIN, holds_zero, places, say};
use crate::report::html::Html;
use crate::report::load::Run;
use crate::report::number::{decimals, fixed, p};
use crate::statistics::grouping::ALL;
use crate::tables::ClusterRow;
use crate::tables::clusters::{ClusterKind, Metric};

pub fn sentences(run: &Run) -> Vec<Html> {
    let mut said = Vec::new();
    let whole = |row: &&ClusterRow| {
        row.kind == ClusterKind::Audio && row.pieces_per_taste.is_none() && row.taste == ALL
    };
    let of = |metric: Metric| {
        run.clusters
            .iter()
            .filter(whole)
            .filter(move |row| row.metric == metric)
    };
    said.extend(of(Metric::Silhouette).map(|row| silhouette(run, row)));
    said.extend(of(Metric::SilhouetteDifference).map(|row| difference(run, row)));
    said.extend(of(Metric::SilhouetteOfArms).map(|row| arms(run, row)));
    said
}

fn value(run: &Run, arm: &str, metric: Metric) -> Option<f64> {
    let found = run.clusters.iter().find(|row| {
        row.kind == ClusterKind::Audio
            && row.metric == metric
            && row.arm == arm
            && row.taste == ALL
            && row.pieces_per_taste.is_none()
    });
    found.map(|row| row.value)
}

fn silhouette(run: &Run, row: &ClusterRow) -> Html {
    let interval = row.ci_low.zip(row.ci_high);
    let d = places(PLAIN, row.value, interval);
    let mut html = Html::new();
    html.arm(&row.arm).text(&run.say(match row.p {
        Some(p) if p < ALPHA && row.value > 0.0 => {
            " tells the tastes apart better than chance would"
        }
        Some(_) => " does not clearly tell the tastes apart",
        None => ": how far the tastes lie apart",
    }));
    html.raw(": silhouette ")
        .figure(row.value, d)
        .interval(", ", interval, d);
    if let Some(value) = row.p {
        html.raw(", permutation test ").text(&p(value));
    }
    html.raw(" (n&nbsp;=&nbsp;").many(row.n).raw(")");
    let distances = value(run, &row.arm, Metric::IntraDistance).zip(value(
        run,
        &row.arm,
        Metric::InterDistance,
    ));
    if let Some((intra, inter)) = distances {
        let d = decimals(PLAIN, &[intra, inter, intra - inter]);
        html.text(&run.say("; two pieces of one taste lie "))
            .text(&fixed(intra, d))
            .text(&run.say(" apart on average, two of different tastes "))
            .text(&fixed(inter, d))
            .raw(" (cosine distance)");
    }
    if let Some(index) = value(run, &row.arm, Metric::DaviesBouldin) {
        html.raw("; Davies-Bouldin index ").text(&fixed(index, 2));
    }
    html.raw(".");
    html
}

fn difference(run: &Run, row: &ClusterRow) -> Html {
    let other = row.arm_b.as_deref().unwrap_or_default();
    let interval = row.ci_low.zip(row.ci_high);
    let d = places(PLAIN, row.value, interval);
    let mut html = Html::new();
    html.arm(&row.arm)
        .text(&run.say(match (holds_zero(interval), row.value > 0.0) {
            (Some(false), true) => " separates the tastes better than ",
            (Some(false), false) => " separates the tastes less well than ",
            (Some(true), false) => " separates the tastes no better than ",
            (Some(true), true) => " separates the tastes not clearly better than ",
            (None, _) => " against ",
        }))
        .arm(other)
        .raw(": silhouette ");
    let both = value(run, &row.arm, Metric::Silhouette).zip(value(run, other, Metric::Silhouette));
    if let Some((a, b)) = both {
        html.text(&fixed(a, d))
            .raw(" against ")
            .text(&fixed(b, d))
            .raw(", ");
    }
    html.raw("difference ")
        .figure(row.value, d)
        .interval(", ", interval, d);
    if let Some(value) = row.p {
        html.raw(", ").text(&p(value));
    }
    html.raw(" (n&nbsp;=&nbsp;").many(row.n).raw(").");
    if holds_zero(interval) == Some(true) {
        html.raw(" The interval holds 0: no clear difference.");
    }
    html
}

fn arms(run: &Run, row: &ClusterRow) -> Html {
    let d = decimals(PLAIN, &[row.value]);
    let mut html = say("On a joint map the pieces lie ");
    html.text(&run.say(match row.value {
        v if v > 0.5 => "by checkpoint and not by taste",
        v if v > 0.1 => "partly by checkpoint",
        _ => "mixed, whatever the checkpoint",
    }))
    .raw(": silhouette of the conditions ")
    .figure(row.value, d)
    .raw(" (n&nbsp;=&nbsp;")
    .many(row.n)
    .raw("). The conditions are models trained apart, so a displacement between them on that map means nothing.");
    html
}

#[cfg(test)]
mod tests {
    use super::super::plain;
    use super::*;
    use crate::report::tests::run_of;
    use crate::tables::scores::row as score;

    fn row(metric: Metric, arm: &str, value: f64, interval: Option<(f64, f64)>) -> ClusterRow {
        ClusterRow {
            kind: ClusterKind::Audio,
            metric,
            arm: arm.to_owned(),
            arm_b: (metric == Metric::SilhouetteDifference).then(|| "fusion on".to_owned()),
            taste: ALL.to_owned(),
            pieces_per_taste: None,
            n: 100,
            value,
            ci_low: interval.map(|i| i.0),
            ci_high: interval.map(|i| i.1),
            p: (metric == Metric::Silhouette).then_some(0.02),
        }
    }

    fn said(difference: f64, interval: (f64, f64)) -> String {
        let (mut run, _folder) = run_of(&[score("1", "fusion off", "sour", 0.1)]);
        run.clusters = vec![
            row(Metric::Silhouette, "fusion on", 0.07, None),
            row(Metric::Silhouette, "fusion off", 0.05, Some((0.01, 0.09))),
            row(
                Metric::SilhouetteDifference,
                "fusion off",
                difference,
                Some(interval),
            ),
        ];
        let said: Vec<String> = sentences(&run).iter().map(plain).collect();
        assert_eq!(
            said[1],
            "fusion off tells the tastes apart better than chance would: silhouette 0.05, 95 % interval 0.01 to 0.09, \
             permutation test p = 0.020 (n = 100)."
        );
        said[2].clone()
    }

    #[test]
    fn the_sentence_says_what_the_interval_says() {
        assert_eq!(
            said(-0.02, (-0.05, 0.01)),
            "fusion off separates the tastes no better than fusion on: silhouette 0.05 against 0.07, difference −0.02, \
             95 % interval −0.05 to 0.01 (n = 100). The interval holds 0: no clear difference."
        );
        assert!(said(-0.02, (-0.05, -0.001)).starts_with(
            "fusion off separates the tastes less well than fusion on: silhouette 0.050"
        ));
        assert!(
            said(0.02, (0.01, 0.05))
                .starts_with("fusion off separates the tastes better than fusion on")
        );
        assert!(
            said(0.02, (-0.01, 0.05))
                .starts_with("fusion off separates the tastes not clearly better than fusion on")
        );
    }
}
