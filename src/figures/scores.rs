//! The figures of scores by taste and of their paired differences, from rows of scores.

use super::FigureError;
use super::boxplot::{self, BoxPlotSpec, Group, Panel};
use super::differences::{self, DifferencesSpec, PairPanel};
use super::page::Words;
use super::run::{Run, SCORE, SCORE_AXIS};
use super::summaries::Summaries;
use super::theme::Tint;
use crate::statistics::StatsError;
use crate::statistics::grouping::{ALL, Arm, by_arm};
use crate::tables::stats::Kind;
use crate::tables::{self, Row, ScoreRow, StatsRow};
use crate::words::counted;

/// Beyond so many arms, each is compared with the first one only: all pairs would not fit a page.
const ARMS_IN_ALL_PAIRS: usize = 4;
const FIRST_ONLY: &str = "every arm against the first; the other pairs are in stats.csv";

pub fn figures(run: &Run<'_>) -> Result<Vec<(&'static str, String)>, FigureError> {
    if run.rows.is_empty() {
        return Ok(Vec::new());
    }
    let of_scores = |source: StatsError| FigureError::Stats {
        path: run.dir.join(ScoreRow::FILE),
        source,
    };
    let arms = by_arm(&run.rows).map_err(of_scores)?;
    let stats_path = run.dir.join(StatsRow::FILE);
    let stats = if stats_path.exists() {
        tables::read(&stats_path, run.word())?
    } else {
        let seed = run.manifest.seed.unwrap_or(0);
        crate::statistics::stats(&run.rows, seed, run.manifest.labels()).map_err(of_scores)?
    };
    let table = Summaries::new(&stats, stats_path, run);
    let mut labels: Vec<(&str, Tint)> = run.palette.iter().collect();
    // Pieces without a taste are in no box but that of all pieces.
    if run.rows.iter().any(|row| row.taste.is_empty()) {
        labels.push((ALL, Tint::NO_TASTE));
    }
    let by = run.word().said(match run.palette.is_empty() {
        true => "",
        false => " by taste",
    });
    let panels = arms.iter().map(|arm| panel(run, arm, &labels, &table));
    let spec = BoxPlotSpec {
        panels: panels.collect::<Result<_, _>>()?,
        y_label: SCORE_AXIS,
        words: Words {
            key: run.what_is_of_all(),
            ..run.words(format!("{SCORE}{by}: {}", run.subject()))
        },
        about: &run.about("scores"),
    };
    let mut figures = vec![("scores", boxplot::render(spec)?)];
    let (pairs, all) = pairs(run, &arms);
    if !pairs.is_empty() {
        let panels = pairs.iter().map(|(a, b)| pair_panel(a, b, &labels, &table));
        let mut words = run.words(format!("Paired differences in {SCORE}: {}", run.subject()));
        words.key = run.what_is_of_all();
        words.key.extend((!all).then(|| FIRST_ONLY.to_owned()));
        let spec = DifferencesSpec {
            panels: panels.collect::<Result<_, _>>()?,
            axes: [
                format!("difference in {SCORE_AXIS}"),
                "difference (cosine)".to_owned(),
            ],
            words,
            about: &run.about("differences"),
        };
        figures.push(("differences", differences::render(spec)?));
    }
    Ok(figures)
}

/// The pairs to draw, and whether they are all that there are. Sets of pieces are compared under one arm at a time.
fn pairs<'a, 'r>(run: &Run<'_>, arms: &'a [Arm<'r>]) -> (Vec<(&'a Arm<'r>, &'a Arm<'r>)>, bool) {
    let sets = !run.sets().is_empty();
    let every = arms.iter().enumerate().flat_map(|(i, a)| {
        let others = arms.iter().skip(i + 1);
        others.map(move |b| (i, a, b))
    });
    let every: Vec<_> = every
        .filter(|(_, a, b)| !sets || run.arm(a.name) == run.arm(b.name))
        .collect();
    let all = sets || arms.len() <= ARMS_IN_ALL_PAIRS;
    let chosen = every.into_iter().filter(|(i, _, _)| all || *i == 0);
    (chosen.map(|(_, a, b)| (a, b)).collect(), all)
}

fn panel<'r>(
    run: &'r Run<'_>,
    arm: &Arm<'r>,
    labels: &[(&'r str, Tint)],
    table: &Summaries<'_>,
) -> Result<Panel<'r>, FigureError> {
    let group = |&(label, tint): &(&'r str, Tint)| {
        let values = arm.scores(label);
        let summary = table.of((Kind::Arm, arm.name, "", label), values.len())?;
        Ok(Group {
            label,
            tint,
            values,
            summary,
        })
    };
    let checkpoint = run.manifest.checkpoint(run.arm(arm.name));
    let shown = arm.pieces.len();
    let all = match run.sampled {
        true => table.of((Kind::Arm, arm.name, "", ALL), shown)?,
        false => None,
    };
    let n = run.n(all.map_or(shown, |all| all.n), shown);
    Ok(Panel {
        title: arm.name,
        under: std::iter::once(n)
            .chain(checkpoint.map(str::to_owned))
            .collect(),
        groups: labels
            .iter()
            .map(group)
            .collect::<Result<_, FigureError>>()?,
    })
}

fn pair_panel<'r>(
    a: &Arm<'r>,
    b: &Arm<'r>,
    labels: &[(&'r str, Tint)],
    table: &Summaries<'_>,
) -> Result<PairPanel<'r>, FigureError> {
    let row = |(label, tint): (&'r str, Tint)| {
        let (x, y) = a.paired_with(b, label);
        let differences: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x - y).collect();
        let summary = table.of((Kind::Pair, a.name, b.name, label), differences.len())?;
        Ok(differences::Row {
            label,
            tint,
            differences,
            summary,
        })
    };
    let tastes = labels.iter().copied().filter(|(label, _)| *label != ALL);
    let rows = std::iter::once((ALL, Tint::NO_TASTE))
        .chain(tastes)
        .map(row);
    let rows: Vec<differences::Row<'_>> = rows.collect::<Result<_, FigureError>>()?;
    let pieces = rows.first().and_then(|row| row.summary);
    let pieces = pieces.map_or(0, |all| all.n);
    Ok(PairPanel {
        arms: [a.name, b.name],
        under: counted(pieces, "pair"),
        rows,
    })
}
