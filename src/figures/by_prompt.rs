//! Scores by prompt, one block an arm: a line for each prompt with its draws, their mean and its bootstrap interval.
//!
//! A dot plot (W. Cleveland, The Elements of Graphing Data, 1985): labels are read as they are written, four as well as a
//! hundred of them.

use super::axis::{Axis, signed};
use super::canvas::{self, Align, Canvas, Text};
use super::frame::{Foot, Heading, across, watermark};
use super::theme::{
    Colour, FIGURE_WIDTH, GRID, INK, LABEL, LEADING, MARGIN, PANEL_GAP, PAPER, SMALL,
};
use super::{Figure, FigureError, swarm};
use crate::analysis::summary::Summary;

/// What to draw. Values are in the unit of the axis.
#[derive(Debug, Clone, PartialEq)]
pub struct ByPromptSpec<'a> {
    pub blocks: Vec<Block<'a>>,
    /// What the axis measures.
    pub score: &'a str,
    /// Names and colours of the tastes; empty when the labels are the tastes.
    pub tastes: Vec<(&'a str, Colour)>,
    /// Which prompts or arms are drawn, when not all are; at the foot.
    pub note: Option<&'a str>,
    /// Where the numbers come from, at the foot.
    pub caption: &'a str,
    /// Written across every panel.
    pub watermark: Option<&'a str>,
}

/// One arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Block<'a> {
    pub title: String,
    pub subtitle: String,
    /// The same prompts in the same order in every block, so that blocks can be compared by eye.
    pub lines: Vec<Line<'a>>,
}

/// One prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    pub label: &'a str,
    pub colour: Colour,
    /// Of its draws.
    pub scores: Vec<f64>,
    /// `None` when there are no scores: the line stays empty.
    pub summary: Option<Summary>,
}

/// Most lines below each other.
const LINES: usize = 50;
const MOST_COLUMNS: usize = 4;
const GUTTER: f64 = 28.0;
const BELOW: f64 = 2.0 * SMALL * LEADING + 26.0;
const WIDEST_LABEL: f64 = 110.0;
/// Right of a single column, for numbers.
const NUMBERS: f64 = 124.0;
/// Of fewer draws a bootstrap interval is little more than their range, and is not drawn.
const LEAST_DRAWS: usize = 5;

/// How the lines of a block are laid out, px.
struct Layout {
    columns: usize,
    /// Lines of a column.
    lines: usize,
    /// Of a line.
    height: f64,
    /// Left of the plotting area of each column, for labels.
    labels: f64,
    /// Of the plotting area of a column.
    panel: f64,
    /// Right of it.
    aside: f64,
    /// Of the labels.
    size: f64,
}

impl Layout {
    fn new(block: &Block<'_>) -> Self {
        let count = block.lines.len().max(1);
        let columns = count.div_ceil(LINES).min(MOST_COLUMNS);
        let lines = count.div_ceil(columns);
        let (height, size) = match lines {
            ..=10 => (34.0, LABEL),
            11..=25 => (20.0, LABEL),
            _ => (13.0, SMALL),
        };
        let widest = block
            .lines
            .iter()
            .map(|line| Text::new(size, INK).width(line.label));
        let labels = widest.fold(0.0, f64::max).min(WIDEST_LABEL) + 10.0;
        let aside = if columns == 1 { NUMBERS } else { 0.0 };
        let room = FIGURE_WIDTH - 2.0 * MARGIN - GUTTER;
        let room = room - (columns as f64 - 1.0) * PANEL_GAP;
        let panel = (room / columns as f64 - labels - aside).clamp(80.0, 420.0);
        Self {
            columns,
            lines,
            height,
            labels,
            panel,
            aside,
            size,
        }
    }

    fn width(&self) -> f64 {
        let columns = self.columns as f64;
        let panels = columns * (self.labels + self.panel + self.aside);
        2.0 * MARGIN + panels + (columns - 1.0) * PANEL_GAP
    }

    /// Left end of the plotting area of a column.
    fn left(&self, column: usize) -> f64 {
        let step = self.labels + self.panel + self.aside + PANEL_GAP;
        MARGIN + self.labels + column as f64 * step
    }
}

