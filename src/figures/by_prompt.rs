//! Scores by prompt, one block an arm: a line for each prompt with its draws, their mean and its bootstrap interval.
//!
//! A dot plot (W. Cleveland, The Elements of Graphing Data, 1985): labels are read as they are written, four as well as a
//! hundred of them.

use analysis::summary::Summary;

use super::axis::{Axis, signed};
use super::canvas::Canvas;
use super::frame::{BELOW_AXIS, Heading, across, ticks_across, watermark};
use super::look::{Align, Text};
use super::marker::Shape;
use super::page::{Page, Words};
use super::theme::{FIGURE_WIDTH, GRID, INK, LABEL, MARGIN, PANEL_GAP, PAPER, SMALL, Tint};
use super::{FigureError, swarm};
use crate::words::thousands;

/// What to draw. Values are in the unit of the axis.
#[derive(Debug, Clone, PartialEq)]
pub struct ByPromptSpec<'a> {
    pub blocks: Vec<Block<'a>>,
    /// What the axis measures.
    pub axis: &'a str,
    pub words: Words<'a>,
    pub about: &'a str,
}

/// One arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Block<'a> {
    pub title: String,
    /// Under the title: the checkpoint, how many draws there are, their order.
    pub under: Vec<String>,
    /// The same prompts in the same order in every block, so that blocks can be compared by eye.
    pub lines: Vec<Line<'a>>,
}

/// One prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    pub label: &'a str,
    pub tint: Tint,
    /// Of its draws.
    pub scores: Vec<f64>,
    /// `None` when there are no scores: the line stays empty.
    pub summary: Option<Summary>,
}

const MOST_COLUMNS: usize = 4;
const WIDEST_LABEL: f64 = 110.0;
/// Of a line that still holds its label.
const LOWEST: f64 = 12.0;
/// Between a single column and the numbers right of it.
const BESIDE: f64 = 6.0;
/// Of fewer draws a bootstrap interval is little more than their range, and is not drawn.
const LEAST_DRAWS: usize = 5;

/// How the lines of a block are laid out, px.
struct Layout {
    /// Lines of a column.
    lines: usize,
    /// Of a line.
    height: f64,
    /// Left of the plotting area of each column, for labels.
    gutter: f64,
    /// Of the plotting area of a column.
    panel: f64,
    /// Right of it.
    aside: f64,
    /// Of the labels.
    size: f64,
    labels: Vec<String>,
}

impl Layout {
    /// For the lines of `blocks`, where a column may be `room` px high. There is at least one block.
    fn new(block: &Block<'_>, blocks: &[Block<'_>], room: f64) -> Self {
        let count = block.lines.len().max(1);
        let columns = count.div_ceil(lines_in(room)).clamp(1, MOST_COLUMNS);
        let lines = count.div_ceil(columns);
        let height = (room / lines as f64).clamp(LOWEST, if columns == 1 { 30.0 } else { 14.0 });
        let size = if height < 16.0 { SMALL } else { LABEL };
        let look = Text::new(size, INK);
        let most = WIDEST_LABEL.min(FIGURE_WIDTH / columns as f64 * 0.4);
        let names: Vec<&str> = block.lines.iter().map(|line| line.label).collect();
        let labels = look.shorten_apart(&names, most);
        let widest = labels.iter().map(|label| look.width(label));
        let gutter = widest.fold(0.0, f64::max) + 8.0;
        let numbers = blocks.iter().flat_map(|b| &b.lines).filter_map(|line| {
            let summary = line.summary.as_ref()?;
            Some(Text::new(SMALL, INK).width(&words(summary)) + BESIDE)
        });
        let aside = match columns {
            1 => numbers.fold(0.0, f64::max),
            _ => 0.0,
        };
        let gaps = (columns as f64 - 1.0) * PANEL_GAP;
        let room = (FIGURE_WIDTH - 2.0 * MARGIN - gaps) / columns as f64;
        Self {
            lines,
            height,
            gutter,
            panel: room - gutter - aside,
            aside,
            size,
            labels,
        }
    }

    /// Left end of the plotting area of a column.
    fn left(&self, column: usize) -> f64 {
        let step = self.gutter + self.panel + self.aside + PANEL_GAP;
        MARGIN + self.gutter + column as f64 * step
    }
}

/// Lines that `room` px hold below each other.
fn lines_in(room: f64) -> usize {
    (room / LOWEST).floor().max(4.0) as usize
}

