//! Heat maps of the similarity of tastes, one panel an arm, from `similarity.csv`.

use std::collections::HashMap;

use foreign::Foreign;
use foreign::words;

use super::FigureError;
use super::axis::signed;
use super::canvas::Canvas;
use super::frame::{Heading, panel_width, tallest, watermark};
use super::heat::{BAR_HEIGHT, Heat};
use super::look::{Align, Text};
use super::page::Page;
use super::run::Run;
use super::theme::{
    FIGURE_WIDTH, FRAME, GRID, INK, LABEL, MARGIN, PANEL_GAP, QUIET, SMALL, SMALL_WIDTH,
};
use crate::tables::similarity::Against;
use crate::tables::{Row, SimilarityRow};

/// Most tastes of which panels against pieces and against prompts stand side by side.
const SIDE_BY_SIDE: usize = 8;
const WIDEST_LABEL: f64 = 76.0;
const WIDEST_CELL: f64 = 62.0;
const TALLEST_CELL: f64 = 26.0;
const LOWEST_CELL: f64 = 11.4;
/// What the rows are, and what the columns are.
const SIDE: f64 = SMALL + 6.0;

type Cells<'r> = HashMap<(&'r str, &'r str), &'r SimilarityRow>;

/// One arm against pieces or prompts.
struct Panel<'r> {
    arm: &'r str,
    cells: Cells<'r>,
}

pub fn figures(run: &Run<'_>) -> Result<Vec<(&'static str, String)>, FigureError> {
    let Some(rows) = run.optional::<SimilarityRow>()? else {
        return Ok(Vec::new());
    };
    let tastes: Vec<&str> = run.palette.iter().map(|(taste, _)| taste).collect();
    let of = |against| panels(run, &rows, against);
    let columns = [of(Against::Audio)?, of(Against::Text)?];
    let columns = [Against::Audio, Against::Text].into_iter().zip(columns);
    let columns: Vec<(Against, Vec<Panel<'_>>)> = columns.filter(|c| !c.1.is_empty()).collect();
    if tastes.len() <= SIDE_BY_SIDE {
        let title = format!(
            "{}: {}",
            run.word().said("Mean cosine by taste"),
            run.subject()
        );
        let about = run.about("similarity");
        let figure = figure(run, &tastes, columns, title, &about)?;
        return Ok(vec![("similarity", figure)]);
    }
    let draw = |column: (Against, Vec<Panel<'_>>)| {
        let (stem, what) = match column.0 {
            Against::Audio => ("similarity", "Mean cosine of pieces by taste"),
            Against::Text => (
                "similarity_text",
                "Mean cosine of pieces and prompts by taste",
            ),
        };
        let title = format!("{}: {}", run.word().said(what), run.subject());
        let figure = figure(run, &tastes, vec![column], title, &run.about(stem))?;
        Ok((stem, figure))
    };
    columns.into_iter().map(draw).collect()
}

fn panels<'r>(
    run: &Run<'_>,
    rows: &'r [SimilarityRow],
    against: Against,
) -> Result<Vec<Panel<'r>>, FigureError> {
    let mut panels: Vec<Panel<'r>> = Vec::new();
    for row in rows.iter().filter(|row| row.against == against) {
        let (a, b) = (row.taste_a.as_str(), row.taste_b.as_str());
        run.must_know(SimilarityRow::FILE, &row.arm, &[a, b])?;
        let known = panels.iter().position(|panel| panel.arm == row.arm);
        let place = known.unwrap_or(panels.len());
        if known.is_none() {
            let cells = HashMap::new();
            panels.push(Panel {
                arm: &row.arm,
                cells,
            });
        }
        if panels[place].cells.insert((a, b), row).is_some() {
            let (arm, a, b) = (Foreign::new(&row.arm), Foreign::new(a), Foreign::new(b));
            let what = words!("it has {} and {} twice under {}", a, b, arm);
            return Err(run.strange(SimilarityRow::FILE, what));
        }
    }
    Ok(panels)
}