/// Draw the figure.
pub fn render(spec: &ByPromptSpec<'_>) -> Result<Figure, FigureError> {
    super::font::register()?;
    let Some(layout) = spec.blocks.first().map(Layout::new) else {
        return Err(FigureError::Draw("there is no arm".to_owned()));
    };
    let text_width = layout.width() - 2.0 * MARGIN;
    let headings: Vec<Heading> = spec
        .blocks
        .iter()
        .map(|block| Heading::new(&block.title, Some(&block.subtitle), text_width))
        .collect();
    let legend = legend_lines(&spec.tastes, text_width);
    let legend_height = legend.len() as f64 * LABEL * LEADING;
    let panel_height = layout.lines as f64 * layout.height;
    let block = |heading: &Heading| heading.height() + legend_height + panel_height + BELOW;
    let height: f64 = headings.iter().map(block).sum::<f64>() + MARGIN;
    let lines = spec.blocks.iter().flat_map(|b| &b.lines);
    let draws = lines.map(|line| line.scores.len()).max().unwrap_or(0);
    let key: Vec<&str> = key(draws, layout.aside > 0.0)
        .into_iter()
        .chain(spec.note)
        .collect();
    let foot = Foot::new(&key, spec.caption, spec.watermark, text_width);
    let shown = spec.blocks.iter().flat_map(|b| &b.lines).flat_map(shown);
    let axis = Axis::over(shown, if layout.columns > 2 { 4.0 } else { 6.0 });
    let title = format!("{} by prompt, {}", spec.score, spec.caption);
    let size = (layout.width(), height + foot.height());
    let svg = canvas::draw(size, &title, |canvas| {
        let mut top = MARGIN;
        for (block, heading) in spec.blocks.iter().zip(&headings) {
            heading.draw(canvas, (MARGIN, top))?;
            draw_legend(canvas, &legend, top + heading.height())?;
            let panels = top + heading.height() + legend_height;
            for (column, lines) in block.lines.chunks(layout.lines).enumerate() {
                let left = layout.left(column);
                let axis = axis.placed(left, left + layout.panel);
                let height = lines.len() as f64 * layout.height;
                across(
                    canvas,
                    &axis,
                    spec.score,
                    (left, panels),
                    (layout.panel, height),
                )?;
                for (i, line) in lines.iter().enumerate() {
                    let y = panels + (i as f64 + 0.5) * layout.height;
                    one(canvas, &axis, &layout, (left, y), line)?;
                }
                if let Some(text) = spec.watermark {
                    watermark(canvas, text, (left, panels), (layout.panel, height))?;
                }
            }
            top = panels + panel_height + BELOW;
        }
        foot.draw(canvas, height)
    })?;
    Figure::from_svg(svg)
}

/// How to read the figure when the most draws of a prompt are `draws`.
fn key(draws: usize, numbers: bool) -> Vec<&'static str> {
    let line = "line: from the lowest to the highest";
    match (draws, numbers) {
        (..2, _) => vec!["dot: one piece"],
        (..LEAST_DRAWS, false) => vec!["dot: one draw", line, "diamond: mean of the draws"],
        (..LEAST_DRAWS, true) => {
            vec![
                "dot: one draw",
                line,
                "diamond and number: mean of the draws",
            ]
        }
        (_, false) => vec![
            "dot: one draw",
            line,
            "diamond: mean of the draws with its bootstrap 95 % interval",
        ],
        (_, true) => vec![
            "dot: one draw",
            line,
            "diamond and numbers: mean of the draws with its bootstrap 95 % interval",
        ],
    }
}

/// The interval of the mean, where there are draws enough for one.
fn interval(summary: &Summary) -> Option<(f64, f64)> {
    let interval = summary.ci_low.zip(summary.ci_high);
    interval.filter(|_| summary.n >= LEAST_DRAWS)
}

/// Every number of a line that must lie on the scale.
fn shown<'s>(line: &'s Line<'_>) -> impl Iterator<Item = f64> + 's {
    let interval = line.summary.as_ref().and_then(interval);
    let ends = interval.into_iter().flat_map(|(low, high)| [low, high]);
    line.scores.iter().copied().chain(ends)
}

