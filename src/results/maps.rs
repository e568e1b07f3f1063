//! The t-SNE maps of a run.

use analysis::tsne::{Map, TsneError, TsneSettings, tsne};
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use process::progress::note;
use rayon::prelude::*;
use serde::Serialize;

use super::conditions::{Condition, rows_of};
use crate::labels::Word;
use crate::tables::MapRow;

/// Points beyond which a map would take longer than what it shows is worth: minutes, and a blot.
const MOST_POINTS: usize = 20_000;

/// What the manifest says of a map.
#[derive(Debug, Serialize)]
pub struct MapRecord {
    pub map: String,
    /// Points.
    pub n: usize,
    pub perplexity_asked: f64,
    /// Lower where there were too few points for it.
    pub perplexity: f64,
    pub exact: bool,
    /// In nats.
    pub kl_divergence: f64,
}

/// A point: which arm it comes from, the piece, its taste.
struct Point<'a> {
    arm: &'a str,
    id: &'a str,
    taste: &'a str,
}

/// A map to be made.
struct Plan<'a> {
    name: String,
    points: Vec<Point<'a>>,
    embeddings: Array2<f32>,
}

/// Maps with the rows of `maps.csv`.
#[derive(Default)]
pub struct Maps {
    pub rows: Vec<MapRow>,
    pub records: Vec<MapRecord>,
    /// What was not as the settings ask.
    notes: Vec<String>,
}

/// What the joint maps of several arms are called.
pub fn joint_name(pieces_per_taste: usize, arms: usize, word: &Word) -> String {
    let rows = pieces_per_taste * arms;
    format!("joint, {rows} {}", word.said("rows a taste"))
}

/// A map of each arm, with the sets that it scored; then, for each number of `joint`, one of all arms with so many pieces of
/// each taste. `word` is for labels.
pub fn maps(
    conditions: &[Condition<'_>],
    tastes: &[&str],
    joint: &[usize],
    settings: &TsneSettings,
    seed: u64,
    word: &Word,
) -> Maps {
    let mut plans = Vec::new();
    for of_arm in conditions.chunk_by(|a, b| a.arm == b.arm) {
        let all = |c: &Condition<'_>| (0..c.ids.len()).collect();
        plans.extend(
            of_arm
                .first()
                .and_then(|c| plan(c.arm.to_owned(), of_arm, all)),
        );
    }
    for &most in joint {
        let first = |c: &Condition<'_>| c.first_of_each(tastes, most);
        let name = joint_name(most, conditions.len(), word);
        plans.extend(plan(name, conditions, first));
    }
    let mut maps = Maps::default();
    plans.retain(|plan| {
        let points = plan.points.len();
        if points > MOST_POINTS {
            let note = format!(
                "no map of {}: {points} points are more than {MOST_POINTS}",
                plan.name
            );
            maps.notes.push(note);
        }
        points <= MOST_POINTS
    });
    let made: Vec<(Plan<'_>, Result<Map, TsneError>)> = plans
        .into_par_iter()
        .map(|plan| {
            let map = tsne(plan.embeddings.view(), settings, seed);
            (plan, map)
        })
        .collect();
    for (plan, map) in made {
        match map {
            Ok(map) => maps.add(&plan, &map, settings),
            // Too few pieces, or all alike: no reason to lose the run.
            Err(error) => maps.notes.push(format!("no map of {}: {error}", plan.name)),
        }
    }
    maps
}

fn plan<'a>(
    name: String,
    conditions: &[Condition<'a>],
    rows: impl Fn(&Condition<'_>) -> Vec<usize>,
) -> Option<Plan<'a>> {
    let (mut points, mut parts) = (Vec::new(), Vec::new());
    for condition in conditions {
        let rows = rows(condition);
        parts.push(rows_of(condition.audio.view(), &rows));
        points.extend(rows.iter().map(|&row| Point {
            arm: condition.name,
            id: condition.ids[row],
            taste: condition.tastes[row],
        }));
    }
    let views: Vec<ArrayView2<'_, f32>> = parts.iter().map(|part| part.view()).collect();
    Some(Plan {
        name,
        points,
        embeddings: concatenate(Axis(0), &views).ok()?,
    })
}

impl Maps {
    fn add(&mut self, plan: &Plan<'_>, map: &Map, settings: &TsneSettings) {
        if map.perplexity < settings.perplexity {
            self.notes.push(format!(
                "map of {}: {} points are too few for perplexity {}; it is {:.1}",
                plan.name,
                plan.points.len(),
                settings.perplexity,
                map.perplexity
            ));
        }
        let points = plan.points.iter().zip(map.points.rows());
        self.rows.extend(points.map(|(point, at)| MapRow {
            map: plan.name.clone(),
            arm: point.arm.to_owned(),
            id: point.id.to_owned(),
            taste: point.taste.to_owned(),
            tsne_1: at[0],
            tsne_2: at[1],
        }));
        self.records.push(MapRecord {
            map: plan.name.clone(),
            n: plan.points.len(),
            perplexity_asked: settings.perplexity,
            perplexity: map.perplexity,
            exact: map.exact,
            kl_divergence: map.kl_divergence,
        });
    }

    /// Tell what was not as the settings ask. Where maps are not what the run is about, the figure and the report tell it.
    pub fn tell(&self) {
        self.notes.iter().for_each(note);
    }

    /// The points of one map.
    pub fn points<'m>(&'m self, map: &'m str) -> impl Iterator<Item = &'m MapRow> {
        self.rows.iter().filter(move |row| row.map == map)
    }
}
