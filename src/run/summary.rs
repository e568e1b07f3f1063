//! A finished run on standard output: one line an arm, one column a taste.

use crate::aligned;
use crate::analysis::grouping::{ALL, tastes};
use crate::report::stats::Kind;
use crate::report::{ScoreRow, StatsRow};

/// Mean CLAP scores by arm and taste, as aligned plain text.
pub fn table(scores: &[ScoreRow], stats: &[StatsRow]) -> String {
    let mut columns = vec![ALL];
    columns.extend(tastes(scores));
    let mut rows: Vec<Vec<String>> = Vec::new();
    for row in stats.iter().filter(|row| row.kind == Kind::Arm) {
        if rows.last().is_none_or(|last| last[0] != row.arm) {
            rows.push(vec![row.arm.clone(); 1]);
            if let Some(last) = rows.last_mut() {
                last.resize(2 + columns.len(), String::new());
            }
        }
        let place = columns.iter().position(|taste| *taste == row.taste);
        if let (Some(last), Some(place)) = (rows.last_mut(), place) {
            last[2 + place] = format!("{:.4}", row.mean);
            if row.taste == ALL {
                last[1] = row.n.to_string();
            }
        }
    }
    let mut header = vec!["mean CLAP score".to_owned(), "n".to_owned()];
    header.extend(columns.iter().map(|&taste| taste.to_owned()));
    rows.insert(0, header);
    aligned::table(&rows, 1)
}
