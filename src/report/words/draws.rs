//! How much two draws of one prompt differ, against two prompts.

use super::{SCORE, places, say, weighed};
use crate::report::html::Html;
use crate::report::load::Run;
use crate::report::number::fixed;
use crate::tables::StatsRow;
use crate::tables::stats::Kind;

pub fn sentences(run: &Run) -> Vec<Html> {
    let within = run.stats.iter().filter(|row| row.kind == Kind::Within);
    within.filter_map(|within| sentence(run, within)).collect()
}

fn sentence(run: &Run, within: &StatsRow) -> Option<Html> {
    let sd = within.sd?;
    let between = run
        .stats
        .iter()
        .find(|row| row.kind == Kind::Between && row.arm == within.arm)?;
    let d = places(SCORE, sd, None);
    let mut html = say("Under ");
    html.arm(&within.arm)
        .raw(", draws of one prompt differ with sd ")
        .figure(sd, d)
        .raw(" (")
        .many(within.n)
        .raw(" draws of ")
        .many(between.n)
        .raw(if between.n == 1 {
            " prompt)"
        } else {
            " prompts)"
        });
    if let Some(means) = between.sd {
        html.raw(", the means of the prompts with sd ")
            .figure(means, d)
            .raw(weighed(
                sd,
                means,
                [
                    ": a single draw says more of chance than of its prompt",
                    ": a single draw says little of its prompt",
                    ": the prompt matters more than the draw",
                ],
            ));
    }
    let widest = run
        .draws
        .iter()
        .filter(|row| row.arm == within.arm && row.n > 1)
        .max_by(|a, b| (a.max - a.min).total_cmp(&(b.max - b.min)));
    if let Some(widest) = widest {
        html.raw(". The draws of ")
            .name(&widest.prompt_id)
            .raw(" spread widest, from ")
            .text(&fixed(widest.min, d))
            .raw(" to ")
            .text(&fixed(widest.max, d));
    }
    html.raw(".");
    Some(html)
}
