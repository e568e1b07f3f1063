//! The key numbers of a run in sentences, each made from rows of its CSVs and saying no more than they do.
//!
//! Of a difference whose interval holds 0, a sentence says that it is not clear.

mod clusters;
mod distances;
mod draws;
mod pairs;
mod scores;
mod similarity;
mod texts;
mod windows;

use super::html::Html;
use super::load::Run;
use super::number::{decimals, fixed};

/// Decimals of CLAP scores at least; as in the tables of the notebooks.
const SCORE: usize = 3;
/// Of silhouettes, distances and cosines.
const PLAIN: usize = 2;
/// A p value below this is called a difference.
const ALPHA: f64 = 0.05;

/// Sentences under headings; empty when the run has no numbers.
pub fn key_numbers(run: &Run) -> Html {
    let mut html = Html::new();
    let groups = [
        ("Scores", scores::sentences(run)),
        ("Between the conditions", pairs::sentences(run)),
        ("From draw to draw", draws::sentences(run)),
        ("Within a piece", windows::sentences(run)),
        ("How the tastes lie apart", clusters::sentences(run)),
        ("Against the prompts", similarity::sentences(run)),
        ("The sets as a whole", distances::sentences(run)),
        ("The texts", texts::sentences(run)),
    ];
    for (heading, sentences) in groups {
        if sentences.is_empty() {
            continue;
        }
        html.raw("<section class=\"key\"><h3>")
            .text(&run.say(heading))
            .raw("</h3>\n<ul>\n");
        for sentence in &sentences {
            html.raw("<li>").part(sentence).raw("</li>\n");
        }
        html.raw("</ul></section>\n");
    }
    html
}

/// What is said of a spread within something, against that between: it is larger, more than half of it, or less.
fn weighed(within: f64, between: f64, said: [&'static str; 3]) -> &'static str {
    let [larger, much, little] = said;
    match within {
        within if within > between => larger,
        within if within > between / 2.0 => much,
        _ => little,
    }
}

/// A sentence that begins with some words.
fn say(words: &str) -> Html {
    let mut html = Html::new();
    html.text(words);
    html
}

impl Html {
    /// The name of a condition or a set: it may hold commas, so the eye is told where it ends.
    fn arm(&mut self, name: &str) -> &mut Self {
        self.raw("<bdi class=\"arm\">").text(name).raw("</bdi>")
    }

    /// A number that the eye should find.
    fn figure(&mut self, value: f64, decimals: usize) -> &mut Self {
        self.raw("<b>").text(&fixed(value, decimals)).raw("</b>")
    }

    /// `95 % interval −0.01 to 0.05`, after `before`; nothing when there is none.
    fn interval(
        &mut self,
        before: &str,
        interval: Option<(f64, f64)>,
        decimals: usize,
    ) -> &mut Self {
        if let Some((low, high)) = interval {
            self.text(before)
                .raw("95&nbsp;%&nbsp;interval ")
                .text(&fixed(low, decimals))
                .raw(" to ")
                .text(&fixed(high, decimals));
        }
        self
    }

    /// Names with commas and an "and".
    fn names(&mut self, names: &[&str]) -> &mut Self {
        for (i, name) in names.iter().enumerate() {
            match i {
                0 => {}
                _ if i + 1 == names.len() => {
                    self.raw(" and ");
                }
                _ => {
                    self.raw(", ");
                }
            }
            self.name(name);
        }
        self
    }
}

/// Whether an interval holds 0; `None` when there is no interval.
fn holds_zero(interval: Option<(f64, f64)>) -> Option<bool> {
    interval.map(|(low, high)| low <= 0.0 && 0.0 <= high)
}

/// Decimals for a value and its interval.
fn places(least: usize, value: f64, interval: Option<(f64, f64)>) -> usize {
    let mut values = vec![value];
    // A bound that would round to 0 would seem to touch it.
    values.extend(interval.into_iter().flat_map(|(low, high)| [low, high]));
    decimals(least, &values)
}

/// The text of a sentence, for tests.
#[cfg(test)]
fn plain(html: &Html) -> String {
    let html = html.clone().into_string();
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.replace("&nbsp;", " ")
        .replace('\u{a0}', " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
