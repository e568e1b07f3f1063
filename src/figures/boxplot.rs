//! Box plots by taste, one panel an arm, on one scale: the notebooks' figure.
//!
//! J. Tukey, Exploratory Data Analysis (1977): box from the first to the third quartile, whiskers to the outermost
//! value within 1.5 interquartile ranges. Beside each box stand its values, and its mean with a bootstrap interval.

use super::axis::Axis;
use super::canvas::{self, Align, Canvas, Text};
use super::frame::{Foot, Grid, Heading, watermark};
use super::theme::{Colour, FRAME, GRID, INK, LABEL, LEADING, PAPER, QUIET, SMALL, ZERO, palette};
use super::{Figure, FigureError, swarm};
use crate::analysis::summary::{Summary, whiskers};

/// What to draw. Values and summaries are in the unit of the axis.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxPlotSpec<'a> {
    pub panels: Vec<Panel<'a>>,
    pub y_label: &'a str,
    /// Where the numbers come from, at the foot.
    pub caption: &'a str,
    /// Written across every panel.
    pub watermark: Option<&'a str>,
}

/// One arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel<'a> {
    pub title: &'a str,
    pub subtitle: Option<&'a str>,
    /// The same labels in the same order in every panel, so that panels can be compared by eye.
    pub groups: Vec<Group<'a>>,
}

/// One box.
#[derive(Debug, Clone, PartialEq)]
pub struct Group<'a> {
    pub label: &'a str,
    pub values: Vec<f64>,
    /// `None` when there are no values: the place stays empty.
    pub summary: Option<Summary>,
}

const KEY: [&str; 4] = [
    "dot: one piece",
    "box: quartiles and median",
    "whiskers: within 1.5 interquartile ranges",
    "diamond: mean with its bootstrap 95 % interval",
];
const GUTTER: f64 = 54.0;
const NARROWEST: f64 = 190.0;
const NARROWEST_SLOT: f64 = 45.0;
const WIDEST_SLOT: f64 = 74.0;
const LINE: f64 = LABEL * LEADING;

/// Draw the figure.
pub fn render(spec: &BoxPlotSpec<'_>) -> Result<Figure, FigureError> {
    super::font::register()?;
    let slots = spec
        .panels
        .iter()
        .map(|p| p.groups.len())
        .max()
        .unwrap_or(0)
        .max(1);
    let slot = (300.0 / slots as f64).clamp(NARROWEST_SLOT, WIDEST_SLOT);
    let width = (slot * slots as f64).max(NARROWEST);
    let headings: Vec<Heading> = spec
        .panels
        .iter()
        .map(|p| Heading::new(p.title, p.subtitle, width))
        .collect();
    let above = headings.iter().map(Heading::height).fold(0.0, f64::max);
    let height = if spec.panels.len() > 4 { 220.0 } else { 300.0 };
    let lanes = lanes(spec, width / slots as f64);
    let below = (lanes + 1) as f64 * LINE + 18.0;
    let grid = Grid::new(
        spec.panels.len(),
        (width, height),
        GUTTER,
        0.0,
        (above, below),
    );
    let foot = Foot::new(&KEY, spec.caption, spec.watermark, grid.text_width());
    let axis = Axis::over(spec.panels.iter().flat_map(shown), 7.5);
    let title = format!("{} by taste, {}", spec.y_label, spec.caption);
    let size = (grid.width(), grid.height() + foot.height());
    let svg = canvas::draw(size, &title, |canvas| {
        for (i, (panel, heading)) in spec.panels.iter().zip(&headings).enumerate() {
            let (left, top) = grid.corner(i);
            heading.draw(canvas, (left, top - above))?;
            let axis = axis.placed(top + height, top);
            let label = grid.leads(i).then_some(spec.y_label);
            scale(canvas, &axis, (left, top), width, label)?;
            groups(
                canvas,
                &axis,
                (left, top),
                (width, height),
                &panel.groups,
                lanes,
            )?;
            if let Some(text) = spec.watermark {
                watermark(canvas, text, (left, top), (width, height))?;
            }
        }
        foot.draw(canvas, grid.height())
    })?;
    Figure::from_svg(svg)
}

/// Lines that the labels take: two, used in turn, when one of them is wider than its slot.
fn lanes(spec: &BoxPlotSpec<'_>, slot: f64) -> usize {
    let mut labels = spec.panels.iter().flat_map(|p| &p.groups).map(|g| g.label);
    let look = Text::new(LABEL, INK);
    if labels.any(|label| look.width(label) > slot - 4.0) {
        2
    } else {
        1
    }
}

/// Every number of a panel that must lie on the scale.
fn shown<'s>(panel: &'s Panel<'_>) -> impl Iterator<Item = f64> + 's {
    panel.groups.iter().flat_map(|group| {
        let interval = group.summary.and_then(|s| s.ci_low.zip(s.ci_high));
        let ends = interval.into_iter().flat_map(|(low, high)| [low, high]);
        group.values.iter().copied().chain(ends)
    })
}