/// A taste in the legend: left end, name, colour.
type Entry<'a> = (f64, &'a str, Colour);

/// The legend's entries, in as many lines as the width needs.
fn legend_lines<'a>(tastes: &[(&'a str, Colour)], width: f64) -> Vec<Vec<Entry<'a>>> {
    let look = Text::new(LABEL, INK);
    let mut lines: Vec<Vec<Entry<'a>>> = Vec::new();
    let mut x = f64::INFINITY;
    for &(name, colour) in tastes {
        let wide = look.width(name) + 28.0;
        if x + wide > width {
            lines.push(Vec::new());
            x = 0.0;
        }
        if let Some(line) = lines.last_mut() {
            line.push((MARGIN + x, name, colour));
        }
        x += wide;
    }
    lines
}

fn draw_legend(
    canvas: &mut Canvas<'_>,
    lines: &[Vec<Entry<'_>>],
    top: f64,
) -> Result<(), FigureError> {
    for (i, line) in lines.iter().enumerate() {
        let baseline = top + i as f64 * LABEL * LEADING + 0.7 * LABEL;
        for (x, name, colour) in line {
            canvas.dot((x + 4.0, baseline - 0.34 * LABEL), 4.0, *colour, 1.0)?;
            canvas.text(name, (x + 12.0, baseline), Text::new(LABEL, INK))?;
        }
    }
    Ok(())
}

/// One prompt: its label, a line from its lowest to its highest draw, the draws, and their mean.
fn one(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    layout: &Layout,
    (left, y): (f64, f64),
    line: &Line<'_>,
) -> Result<(), FigureError> {
    let look = Text::new(layout.size, INK).align(Align::Right);
    let label = look.shorten(line.label, layout.labels - 10.0);
    canvas.text(&label, (left - 8.0, y + 0.36 * layout.size), look)?;
    canvas.path(&[(left, y), (left + layout.panel, y)], GRID, 0.75)?;
    let Some(summary) = &line.summary else {
        return Ok(());
    };
    let tall = layout.height > 30.0;
    let several = summary.n > 1;
    let mut sorted = line.scores.clone();
    sorted.sort_by(f64::total_cmp);
    let places: Vec<f64> = sorted.iter().map(|&v| axis.at(v)).collect();
    // Where there is room, the draws lie below the interval and beside each other.
    let (dots, half, level) = match (tall && several, layout.height) {
        (true, _) => (y + 5.0, 8.5, y - 8.0),
        (false, height) => (y, if several { height / 2.0 - 4.0 } else { 0.0 }, y),
    };
    let (radius, alpha) = match places.len() {
        1 => (3.25, 1.0),
        2..LEAST_DRAWS => (2.5, 0.9),
        LEAST_DRAWS..=60 => (2.0, 0.6),
        _ => (1.5, 0.4),
    };
    if let (true, Some(from), Some(to)) = (several, places.first(), places.last()) {
        let pale = line.colour.lighter(0.5);
        canvas.path(&[(*from, dots), (*to, dots)], pale, 1.5)?;
    }
    for (x, offset) in places.iter().zip(swarm::offsets(&places, 4.0)) {
        canvas.dot((*x, dots + offset * half), radius, line.colour, alpha)?;
    }
    if several {
        if let Some((low, high)) = interval(summary) {
            canvas.path(&[(axis.at(low), level), (axis.at(high), level)], INK, 1.75)?;
        }
        canvas.diamond((axis.at(summary.mean), level), 2.25, PAPER, INK)?;
    }
    if layout.aside > 0.0 {
        let numbers = (left + layout.panel + 8.0, y + 0.36 * SMALL);
        canvas.text(&words(summary), numbers, Text::new(SMALL, INK))?;
    }
    Ok(())
}

/// `0.123 [0.101, 0.140]`.
fn words(summary: &Summary) -> String {
    let mean = signed(summary.mean, 3, false);
    match interval(summary) {
        Some((low, high)) => format!(
            "{mean} [{}, {}]",
            signed(low, 3, false),
            signed(high, 3, false)
        ),
        None => mean,
    }
}
