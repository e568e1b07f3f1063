//! The figures of a run folder, from its CSVs alone.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::boxplot::{self, BoxPlotSpec, Group, Panel};
use super::differences::{self, DifferencesSpec, PairPanel};
use super::manifest::Manifest;
use super::{Figure, FigureError, prompts};
use crate::analysis::grouping::{ALL, Arm, MOST_TASTES, by_arm, tastes};
use crate::analysis::{self, Summary};
use crate::report::stats::Kind;
use crate::report::{self, Row, ScoreRow, StatsRow};

/// The name of the score on axes; the notebooks' label.
const SCORE: &str = "CLAP Score";
/// Written across figures whose scores come from random weights.
const RANDOM: &str = "random weights: not a finding";
/// Beyond so many arms, each is compared with the first one only: all pairs would not fit a page.
const ARMS_IN_ALL_PAIRS: usize = 5;
const FIRST_ONLY: &str = "every arm against the first; the other pairs are in stats.csv";

/// Draw every figure of `run_dir` into its folder `figures/`, as SVG and PNG; gives the paths written.
///
/// Reads `scores.csv`; `stats.csv`, or computes the same when it is missing; and a few optional keys of
/// `manifest.json` for captions. Loads no model. The same CSVs give the same bytes.
pub fn redraw(run_dir: &Path) -> Result<Vec<PathBuf>, FigureError> {
    save(run_dir, &Manifest::read(run_dir)?)
}

/// As [`redraw`], with the `manifest.json` that the run is going to write: it comes after the figures, so that a folder
/// that has it is whole.
pub fn draw_first(
    run_dir: &Path,
    manifest: &serde_json::Value,
) -> Result<Vec<PathBuf>, FigureError> {
    save(run_dir, &Manifest::of(run_dir, manifest)?)
}

fn save(run_dir: &Path, manifest: &Manifest) -> Result<Vec<PathBuf>, FigureError> {
    let drawn = draw(run_dir, manifest)?;
    let folder = run_dir.join("figures");
    if let Err(source) = fs::create_dir_all(&folder) {
        return Err(FigureError::Write {
            path: folder,
            source,
        });
    }
    let mut paths = Vec::new();
    for (stem, figure) in drawn {
        paths.extend(figure.save(&folder, stem)?);
    }
    Ok(paths)
}

fn draw(run_dir: &Path, manifest: &Manifest) -> Result<Vec<(&'static str, Figure)>, FigureError> {
    let path = run_dir.join(ScoreRow::FILE);
    let rows: Vec<ScoreRow> = report::read(&path)?;
    if rows.is_empty() {
        return Err(FigureError::Empty { path });
    }
    let of_scores = |source| FigureError::Stats {
        path: path.clone(),
        source,
    };
    let arms = by_arm(&rows).map_err(of_scores)?;
    let stats_path = run_dir.join(StatsRow::FILE);
    let stats = if stats_path.exists() {
        report::read(&stats_path)?
    } else {
        analysis::stats(&rows, manifest.seed.unwrap_or(0)).map_err(of_scores)?
    };
    let table = Table::new(&stats, stats_path);
    let mut labels = tastes(&rows);
    if labels.len() > MOST_TASTES {
        let (found, most) = (labels.len(), MOST_TASTES);
        return Err(FigureError::TooManyTastes { path, found, most });
    }
    // Pieces without a taste are in no box but that of all pieces.
    if rows.iter().any(|row| row.taste.is_empty()) {
        labels.push(ALL);
    }
    let pieces: HashSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let caption = manifest.caption(pieces.len());
    let watermark = manifest.random_weights.then_some(RANDOM);

    let panels = arms.iter().map(|arm| panel(arm, &labels, manifest, &table));
    let spec = BoxPlotSpec {
        panels: panels.collect::<Result<_, _>>()?,
        y_label: SCORE,
        caption: &caption,
        watermark,
    };
    let mut figures = vec![("scores", boxplot::render(&spec)?)];
    if arms.len() > 1 {
        let pairs = pairs(&arms).map(|(a, b)| pair_panel(a, b, &labels, &table));
        let spec = DifferencesSpec {
            panels: pairs.collect::<Result<_, _>>()?,
            score: SCORE,
            note: (arms.len() > ARMS_IN_ALL_PAIRS).then_some(FIRST_ONLY),
            caption: &caption,
            watermark,
        };
        figures.push(("differences", differences::render(&spec)?));
    }
    if let Some(figure) = prompts::figure(&rows, manifest, SCORE, &caption, watermark)? {
        figures.push(("by_prompt", figure));
    }
    Ok(figures)
}

