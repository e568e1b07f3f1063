//! The texts that lie nearest to each query, from `nearest.csv`: one row of panels a query, captions beside descriptors.

use super::FigureError;
use super::axis::{Axis, signed};
use super::canvas::Canvas;
use super::frame::{BELOW_AXIS, Heading, across, ticks_across, watermark};
use super::look::{Align, Text};
use super::marker::Shape;
use super::page::Page;
use super::run::Run;
use super::theme::{FIGURE_WIDTH, GRID, INK, MARGIN, PANEL_GAP, QUIET, SMALL};
use crate::tables::{NearestRow, TextKind};
use crate::words::listed;

const ROW: f64 = 13.0;
/// Most neighbours of a query.
const MOST_ROWS: usize = 10;
const PLOT: f64 = 90.0;
const NUMBER: f64 = 36.0;
const GAP: f64 = 8.0;
/// Of the line that names the columns.
const NAMES: f64 = SMALL + 8.0;

/// One query: its neighbours of each kind, the nearest first.
struct Query<'r> {
    text: &'r str,
    columns: Vec<Vec<&'r NearestRow>>,
}

pub fn figures(run: &Run<'_>) -> Result<Vec<(&'static str, String)>, FigureError> {
    let Some(rows) = run.optional::<NearestRow>()? else {
        return Ok(Vec::new());
    };
    let kinds: Vec<TextKind> = [TextKind::Caption, TextKind::Descriptor]
        .into_iter()
        .filter(|kind| rows.iter().any(|row| row.kind == *kind))
        .collect();
    let mut texts: Vec<&str> = Vec::new();
    for row in &rows {
        if !texts.contains(&row.query.as_str()) {
            texts.push(&row.query);
        }
    }
    let query = |text: &&'_ str| {
        let column = |kind: &TextKind| {
            let of = rows.iter().filter(|r| r.kind == *kind && r.query == *text);
            let mut column: Vec<&NearestRow> = of.collect();
            column.sort_by_key(|row| row.rank);
            column.truncate(MOST_ROWS);
            column
        };
        kinds.iter().map(column).collect::<Vec<_>>()
    };
    let queries: Vec<Query<'_>> = texts
        .iter()
        .map(|text| Query {
            text,
            columns: query(text),
        })
        .collect();
    Ok(vec![("nearest", figure(run, &kinds, queries)?)])
}

