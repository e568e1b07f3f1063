//! Histograms of one set against another on the same bins: scores of two sets of pieces, one panel an arm, or cosines of
//! texts two by two. The bars are shares of their set, so that sets of different sizes can be compared.

use foreign::words;
use foreign::{self, Foreign};

use super::FigureError;
use super::axis::Axis;
use super::canvas::Canvas;
use super::frame::{
    BELOW_AXIS, Grid, Heading, across, columns_and_rows, panel_width, tallest, ticks_across,
    upwards, watermark,
};
use super::legend::{Entry, Sign};
use super::page::{Page, Words};
use super::run::{Run, SCORE, SCORE_AXIS};
use super::theme::{Colour, FIGURE_WIDTH, INK, SMALL_WIDTH};
use crate::statistics::grouping::by_arm;
use crate::tables::{HistogramRow, Row, ScoreRow};
use crate::words::{listed, thousands};

/// One panel: sets over the same axis.
struct Panel {
    title: String,
    /// Under the title: the checkpoint, and n of each set.
    under: Vec<String>,
    sets: Vec<Set>,
}

/// The bars of one set.
struct Set {
    /// Its place in the legend.
    place: usize,
    bins: Vec<Bin>,
    mean: f64,
}

/// From `low` to `high`, with the share of the set, 0 to 1.
struct Bin {
    low: f64,
    high: f64,
    share: f64,
}

/// Fill and line of a set, by its place. None has the colour of a taste.
const STYLES: [(Option<Colour>, Colour); 4] = [
    (Some(Colour(203, 203, 210)), Colour(150, 150, 158)),
    (None, INK),
    (None, Colour(178, 60, 20)),
    (None, Colour(70, 90, 200)),
];
const GUTTER: f64 = 44.0;

pub fn figures(run: &Run<'_>) -> Result<Vec<(&'static str, String)>, FigureError> {
    let figure = match run.rows.is_empty() {
        true => of_texts(run)?,
        false => of_sets(run)?,
    };
    Ok(figure
        .map(|figure| ("histogram", figure))
        .into_iter()
        .collect())
}

/// Scores of sets of pieces.
fn of_sets(run: &Run<'_>) -> Result<Option<String>, FigureError> {
    let sets = run.sets();
    if sets.len() < 2 {
        return Ok(None);
    }
    let set_of = |condition: &str| {
        let place = sets.iter().position(|set| *set == run.set(condition));
        place.unwrap_or(0)
    };
    let conditions = by_arm(&run.rows).map_err(|source| FigureError::Stats {
        path: run.dir.join(ScoreRow::FILE),
        source,
    })?;
    let scores = conditions.iter().flat_map(|c| &c.pieces).map(|p| p.score);
    let edges = edges(scores, conditions.iter().map(|c| c.pieces.len()).min());
    let mut panels: Vec<Panel> = Vec::new();
    for condition in &conditions {
        let arm = run.arm(condition.name);
        let scores: Vec<f64> = condition.pieces.iter().map(|p| p.score).collect();
        let place = set_of(condition.name);
        let n = format!(
            "{}: n = {}",
            sets.get(place).unwrap_or(&""),
            thousands(scores.len() as u64)
        );
        let set = Set {
            place,
            bins: binned(&scores, &edges),
            mean: scores.iter().sum::<f64>() / scores.len() as f64,
        };
        match panels.iter_mut().find(|panel| panel.title == arm) {
            Some(panel) => {
                panel.sets.push(set);
                panel.under.push(n);
            }
            None => panels.push(Panel {
                title: arm.to_owned(),
                under: run
                    .manifest
                    .checkpoint(arm)
                    .map(str::to_owned)
                    .into_iter()
                    .chain([n])
                    .collect(),
                sets: vec![set],
            }),
        }
    }
    let mut words = run.words(format!("{SCORE}, set against set: {}", run.subject()));
    words.legend = vec![legend(&sets)];
    words.key = vec!["upright line with a tip: mean of the set".to_owned()];
    let axes = (SCORE_AXIS, "share of pieces (%)");
    render(run, panels, words, axes).map(Some)
}