/// How cells lie, px.
struct Layout {
    cell: (f64, f64),
    /// Left of the cells, for the names of the rows.
    gutter: f64,
    /// Above the cells, for the names of the columns, which read upwards where they are wider than a cell.
    names: f64,
    upwards: bool,
    labels: Vec<String>,
}

/// `columns` of panels, each with a scale of its own: how alike pieces are says nothing of how alike a prompt is.
fn figure(
    run: &Run<'_>,
    tastes: &[&str],
    columns: Vec<(Against, Vec<Panel<'_>>)>,
    title: String,
    about: &str,
) -> Result<String, FigureError> {
    let mut words = run.words(title);
    words.key = vec![run.word().said("row: taste of the piece").to_string()];
    if columns.iter().any(|c| c.0 == Against::Audio) {
        words.key.push("no piece is paired with itself".to_owned());
    }
    let small = columns.len() == 1 && tastes.len() <= SIDE_BY_SIDE;
    let page = Page::new(if small { SMALL_WIDTH } else { FIGURE_WIDTH }, &words)?;
    let count = tastes.len().max(1) as f64;
    let look = Text::new(LABEL, INK);
    let labels = look.shorten_apart(tastes, WIDEST_LABEL);
    let widest = labels
        .iter()
        .map(|label| look.width(label))
        .fold(0.0, f64::max);
    let gutter = widest + 8.0 + SIDE;
    let room = panel_width(page.width, columns.len(), 0.0, gutter);
    let cell = (room / count).min(WIDEST_CELL);
    let upwards = widest > cell - 4.0;
    let names = SIDE + if upwards { widest + 5.0 } else { LABEL + 5.0 };
    let headings: Vec<Vec<Heading>> = columns
        .iter()
        .map(|(against, panels)| {
            let heading = |panel: &Panel<'_>| heading(run, panel, *against, gutter + cell * count);
            panels.iter().map(heading).collect()
        })
        .collect();
    let above = headings.iter().map(|h| tallest(h)).fold(0.0, f64::max);
    let rows = columns.iter().map(|c| c.1.len()).max().unwrap_or(0).max(1);
    const GAP: f64 = 12.0;
    // Panels below each other share the names of their columns where the page would not hold them again.
    let room = |shared: bool| {
        let names = if shared { names / rows as f64 } else { names };
        ((page.room() - BAR_HEIGHT) / rows as f64 - above - names - GAP) / count
    };
    let shared = upwards && room(false) < LOWEST_CELL;
    let layout = Layout {
        cell: (cell, room(shared).clamp(LOWEST_CELL, TALLEST_CELL)),
        gutter,
        names,
        upwards,
        labels,
    };
    let below = |j: usize| if j > 0 && shared { 0.0 } else { names };
    let row_height = above + layout.cell.1 * count + GAP;
    let place = |j: usize| j as f64 * row_height + (0..j).map(below).sum::<f64>();
    let height = place(rows) + BAR_HEIGHT;
    page.draw(about, height, |canvas, top| {
        for (i, ((against, panels), headings)) in columns.iter().zip(&headings).enumerate() {
            let step = gutter + cell * count + PANEL_GAP;
            let step = step.max((page.width - 2.0 * MARGIN + PANEL_GAP) / columns.len() as f64);
            let left = MARGIN + i as f64 * step;
            let values = panels.iter().flat_map(|panel| panel.cells.values());
            let heat = Heat::over(values.map(|row| row.similarity));
            for (j, (panel, heading)) in panels.iter().zip(headings).enumerate() {
                let top = top + place(j);
                heading.draw(canvas, (left, top))?;
                let cells = (left + gutter, top + above + below(j));
                row_names(canvas, &layout, cells)?;
                if below(j) > 0.0 {
                    column_names(canvas, &layout, *against, cells)?;
                }
                fill(canvas, &layout, &heat, tastes, &panel.cells, cells)?;
                let size = (cell * count, layout.cell.1 * count);
                watermark(canvas, run.watermark, cells, size)?;
            }
            let label = match against {
                Against::Audio => "mean cosine of two pieces",
                Against::Text => "mean cosine of a piece and a prompt",
            };
            let width = (cell * count).min(220.0);
            let bar = (left + gutter, top + place(rows));
            heat.bar(canvas, label, bar, width)?;
        }
        Ok(())
    })
}

fn heading(run: &Run<'_>, panel: &Panel<'_>, against: Against, width: f64) -> Heading {
    let title = match against {
        Against::Audio => format!("{}: piece and piece", panel.arm),
        Against::Text => format!("{}: piece and prompt", panel.arm),
    };
    let n: Vec<usize> = panel.cells.values().map(|row| row.n).collect();
    let n = match (n.iter().min(), n.iter().max()) {
        (Some(least), Some(most)) if least == most => format!("n = {least} pairs a cell"),
        (Some(least), Some(most)) => format!("n = {least} to {most} pairs a cell"),
        _ => String::new(),
    };
    let checkpoint = run.manifest.checkpoint(run.arm(panel.arm));
    let under: Vec<String> = std::iter::once(n)
        .chain(checkpoint.map(str::to_owned))
        .collect();
    Heading::new(&title, &under, width)
}

/// The names of the rows, and what they are.
fn row_names(
    canvas: &mut Canvas<'_>,
    layout: &Layout,
    (left, top): (f64, f64),
) -> Result<(), FigureError> {
    let high = layout.cell.1;
    for (i, label) in layout.labels.iter().enumerate() {
        let beside = (left - 5.0, top + (i as f64 + 0.5) * high + 0.36 * LABEL);
        canvas.text(label, beside, Text::new(LABEL, INK).align(Align::Right))?;
    }
    let count = layout.labels.len() as f64;
    let quiet = Text::new(SMALL, QUIET).align(Align::Centre);
    let beside = (left - layout.gutter + SMALL, top + count * high / 2.0);
    canvas.text_upwards("piece", beside, quiet)
}

/// The names of the columns, and what they are.
fn column_names(
    canvas: &mut Canvas<'_>,
    layout: &Layout,
    against: Against,
    (left, top): (f64, f64),
) -> Result<(), FigureError> {
    let wide = layout.cell.0;
    let look = Text::new(LABEL, INK);
    for (i, label) in layout.labels.iter().enumerate() {
        let x = left + (i as f64 + 0.5) * wide;
        match layout.upwards {
            true => canvas.text_upwards(label, (x + 0.36 * LABEL, top - 4.0), look)?,
            false => canvas.text(label, (x, top - 5.0), look.align(Align::Centre))?,
        }
    }
    let count = layout.labels.len() as f64;
    let quiet = Text::new(SMALL, QUIET).align(Align::Centre);
    let columns = match against {
        Against::Audio => "other piece",
        Against::Text => "prompt",
    };
    let above = top - layout.names + 0.8 * SMALL;
    canvas.text(columns, (left + count * wide / 2.0, above), quiet)
}

fn fill(
    canvas: &mut Canvas<'_>,
    layout: &Layout,
    heat: &Heat,
    tastes: &[&str],
    cells: &Cells<'_>,
    (left, top): (f64, f64),
) -> Result<(), FigureError> {
    let (wide, high) = layout.cell;
    let size = if wide < 36.0 { SMALL } else { LABEL };
    for (i, a) in tastes.iter().enumerate() {
        for (j, b) in tastes.iter().enumerate() {
            let corner = (left + j as f64 * wide, top + i as f64 * high);
            let other = (corner.0 + wide, corner.1 + high);
            let middle = (corner.0 + wide / 2.0, corner.1 + high / 2.0 + 0.36 * size);
            // A taste of one piece has no two pieces to compare.
            let (colour, text) = match cells.get(&(*a, *b)) {
                Some(row) => (
                    heat.colour(row.similarity),
                    signed(row.similarity, 2, false),
                ),
                None => (GRID, "–".to_owned()),
            };
            canvas.rect(corner, other, colour, 1.0)?;
            let look = Text::new(size, colour.text()).align(Align::Centre);
            canvas.text(&text, middle, look)?;
        }
    }
    let count = tastes.len() as f64;
    let end = (left + count * wide, top + count * high);
    canvas.outline((left, top), end, FRAME, 0.75)
}
