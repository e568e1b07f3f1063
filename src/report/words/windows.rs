//! How much the parts of a piece differ, against the pieces: what it costs to hear one of them.

use super::{SCORE, places, say, weighed};
use crate::report::html::Html;
use crate::report::load::Run;
use crate::tables::WindowSpreadRow;
use crate::words::counted;

pub fn sentences(run: &Run) -> Vec<Html> {
    let known = run.window_spread.iter().filter_map(sentence);
    let mut all: Vec<Html> = known.collect();
    all.extend(unknown(run));
    all
}

fn sentence(row: &WindowSpreadRow) -> Option<Html> {
    let within = row.sd_within?;
    let d = places(SCORE, within, None);
    let mut html = say("Under ");
    html.arm(&row.condition)
        .raw(", windows of one piece differ with sd ")
        .figure(within, d)
        .raw(" (")
        .many(row.windows)
        .raw(" windows of ")
        .text(&counted(row.pieces, "piece"))
        .raw(")");
    if let Some(pieces) = row.sd_pieces {
        html.raw(", the pieces with sd ")
            .figure(pieces, d)
            .raw(weighed(
                within,
                pieces,
                [
                    ": ten seconds alone would say more of the place than of the piece",
                    ": ten seconds alone would say little of the piece",
                    ": the piece matters more than the place",
                ],
            ));
    }
    html.raw(".");
    Some(html)
}

/// Of a run that heard ten seconds of longer pieces.
fn unknown(run: &Run) -> Option<Html> {
    let longer = |row: &&crate::tables::ScoreRow| row.offset.is_some() || row.front.is_some();
    let ids = run.scores.iter().filter(longer).map(|row| row.id.as_str());
    let ids: std::collections::HashSet<&str> = ids.collect();
    if ids.is_empty() {
        return None;
    }
    let mut html = say("Of ");
    html.text(&counted(ids.len(), "piece"))
        .raw(" that CLAP cannot hear whole, it heard a part, as the crops say; how far another part would have scored otherwise, this run cannot \
             tell, and one with ")
        .raw("<code>crops: windows</code>")
        .raw(" can.");
    Some(html)
}

#[cfg(test)]
mod tests {
    use super::super::plain;
    use super::*;
    use crate::report::tests::run_of;
    use crate::tables::scores::row;

    #[test]
    fn what_one_part_costs_is_said_where_it_is_known_and_where_it_is_not() {
        let mut cropped = row("1", "on", "sour", 0.1);
        cropped.offset = Some(7);
        let (mut run, _folder) = run_of(&[cropped, row("2", "on", "sour", 0.3)]);
        let said: Vec<String> = sentences(&run).iter().map(plain).collect();
        assert_eq!(said.len(), 1);
        assert!(
            said[0].starts_with("Of 1 piece that CLAP cannot hear whole"),
            "{said:?}"
        );
        run.scores.clear();
        run.window_spread.push(WindowSpreadRow {
            condition: "on".into(),
            pieces: 2,
            windows: 7,
            sd_within: Some(0.03),
            sd_pieces: Some(0.05),
        });
        assert_eq!(
            plain(&sentences(&run)[0]),
            "Under on, windows of one piece differ with sd 0.030 (7 windows of 2 pieces), the pieces with sd 0.050: ten seconds alone \
             would say little of the piece."
        );
    }
}