/// Round bin edges over the scores: more bins for more pieces.
fn edges(scores: impl Iterator<Item = f64>, least: Option<usize>) -> Vec<f64> {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    let (low, high) = scores.fold(none, |(low, high), v| (low.min(v), high.max(v)));
    let span = (high - low).max(0.02);
    // At most twice the square root of the number of pieces, within what a panel shows well; round steps make them fewer.
    let bins = (2.0 * (least.unwrap_or(1) as f64).sqrt()).clamp(8.0, 40.0);
    let step = Axis::between(0.0, span, bins).step();
    let first = (low / step).floor();
    let mut edges = vec![first * step];
    // Half open bins: the highest score needs an edge above it.
    for i in 1..=200 {
        let edge = (first + f64::from(i)) * step;
        edges.push(edge);
        if edge > high {
            break;
        }
    }
    edges
}

fn binned(scores: &[f64], edges: &[f64]) -> Vec<Bin> {
    let ends = edges.iter().zip(edges.iter().skip(1));
    let bin = |(&low, &high): (&f64, &f64)| {
        let inside = scores.iter().filter(|&&v| v >= low && v < high).count();
        let share = inside as f64 / scores.len().max(1) as f64;
        Bin { low, high, share }
    };
    ends.map(bin).collect()
}

/// Cosines of texts two by two.
fn of_texts(run: &Run<'_>) -> Result<Option<String>, FigureError> {
    let Some(rows) = run.optional::<HistogramRow>()? else {
        return Ok(None);
    };
    let unfit = |what: foreign::Words| FigureError::Unfit {
        path: run.dir.join(HistogramRow::FILE),
        what,
    };
    let mut sets: Vec<&str> = Vec::new();
    for row in &rows {
        if row.low >= row.high {
            let (low, high) = (row.low, row.high);
            return Err(unfit(words!("it has a bin from {} to {}", low, high)));
        }
        if !sets.contains(&row.set.as_str()) {
            sets.push(&row.set);
        }
    }
    if sets.len() > STYLES.len() {
        let most = STYLES.len();
        return Err(unfit(words!(
            "it has {} sets, and a figure holds {}",
            sets.len(),
            most
        )));
    }
    let (mut drawn, mut counts) = (Vec::new(), Vec::new());
    for (place, set) in sets.iter().enumerate() {
        let mut bins: Vec<&HistogramRow> = rows.iter().filter(|row| row.set == *set).collect();
        bins.sort_by(|a, b| a.low.total_cmp(&b.low));
        let overlaps = |pair: &[&HistogramRow]| pair[1].low < pair[0].high - 1e-9;
        if bins.windows(2).any(overlaps) {
            return Err(unfit(words!("the bins of {} overlap", Foreign::new(set))));
        }
        let pairs: u64 = bins
            .iter()
            .fold(0, |sum, row| sum.saturating_add(row.count));
        if pairs == 0 {
            continue;
        }
        let share = |row: &HistogramRow| row.count as f64 / pairs as f64;
        counts.push(format!("{} pairs of {set}s", thousands(pairs)));
        drawn.push(Set {
            place,
            mean: bins
                .iter()
                .map(|row| share(row) * (row.low + row.high) / 2.0)
                .sum(),
            bins: bins
                .iter()
                .map(|row| Bin {
                    low: row.low,
                    high: row.high,
                    share: share(row),
                })
                .collect(),
        });
    }
    if drawn.is_empty() {
        return Ok(None);
    }
    let mut words = run.words(format!("Cosine of texts two by two: {}", listed(&counts)));
    words.legend = vec![legend(&sets)];
    words.key = vec!["upright line with a tip: mean, from the bins".to_owned()];
    let panel = Panel {
        title: String::new(),
        under: Vec::new(),
        sets: drawn,
    };
    let axes = ("cosine of two texts", "share of pairs (%)");
    render(run, vec![panel], words, axes).map(Some)
}

fn legend(sets: &[&str]) -> Vec<Entry> {
    let entry = |(place, set): (usize, &&str)| {
        let (fill, line) = STYLES[place % STYLES.len()];
        Entry {
            sign: Sign::Bar(fill, line),
            name: (*set).to_owned(),
        }
    };
    sets.iter().enumerate().map(entry).collect()
}

