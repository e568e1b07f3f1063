//! A finished run on standard output: one line an arm, one column a taste, and below them what the draws say.

use crate::labels::Labels;
use crate::statistics::grouping::{ALL, Scored, tastes};
use crate::tables::aligned;
use crate::tables::stats::Kind;
use crate::tables::{StatsRow, WindowSpreadRow};

/// What is told of every run that scored pieces.
pub fn scores<S: Scored>(scores: &[S], stats: &[StatsRow], labels: &Labels) -> String {
    table(scores, stats, labels) + &spread(stats)
}

/// Distances may be tiny: three digits at least.
pub fn small(value: f64) -> String {
    match value.abs() {
        0.0 | 0.001.. => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    }
}

/// `, 95 % interval a to b`, where there is one.
pub fn interval(low: Option<f64>, high: Option<f64>) -> String {
    match low.zip(high) {
        Some((low, high)) => format!(", 95 % interval {low:.4} to {high:.4}"),
        None => String::new(),
    }
}

/// `, p 0.0001`, where there is one.
pub fn p_value(p: Option<f64>) -> String {
    p.map_or_else(String::new, |p| format!(", p {p:.4}"))
}

/// How much the draws of one prompt differ, against the prompts: a sentence an arm, where prompts have several draws.
fn spread(stats: &[StatsRow]) -> String {
    let mut text = String::new();
    for within in stats.iter().filter(|row| row.kind == Kind::Within) {
        let between = |row: &&StatsRow| row.kind == Kind::Between && row.arm == within.arm;
        let (Some(sd), Some(between)) = (within.sd, stats.iter().find(between)) else {
            continue;
        };
        let arm = &within.arm;
        text += &match between.sd {
            Some(means) => format!(
                "{arm}: draws of one prompt differ with sd {sd:.4} ({} draws of {} prompts), the means of the prompts \
                 with sd {means:.4}\n",
                within.n, between.n
            ),
            None => format!(
                "{arm}: draws of one prompt differ with sd {sd:.4} ({} draws)\n",
                within.n
            ),
        };
    }
    text
}

/// How much the windows of a piece differ, against the pieces: a sentence a condition.
pub fn windows(spread: &[WindowSpreadRow]) -> String {
    let mut text = String::new();
    for row in spread {
        let WindowSpreadRow {
            condition,
            pieces,
            windows,
            ..
        } = row;
        let Some(within) = row.sd_within else {
            continue;
        };
        text += &match row.sd_pieces {
            Some(between) => format!(
                "{condition}: windows of one piece differ with sd {within:.4} ({windows} windows of {pieces} pieces), the pieces with \
                 sd {between:.4}\n"
            ),
            None => {
                format!("{condition}: windows differ with sd {within:.4} ({windows} windows)\n")
            }
        };
    }
    text
}

/// Mean CLAP scores by arm and taste, as aligned plain text.
fn table<S: Scored>(scores: &[S], stats: &[StatsRow], labels: &Labels) -> String {
    let mut columns = vec![ALL];
    columns.extend(tastes(scores, labels));
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