fn figure(
    run: &Run<'_>,
    kinds: &[TextKind],
    mut queries: Vec<Query<'_>>,
) -> Result<String, FigureError> {
    super::font::register()?;
    let nouns: Vec<String> = kinds.iter().map(|k| format!("{}s", k.name())).collect();
    let most = queries.iter().flat_map(|q| &q.columns).map(Vec::len).max();
    let most = most.unwrap_or(0);
    let all = queries.len();
    let of = match all {
        1 => "1 query".to_owned(),
        all => format!("{all} queries"),
    };
    let title = format!(
        "The {most} nearest {} of {of}, by the cosine of their embeddings",
        listed(&nouns)
    );
    let mut words = run.words(title);
    words.key = vec!["dot and number: cosine of query and text".to_owned()];
    // What the longest foot leaves.
    let mut longest = words.clone();
    longest.key.push(note(all, all));
    let headings = |queries: &[Query<'_>]| -> Vec<Heading> {
        let of = queries.iter();
        of.map(|q| {
            Heading::new(
                &format!("“{}”", q.text.trim()),
                &[],
                FIGURE_WIDTH - 2.0 * MARGIN,
            )
        })
        .collect()
    };
    let height = |query: &Query<'_>, heading: &Heading| {
        let rows = query.columns.iter().map(Vec::len).max().unwrap_or(0);
        heading.height() + rows as f64 * ROW + GAP
    };
    let room = Page::new(FIGURE_WIDTH, &longest)?.room() - NAMES - BELOW_AXIS;
    let (mut used, mut fit) = (0.0, 0);
    for (query, heading) in queries.iter().zip(headings(&queries)) {
        used += height(query, &heading);
        if used > room && fit > 0 {
            break;
        }
        fit += 1;
    }
    queries.truncate(fit);
    if fit < all {
        words.key.push(note(fit, all));
    }
    let page = Page::new(FIGURE_WIDTH, &words)?;
    let headings = headings(&queries);
    let total: f64 = queries
        .iter()
        .zip(&headings)
        .map(|(q, h)| height(q, h))
        .sum();
    let values = queries.iter().flat_map(|q| &q.columns).flatten();
    let axis = Axis::over(values.map(|row| row.similarity), ticks_across(PLOT));
    let count = kinds.len().max(1) as f64;
    let inner = page.width - 2.0 * MARGIN - (count - 1.0) * PANEL_GAP;
    let texts = inner - count * (PLOT + NUMBER);
    // Captions are sentences, descriptors a few words.
    let share = |kind: &TextKind| match (kinds.len(), kind) {
        (2, TextKind::Caption) => 0.64,
        (2, TextKind::Descriptor) => 0.36,
        _ => 1.0,
    };
    let widths: Vec<f64> = kinds.iter().map(|kind| texts * share(kind)).collect();
    page.draw(
        &run.about("nearest"),
        NAMES + total + BELOW_AXIS,
        |canvas, mut top| {
            let mut left = MARGIN;
            for (noun, width) in nouns.iter().zip(&widths) {
                let look = Text::new(SMALL, QUIET);
                canvas.text(noun, (left, top + SMALL), look)?;
                left += width + PLOT + NUMBER + PANEL_GAP;
            }
            top += NAMES;
            for (i, (query, heading)) in queries.iter().zip(&headings).enumerate() {
                heading.draw(canvas, (MARGIN, top))?;
                let rows_top = top + heading.height();
                let rows = query.columns.iter().map(Vec::len).max().unwrap_or(0) as f64;
                let mut left = MARGIN;
                for (column, width) in query.columns.iter().zip(&widths) {
                    let plot = left + width;
                    let axis = axis.placed(plot, plot + PLOT);
                    let size = (PLOT, rows * ROW);
                    match i + 1 == queries.len() {
                        true => across(canvas, &axis, "cosine", (plot, rows_top), size)?,
                        false => grid(canvas, &axis, rows_top, size.1)?,
                    }
                    for (j, row) in column.iter().enumerate() {
                        let y = rows_top + (j as f64 + 0.5) * ROW;
                        one(canvas, &axis, (left, y), *width, row)?;
                    }
                    let whole = (width + PLOT + NUMBER, size.1);
                    watermark(canvas, run.watermark, (left, rows_top), whole)?;
                    left = plot + PLOT + NUMBER + PANEL_GAP;
                }
                top += height(query, heading);
            }
            Ok(())
        },
    )
}

fn note(shown: usize, all: usize) -> String {
    format!("the first {shown} of {all} queries; all are in nearest.csv")
}

fn grid(canvas: &mut Canvas<'_>, axis: &Axis, top: f64, height: f64) -> Result<(), FigureError> {
    axis.ticks().into_iter().try_for_each(|(value, _)| {
        let x = axis.at(value);
        canvas.path(&[(x, top), (x, top + height)], GRID, 1.0)
    })
}

/// One neighbour: its text, its place on the axis, its cosine.
fn one(
    canvas: &mut Canvas<'_>,
    axis: &Axis,
    (left, y): (f64, f64),
    width: f64,
    row: &NearestRow,
) -> Result<(), FigureError> {
    let baseline = y + 0.36 * SMALL;
    let look = Text::new(SMALL, INK);
    let text = look.shorten(row.text.trim(), width - 10.0);
    canvas.text(&text, (left, baseline), look)?;
    let (from, to) = (left + width, left + width + PLOT);
    canvas.path(&[(from, y), (to, y)], GRID, 0.75)?;
    let at = (axis.at(row.similarity), y);
    canvas.marker(Shape::Circle, at, 2.5, (INK, false), 1.0)?;
    let number = (to + NUMBER - 4.0, baseline);
    canvas.text(
        &signed(row.similarity, 2, false),
        number,
        look.align(Align::Right),
    )
}
