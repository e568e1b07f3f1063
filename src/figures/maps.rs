//! t-SNE maps, one panel a map: colours are tastes, shapes are arms. Points that lie near each other are alike; the axes
//! have no unit, and distances between far groups mean little (M. Wattenberg, F. Viégas, I. Johnson, How to Use t-SNE
//! Effectively, Distill 2016), so the ticks have no numbers.

use std::collections::{HashMap, HashSet};

use foreign::words;
use foreign::{Foreign, Words};

use super::FigureError;
use super::axis::Axis;
use super::canvas::Canvas;
use super::frame::{Grid, Heading, columns_and_rows, panel_width, tallest, watermark};
use super::legend::{Entry, Sign, of_tastes};
use super::look::{Align, Text};
use super::marker::Shape;
use super::page::Page;
use super::run::Run;
use super::swarm::mixed;
use super::theme::{FIGURE_WIDTH, FRAME, QUIET, SMALL, SMALL_WIDTH, Tint, ZERO};
use crate::tables::{MapRow, Row};
use crate::words::{counted, thousands};

/// A map of several arms; the others show one arm each.
const JOINT: &str = "joint";
const MOST_COLUMNS: usize = 3;
/// Points of a map from which on they are drawn small.
const CROWD: usize = 600;
const GUTTER: f64 = 24.0;
const BELOW: f64 = SMALL + 16.0;

/// Maps by name, in the order of the file.
type Maps<'r> = Vec<(&'r str, Vec<&'r MapRow>)>;

pub fn figures(run: &Run<'_>) -> Result<Vec<(&'static str, String)>, FigureError> {
    let Some(rows) = run.optional::<MapRow>()? else {
        return Ok(Vec::new());
    };
    check(run, &rows)?;
    // Of sets of pieces that are compared, each map shows one arm, and its points are told apart by their set.
    let mut arms: Vec<&str> = Vec::new();
    let mut maps: Maps<'_> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for row in &rows {
        if !arms.contains(&run.set(&row.arm)) {
            arms.push(run.set(&row.arm));
        }
        let place = *places.entry(&row.map).or_insert(maps.len());
        if place == maps.len() {
            maps.push((&row.map, Vec::new()));
        }
        maps[place].1.push(row);
    }
    let texts = run.rows.is_empty();
    let (joint, own): (Maps<'_>, Maps<'_>) = maps
        .into_iter()
        .partition(|(map, _)| map.starts_with(JOINT));
    let plural = |maps: &Maps<'_>| if maps.len() == 1 { "" } else { "s" };
    let mut figures = Vec::new();
    if !own.is_empty() {
        let of = match texts {
            true => {
                let ids: HashSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
                format!("text embeddings: {}", counted(ids.len(), "caption"))
            }
            false => format!("audio embeddings: {}", run.subject()),
        };
        let title = format!("t-SNE map{} of {of}", plural(&own));
        figures.push(("tsne", figure(run, own, &arms, title, &run.about("tsne"))?));
    }
    if !joint.is_empty() {
        let s = plural(&joint);
        let title = format!("Joint t-SNE map{s} of audio embeddings: {}", run.subject());
        let figure = figure(run, joint, &arms, title, &run.about("tsne_joint"))?;
        figures.push(("tsne_joint", figure));
    }
    Ok(figures)
}