fn pairs<'a, 'r>(arms: &'a [Arm<'r>]) -> impl Iterator<Item = (&'a Arm<'r>, &'a Arm<'r>)> {
    let leaders = if arms.len() > ARMS_IN_ALL_PAIRS {
        1
    } else {
        arms.len()
    };
    let leaders = arms.iter().enumerate().take(leaders);
    leaders.flat_map(|(i, a)| arms.iter().skip(i + 1).map(move |b| (a, b)))
}

fn panel<'r>(
    arm: &Arm<'r>,
    labels: &[&'r str],
    manifest: &'r Manifest,
    table: &Table<'_>,
) -> Result<Panel<'r>, FigureError> {
    let group = |label: &&'r str| {
        let values = arm.scores(label);
        let summary = table.summary((Kind::Arm, arm.name, "", label), values.len())?;
        Ok(Group {
            label,
            values,
            summary,
        })
    };
    Ok(Panel {
        title: arm.name,
        subtitle: manifest.checkpoint(arm.name),
        groups: labels
            .iter()
            .map(group)
            .collect::<Result<_, FigureError>>()?,
    })
}

fn pair_panel<'r>(
    a: &Arm<'r>,
    b: &Arm<'r>,
    labels: &[&'r str],
    table: &Table<'_>,
) -> Result<PairPanel<'r>, FigureError> {
    let row = |label: &'r str| {
        let (x, y) = a.paired_with(b, label);
        let differences: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x - y).collect();
        let summary = table.summary((Kind::Pair, a.name, b.name, label), differences.len())?;
        Ok(differences::Row {
            label,
            differences,
            summary,
        })
    };
    let tastes = labels.iter().copied().filter(|label| *label != ALL);
    let rows = std::iter::once(ALL).chain(tastes).map(row);
    Ok(PairPanel {
        a: a.name,
        b: b.name,
        rows: rows.collect::<Result<_, FigureError>>()?,
    })
}

/// Kind, arm, second arm or nothing, taste.
type Key<'s> = (Kind, &'s str, &'s str, &'s str);

/// The rows of `stats.csv` by what they are about.
struct Table<'s> {
    rows: HashMap<Key<'s>, &'s StatsRow>,
    path: PathBuf,
}

