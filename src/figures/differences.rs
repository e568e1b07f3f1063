//! Paired differences between two arms, one panel a pair: every piece, and the mean with its bootstrap interval.

use analysis::summary::Summary;

use super::axis::{Axis, signed};
use super::canvas::Canvas;
use super::frame::{
    BELOW_AXIS, Grid, Heading, across, columns_and_rows, panel_width, tallest, ticks_across,
    watermark,
};
use super::look::{Align, Text};
use super::marker::Shape;
use super::page::{Page, Words};
use super::theme::{
    FIGURE_WIDTH, FRAME, INK, LABEL, LEADING, PAPER, QUIET, SMALL, SMALL_WIDTH, Tint,
};
use super::{FigureError, swarm};
use crate::statistics::grouping::ALL;

/// What to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct DifferencesSpec<'a> {
    pub panels: Vec<PairPanel<'a>>,
    /// What the axis measures: in full, and short for narrow panels.
    pub axes: [String; 2],
    pub words: Words<'a>,
    pub about: &'a str,
}

/// The differences of two arms, the first minus the second.
#[derive(Debug, Clone, PartialEq)]
pub struct PairPanel<'a> {
    pub arms: [&'a str; 2],
    /// Under the title.
    pub under: String,
    /// The same labels in the same order in every panel; [`ALL`] is set apart.
    pub rows: Vec<Row<'a>>,
}

/// One line: a taste, or all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    pub label: &'a str,
    pub tint: Tint,
    pub differences: Vec<f64>,
    /// `None` when no piece has both scores: the line stays empty.
    pub summary: Option<Summary>,
}

const KEY: [&str; 3] = [
    "dot: one piece, the first minus the second",
    "diamond and numbers: mean difference with its bootstrap 95 % interval",
    "right of 0: the first scores higher",
];
const MOST_COLUMNS: usize = 3;
const WIDEST_LABEL: f64 = 110.0;
/// Between a panel and the numbers beside it.
const BESIDE: f64 = 6.0;

/// How the rows of a panel are laid out, px.
struct Layout {
    grid: Grid,
    /// Of a row.
    row: f64,
    /// Whether the interval stands below its mean, as numbers.
    stacked: bool,
    labels: Vec<String>,
}