/// Draw the figure. Of more prompts than a page holds, those at the beginning and those at the end are drawn.
pub fn render(mut spec: ByPromptSpec<'_>) -> Result<String, FigureError> {
    let width = FIGURE_WIDTH - 2.0 * MARGIN;
    super::font::register()?;
    let headings: Vec<Heading> = spec
        .blocks
        .iter()
        .map(|block| Heading::new(&block.title, &block.under, width))
        .collect();
    let around: f64 = headings.iter().map(|h| h.height() + BELOW_AXIS).sum();
    let blocks = spec.blocks.len().max(1) as f64;
    let lines = spec.blocks.iter().flat_map(|b| &b.lines);
    let draws = lines.map(|line| line.scores.len()).max().unwrap_or(0);
    let all = spec.blocks.first().map_or(0, |block| block.lines.len());
    let note = |half: usize| {
        let all = thousands(all as u64);
        format!("the {half} highest and {half} lowest of {all} prompts; all are in scores.csv")
    };
    spec.words
        .key
        .extend(key(draws).into_iter().map(str::to_owned));
    let mut words = spec.words.clone();
    words.key.push(note(all));
    let room = (Page::new(FIGURE_WIDTH, &words)?.room() - around) / blocks;
    let half = lines_in(room) * MOST_COLUMNS / 2;
    if all > 2 * half {
        spec.words.key.push(note(half));
        for block in &mut spec.blocks {
            block.lines.drain(half..all - half);
        }
    }
    let page = Page::new(FIGURE_WIDTH, &spec.words)?;
    let Some(layout) = spec
        .blocks
        .first()
        .map(|block| Layout::new(block, &spec.blocks, room))
    else {
        return Err(FigureError::Draw("there is no arm".into()));
    };
    let panel_height = layout.lines as f64 * layout.height;
    let height = around + blocks * panel_height;
    let shown = spec.blocks.iter().flat_map(|b| &b.lines).flat_map(shown);
    let axis = Axis::over(shown, ticks_across(layout.panel));
    page.draw(spec.about, height, |canvas, mut top| {
        for (block, heading) in spec.blocks.iter().zip(&headings) {
            heading.draw(canvas, (MARGIN, top))?;
            let panels = top + heading.height();
            let labels = layout.labels.chunks(layout.lines);
            for (column, (lines, labels)) in
                block.lines.chunks(layout.lines).zip(labels).enumerate()
            {
                let left = layout.left(column);
                let axis = axis.placed(left, left + layout.panel);
                let size = (layout.panel, lines.len() as f64 * layout.height);
                across(canvas, &axis, spec.axis, (left, panels), size)?;
                for (i, (line, label)) in lines.iter().zip(labels).enumerate() {
                    let y = panels + (i as f64 + 0.5) * layout.height;
                    let look = Text::new(layout.size, INK).align(Align::Right);
                    canvas.text(label, (left - 6.0, y + 0.36 * layout.size), look)?;
                    one(canvas, &axis, &layout, (left, y), line)?;
                }
                watermark(canvas, spec.words.watermark, (left, panels), size)?;
            }
            top = panels + panel_height + BELOW_AXIS;
        }
        Ok(())
    })
}

/// How to read the figure when the most draws of a prompt are `draws`.
fn key(draws: usize) -> Vec<&'static str> {
    let line = "line: from the lowest to the highest";
    match draws {
        ..2 => vec!["dot: one piece"],
        2..LEAST_DRAWS => vec!["dot: one draw", line, "diamond: mean of the draws"],
        _ => vec![
            "dot: one draw",
            line,
            "diamond: mean of the draws with its bootstrap 95 % interval",
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

/// One prompt: a line from its lowest to its highest draw, the draws, and their mean.
fn one(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    layout: &Layout,
    (left, y): (f64, f64),
    line: &Line<'_>,
) -> Result<(), FigureError> {
    canvas.path(&[(left, y), (left + layout.panel, y)], GRID, 0.75)?;
    let Some(summary) = &line.summary else {
        return Ok(());
    };
    let tall = layout.height > 22.0;
    let several = summary.n > 1;
    let mut sorted = line.scores.clone();
    sorted.sort_by(f64::total_cmp);
    let places: Vec<f64> = sorted.iter().map(|&v| axis.at(v)).collect();
    // Where there is room, the draws lie below the interval and beside each other.
    let (dots, half, level) = match (tall && several, layout.height) {
        (true, height) => (y + 0.15 * height, 0.25 * height, y - 0.25 * height),
        (false, height) => (y, if several { height / 2.0 - 4.0 } else { 0.0 }, y),
    };
    let (radius, alpha) = match places.len() {
        1 => (2.5, 1.0),
        2..LEAST_DRAWS => (2.0, 0.9),
        LEAST_DRAWS..=60 => (if tall { 2.0 } else { 1.5 }, 0.6),
        _ => (1.25, 0.4),
    };
    let Tint { colour, hatched } = line.tint;
    if let (true, Some(from), Some(to)) = (several, places.first(), places.last()) {
        let pale = colour.lighter(0.5);
        canvas.path(&[(*from, dots), (*to, dots)], pale, 1.25)?;
    }
    for (x, offset) in places.iter().zip(swarm::offsets(&places, 4.0)) {
        let at = (*x, dots + offset * half);
        canvas.marker(Shape::Circle, at, radius, (colour, hatched), alpha)?;
    }
    if several {
        if let Some((low, high)) = interval(summary) {
            canvas.path(&[(axis.at(low), level), (axis.at(high), level)], INK, 1.5)?;
        }
        canvas.diamond((axis.at(summary.mean), level), 2.0, PAPER, INK)?;
    }
    if layout.aside > 0.0 {
        let numbers = (left + layout.panel + BESIDE, y + 0.36 * SMALL);
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
