//! Box plots by taste, one panel an arm, on one scale: the notebooks' figure.
//!
//! J. Tukey, Exploratory Data Analysis (1977): box from the first to the third quartile, whiskers to the outermost
//! value within 1.5 interquartile ranges. Beside each box stand its values, and its mean with a bootstrap interval.

use analysis::summary::{Summary, whiskers};

use super::axis::Axis;
use super::canvas::Canvas;
use super::frame::{Grid, Heading, columns_and_rows, panel_width, tallest, upwards, watermark};
use super::look::{Align, Text};
use super::marker::Shape;
use super::page::{Page, Words};
use super::theme::{
    FIGURE_WIDTH, FRAME, INK, LABEL, LEADING, PANEL_GAP, PAPER, QUIET, SMALL, SMALL_WIDTH, Tint,
};
use super::{FigureError, swarm};
use crate::words::thousands;

/// What to draw. Values and summaries are in the unit of the axis.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxPlotSpec<'a> {
    pub panels: Vec<Panel<'a>>,
    pub y_label: &'a str,
    pub words: Words<'a>,
    pub about: &'a str,
}

/// One arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel<'a> {
    pub title: &'a str,
    /// Under the title: n, the checkpoint.
    pub under: Vec<String>,
    /// The same labels in the same order in every panel, so that panels can be compared by eye.
    pub groups: Vec<Group<'a>>,
}

/// One box.
#[derive(Debug, Clone, PartialEq)]
pub struct Group<'a> {
    pub label: &'a str,
    pub tint: Tint,
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
const GUTTER: f64 = 46.0;
const MOST_COLUMNS: usize = 4;
/// Of a group beside others in a row of several panels, and of one that its `n = 25` fits under.
const NARROWEST_SLOT: f64 = 36.0;
const WIDEST_SLOT: f64 = 74.0;
const LINE: f64 = LABEL * LEADING;

/// How the panels lie and what stands under them.
struct Layout {
    grid: Grid,
    /// Of one group.
    slot: f64,
    /// Lines that the labels take: two, used in turn, when one of them is wider than its slot.
    lanes: usize,
    labels: Vec<String>,
}

impl Layout {
    fn new(spec: &BoxPlotSpec<'_>, page: &Page, above: f64, columns: usize) -> Self {
        let groups = spec.panels.first().map_or(&[][..], |p| &p.groups);
        let width = panel_width(page.width, columns, GUTTER, 0.0);
        let slot = width / groups.len().max(1) as f64;
        let look = Text::new(LABEL, INK);
        let names: Vec<&str> = groups.iter().map(|group| group.label).collect();
        let wide = |name: &&str| look.width(name) > slot - 4.0;
        let lanes = if names.iter().any(wide) { 2 } else { 1 };
        let room = lanes as f64 * slot - 4.0;
        let mut labels = look.shorten_apart(&names, room);
        // The outermost ones must not reach into the next panel.
        let last = labels.len().saturating_sub(1);
        for i in [0, last] {
            if let (Some(label), Some(name)) = (labels.get_mut(i), names.get(i)) {
                let short = look.shorten_apart(&[name], room.min(slot + PANEL_GAP - 6.0));
                if look.width(label) > room.min(slot + PANEL_GAP - 6.0) {
                    *label = short.into_iter().next().unwrap_or_default();
                }
            }
        }
        let rows = spec.panels.len().div_ceil(columns).max(1);
        let below = (lanes + 1) as f64 * LINE + 16.0;
        let room = page.room() / rows as f64 - above - below;
        let tallest = if rows == 1 { 230.0 } else { 190.0 };
        let grid = Grid {
            columns,
            rows,
            panel: (width, room.clamp(80.0, tallest)),
            gutter: GUTTER,
            aside: 0.0,
            above,
            below,
            top: page.top(),
        };
        Self {
            grid,
            slot,
            lanes,
            labels,
        }
    }
}

/// Draw the figure.
pub fn render(mut spec: BoxPlotSpec<'_>) -> Result<String, FigureError> {
    let count = spec.panels.len();
    let slots = spec.panels.iter().map(|p| p.groups.len()).max();
    let slots = slots.unwrap_or(0).max(1);
    spec.words.key.extend(KEY.map(str::to_owned));
    let small = count == 1 && slots <= 6;
    let page = Page::new(if small { SMALL_WIDTH } else { FIGURE_WIDTH }, &spec.words)?;
    let fits = |most: &usize| {
        let (columns, _) = columns_and_rows(count, *most);
        panel_width(page.width, columns, GUTTER, 0.0) / slots as f64 >= NARROWEST_SLOT
    };
    let most = (1..=MOST_COLUMNS).rev().find(fits).unwrap_or(1);
    let (columns, _) = columns_and_rows(count, most);
    let width = panel_width(page.width, columns, GUTTER, 0.0);
    let headings: Vec<Heading> = spec
        .panels
        .iter()
        .map(|p| Heading::new(p.title, &p.under, width))
        .collect();
    let above = tallest(&headings);
    let layout = Layout::new(&spec, &page, above, columns);
    let grid = &layout.grid;
    let axis = Axis::over(spec.panels.iter().flat_map(shown), grid.panel.1 / 32.0);
    page.draw(spec.about, grid.height(), |canvas, _| {
        for (i, (panel, heading)) in spec.panels.iter().zip(&headings).enumerate() {
            let (left, top) = grid.corner(i);
            heading.draw(canvas, (left, top - above))?;
            let axis = axis.placed(top + grid.panel.1, top);
            let label = grid.leads(i).then_some((spec.y_label, GUTTER));
            upwards(canvas, &axis, label, (left, top), grid.panel)?;
            groups(canvas, &axis, &layout, (left, top), &panel.groups)?;
            watermark(canvas, spec.words.watermark, (left, top), grid.panel)?;
        }
        Ok(())
    })
}