/// That every point is a piece with a score, and on no map twice.
fn check(run: &Run<'_>, rows: &[MapRow]) -> Result<(), FigureError> {
    let scores = run.rows.iter().map(|row| {
        let key = (row.arm.as_str(), row.id.as_str());
        (key, row.taste.as_str())
    });
    let scores: HashMap<(&str, &str), &str> = scores.collect();
    let mut seen = HashSet::new();
    for row in rows {
        let (arm, id) = (row.arm.as_str(), row.id.as_str());
        let told = |what: Words| Err(run.strange(MapRow::FILE, what));
        if !seen.insert((row.map.as_str(), arm, id)) {
            let (id, map) = (Foreign::new(id), Foreign::new(&row.map));
            return told(words!("it has {} twice on the map {}", id, map));
        }
        if run.rows.is_empty() {
            continue;
        }
        match scores.get(&(arm, id)) {
            None => {
                let (id, arm) = (Foreign::new(id), Foreign::new(arm));
                return told(words!(
                    "it has the piece {} under {}, which has no score",
                    id,
                    arm
                ));
            }
            Some(taste) if *taste != row.taste => {
                let (id, has, taste) = (
                    Foreign::new(id),
                    Foreign::new(&row.taste),
                    Foreign::new(taste),
                );
                return told(words!(
                    "the piece {} {} '{}' there and '{}' among the scores",
                    id,
                    run.word().said("has the taste"),
                    has,
                    taste
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// How arms, or sets, are drawn.
struct Signs<'r> {
    arms: &'r [&'r str],
    /// Whether every other arm is hollow, which makes them easier to tell apart. Not where hollow says which taste is meant,
    /// nor in a crowd, where outlines look darker than dots.
    hollow: bool,
}

impl Signs<'_> {
    fn of(&self, arm: &str) -> (Shape, bool) {
        let place = self.arms.iter().position(|known| *known == arm);
        let place = place.unwrap_or(0);
        (Shape::nth(place), self.hollow && place % 2 == 1)
    }
}

fn figure(
    run: &Run<'_>,
    maps: Maps<'_>,
    arms: &[&str],
    title: String,
    about: &str,
) -> Result<String, FigureError> {
    let mut words = run.words(title);
    words.key = vec![
        "near points have like embeddings; distances between far groups mean little".to_owned(),
    ];
    let most = maps.iter().map(|(_, points)| points.len()).max();
    let hollow = !run.palette.is_hatched() && most.unwrap_or(0) < CROWD;
    let signs = Signs { arms, hollow };
    words.legend = legend(run, &maps, &signs);
    let (columns, rows) =
        columns_and_rows(maps.len(), if maps.len() == 4 { 2 } else { MOST_COLUMNS });
    let small = columns == 1;
    let page = Page::new(if small { SMALL_WIDTH } else { FIGURE_WIDTH }, &words)?;
    let width = panel_width(page.width, columns, GUTTER, 0.0);
    let heading = |(map, points): &(&str, Vec<&MapRow>)| {
        let checkpoint = run.manifest.checkpoint(run.arm(map));
        let parts = [
            Some(format!("n = {}", thousands(points.len() as u64))),
            run.manifest.perplexity(map),
            checkpoint.map(str::to_owned),
        ];
        let under: Vec<String> = parts.into_iter().flatten().collect();
        Heading::new(map, &under, width)
    };
    let headings: Vec<Heading> = maps.iter().map(heading).collect();
    let above = tallest(&headings);
    // Square, so that a unit is as long upwards as across; smaller where the page ends.
    let fits = page.room() / rows as f64 - above - BELOW;
    let side = width.min(fits.max(150.0));
    let grid = Grid {
        columns,
        rows,
        panel: (width, side),
        gutter: GUTTER,
        aside: 0.0,
        above,
        below: BELOW,
        top: page.top(),
    };
    page.draw(about, grid.height(), |canvas, _| {
        for (i, ((_, points), heading)) in maps.iter().zip(&headings).enumerate() {
            let (left, top) = grid.corner(i);
            heading.draw(canvas, (left, top - above))?;
            let frame = Frame::new(points, (left, top), grid.panel);
            frame.draw(canvas, grid.leads(i))?;
            draw_points(canvas, run, &signs, points, &frame)?;
            watermark(canvas, run.watermark, (left, top), grid.panel)?;
        }
        Ok(())
    })
}

fn legend(run: &Run<'_>, maps: &Maps<'_>, signs: &Signs<'_>) -> Vec<Vec<Entry>> {
    let points = || maps.iter().flat_map(|(_, points)| points);
    let without = !run.palette.is_empty() && points().any(|point| point.taste.is_empty());
    let mut groups = vec![of_tastes(&run.palette, without, run.word())];
    // Where each map shows one arm, its heading says which.
    let mixed = |points: &[&MapRow]| points.iter().any(|point| point.arm != points[0].arm);
    if maps.iter().any(|(_, points)| mixed(points)) {
        let there: HashSet<&str> = points().map(|point| run.set(&point.arm)).collect();
        let entry = |arm: &&str| {
            let (shape, hollow) = signs.of(arm);
            Entry {
                sign: Sign::Arm(shape, hollow),
                name: (*arm).to_owned(),
            }
        };
        let shown = signs.arms.iter().filter(|arm| there.contains(**arm));
        groups.push(shown.map(entry).collect());
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// Points in px, a unit as long upwards as across.
struct Frame {
    at: (f64, f64),
    size: (f64, f64),
    /// The point in the middle, and px per unit.
    middle: (f64, f64),
    scale: f64,
}

impl Frame {
    fn new(points: &[&MapRow], at: (f64, f64), size: (f64, f64)) -> Self {
        /// Of the panel, kept free around the points.
        const ROOM: f64 = 0.06;
        let ends = |value: fn(&MapRow) -> f64| {
            let values = points.iter().map(|point| value(point));
            let none = (f64::INFINITY, f64::NEG_INFINITY);
            values.fold(none, |(low, high), v| (low.min(v), high.max(v)))
        };
        let (x, y) = (ends(|point| point.tsne_1), ends(|point| point.tsne_2));
        let middle = |(low, high): (f64, f64)| low / 2.0 + high / 2.0;
        // Points in one place have a scale too.
        let fit = |(low, high): (f64, f64), px: f64| {
            px * (1.0 - 2.0 * ROOM) / (high - low).max(f64::MIN_POSITIVE)
        };
        let scale = fit(x, size.0).min(fit(y, size.1)).min(size.0);
        Self {
            at,
            size,
            middle: (middle(x), middle(y)),
            scale,
        }
    }

    fn place(&self, point: &MapRow) -> (f64, f64) {
        (
            self.at.0 + self.size.0 / 2.0 + (point.tsne_1 - self.middle.0) * self.scale,
            self.at.1 + self.size.1 / 2.0 - (point.tsne_2 - self.middle.1) * self.scale,
        )
    }

    /// The frame with its ticks and the names of the axes.
    fn draw(&self, canvas: &mut Canvas<'_>, leads: bool) -> Result<(), FigureError> {
        const TICK: f64 = 3.0;
        let ((left, top), (width, height)) = (self.at, self.size);
        let (right, bottom) = (left + width, top + height);
        canvas.outline(self.at, (right, bottom), FRAME, 1.0)?;
        let half = (width / 2.0 / self.scale, height / 2.0 / self.scale);
        let ticks = |middle: f64, half: f64| {
            let axis = Axis::over([middle - half, middle + half].into_iter(), 5.0);
            let inside = move |value: &f64| (value - middle).abs() < half;
            axis.ticks()
                .into_iter()
                .map(|t| t.0)
                .filter(inside)
                .collect::<Vec<f64>>()
        };
        for value in ticks(self.middle.0, half.0) {
            let x = left + width / 2.0 + (value - self.middle.0) * self.scale;
            canvas.path(&[(x, bottom), (x, bottom + TICK)], ZERO, 1.0)?;
        }
        for value in ticks(self.middle.1, half.1) {
            let y = top + height / 2.0 - (value - self.middle.1) * self.scale;
            canvas.path(&[(left - TICK, y), (left, y)], ZERO, 1.0)?;
        }
        let look = Text::new(SMALL, QUIET).align(Align::Centre);
        let below = (left + width / 2.0, bottom + 5.0 + SMALL);
        canvas.text("t-SNE 1 (no unit)", below, look)?;
        match leads {
            true => {
                let beside = (left - 8.0, top + height / 2.0);
                canvas.text_upwards("t-SNE 2 (no unit)", beside, look)
            }
            false => Ok(()),
        }
    }
}

fn draw_points(
    canvas: &mut Canvas<'_>,
    run: &Run<'_>,
    signs: &Signs<'_>,
    points: &[&MapRow],
    frame: &Frame,
) -> Result<(), FigureError> {
    let crowd = points.len() as f64 / (frame.size.0 * frame.size.1) * 1e5;
    let (radius, alpha) = match crowd {
        ..250.0 => (2.6, 0.85),
        ..800.0 => (2.0, 0.7),
        ..8000.0 => (1.3, 0.5),
        _ => (1.0, 0.4),
    };
    // In an order that no taste comes last in, so that none hides another; those without a taste come first.
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by_key(|&i| (!points[i].taste.is_empty(), mixed(i)));
    let tints: HashMap<&str, Tint> = run.palette.iter().collect();
    for i in order {
        let point = points[i];
        let (shape, hollow) = signs.of(run.set(&point.arm));
        let tint = tints.get(point.taste.as_str()).copied();
        let Tint { colour, hatched } = tint.unwrap_or(Tint::NO_TASTE);
        // Two outlines that cross stay apart; two translucent ones would not.
        let alpha = if hollow || hatched {
            1.0_f64.min(alpha + 0.2)
        } else {
            alpha
        };
        let at = frame.place(point);
        canvas.marker(shape, at, radius, (colour, hollow || hatched), alpha)?;
    }
    Ok(())
}
