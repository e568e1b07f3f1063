//! How well the tastes lie apart: silhouettes of the arms with their intervals, and the differences between arms, from
//! `clusters.csv`.

use super::FigureError;
use super::axis::{Axis, signed};
use super::canvas::Canvas;
use super::frame::{BELOW_AXIS, Heading, across, ticks_across, watermark};
use super::look::{Align, Text};
use super::page::Page;
use super::run::Run;
use super::theme::{FIGURE_WIDTH, FRAME, GRID, INK, LABEL, MARGIN, PAPER, SMALL};
use crate::labels::{Said, Word};
use crate::statistics::grouping::ALL;
use crate::tables::clusters::{ClusterKind, Metric};
use crate::tables::{ClusterRow, Row};
use crate::words::thousands;

/// Silhouettes of one kind of embedding, or their differences.
struct Section<'r> {
    title: &'static str,
    axis: Said,
    rows: Vec<&'r ClusterRow>,
    labels: Vec<String>,
}

const SECTIONS: [(ClusterKind, Metric, &str, &str); 4] = [
    (
        ClusterKind::Audio,
        Metric::Silhouette,
        "Embeddings of the pieces",
        "silhouette by taste, cosine distance (−1 to 1)",
    ),
    (
        ClusterKind::Audio,
        Metric::SilhouetteDifference,
        "Embeddings of the pieces, difference of two arms",
        "difference in silhouette, first minus second",
    ),
    (
        ClusterKind::Text,
        Metric::Silhouette,
        "Embeddings of the prompts",
        "silhouette by taste, cosine distance (−1 to 1)",
    ),
    (
        ClusterKind::Text,
        Metric::SilhouetteDifference,
        "Embeddings of the prompts, difference of two arms",
        "difference in silhouette, first minus second",
    ),
];
const KEY: [&str; 2] = [
    "diamond: mean silhouette; 0 is no separation, more is better",
    "bar and brackets: bootstrap 95 % interval",
];
const P: &str = "p: of the permutation test";
const WIDEST_LABEL: f64 = 260.0;
/// Between a panel and the numbers beside it.
const BESIDE: f64 = 8.0;
const ROW: f64 = 21.0;
const MINUS: &str = " − ";

pub fn figures(run: &Run<'_>) -> Result<Vec<(&'static str, String)>, FigureError> {
    let Some(rows) = run.optional::<ClusterRow>()? else {
        return Ok(Vec::new());
    };
    let mut sections = Vec::new();
    for (kind, metric, title, axis) in SECTIONS {
        let of = |row: &&ClusterRow| row.kind == kind && row.metric == metric && row.taste == ALL;
        let mut rows: Vec<&ClusterRow> = rows.iter().filter(of).collect();
        for row in &rows {
            for arm in std::iter::once(&row.arm).chain(&row.arm_b) {
                run.must_know(ClusterRow::FILE, arm, &[])?;
            }
        }
        // All pieces last, after the subsets of the notebook; the arms of each in the order of the file.
        rows.sort_by_key(|row| row.pieces_per_taste.unwrap_or(usize::MAX));
        if !rows.is_empty() {
            sections.push(Section {
                title,
                axis: run.word().said(axis),
                labels: labels(&rows, run.word()),
                rows,
            });
        }
    }
    if sections.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![("clusters", figure(run, &sections)?)])
}

/// `off · first 20 a taste`; the same width is left for what tells rows apart.
fn labels(rows: &[&ClusterRow], word: &Word) -> Vec<String> {
    let look = Text::new(LABEL, INK);
    let subsets = rows.iter().any(|row| row.pieces_per_taste.is_some());
    let subset = |row: &ClusterRow| match row.pieces_per_taste {
        Some(count) => format!(" · first {count} {}", word.said("a taste")),
        None if subsets => " · all pieces".to_owned(),
        None => String::new(),
    };
    let widest = rows.iter().map(|row| look.width(&subset(row)));
    let room = WIDEST_LABEL - widest.fold(0.0, f64::max);
    // Each arm once, so that two rows of one arm are not taken for two arms.
    let mut arms: Vec<&str> = Vec::new();
    for arm in rows
        .iter()
        .flat_map(|row| row.arm_b.iter().chain([&row.arm]))
    {
        if !arms.contains(&arm.as_str()) {
            arms.push(arm);
        }
    }
    let pairs = rows.iter().any(|row| row.arm_b.is_some());
    let room = match pairs {
        true => (room - look.width(MINUS)) / 2.0,
        false => room,
    };
    let short = look.shorten_apart(&arms, room);
    let name = |arm: &str| {
        let place = arms.iter().position(|known| *known == arm);
        place
            .and_then(|place| short.get(place))
            .map_or("", String::as_str)
    };
    let label = |row: &&ClusterRow| {
        let arm = name(&row.arm);
        match &row.arm_b {
            Some(arm_b) => format!("{arm}{MINUS}{}{}", name(arm_b), subset(row)),
            None => format!("{arm}{}", subset(row)),
        }
    };
    rows.iter().map(label).collect()
}

