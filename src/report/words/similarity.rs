//! Whether the pieces of a taste lie nearest to the prompt of that taste.

use super::say;
use crate::report::html::Html;
use crate::report::load::Run;
use crate::tables::SimilarityRow;
use crate::tables::similarity::Against;

pub fn sentences(run: &Run) -> Vec<Html> {
    let conditions = run.conditions().into_iter();
    conditions.filter_map(|arm| sentence(run, arm)).collect()
}

fn sentence(run: &Run, arm: &str) -> Option<Html> {
    let rows: Vec<&SimilarityRow> = run
        .similarity
        .iter()
        .filter(|row| row.arm == arm && row.against == Against::Text)
        .collect();
    let mut tastes: Vec<&str> = Vec::new();
    for row in &rows {
        if !tastes.contains(&row.taste_a.as_str()) {
            tastes.push(&row.taste_a);
        }
    }
    if tastes.len() < 2 {
        return None;
    }
    let is_own = |taste: &&str| {
        let of_taste = rows.iter().filter(|row| row.taste_a == **taste);
        let best = of_taste.max_by(|a, b| a.similarity.total_cmp(&b.similarity));
        best.is_some_and(|best| best.taste_b == **taste)
    };
    let own: Vec<&str> = tastes.iter().copied().filter(is_own).collect();
    let mut html = say("Under ");
    html.arm(arm).raw(", the pieces of ");
    if own.is_empty() {
        html.text(&run.say("no taste lie nearest to the prompts of their own taste"));
    } else {
        html.raw("<b>")
            .count(own.len())
            .raw(" of ")
            .count(tastes.len())
            .raw("</b>")
            .text(&run.say(" tastes lie nearest to the prompts of their own taste ("))
            .names(&own)
            .raw(")");
    }
    html.raw(".");
    Some(html)
}