/// Draw the figure.
pub fn render(mut spec: DifferencesSpec<'_>) -> Result<String, FigureError> {
    spec.words.key.splice(0..0, KEY.map(str::to_owned));
    let small = spec.panels.len() == 1;
    let page = Page::new(if small { SMALL_WIDTH } else { FIGURE_WIDTH }, &spec.words)?;
    let (columns, rows) = columns_and_rows(spec.panels.len(), MOST_COLUMNS);
    let lines: &[Row<'_>] = spec.panels.first().map_or(&[], |p| &p.rows);
    let names: Vec<&str> = lines.iter().map(|row| row.label).collect();
    let bold = Text::new(LABEL, INK).bold();
    let labels = bold.shorten_apart(&names, WIDEST_LABEL);
    let widest = labels.iter().map(|label| bold.width(label));
    let gutter = widest.fold(0.0, f64::max) + 8.0;
    let stacked = columns == MOST_COLUMNS;
    let numbers = spec.panels.iter().flat_map(|p| &p.rows).map(|row| {
        let [mean, interval] = numbers(row);
        let look = Text::new(SMALL, INK);
        match stacked {
            true => look.width(&mean).max(look.width(&interval)),
            false => look.width(&format!("{mean} {interval}")),
        }
    });
    let aside = numbers.fold(0.0, f64::max) + BESIDE;
    let width = panel_width(page.width, columns, gutter, aside);
    let headings: Vec<Heading> = spec
        .panels
        .iter()
        .map(|p| {
            let [first, second] = p.arms;
            let under = std::slice::from_ref(&p.under);
            Heading::difference(first, second, under, width + aside)
        })
        .collect();
    let above = tallest(&headings);
    let count = lines.len().max(1) as f64;
    let room = (page.room() / rows as f64 - above - BELOW_AXIS) / count;
    let row = room.clamp(2.0 * SMALL * LEADING, 32.0);
    let layout = Layout {
        grid: Grid {
            columns,
            rows,
            panel: (width, row * count),
            gutter,
            aside,
            above,
            below: BELOW_AXIS,
            top: page.top(),
        },
        row,
        stacked,
        labels,
    };
    let grid = &layout.grid;
    let axis = Axis::over(spec.panels.iter().flat_map(shown), ticks_across(width));
    let [full, short] = &spec.axes;
    let label = match Text::new(SMALL, INK).width(full) <= width {
        true => full,
        false => short,
    };
    page.draw(spec.about, grid.height(), |canvas, _| {
        for (i, (panel, heading)) in spec.panels.iter().zip(&headings).enumerate() {
            let (left, top) = grid.corner(i);
            heading.draw(canvas, (left, top - above))?;
            let axis = axis.placed(left, left + width);
            across(canvas, &axis, label, (left, top), grid.panel)?;
            if grid.leads(i) {
                row_labels(canvas, &layout, &panel.rows, (left, top))?;
            }
            lines_of(canvas, &axis, &layout, &panel.rows, (left, top))?;
            watermark(canvas, spec.words.watermark, (left, top), grid.panel)?;
        }
        Ok(())
    })
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
    layout: &Layout,
    rows: &[Row<'_>],
    (left, top): (f64, f64),
) -> Result<(), FigureError> {
    let labels = rows.iter().zip(&layout.labels);
    labels.enumerate().try_for_each(|(i, (row, label))| {
        let look = Text::new(LABEL, INK).align(Align::Right);
        let look = if row.label == ALL { look.bold() } else { look };
        let baseline = top + (i as f64 + 0.5) * layout.row + 0.36 * LABEL;
        canvas.text(label, (left - 7.0, baseline), look)
    })
}

fn lines_of(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    layout: &Layout,
    rows: &[Row<'_>],
    (left, top): (f64, f64),
) -> Result<(), FigureError> {
    for (i, row) in rows.iter().enumerate() {
        let y = top + (i as f64 + 0.5) * layout.row;
        one(canvas, axis, layout, y, row)?;
        if row.label == ALL && rows.len() > 1 {
            let below = y + layout.row / 2.0;
            let right = left + layout.grid.panel.0 + layout.grid.aside;
            canvas.path(&[(left, below), (right, below)], FRAME, 1.0)?;
        }
    }
    Ok(())
}

/// The mean difference of a row and its interval, in words.
fn numbers(row: &Row<'_>) -> [String; 2] {
    let Some(summary) = &row.summary else {
        return ["no pieces".to_owned(), String::new()];
    };
    let interval = summary.ci_low.zip(summary.ci_high).map(|(low, high)| {
        let (low, high) = (signed(low, 3, false), signed(high, 3, false));
        format!("[{low}, {high}]")
    });
    [signed(summary.mean, 3, true), interval.unwrap_or_default()]
}

fn one(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    layout: &Layout,
    y: f64,
    row: &Row<'_>,
) -> Result<(), FigureError> {
    let x = axis.at(axis.high()) + BESIDE;
    let [mean, interval] = numbers(row);
    let Some(summary) = &row.summary else {
        return canvas.text(&mean, (x, y + 0.36 * SMALL), Text::new(SMALL, QUIET));
    };
    let mut sorted = row.differences.clone();
    sorted.sort_by(f64::total_cmp);
    let places: Vec<f64> = sorted.iter().map(|&v| axis.at(v)).collect();
    let (radius, alpha) = match places.len() {
        0..=60 => (1.75, 0.65),
        61..=250 => (1.375, 0.45),
        251..=600 => (1.125, 0.3),
        _ => (0.9, 0.25),
    };
    // The interval lies above the middle of its row, the dots below.
    let (rise, dots, half) = (0.25 * layout.row, 0.15 * layout.row, 0.25 * layout.row);
    let Tint { colour, hatched } = row.tint;
    for (place, offset) in places.iter().zip(swarm::offsets(&places, 4.0)) {
        let at = (*place, y + dots + offset * half);
        canvas.marker(Shape::Circle, at, radius, (colour, hatched), alpha)?;
    }
    if let Some((low, high)) = summary.ci_low.zip(summary.ci_high) {
        let ends = [(axis.at(low), y - rise), (axis.at(high), y - rise)];
        canvas.path(&ends, INK, 1.5)?;
    }
    canvas.diamond((axis.at(summary.mean), y - rise), 2.0, PAPER, INK)?;
    let look = Text::new(SMALL, INK);
    match layout.stacked && !interval.is_empty() {
        true => {
            canvas.text(&mean, (x, y - 0.12 * SMALL), look)?;
            canvas.text(&interval, (x, y + 0.98 * SMALL), look)
        }
        false => canvas.text(&format!("{mean} {interval}"), (x, y + 0.36 * SMALL), look),
    }
}
