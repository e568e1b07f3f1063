//! What figures with several panels share: the grid of panels, their headings, an axis, the watermark and the lines at the foot.

use super::FigureError;
use super::axis::Axis;
use super::canvas::Canvas;
use super::look::{Align, Text};
use super::theme::{
    FRAME, GRID, INK, LEADING, MARGIN, PANEL_GAP, QUIET, SMALL, TITLE, WARNING, ZERO,
};

/// Where the panels of a figure lie. Lengths in px.
#[derive(Debug, Clone)]
pub struct Grid {
    pub columns: usize,
    pub rows: usize,
    /// Of the plotting area of one panel.
    pub panel: (f64, f64),
    /// Left of the first plotting area of each row, for labels of the axis.
    pub gutter: f64,
    /// Right of each plotting area.
    pub aside: f64,
    /// Above and below each plotting area.
    pub above: f64,
    pub below: f64,
    /// Of the upper end of the first row.
    pub top: f64,
}

impl Grid {
    /// Left and top of the plotting area of panel `i`.
    pub fn corner(&self, i: usize) -> (f64, f64) {
        let (column, row) = ((i % self.columns) as f64, (i / self.columns) as f64);
        (
            MARGIN + self.gutter + column * (self.panel.0 + self.aside + PANEL_GAP),
            self.top + row * self.row_height() + self.above,
        )
    }

    /// Whether panel `i` is the first of its row.
    pub fn leads(&self, i: usize) -> bool {
        i.is_multiple_of(self.columns)
    }

    pub fn height(&self) -> f64 {
        self.rows as f64 * self.row_height()
    }

    fn row_height(&self) -> f64 {
        self.above + self.panel.1 + self.below
    }
}

/// Columns and rows for `panels`, at most `most` side by side: as few rows as possible, and those as even as possible.
pub fn columns_and_rows(panels: usize, most: usize) -> (usize, usize) {
    let rows = panels.div_ceil(most.max(1)).max(1);
    (panels.div_ceil(rows).max(1), rows)
}

/// The width of one of `columns` panels on a page of `width` px.
pub fn panel_width(width: f64, columns: usize, gutter: f64, aside: f64) -> f64 {
    let columns = columns as f64;
    let room = width - 2.0 * MARGIN - gutter - (columns - 1.0) * PANEL_GAP;
    room / columns - aside
}

/// The heading of a panel: a bold title of up to two lines and quiet lines under it.
pub struct Heading {
    title: Vec<String>,
    subtitle: Vec<String>,
}

impl Heading {
    /// `under` are parts, kept whole, that share a line where they fit one.
    pub fn new(title: &str, under: &[String], width: f64) -> Self {
        let look = subtitle_look();
        let parts: Vec<&str> = under.iter().map(String::as_str).collect();
        let lines = joined(&parts, look, width);
        Self {
            title: title_look().wrap(title, width, 2),
            subtitle: lines.iter().map(|line| look.shorten(line, width)).collect(),
        }
    }

    /// The heading of `first` minus `second`, each of which is seen, however long the other is.
    pub fn difference(first: &str, second: &str, under: &[String], width: f64) -> Self {
        let look = title_look();
        let whole = Self::new(&format!("{first} − {second}"), under, width);
        if !whole.title.iter().any(|line| line.ends_with('…')) {
            return whole;
        }
        let minus = " −";
        let first = look.shorten(first, width - look.width(minus));
        Self {
            title: vec![format!("{first}{minus}"), look.shorten(second, width)],
            ..whole
        }
    }

    pub fn height(&self) -> f64 {
        let (title, subtitle) = (self.title.len() as f64, self.subtitle.len() as f64);
        title * TITLE * LEADING + subtitle * SMALL * LEADING + 7.0
    }

    /// Draw from `top` down, its left edge at `x`.
    pub fn draw(&self, canvas: &mut Canvas<'_>, (x, top): (f64, f64)) -> Result<(), FigureError> {
        canvas.lines(&self.title, (x, top + TITLE), title_look())?;
        let below = self.title.len() as f64 * TITLE * LEADING;
        canvas.lines(&self.subtitle, (x, top + below + SMALL), subtitle_look())
    }
}

/// The height that the tallest of `headings` takes.
pub fn tallest(headings: &[Heading]) -> f64 {
    headings.iter().map(Heading::height).fold(0.0, f64::max)
}

fn title_look() -> Text {
    Text::new(TITLE, INK).bold()
}

fn subtitle_look() -> Text {
    Text::new(SMALL, QUIET)
}

/// The lines under the panels: how to read the figure, where its numbers come from, and what they are not.
pub struct Foot {
    key: Vec<String>,
    caption: Vec<String>,
    warning: Vec<String>,
}

impl Foot {
    /// `key` is a list of explanations, kept whole at line ends.
    pub fn new(key: &[&str], caption: &str, warning: Option<&str>, width: f64) -> Self {
        let look = Text::new(SMALL, QUIET);
        let lines = joined(key, look, width);
        let wrapped = lines.iter().flat_map(|line| look.wrap(line, width, 3));
        Self {
            key: wrapped.collect(),
            caption: look.wrap(caption, width, 2),
            warning: look.bold().wrap(warning.unwrap_or_default(), width, 2),
        }
    }

