//! What was embedded when there are only texts, and how alike the texts are.

use super::say;
use crate::report::html::Html;
use crate::report::load::Run;
use crate::report::number::fixed;
use crate::tables::{HistogramRow, TextKind};
use crate::words::{counted, thousands};

pub fn sentences(run: &Run) -> Vec<Html> {
    let mut said = Vec::new();
    let of = |kind: TextKind| run.texts.iter().filter(|text| text.kind == kind).count();
    let (captions, descriptors) = (of(TextKind::Caption), of(TextKind::Descriptor));
    if captions + descriptors > 0 {
        let mut html = say("Embedded: ");
        let counts = [(captions, "caption"), (descriptors, "distinct descriptor")];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        for (i, (count, noun)) in counts.enumerate() {
            html.raw(if i > 0 { " and <b>" } else { "<b>" })
                .text(&counted(count, noun))
                .raw("</b>");
        }
        html.raw(".");
        said.push(html);
    }
    let mut sets: Vec<&str> = Vec::new();
    for row in &run.histogram {
        if !sets.contains(&row.set.as_str()) {
            sets.push(&row.set);
        }
    }
    said.extend(sets.into_iter().filter_map(|set| alike(run, set)));
    said
}

/// The middle of the cosines of two texts, as far as the bins tell.
fn alike(run: &Run, set: &str) -> Option<Html> {
    let bins: Vec<&HistogramRow> = run.histogram.iter().filter(|row| row.set == set).collect();
    let pairs: u64 = bins.iter().map(|row| row.count).sum();
    let mut below = 0;
    let middle = bins.iter().find(|row| {
        below += row.count;
        2 * below >= pairs
    })?;
    if pairs == 0 {
        return None;
    }
    let mut html = say("Half of all pairs of ");
    html.name(&format!("{set}s"))
        .raw(" have a cosine of at most ")
        .figure(middle.high, 2)
        .raw(" (the middle one lies between ")
        .text(&fixed(middle.low, 2))
        .raw(" and ")
        .text(&fixed(middle.high, 2))
        .raw("; ")
        .text(&thousands(pairs))
        .raw(" pairs).");
    Some(html)
}
