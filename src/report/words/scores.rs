//! How the pieces score under each condition.

use super::{SCORE, places, say};
use crate::report::html::Html;
use crate::report::load::Run;
use crate::report::number::fixed;
use crate::statistics::grouping::ALL;
use crate::tables::StatsRow;
use crate::tables::stats::Kind;
use crate::words::counted;

pub fn sentences(run: &Run) -> Vec<Html> {
    let of_all = |row: &&StatsRow| row.kind == Kind::Arm && row.taste == ALL;
    let rows = run.stats.iter().filter(of_all);
    rows.map(|row| sentence(run, row)).collect()
}

fn sentence(run: &Run, all: &StatsRow) -> Html {
    let interval = all.ci_low.zip(all.ci_high);
    let d = places(SCORE, all.mean, None);
    let mut html = say("Under ");
    html.arm(&all.arm).raw(", ");
    if all.n == 1 {
        html.raw("the one piece scores ")
            .figure(all.mean, d)
            .raw("; one piece has no spread.");
        return html;
    }
    if all.min == all.max {
        html.raw("all ")
            .text(&counted(all.n, "piece"))
            .raw(" score ")
            .figure(all.mean, d)
            .raw(", every one the same: nothing to compare.");
        return html;
    }
    html.text(&counted(all.n, "piece"))
        .raw(" score ")
        .figure(all.mean, d)
        .raw(" on average (sd ")
        .text(&all.sd.map_or_else(|| "–".to_owned(), |sd| fixed(sd, d)))
        .interval("; ", interval, d)
        .raw(")");
    let tastes = run.stats.iter().filter(|row| {
        row.kind == Kind::Arm && row.arm == all.arm && row.taste != ALL && !row.taste.is_empty()
    });
    let tastes: Vec<&StatsRow> = tastes.collect();
    let by_mean = |a: &&&StatsRow, b: &&&StatsRow| a.mean.total_cmp(&b.mean);
    if let (Some(top), Some(low)) = (tastes.iter().max_by(by_mean), tastes.iter().min_by(by_mean))
        && tastes.len() > 1
    {
        html.raw("; ")
            .name(&top.taste)
            .raw(" the highest, ")
            .text(&fixed(top.mean, d))
            .raw(" (n&nbsp;=&nbsp;")
            .many(top.n)
            .raw("), ")
            .name(&low.taste)
            .raw(" the lowest, ")
            .text(&fixed(low.mean, d))
            .raw(" (n&nbsp;=&nbsp;")
            .many(low.n)
            .raw(")");
    }
    html.raw(".");
    html
}

#[cfg(test)]
mod tests {
    use super::super::plain;
    use super::*;
    use crate::report::tests::run_of;
    use crate::tables::scores::row;

    #[test]
    fn means_with_their_spread() {
        let rows: Vec<_> = [0.1, 0.2, 0.3, 0.6]
            .iter()
            .enumerate()
            .map(|(i, s)| {
                row(
                    &i.to_string(),
                    "on",
                    if i < 2 { "sour" } else { "sweet" },
                    *s,
                )
            })
            .collect();
        let (run, _folder) = run_of(&rows);
        let text = plain(&sentences(&run)[0]);
        assert!(
            text.starts_with("Under on, 4 pieces score 0.300 on average (sd 0.216; 95 % interval "),
            "{text}"
        );
        assert!(
            text.ends_with("; sweet the highest, 0.450 (n = 2), sour the lowest, 0.150 (n = 2)."),
            "{text}"
        );
    }

    #[test]
    fn one_piece_and_constant_scores_are_said_to_be_so() {
        let (run, _folder) = run_of(&[row("1", "on", "sour", 0.25)]);
        assert_eq!(
            plain(&sentences(&run)[0]),
            "Under on, the one piece scores 0.250; one piece has no spread."
        );
        let rows: Vec<_> = (0..3)
            .map(|i| row(&i.to_string(), "on", "sour", 0.25))
            .collect();
        let (run, _folder) = run_of(&rows);
        assert_eq!(
            plain(&sentences(&run)[0]),
            "Under on, all 3 pieces score 0.250, every one the same: nothing to compare."
        );
    }
}