/// Every number of a panel that must lie on the scale.
fn shown<'s>(panel: &'s Panel<'_>) -> impl Iterator<Item = f64> + 's {
    panel.groups.iter().flat_map(|group| {
        let interval = group.summary.and_then(|s| s.ci_low.zip(s.ci_high));
        let ends = interval.into_iter().flat_map(|(low, high)| [low, high]);
        group.values.iter().copied().chain(ends)
    })
}

fn groups(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    layout: &Layout,
    (left, top): (f64, f64),
    groups: &[Group<'_>],
) -> Result<(), FigureError> {
    let (slot, lanes) = (layout.slot, layout.lanes);
    let (width, height) = layout.grid.panel;
    let bottom = top + height;
    canvas.path(&[(left, bottom), (left + width, bottom)], FRAME, 1.0)?;
    let baseline = bottom + 4.0 + LABEL;
    let counts = baseline + lanes as f64 * LINE;
    let count = Text::new(SMALL, QUIET);
    // Where `n = 25` does not fit under a group, `n` stands once, at the left.
    // A sample has fewer dots than its summary has values.
    let counted = |group: &Group<'_>| {
        let n = group.summary.map_or(group.values.len(), |all| all.n);
        thousands(n as u64)
    };
    let ns = groups.iter().map(|g| format!("n = {}", counted(g)));
    let short = ns.map(|n| count.width(&n)).fold(0.0, f64::max) > slot - 3.0;
    if short {
        canvas.text("n", (left - 6.0, counts), count.align(Align::Right))?;
    }
    for (i, (group, name)) in groups.iter().zip(&layout.labels).enumerate() {
        let middle = left + (i as f64 + 0.5) * slot;
        let lane = (i % lanes) as f64 * LINE;
        if lane > 0.0 {
            let foot = baseline + lane - LABEL;
            canvas.path(&[(middle, bottom), (middle, foot)], FRAME, 0.75)?;
        }
        let label = Text::new(LABEL, INK).align(Align::Centre);
        canvas.text(name, (middle, baseline + lane), label)?;
        let n = match short {
            true => counted(group),
            false => format!("n = {}", counted(group)),
        };
        canvas.text(&n, (middle, counts), count.align(Align::Centre))?;
        if let Some(summary) = &group.summary {
            one(canvas, axis, middle, slot.min(WIDEST_SLOT), group, summary)?;
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
) -> Result<(), FigureError> {
    let (dots, dots_half) = (middle - 0.23 * slot, 0.15 * slot);
    let (centre, half) = (middle + 0.09 * slot, 0.13 * slot);
    let mean = middle + 0.33 * slot;
    let mut sorted = group.values.clone();
    sorted.sort_by(f64::total_cmp);
    let heights: Vec<f64> = sorted.iter().rev().map(|&v| axis.at(v)).collect();
    let (radius, alpha) = match heights.len() {
        0..=60 => (1.75, 0.7),
        61..=250 => (1.375, 0.55),
        251..=600 => (1.125, 0.4),
        _ => (0.9, 0.3),
    };
    let Tint { colour, hatched } = group.tint;
    for (y, offset) in heights.iter().zip(swarm::offsets(&heights, 4.0)) {
        let at = (dots + offset * dots_half, *y);
        canvas.marker(Shape::Circle, at, radius, (colour, hatched), alpha)?;
    }
    let dark = colour.darker(0.35);
    // Quartiles of a single value are that value: a box would say nothing.
    if summary.n > 1 {
        let (low, high) = whiskers(&group.values, summary);
        for (end, side) in [(high, summary.q3), (low, summary.q1)] {
            let y = axis.at(end);
            canvas.path(&[(centre, axis.at(side)), (centre, y)], dark, 1.0)?;
            canvas.path(
                &[(centre - half / 2.0, y), (centre + half / 2.0, y)],
                dark,
                1.0,
            )?;
        }
        let (a, b) = (
            (centre - half, axis.at(summary.q3)),
            (centre + half, axis.at(summary.q1)),
        );
        canvas.tinted(a, b, group.tint)?;
        canvas.outline(a, b, dark, 1.0)?;
        let y = axis.at(summary.median);
        canvas.path(&[(a.0, y), (b.0, y)], INK, 2.0)?;
    }
    if let Some((low, high)) = summary.ci_low.zip(summary.ci_high) {
        canvas.path(&[(mean, axis.at(low)), (mean, axis.at(high))], INK, 1.25)?;
    }
    canvas.diamond((mean, axis.at(summary.mean)), 1.75, PAPER, INK)
}