fn render(
    run: &Run<'_>,
    panels: Vec<Panel>,
    words: Words<'_>,
    (x_label, y_label): (&str, &str),
) -> Result<String, FigureError> {
    let (columns, rows) = columns_and_rows(panels.len(), if panels.len() == 4 { 2 } else { 3 });
    let small = columns == 1;
    let page = Page::new(if small { SMALL_WIDTH } else { FIGURE_WIDTH }, &words)?;
    let width = panel_width(page.width, columns, GUTTER, 0.0);
    let headings: Vec<Heading> = panels
        .iter()
        .map(|panel| Heading::new(&panel.title, &panel.under, width))
        .collect();
    let above = tallest(&headings);
    let room = page.room() / rows as f64 - above - BELOW_AXIS;
    let grid = Grid {
        columns,
        rows,
        panel: (width, room.clamp(80.0, if small { 210.0 } else { 170.0 })),
        gutter: GUTTER,
        aside: 0.0,
        above,
        below: BELOW_AXIS,
        top: page.top(),
    };
    let bins = || {
        panels
            .iter()
            .flat_map(|p| &p.sets)
            .flat_map(|set| &set.bins)
    };
    // Bins that no set has anything in are not shown.
    let ends = bins()
        .filter(|bin| bin.share > 0.0)
        .flat_map(|bin| [bin.low, bin.high]);
    let x_axis = Axis::over(ends, ticks_across(width));
    let most = bins().map(|bin| 100.0 * bin.share).fold(1.0, f64::max);
    let y_axis = Axis::between(0.0, 1.12 * most, grid.panel.1 / 32.0);
    page.draw(&run.about("histogram"), grid.height(), |canvas, _| {
        for (i, (panel, heading)) in panels.iter().zip(&headings).enumerate() {
            let (left, top) = grid.corner(i);
            heading.draw(canvas, (left, top - above))?;
            let x_axis = x_axis.placed(left, left + width);
            let y_axis = y_axis.placed(top + grid.panel.1, top);
            let label = grid.leads(i).then_some((y_label, GUTTER));
            across(canvas, &x_axis, x_label, (left, top), grid.panel)?;
            upwards(canvas, &y_axis, label, (left, top), grid.panel)?;
            for set in &panel.sets {
                bars(canvas, &x_axis, &y_axis, set)?;
            }
            for set in &panel.sets {
                mean(canvas, &x_axis, &y_axis, set)?;
            }
            watermark(canvas, run.watermark, (left, top), grid.panel)?;
        }
        Ok(())
    })
}

/// The bars as one outline, so that sets lie over each other and both are seen.
fn bars(canvas: &mut Canvas<'_>, x: &Axis, y: &Axis, set: &Set) -> Result<(), FigureError> {
    let (fill, line) = STYLES[set.place % STYLES.len()];
    let shown = |value: f64| value.clamp(x.low(), x.high());
    let mut outline: Vec<(f64, f64)> = Vec::new();
    for bin in &set.bins {
        let (left, right) = (x.at(shown(bin.low)), x.at(shown(bin.high)));
        if right <= left {
            continue;
        }
        let height = y.at(100.0 * bin.share);
        // Back to the axis where a bin is missing.
        match outline.last().copied() {
            Some((end, _)) if (end - left).abs() < 0.01 => {}
            Some((end, _)) => outline.extend([(end, y.at(0.0)), (left, y.at(0.0))]),
            None => outline.push((left, y.at(0.0))),
        }
        outline.extend([(left, height), (right, height)]);
    }
    if let Some(&(end, _)) = outline.last() {
        outline.push((end, y.at(0.0)));
    }
    if let Some(fill) = fill {
        canvas.polygon(&outline, fill)?;
    }
    canvas.path(&outline, line, 1.5)
}

/// A line up from the axis with a tip in the manner of the set.
fn mean(canvas: &mut Canvas<'_>, x: &Axis, y: &Axis, set: &Set) -> Result<(), FigureError> {
    let (fill, line) = STYLES[set.place % STYLES.len()];
    let dark = line.darker(0.25);
    let (at, top) = (x.at(set.mean), y.at(y.high()));
    canvas.path(&[(at, top + 4.0), (at, y.at(0.0))], dark, 1.25)?;
    let middle = top + 3.5;
    let tip = |r: f64| {
        [
            (at - r, middle - 0.7 * r),
            (at + r, middle - 0.7 * r),
            (at, middle + r),
        ]
    };
    canvas.polygon(&tip(5.0), dark)?;
    match fill {
        Some(fill) => canvas.polygon(&tip(2.8), fill),
        None => Ok(()),
    }
}
