//! Paired differences between two arms, one panel a pair: every piece, and the mean with its bootstrap interval.

use super::axis::{Axis, signed};
use super::canvas::{self, Align, Canvas, Text};
use super::frame::{Foot, Grid, Heading, across, watermark};
use super::theme::{Colour, FRAME, INK, LABEL, LEADING, PAPER, QUIET, SMALL, palette};
use super::{Figure, FigureError, swarm};
use crate::analysis::grouping::ALL;
use crate::analysis::summary::Summary;

/// What to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct DifferencesSpec<'a> {
    pub panels: Vec<PairPanel<'a>>,
    /// Name of the score whose differences are drawn.
    pub score: &'a str,
    /// Which pairs are drawn, when not all are; at the foot.
    pub note: Option<&'a str>,
    /// Where the numbers come from, at the foot.
    pub caption: &'a str,
    /// Written across every panel.
    pub watermark: Option<&'a str>,
}

/// The differences `a` - `b`.
#[derive(Debug, Clone, PartialEq)]
pub struct PairPanel<'a> {
    pub a: &'a str,
    pub b: &'a str,
    /// The same labels in the same order in every panel; [`ALL`] is set apart.
    pub rows: Vec<Row<'a>>,
}

/// One line: a taste, or all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    pub label: &'a str,
    pub differences: Vec<f64>,
    /// `None` when no piece has both scores: the line stays empty.
    pub summary: Option<Summary>,
}

const KEY: [&str; 3] = [
    "dot: one piece, first arm minus second",
    "diamond and numbers: mean difference with its bootstrap 95 % interval",
    "right of 0: the first arm scores higher",
];
const PANEL: f64 = 178.0;
const ASIDE: f64 = 124.0;
const ROW: f64 = 34.0;
/// The interval lies above the middle of its row, the dots below.
const RISE: f64 = 8.0;
const DOTS: f64 = 5.0;
const DOTS_HALF: f64 = 8.5;
const BELOW: f64 = 2.0 * SMALL * LEADING + 26.0;
const WIDEST_LABEL: f64 = 110.0;

/// Draw the figure.
pub fn render(spec: &DifferencesSpec<'_>) -> Result<Figure, FigureError> {
    super::font::register()?;
    let panels = &spec.panels;
    let rows = panels.iter().map(|p| p.rows.len()).max().unwrap_or(0);
    let labels = panels.iter().flat_map(|p| &p.rows);
    let widest = labels.map(|row| label_look(row).width(row.label));
    let gutter = widest.fold(0.0, f64::max).min(WIDEST_LABEL) + 12.0;
    let headings: Vec<Heading> = panels
        .iter()
        .map(|p| Heading::new(&format!("{} − {}", p.a, p.b), None, PANEL + ASIDE))
        .collect();
    let above = headings.iter().map(Heading::height).fold(0.0, f64::max);
    let size = (PANEL, ROW * rows.max(1) as f64);
    let grid = Grid::new(panels.len(), size, gutter, ASIDE, (above, BELOW));
    let key: Vec<&str> = KEY.into_iter().chain(spec.note).collect();
    let foot = Foot::new(&key, spec.caption, spec.watermark, grid.text_width());
    let axis = Axis::over(panels.iter().flat_map(shown), 5.0);
    let title = format!("Paired differences of {}, {}", spec.score, spec.caption);
    let size = (grid.width(), grid.height() + foot.height());
    let svg = canvas::draw(size, &title, |canvas| {
        for (i, (panel, heading)) in panels.iter().zip(&headings).enumerate() {
            let (left, top) = grid.corner(i);
            heading.draw(canvas, (left, top - above))?;
            let axis = axis.placed(left, left + PANEL);
            let label = format!("difference in {}", spec.score);
            across(canvas, &axis, &label, (left, top), (PANEL, grid.panel.1))?;
            if grid.leads(i) {
                row_labels(canvas, &panel.rows, (left, top), gutter)?;
            }
            lines(canvas, &axis, &panel.rows, (left, top))?;
            if let Some(text) = spec.watermark {
                watermark(canvas, text, (left, top), (PANEL, grid.panel.1))?;
            }
        }
        foot.draw(canvas, grid.height())
    })?;
    Figure::from_svg(svg)
}

