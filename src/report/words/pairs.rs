//! Two conditions on the same pieces: how the difference comes out, and for which tastes.

use super::{ALPHA, SCORE, holds_zero, places, say};
use crate::report::html::Html;
use crate::report::load::Run;
use crate::report::number::{fixed, p};
use crate::statistics::grouping::{ALL, FEW};
use crate::tables::StatsRow;
use crate::tables::stats::Kind;
use crate::words::counted;

/// Pairs that are told one by one.
const MOST: usize = 10;

/// Of fewer pieces, the smallest p that a Wilcoxon signed-rank test can give, 2 / 2^n, is above [`ALPHA`].
const TESTABLE: usize = 6;

pub fn sentences(run: &Run) -> Vec<Html> {
    let of_all = |row: &&StatsRow| row.kind == Kind::Pair && row.taste == ALL;
    let rows: Vec<&StatsRow> = run.stats.iter().filter(of_all).collect();
    let first = rows.first().map(|row| row.arm.clone());
    let all = rows.len();
    let shown = rows
        .into_iter()
        .filter(|row| all <= MOST || first.as_ref() == Some(&row.arm));
    let mut said: Vec<Html> = shown
        .flat_map(|row| [Some(whole(row)), by_taste(run, row)])
        .flatten()
        .collect();
    if all > MOST {
        said.push(say(
            "These are the pairs with the first condition; the others are in stats.csv.",
        ));
    }
    said
}

fn other(row: &StatsRow) -> &str {
    row.arm_b.as_deref().unwrap_or_default()
}

/// All pieces together.
fn whole(row: &StatsRow) -> Html {
    let interval = row.ci_low.zip(row.ci_high);
    let d = places(SCORE, row.mean, interval);
    let mut html = Html::new();
    if row.min == 0.0 && row.max == 0.0 {
        html.raw("The same pieces score the same under ")
            .arm(&row.arm)
            .raw(" and ")
            .arm(other(row))
            .raw(" (n&nbsp;=&nbsp;")
            .many(row.n)
            .raw(").");
        return html;
    }
    match holds_zero(interval) {
        Some(false) => html
            .raw("The same pieces score ")
            .raw(if row.mean > 0.0 { "higher" } else { "lower" })
            .raw(" under ")
            .arm(&row.arm)
            .raw(" than under ")
            .arm(other(row))
            .raw(": mean difference "),
        Some(true) => html
            .raw("No clear difference between ")
            .arm(&row.arm)
            .raw(" and ")
            .arm(other(row))
            .raw(" on the same pieces: mean difference "),
        None => html
            .arm(&row.arm)
            .raw(" minus ")
            .arm(other(row))
            .raw(" on the same pieces: mean difference "),
    };
    html.figure(row.mean, d)
        .interval(", ", interval, d)
        .raw(" (n&nbsp;=&nbsp;")
        .many(row.n)
        .raw(")");
    html.raw(".");
    if row.n < FEW {
        html.text(&format!(" {} say little.", counted(row.n, "piece")));
    }
    details(&mut html, row);
    html
}

/// Effect size, tests and correlation, in smaller print.
fn details(html: &mut Html, row: &StatsRow) {
    let mut parts: Vec<String> = Vec::new();
    if let Some(wins) = row.wins {
        parts.push(format!(
            "higher for {}\u{a0}% of the pieces",
            fixed(100.0 * wins, 0)
        ));
    }
    if let Some(d) = row.cohens_d {
        parts.push(format!("Cohen’s d {}", fixed(d, 2)));
    }
    for (test, value) in [("paired t test", row.t_p), ("Wilcoxon", row.wilcoxon_p)] {
        parts.extend(value.map(|value| format!("{test} {}", p(value))));
    }
    for (name, value) in [
        ("Pearson r", row.pearson_r),
        ("Kendall tau-b", row.kendall_tau_b),
    ] {
        parts.extend(value.map(|value| format!("{name} {}", fixed(value, 2))));
    }
    if !parts.is_empty() {
        html.raw("<span class=\"fine\"> ")
            .text(&parts.join(" · "))
            .raw("</span>");
    }
}