impl<'s> Table<'s> {
    fn new(stats: &'s [StatsRow], path: PathBuf) -> Self {
        let key = |r: &'s StatsRow| {
            (
                r.kind,
                r.arm.as_str(),
                r.arm_b.as_deref().unwrap_or(""),
                r.taste.as_str(),
            )
        };
        Self {
            rows: stats.iter().map(|row| (key(row), row)).collect(),
            path,
        }
    }

    /// The summary of a group of `n` values; `None` when the group is empty.
    fn summary(&self, key: Key<'_>, n: usize) -> Result<Option<Summary>, FigureError> {
        if n == 0 {
            return Ok(None);
        }
        let found = self.rows.get(&key).map(|row| row.summary());
        if found.is_some_and(|summary| summary.n == n) {
            return Ok(found);
        }
        let (_, arm, arm_b, taste) = key;
        let against = if arm_b.is_empty() {
            String::new()
        } else {
            format!(" against {arm_b}")
        };
        let has = found.map_or("no row".to_owned(), |s| format!("n = {}", s.n));
        let what =
            format!("for arm {arm}{against}, taste {taste}, it has {has} where n = {n} is needed");
        Err(FigureError::Stale {
            path: self.path.clone(),
            what,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::scores::{drawn as drawn_row, row};

    const MANIFEST: &str = r#"{"experiment": "weights", "seed": 5, "harness": {"version": "0.1.0"},
        "arms": [{"name": "on", "checkpoint": "a/b/fusion.pt"}, {"name": "<off> & 'x'"}], "other": [1]}"#;

    fn scores() -> Vec<ScoreRow> {
        let arms = ["on", "<off> & 'x'"].into_iter().enumerate();
        arms.flat_map(|(a, arm)| {
            (0..24).map(move |i| {
                let taste = ["bitter", "sour", "sweet\u{0}er", "salty"][i % 4];
                let score = ((i * 7 + a * 3) as f64).sin() / 3.0 + 1e-9;
                row(&format!("{i}"), arm, taste, score)
            })
        })
        .collect()
    }

    fn run_dir(rows: &[ScoreRow]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        report::write(&folder.path().join(ScoreRow::FILE), rows).unwrap();
        folder
    }

    fn drawn(folder: &Path) -> Vec<Vec<u8>> {
        let paths = redraw(folder).unwrap();
        paths.iter().map(|path| fs::read(path).unwrap()).collect()
    }

    /// Width and height in the header of a PNG.
    fn png_size(png: &[u8]) -> (u32, u32) {
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        (number(16), number(20))
    }

    #[test]
    fn figures_come_out_the_same_with_and_without_stats() {
        let folder = run_dir(&scores());
        fs::write(folder.path().join("manifest.json"), MANIFEST).unwrap();
        let stats = analysis::stats(&scores(), 5).unwrap();
        report::write(&folder.path().join(StatsRow::FILE), &stats).unwrap();
        let first = drawn(folder.path());
        assert_eq!(first.len(), 4);
        assert_eq!(drawn(folder.path()), first);
        fs::remove_file(folder.path().join(StatsRow::FILE)).unwrap();
        assert_eq!(drawn(folder.path()), first);
    }

    #[test]
    fn the_svg_holds_labels_escaped_and_the_png_is_twice_its_size() {
        let folder = run_dir(&scores());
        fs::write(folder.path().join("manifest.json"), MANIFEST).unwrap();
        let files = drawn(folder.path());
        for pair in files.chunks(2) {
            let svg = std::str::from_utf8(&pair[0]).unwrap();
            assert!(svg.contains("&lt;off&gt; &amp; &apos;x&apos;") && !svg.contains("<off>"));
            assert!(svg.contains("sweet er"), "a control character is a space");
            assert!(svg.contains("weights · 24 pieces · seed 5 · harness 0.1.0"));
            assert!(!svg.contains(RANDOM));
            let attribute = |name: &str| -> u32 {
                let (_, rest) = svg.split_once(&format!("{name}=\"")).unwrap();
                rest.split_once('"').unwrap().0.parse().unwrap()
            };
            let (width, height) = (attribute("width"), attribute("height"));
            assert_eq!(png_size(&pair[1]), (2 * width, 2 * height));
        }
        let svg = std::str::from_utf8(&files[0]).unwrap();
        assert!(svg.contains("\nfusion.pt\n") && svg.contains("\nn = 6\n"));
    }

    #[test]
    fn random_weights_are_written_across_the_figure() {
        let folder = run_dir(&scores());
        let manifest = r#"{"random_weights": true}"#;
        fs::write(folder.path().join("manifest.json"), manifest).unwrap();
        redraw(folder.path()).unwrap();
        let svg = fs::read_to_string(folder.path().join("figures/scores.svg")).unwrap();
        assert_eq!(svg.matches("\nrandom weights:\n").count(), 2, "one a panel");
        assert_eq!(svg.matches(RANDOM).count(), 1, "and in full at the foot");
    }

    #[test]
    fn every_shape_of_data_draws() {
        let mut one_piece = vec![row("1", "a", "sweet", 0.3)];
        drawn(run_dir(&one_piece).path());
        one_piece.push(row("2", "b", "", -1.0));
        let svg = drawn(run_dir(&one_piece).path()).swap_remove(0);
        assert!(String::from_utf8(svg).unwrap().contains("\nall\n"));
        let untasted: Vec<_> = (0..5).map(|i| row(&i.to_string(), "a", "", 0.25)).collect();
        drawn(run_dir(&untasted).path());
        let many: Vec<_> = (0..9 * 12)
            .map(|i| {
                let (arm, taste) = (
                    format!("arm {} {}", i / 12, "long ".repeat(40)),
                    format!("taste-{}", i % 12),
                );
                row(&(i % 12).to_string(), &arm, &taste, 0.01 * f64::from(i))
            })
            .collect();
        assert_eq!(drawn(run_dir(&many).path()).len(), 4);
    }

    #[test]
    fn generated_pieces_are_drawn_by_prompt_too() {
        let draws = |prompts: usize, draws: usize| -> Vec<ScoreRow> {
            let pieces = (0..prompts).flat_map(|p| (1..=draws).map(move |draw| (p, draw)));
            let score = |p: usize, draw: usize| ((p * 31 + draw * 7) as f64).sin() / 3.0;
            pieces
                .map(|(p, draw)| drawn_row(&format!("p{p}"), draw, "on", score(p, draw)))
                .collect()
        };
        for (prompts, count) in [(1, 1), (4, 25), (100, 1), (100, 3), (900, 1)] {
            let folder = run_dir(&[]);
            let rows = draws(prompts, count);
            report::write_scores(&folder.path().join(ScoreRow::FILE), &rows).unwrap();
            let files = drawn(folder.path());
            assert_eq!(files.len(), 4, "scores and by_prompt");
            let svg = std::str::from_utf8(&files[2]).unwrap();
            assert!(svg.contains("CLAP Score by prompt: on"));
            assert_eq!(svg.contains("dot: one draw"), count > 1);
            let labels = (0..prompts)
                .filter(|p| svg.contains(&format!("\np{p}\n")))
                .count();
            assert_eq!(labels, prompts.min(400));
            assert_eq!(svg.contains("of 900 prompts"), prompts == 900);
        }
    }

    #[test]
    fn errors_name_the_file() {
        let nowhere = redraw(Path::new("no-such-run")).unwrap_err().to_string();
        assert!(nowhere.contains("scores.csv"), "{nowhere}");
        let folder = run_dir(&[]);
        let empty = redraw(folder.path()).unwrap_err().to_string();
        assert!(empty.contains("scores.csv: it holds no scores"), "{empty}");
        let folder = run_dir(&scores());
        let stale = analysis::stats(&scores()[..20], 0).unwrap();
        report::write(&folder.path().join(StatsRow::FILE), &stale).unwrap();
        let error = redraw(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("stats.csv does not belong") && error.contains("n = 6"),
            "{error}"
        );
        fs::remove_file(folder.path().join(StatsRow::FILE)).unwrap();
        fs::write(folder.path().join("manifest.json"), "{\"seed\": \"x\"}").unwrap();
        let error = redraw(folder.path()).unwrap_err().to_string();
        assert!(error.contains("manifest.json"), "{error}");
        assert!(!folder.path().join("figures").exists());
        let tastes: Vec<_> = (0..30)
            .map(|i| row(&i.to_string(), "a", &format!("t{i}"), 0.1))
            .collect();
        let error = redraw(run_dir(&tastes).path()).unwrap_err().to_string();
        assert!(error.contains("it has 30 tastes"), "{error}");
        let mut twice = scores();
        twice.push(twice[0].clone());
        let error = redraw(run_dir(&twice).path()).unwrap_err().to_string();
        assert!(
            error.contains("scores.csv") && error.contains("piece 0 has two scores"),
            "{error}"
        );
    }
}
