//! What figures with several panels share: the grid of panels, titles, an axis, the watermark and the lines at the foot.

use super::FigureError;
use super::axis::Axis;
use super::canvas::{Align, Canvas, Text};
use super::theme::{
    FIGURE_WIDTH, FRAME, GRID, INK, LEADING, MARGIN, PANEL_GAP, QUIET, SMALL, TITLE, WARNING, ZERO,
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
}

impl Grid {
    /// As few rows as the page's width allows, and rows as even as possible.
    pub fn new(
        panels: usize,
        panel: (f64, f64),
        gutter: f64,
        aside: f64,
        (above, below): (f64, f64),
    ) -> Self {
        let room = FIGURE_WIDTH - 2.0 * MARGIN - gutter + PANEL_GAP;
        let most = ((room / (panel.0 + aside + PANEL_GAP)).floor() as usize).clamp(1, 4);
        let rows = panels.div_ceil(most).max(1);
        let columns = panels.div_ceil(rows).max(1);
        Self {
            columns,
            rows,
            panel,
            gutter,
            aside,
            above,
            below,
        }
    }

    /// Left and top of the plotting area of panel `i`.
    pub fn corner(&self, i: usize) -> (f64, f64) {
        let (column, row) = ((i % self.columns) as f64, (i / self.columns) as f64);
        (
            MARGIN + self.gutter + column * (self.panel.0 + self.aside + PANEL_GAP),
            MARGIN + row * self.row_height() + self.above,
        )
    }

    /// Whether panel `i` is the first of its row.
    pub fn leads(&self, i: usize) -> bool {
        i.is_multiple_of(self.columns)
    }

    pub fn width(&self) -> f64 {
        let columns = self.columns as f64;
        let panels = columns * (self.panel.0 + self.aside) + (columns - 1.0) * PANEL_GAP;
        2.0 * MARGIN + self.gutter + panels
    }

    /// Width of a line at the foot.
    pub fn text_width(&self) -> f64 {
        self.width() - 2.0 * MARGIN
    }

    /// Height above the foot.
    pub fn height(&self) -> f64 {
        MARGIN + self.rows as f64 * self.row_height()
    }

    fn row_height(&self) -> f64 {
        self.above + self.panel.1 + self.below
    }
}

/// The heading of a panel: a bold title of up to two lines and a quiet line under it.
pub struct Heading {
    title: Vec<String>,
    subtitle: Option<String>,
}

impl Heading {
    pub fn new(title: &str, subtitle: Option<&str>, width: f64) -> Self {
        let subtitle = subtitle.map(str::trim).filter(|s| !s.is_empty());
        Self {
            title: title_look().wrap(title, width, 2),
            subtitle: subtitle.map(|s| subtitle_look().shorten(s, width)),
        }
    }

    pub fn height(&self) -> f64 {
        let subtitle = self.subtitle.as_ref().map_or(0.0, |_| SMALL * LEADING);
        self.title.len() as f64 * TITLE * LEADING + subtitle + 8.0
    }

    /// Draw from `top` down, its left edge at `x`.
    pub fn draw(&self, canvas: &mut Canvas<'_>, (x, top): (f64, f64)) -> Result<(), FigureError> {
        canvas.lines(&self.title, (x, top + TITLE), title_look())?;
        let Some(subtitle) = &self.subtitle else {
            return Ok(());
        };
        let below = self.title.len() as f64 * TITLE * LEADING;
        canvas.text(subtitle, (x, top + below + SMALL), subtitle_look())
    }
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
        let mut lines: Vec<String> = Vec::new();
        for part in key {
            match lines.last_mut() {
                Some(line) if look.width(&format!("{line} · {part}")) <= width => {
                    *line = format!("{line} · {part}");
                }
                _ => lines.push((*part).to_owned()),
            }
        }
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

fn block_height(lines: &[String]) -> f64 {
    let gap = if lines.is_empty() { 0.0 } else { 4.0 };
    lines.len() as f64 * SMALL * LEADING + gap
}

/// A warning across a panel, over its data, so that nothing hides it and it stays with every part of the figure that is cut out.
pub fn watermark(
    canvas: &mut Canvas<'_>,
    text: &str,
    (x, y): (f64, f64),
    (width, height): (f64, f64),
) -> Result<(), FigureError> {
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
    let size = (0.9 * width / widest).min(0.3 * height).clamp(8.0, 36.0);
    let middle = y + height / 2.0 - (lines.len() as f64 - 1.0) / 2.0 * size * LEADING;
    canvas.lines(&lines, (x + width / 2.0, middle + 0.36 * size), look(size))
}

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
        canvas.text(&text, (x, bottom + 5.0 + SMALL), look)?;
    }
    if axis.has_zero() {
        let x = axis.at(0.0);
        canvas.path(&[(x, top), (x, bottom)], ZERO, 1.25)?;
    }
    canvas.path(&[(left, bottom), (left + width, bottom)], FRAME, 1.0)?;
    let label = look.shorten(label, width);
    let baseline = bottom + 7.0 + SMALL + SMALL * LEADING;
    canvas.text(&label, (left + width / 2.0, baseline), look)
}