/// Which tastes differ, after Holm's correction.
fn by_taste(run: &Run, all: &StatsRow) -> Option<Html> {
    let tastes: Vec<&StatsRow> = run
        .stats
        .iter()
        .filter(|row| {
            row.kind == Kind::Pair
                && row.arm == all.arm
                && row.arm_b == all.arm_b
                && row.taste != ALL
                && !row.taste.is_empty()
        })
        .collect();
    if tastes.len() < 2 {
        return None;
    }
    let mut html = say(&run.say("By taste, "));
    html.arm(&all.arm).raw(" minus ").arm(other(all)).raw(": ");
    for (i, row) in tastes.iter().enumerate() {
        let d = places(SCORE, row.mean, None);
        html.raw(if i > 0 { ", " } else { "" })
            .name(&row.taste)
            .raw(" ")
            .figure(row.mean, d)
            .raw(" (n&nbsp;=&nbsp;")
            .many(row.n);
        if let Some(value) = row.wilcoxon_p_holm {
            html.raw(", ").text(&p(value));
        }
        html.raw(")");
    }
    let clear: Vec<&str> = tastes
        .iter()
        .filter(|row| row.wilcoxon_p_holm.is_some_and(|p| p < ALPHA))
        .map(|row| row.taste.as_str())
        .collect();
    let with = "Wilcoxon tests with Holm’s correction";
    html.raw(". ");
    if tastes.iter().all(|row| row.wilcoxon_p_holm.is_none()) {
        html.raw("No test is possible with so few pieces.");
    } else if clear.is_empty() && tastes.iter().all(|row| row.n < TESTABLE) {
        html.raw("With fewer than ")
            .count(TESTABLE)
            .raw(" pieces a Wilcoxon test cannot find a difference.");
    } else if clear.is_empty() {
        html.text(with)
            .text(&run.say(" find no taste that differs."));
    } else {
        html.text(with)
            .raw(" find a difference for ")
            .names(&clear)
            .raw(".");
    }
    Some(html)
}

#[cfg(test)]
mod tests {
    use super::super::plain;
    use super::*;
    use crate::report::tests::run_of;
    use crate::tables::scores::row;

    fn run(difference: impl Fn(usize) -> f64) -> Vec<String> {
        let rows: Vec<_> = (0..24)
            .flat_map(|i| {
                let taste = ["sour", "sweet"][i % 2];
                let score = (i as f64).sin() / 5.0;
                [
                    row(&i.to_string(), "on", taste, score + difference(i)),
                    row(&i.to_string(), "off", taste, score),
                ]
            })
            .collect();
        let (run, _folder) = run_of(&rows);
        sentences(&run).iter().map(plain).collect()
    }

    #[test]
    fn an_interval_around_zero_is_no_clear_difference() {
        let said = run(|i| if i % 4 < 2 { 0.05 } else { -0.05 });
        assert!(
            said[0].starts_with(
                "No clear difference between on and off on the same pieces: mean difference 0.00"
            ),
            "{said:?}"
        );
        assert!(
            said[0].contains("95 % interval −0.0") && said[0].contains("(n = 24)"),
            "{said:?}"
        );
        assert!(said[1].ends_with("find no taste that differs."), "{said:?}");
    }

    #[test]
    fn a_difference_says_its_direction() {
        let said = run(|i| -0.2 - 0.01 * (i % 5) as f64);
        assert!(
            said[0].starts_with(
                "The same pieces score lower under on than under off: mean difference −0.2"
            ),
            "{said:?}"
        );
        assert!(
            said[0].contains("higher for 0 % of the pieces · Cohen’s d −"),
            "{said:?}"
        );
        assert!(
            said[1].contains("find a difference for sour and sweet."),
            "{said:?}"
        );
        let said = run(|_| 0.0);
        assert_eq!(
            said[0],
            "The same pieces score the same under on and off (n = 24)."
        );
    }
}
