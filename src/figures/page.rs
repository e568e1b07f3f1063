//! What every figure has around its panels: the headline that says what was measured on what and with n, the legend, and
//! the lines at the foot.

use super::FigureError;
use super::canvas::{self, Canvas};
use super::frame::Foot;
use super::legend::{Entry, Legend};
use super::look::Text;
use super::theme::{HEADLINE, INK, LEADING, MARGIN, PAGE_HEIGHT};

/// A figure without its panels.
pub struct Page {
    pub width: f64,
    title: String,
    headline: Vec<String>,
    legend: Legend,
    foot: Foot,
}

/// What [`Page::new`] is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Words<'a> {
    pub title: String,
    /// Groups of entries, each on lines of its own.
    pub legend: Vec<Vec<Entry>>,
    /// How to read the figure.
    pub key: Vec<String>,
    /// Where the numbers come from.
    pub caption: &'a str,
    /// What the numbers are not; also across every panel.
    pub watermark: Option<&'a str>,
}

impl Page {
    /// A page of `width` px.
    pub fn new(width: f64, words: &Words<'_>) -> Result<Self, FigureError> {
        super::font::register()?;
        let room = width - 2.0 * MARGIN;
        let key: Vec<&str> = words.key.iter().map(String::as_str).collect();
        Ok(Self {
            width,
            title: words.title.clone(),
            headline: headline(&words.title, room),
            legend: Legend::new(&words.legend, room),
            foot: Foot::new(&key, words.caption, words.watermark, room),
        })
    }

    /// Where the panels begin, px from the top.
    pub fn top(&self) -> f64 {
        self.below_headline() + self.legend.height()
    }

    /// How high the panels can be on a printed page.
    pub fn room(&self) -> f64 {
        PAGE_HEIGHT - self.top() - self.foot.height()
    }

    /// Draw the page around panels of `height` px; `panels` is told where they begin.
    pub fn draw(
        &self,
        about: &str,
        height: f64,
        panels: impl FnOnce(&mut Canvas<'_>, f64) -> Result<(), FigureError>,
    ) -> Result<String, FigureError> {
        let bottom = self.top() + height;
        let size = (self.width, bottom + self.foot.height());
        canvas::draw(size, (&self.title, about), |canvas| {
            canvas.lines(&self.headline, (MARGIN, MARGIN + HEADLINE), look())?;
            self.legend.draw(canvas, self.below_headline())?;
            panels(canvas, self.top())?;
            self.foot.draw(canvas, bottom)
        })
    }

    fn below_headline(&self) -> f64 {
        MARGIN + self.headline.len() as f64 * HEADLINE * LEADING + 6.0
    }
}

/// The title in as few lines as it needs, and those about as long as each other.
fn headline(title: &str, room: f64) -> Vec<String> {
    let wrap = |width: f64| look().wrap(title, width, 3);
    let mut lines = wrap(room);
    let mut width = room;
    while lines.len() > 1 && width > room / 2.0 {
        width -= 6.0;
        let narrower = wrap(width);
        if narrower.len() > lines.len() || narrower.iter().any(|line| line.ends_with('…')) {
            break;
        }
        lines = narrower;
    }
    lines
}

fn look() -> Text {
    Text::new(HEADLINE, INK).bold()
}
