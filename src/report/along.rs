//! How the score goes along a piece that was heard in windows: a line beside its number.

use std::collections::HashMap;

use super::html::Html;
use super::load::Run;
use super::number::{fixed, minutes};
use crate::tables::WindowRow;

/// Of the drawing, which is stretched to its place.
const WIDTH: f64 = 100.0;
const HEIGHT: f64 = 24.0;
const SCORE: usize = 3;

/// The line of one piece under one condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Along {
    /// Points `x,y`.
    points: String,
    /// The same in words.
    spoken: String,
}

/// The lines of all pieces of two windows and more, by column and id. `columns` are their places, runs and conditions. Those of one
/// column have one scale, so that pieces can be compared by eye.
pub fn lines<'r>(
    columns: impl Iterator<Item = (usize, &'r Run, &'r str)>,
) -> HashMap<(usize, &'r str), Along> {
    let mut lines = HashMap::new();
    for (c, run, condition) in columns {
        let own = |row: &&WindowRow| row.condition() == condition;
        let rows: Vec<&WindowRow> = run.windows.iter().filter(own).collect();
        let scores = || rows.iter().map(|row| row.clap_score);
        let low = scores().fold(f64::INFINITY, f64::min);
        let high = scores().fold(f64::NEG_INFINITY, f64::max);
        for of_piece in rows.chunk_by(|a, b| a.id == b.id) {
            if of_piece.len() > 1 {
                let line = Along::of(of_piece, (low, high));
                lines.insert((c, of_piece[0].id.as_str()), line);
            }
        }
    }
    lines
}

impl Along {
    fn of(windows: &[&WindowRow], (low, high): (f64, f64)) -> Self {
        // From the first window to the last.
        let last = windows
            .iter()
            .map(|row| row.start_s)
            .fold(f64::MIN_POSITIVE, f64::max);
        let by_score = |a: &&&WindowRow, b: &&&WindowRow| a.clap_score.total_cmp(&b.clap_score);
        let point = |row: &&WindowRow| {
            let x = row.start_s / last * WIDTH;
            let y = match high > low {
                true => (high - row.clap_score) / (high - low) * HEIGHT,
                false => HEIGHT / 2.0,
            };
            format!("{x:.1},{y:.1}")
        };
        let points: Vec<String> = windows.iter().map(point).collect();
        let said = |row: Option<&&WindowRow>| {
            row.map_or_else(String::new, |row| {
                format!(
                    "{} at {}",
                    fixed(row.clap_score, SCORE),
                    minutes(row.start_s)
                )
            })
        };
        Self {
            points: points.join(" "),
            spoken: format!(
                "{} windows: lowest {}, highest {}",
                windows.len(),
                said(windows.iter().min_by(by_score)),
                said(windows.iter().max_by(by_score))
            ),
        }
    }

    /// The drawing.
    pub fn draw(&self, html: &mut Html) {
        html.raw("<svg class=\"along\" role=\"img\" viewBox=\"0 0 ")
            .number(WIDTH)
            .raw(" ")
            .number(HEIGHT)
            .raw("\" preserveAspectRatio=\"none\"")
            .attr("aria-label", &self.spoken)
            .raw("><title>")
            .text(&self.spoken)
            .raw("</title><polyline")
            .attr("points", &self.points)
            .raw("/></svg>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_go_from_left_to_right_and_high_scores_are_high() {
        let row = |window: usize, start_s: f64, clap_score: f64| WindowRow {
            id: "a".into(),
            taste: "sweet".into(),
            arm: "on".into(),
            condition: None,
            window,
            start_s,
            clap_score,
        };
        let rows = [row(1, 0.0, 0.1), row(2, 5.0, 0.3), row(3, 10.0, 0.2)];
        let line = Along::of(&rows.each_ref(), (0.1, 0.3));
        assert_eq!(line.points, "0.0,24.0 50.0,0.0 100.0,12.0");
        assert_eq!(
            line.spoken,
            "3 windows: lowest 0.100 at 0:00, highest 0.300 at 0:05"
        );
    }
}