    fn blocks(&self) -> [(&[String], Text); 3] {
        [
            (&self.key, Text::new(SMALL, QUIET)),
            (&self.caption, Text::new(SMALL, INK)),
            (&self.warning, Text::new(SMALL, WARNING).bold()),
        ]
    }

    pub fn height(&self) -> f64 {
        let blocks = self.blocks().map(|(lines, _)| block_height(lines));
        blocks.iter().sum::<f64>() + MARGIN
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, top: f64) -> Result<(), FigureError> {
        let mut baseline = top + 4.0 + SMALL;
        for (lines, look) in self.blocks() {
            canvas.lines(lines, (MARGIN, baseline), look)?;
            baseline += block_height(lines);
        }
        Ok(())
    }
}

/// `parts` in as few lines as the width allows.
fn joined(parts: &[&str], look: Text, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        match lines.last_mut() {
            Some(line) if look.width(&format!("{line} · {part}")) <= width => {
                *line = format!("{line} · {part}");
            }
            _ => lines.push((*part).to_owned()),
        }
    }
    lines
}

fn block_height(lines: &[String]) -> f64 {
    let gap = if lines.is_empty() { 0.0 } else { 3.0 };
    lines.len() as f64 * SMALL * LEADING + gap
}

/// A warning across a panel, over its data, so that nothing hides it and it stays with every part of the figure that is cut out.
pub fn watermark(
    canvas: &mut Canvas<'_>,
    text: Option<&str>,
    (x, y): (f64, f64),
    (width, height): (f64, f64),
) -> Result<(), FigureError> {
    let Some(text) = text else { return Ok(()) };
    let look = |size| {
        Text::new(size, WARNING)
            .bold()
            .alpha(0.27)
            .align(Align::Centre)
    };
    // Two lines are read at a larger size than one.
    let lines = look(1.0).wrap(text, 0.62 * look(1.0).width(text), 2);
    let widest = lines
        .iter()
        .map(|line| look(1.0).width(line))
        .fold(1.0, f64::max);
    let size = (0.9 * width / widest).min(0.3 * height).clamp(SMALL, 36.0);
    let middle = y + height / 2.0 - (lines.len() as f64 - 1.0) / 2.0 * size * LEADING;
    canvas.lines(&lines, (x + width / 2.0, middle + 0.36 * size), look(size))
}

/// Ticks that fit `width` px side by side.
pub fn ticks_across(width: f64) -> f64 {
    (width / 34.0).clamp(2.0, 7.0)
}

/// Height under a panel for its horizontal axis, with room before what follows.
pub const BELOW_AXIS: f64 = 2.0 * SMALL * LEADING + 18.0;

/// A horizontal axis below a panel of `size` whose upper left corner is `at`: grid lines with their numbers, the zero line,
/// and what the axis measures.
pub fn across(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    label: &str,
    at: (f64, f64),
    size: (f64, f64),
) -> Result<(), FigureError> {
    let ((left, top), (width, height)) = (at, size);
    let bottom = top + height;
    let look = Text::new(SMALL, QUIET).align(Align::Centre);
    for (value, text) in axis.ticks() {
        let x = axis.at(value);
        canvas.path(&[(x, top), (x, bottom)], GRID, 1.0)?;
        canvas.text(&text, (x, bottom + 4.0 + SMALL), look)?;
    }
    if axis.has_zero() {
        let x = axis.at(0.0);
        canvas.path(&[(x, top), (x, bottom)], ZERO, 1.25)?;
    }
    canvas.path(&[(left, bottom), (left + width, bottom)], FRAME, 1.0)?;
    let label = look.shorten(label, width + PANEL_GAP);
    let baseline = bottom + 5.0 + SMALL + SMALL * LEADING;
    canvas.text(&label, (left + width / 2.0, baseline), look)
}

/// A vertical axis left of a panel of `size` whose upper left corner is `at`: grid lines and the zero line, and where
/// `label` is given, in the first panel of a row, their numbers and what the axis measures, `gutter` px left of the panel.
pub fn upwards(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    label: Option<(&str, f64)>,
    at: (f64, f64),
    size: (f64, f64),
) -> Result<(), FigureError> {
    let ((left, top), (width, height)) = (at, size);
    for (value, text) in axis.ticks() {
        let y = axis.at(value);
        canvas.path(&[(left, y), (left + width, y)], GRID, 1.0)?;
        if label.is_some() {
            let look = Text::new(SMALL, QUIET).align(Align::Right);
            canvas.text(&text, (left - 6.0, y + 0.36 * SMALL), look)?;
        }
    }
    if axis.has_zero() {
        let y = axis.at(0.0);
        canvas.path(&[(left, y), (left + width, y)], ZERO, 1.0)?;
    }
    let Some((label, gutter)) = label else {
        return Ok(());
    };
    let look = Text::new(SMALL, INK).align(Align::Centre);
    let label = look.shorten(label, height + 40.0);
    let at = (left - gutter + SMALL, top + height / 2.0);
    canvas.text_upwards(&label, at, look)
}