/// Grid lines, the zero line, and in the first panel of a row the numbers.
fn scale(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    (left, top): (f64, f64),
    width: f64,
    label: Option<&str>,
) -> Result<(), FigureError> {
    for (value, text) in axis.ticks() {
        let y = axis.at(value);
        canvas.path(&[(left, y), (left + width, y)], GRID, 1.0)?;
        if label.is_some() {
            let look = Text::new(SMALL, QUIET).align(Align::Right);
            canvas.text(&text, (left - 7.0, y + 0.36 * SMALL), look)?;
        }
    }
    if axis.has_zero() {
        let y = axis.at(0.0);
        canvas.path(&[(left, y), (left + width, y)], ZERO, 1.0)?;
    }
    let Some(label) = label else { return Ok(()) };
    let bottom = axis.at(axis.low());
    canvas.text_upwards(
        label,
        (left - GUTTER + LABEL, (top + bottom) / 2.0),
        Text::new(LABEL, INK),
    )
}

fn groups(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    (left, top): (f64, f64),
    (width, height): (f64, f64),
    groups: &[Group<'_>],
    lanes: usize,
) -> Result<(), FigureError> {
    let labels: Vec<&str> = groups.iter().map(|g| g.label).collect();
    let slot = width / groups.len().max(1) as f64;
    let bottom = top + height;
    canvas.path(&[(left, bottom), (left + width, bottom)], FRAME, 1.0)?;
    for (i, (group, colour)) in groups.iter().zip(palette(&labels)).enumerate() {
        let middle = left + (i as f64 + 0.5) * slot;
        let label = Text::new(LABEL, INK).align(Align::Centre);
        let name = label.shorten(group.label, lanes as f64 * slot - 4.0);
        let baseline = bottom + 5.0 + LABEL;
        canvas.text(&name, (middle, baseline + (i % lanes) as f64 * LINE), label)?;
        let count = Text::new(SMALL, QUIET).align(Align::Centre);
        let n = format!("n = {}", group.values.len());
        canvas.text(&n, (middle, baseline + lanes as f64 * LINE), count)?;
        if let Some(summary) = &group.summary {
            one(
                canvas,
                axis,
                middle,
                slot.min(WIDEST_SLOT),
                group,
                summary,
                colour,
            )?;
        }
    }
    Ok(())
}

/// One group: dots to the left, box in the middle, mean to the right.
fn one(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    middle: f64,
    slot: f64,
    group: &Group<'_>,
    summary: &Summary,
    colour: Colour,
) -> Result<(), FigureError> {
    let (dots, dots_half) = (middle - 0.23 * slot, 0.15 * slot);
    let (centre, half) = (middle + 0.08 * slot, 0.115 * slot);
    let mean = middle + 0.29 * slot;
    let mut sorted = group.values.clone();
    sorted.sort_by(f64::total_cmp);
    let heights: Vec<f64> = sorted.iter().rev().map(|&v| axis.at(v)).collect();
    let (radius, alpha) = match heights.len() {
        0..=60 => (2.25, 0.7),
        61..=250 => (1.75, 0.55),
        _ => (1.375, 0.4),
    };
    for (y, offset) in heights.iter().zip(swarm::offsets(&heights, 4.0)) {
        canvas.dot((dots + offset * dots_half, *y), radius, colour, alpha)?;
    }
    let dark = colour.darker(0.35);
    // Quartiles of a single value are that value: a box would say nothing.
    if summary.n > 1 {
        let (low, high) = whiskers(&group.values, summary);
        for (end, side) in [(high, summary.q3), (low, summary.q1)] {
            let y = axis.at(end);
            canvas.path(&[(centre, axis.at(side)), (centre, y)], dark, 1.25)?;
            canvas.path(
                &[(centre - half / 2.0, y), (centre + half / 2.0, y)],
                dark,
                1.25,
            )?;
        }
        let (a, b) = (
            (centre - half, axis.at(summary.q3)),
            (centre + half, axis.at(summary.q1)),
        );
        canvas.rect(a, b, PAPER, 1.0)?;
        canvas.rect(a, b, colour, 0.35)?;
        canvas.outline(a, b, dark, 1.25)?;
        let y = axis.at(summary.median);
        canvas.path(&[(a.0, y), (b.0, y)], INK, 2.25)?;
    }
    if let Some((low, high)) = summary.ci_low.zip(summary.ci_high) {
        canvas.path(&[(mean, axis.at(low)), (mean, axis.at(high))], INK, 1.5)?;
    }
    canvas.diamond((mean, axis.at(summary.mean)), 2.25, PAPER, INK)
}