fn figure(run: &Run<'_>, sections: &[Section<'_>]) -> Result<String, FigureError> {
    let mut words = run.words(format!(
        "{}: {}",
        run.word().said("Separation of the tastes (silhouette)"),
        run.subject()
    ));
    words.key = KEY.map(str::to_owned).to_vec();
    if sections
        .iter()
        .flat_map(|s| &s.rows)
        .any(|row| row.p.is_some())
    {
        words.key.push(P.to_owned());
    }
    let page = Page::new(FIGURE_WIDTH, &words)?;
    let look = Text::new(LABEL, INK);
    let all = sections.iter().flat_map(|section| &section.labels);
    let gutter = all.map(|label| look.width(label)).fold(0.0, f64::max) + 9.0;
    let rows = sections.iter().flat_map(|section| &section.rows);
    let numbers = rows.map(|row| Text::new(SMALL, INK).width(&numbers(row)));
    let aside = numbers.fold(0.0, f64::max) + BESIDE;
    let width = page.width - 2.0 * MARGIN - gutter - aside;
    let headings: Vec<Heading> = sections
        .iter()
        .map(|section| Heading::new(section.title, &[], page.width - 2.0 * MARGIN))
        .collect();
    let heights = sections
        .iter()
        .zip(&headings)
        .map(|(s, heading)| heading.height() + s.rows.len() as f64 * ROW + BELOW_AXIS);
    page.draw(&run.about("clusters"), heights.sum(), |canvas, mut top| {
        let left = MARGIN + gutter;
        for (section, heading) in sections.iter().zip(&headings) {
            heading.draw(canvas, (MARGIN, top))?;
            top += heading.height();
            let size = (width, section.rows.len() as f64 * ROW);
            let values = section.rows.iter().flat_map(|row| {
                let ends = [Some(row.value), row.ci_low, row.ci_high, Some(0.0)];
                ends.into_iter().flatten()
            });
            let axis = Axis::over(values, ticks_across(width)).placed(left, left + width);
            across(canvas, &axis, &section.axis, (left, top), size)?;
            for (i, (row, label)) in section.rows.iter().zip(&section.labels).enumerate() {
                let y = top + (i as f64 + 0.5) * ROW;
                let next = section.rows.get(i + 1);
                if next.is_some_and(|next| next.pieces_per_taste != row.pieces_per_taste) {
                    let below = y + ROW / 2.0;
                    let right = page.width - MARGIN;
                    canvas.path(&[(MARGIN, below), (right, below)], GRID, 1.0)?;
                }
                let beside = (left - 7.0, y + 0.36 * LABEL);
                canvas.text(label, beside, look.align(Align::Right))?;
                one(canvas, &axis, (left + width, y), row)?;
            }
            watermark(canvas, run.watermark, (left, top), size)?;
            top += size.1 + BELOW_AXIS;
        }
        Ok(())
    })
}

/// `0.057 [0.036, 0.087] · n = 80 · p = 0.011`.
fn numbers(row: &ClusterRow) -> String {
    let plus = row.arm_b.is_some();
    let mut text = signed(row.value, 3, plus);
    if let Some((low, high)) = row.ci_low.zip(row.ci_high) {
        let (low, high) = (signed(low, 3, false), signed(high, 3, false));
        text = format!("{text} [{low}, {high}]");
    }
    text = format!("{text} · n = {}", thousands(row.n as u64));
    match row.p {
        Some(p) if p < 0.001 => format!("{text} · p < 0.001"),
        Some(p) => format!("{text} · p = {p:.3}"),
        None => text,
    }
}

fn one(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    (right, y): (f64, f64),
    row: &ClusterRow,
) -> Result<(), FigureError> {
    const CAP: f64 = 3.0;
    let left = axis.at(axis.low());
    canvas.path(&[(left, y), (right, y)], FRAME, 0.5)?;
    if let Some((low, high)) = row.ci_low.zip(row.ci_high) {
        canvas.path(&[(axis.at(low), y), (axis.at(high), y)], INK, 1.75)?;
        for end in [low, high] {
            let x = axis.at(end);
            canvas.path(&[(x, y - CAP), (x, y + CAP)], INK, 1.25)?;
        }
    }
    canvas.diamond((axis.at(row.value), y), 2.5, PAPER, INK)?;
    let at = (right + BESIDE, y + 0.36 * SMALL);
    canvas.text(&numbers(row), at, Text::new(SMALL, INK))
}