fn label_look(row: &Row<'_>) -> Text {
    let look = Text::new(LABEL, INK);
    if row.label == ALL { look.bold() } else { look }
}

/// Every number of a panel that must lie on the scale, and 0, which the differences are read against.
fn shown<'s>(panel: &'s PairPanel<'_>) -> impl Iterator<Item = f64> + 's {
    let rows = panel.rows.iter().flat_map(|row| {
        let interval = row.summary.and_then(|s| s.ci_low.zip(s.ci_high));
        let ends = interval.into_iter().flat_map(|(low, high)| [low, high]);
        row.differences.iter().copied().chain(ends)
    });
    rows.chain(std::iter::once(0.0))
}

fn row_labels(
    canvas: &mut Canvas<'_>,
    rows: &[Row<'_>],
    (left, top): (f64, f64),
    gutter: f64,
) -> Result<(), FigureError> {
    rows.iter().enumerate().try_for_each(|(i, row)| {
        let look = label_look(row).align(Align::Right);
        let label = look.shorten(row.label, gutter - 12.0);
        let baseline = top + (i as f64 + 0.5) * ROW + 0.36 * LABEL;
        canvas.text(&label, (left - 10.0, baseline), look)
    })
}

fn lines(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    rows: &[Row<'_>],
    (left, top): (f64, f64),
) -> Result<(), FigureError> {
    let labels: Vec<&str> = rows.iter().map(|r| r.label).filter(|l| *l != ALL).collect();
    let mut colours = palette(&labels).into_iter();
    for (i, row) in rows.iter().enumerate() {
        let y = top + (i as f64 + 0.5) * ROW;
        if row.label == ALL {
            one(canvas, axis, y, row, QUIET)?;
            let below = y + ROW / 2.0;
            canvas.path(&[(left, below), (left + PANEL + ASIDE, below)], FRAME, 1.0)?;
        } else {
            one(canvas, axis, y, row, colours.next().unwrap_or(INK))?;
        }
    }
    Ok(())
}

fn one(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    y: f64,
    row: &Row<'_>,
    colour: Colour,
) -> Result<(), FigureError> {
    let numbers = (axis.at(axis.high()) + 8.0, y + 0.36 * SMALL);
    let Some(summary) = &row.summary else {
        return canvas.text("no pieces", numbers, Text::new(SMALL, QUIET));
    };
    let mut sorted = row.differences.clone();
    sorted.sort_by(f64::total_cmp);
    let places: Vec<f64> = sorted.iter().map(|&v| axis.at(v)).collect();
    let (radius, alpha) = match places.len() {
        0..=60 => (1.75, 0.65),
        61..=250 => (1.75, 0.45),
        _ => (1.25, 0.3),
    };
    for (x, offset) in places.iter().zip(swarm::offsets(&places, 4.0)) {
        canvas.dot((*x, y + DOTS + offset * DOTS_HALF), radius, colour, alpha)?;
    }
    let mut text = signed(summary.mean, 3, true);
    if let Some((low, high)) = summary.ci_low.zip(summary.ci_high) {
        let level = y - RISE;
        canvas.path(&[(axis.at(low), level), (axis.at(high), level)], INK, 2.0)?;
        text = format!(
            "{text} [{}, {}]",
            signed(low, 3, false),
            signed(high, 3, false)
        );
    }
    canvas.diamond((axis.at(summary.mean), y - RISE), 2.5, PAPER, INK)?;
    canvas.text(&text, numbers, Text::new(SMALL, INK))
}
