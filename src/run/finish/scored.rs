//! The results of an experiment that scores pieces.

use std::collections::HashSet;

use anyhow::Result;

use super::super::plan::Plan;
use super::super::ready::ReadyModel;
use super::super::store::Store;
use super::conditions::{Condition, conditions, stacked};
use super::maps::{MapRecord, joint_name, maps, notebook};
use super::write::{write_npy_file, write_or_remove};
use super::{clusters, distances, rows};
use crate::spec::Task;
use crate::statistics::grouping;
use crate::tables::{
    self, ClusterRow, DistanceRow, DrawsRow, EmbeddingRow, MapRow, Row, ScoreRow, SimilarityRow,
    SkippedRow, StatsRow, TsneRow,
};

/// Permutations of a test where the experiment does not say.
const PERMUTATIONS: usize = 10_000;

/// What the rest of the run wants to know.
pub(in crate::run) struct Scored {
    pub scores: Vec<ScoreRow>,
    pub stats: Vec<StatsRow>,
    pub clusters: Vec<ClusterRow>,
    pub distances: Vec<DistanceRow>,
    pub maps: Vec<MapRecord>,
}

/// Write the CSVs.
pub(super) fn write(plan: &Plan, arms: &[ReadyModel], store: &Store) -> Result<Scored> {
    let experiment = &plan.experiment;
    let (scores, embeddings) = rows::rows(plan, arms, store)?;
    let stats = crate::statistics::stats(&scores, experiment.seed)?;
    let at = |file: &str| store.folder.join(file);
    tables::write_scores(&at(ScoreRow::FILE), &scores)?;
    tables::write_embeddings(&at(EmbeddingRow::FILE), &embeddings)?;
    // Models of different widths, as in a demo, have no matrix in common.
    for (file, matrix) in [
        (
            tables::EMBEDDINGS_NPY,
            stacked(&embeddings, |row| &row.audio_emb),
        ),
        (
            tables::TEXT_EMBEDDINGS_NPY,
            stacked(&embeddings, |row| &row.text_emb),
        ),
    ] {
        if let Some(matrix) = matrix {
            write_npy_file(&at(file), &matrix)?;
        }
    }
    tables::write(&at(StatsRow::FILE), &stats)?;
    let draws = crate::statistics::draws(&scores, experiment.seed);
    write_or_remove(&at(DrawsRow::FILE), &draws)?;
    // An earlier run may have left one, whose bad pieces are gone.
    write_or_remove(&at(SkippedRow::FILE), &plan.skipped)?;

    let conditions = conditions(&scores, &embeddings);
    let tastes = grouping::tastes(&scores);
    let (subsets, permutations) = match &experiment.clusters {
        Some(settings) => (settings.pieces_per_taste.clone(), settings.permutations),
        None => (Vec::new(), PERMUTATIONS),
    };
    let subsets = smaller(&subsets, &conditions, &tastes);
    let joint = match experiment.task {
        Task::Clusters if conditions.len() > 1 => {
            [&subsets[..], &[largest(&conditions, &tastes)]].concat()
        }
        _ => Vec::new(),
    };
    let made = maps(
        &conditions,
        &tastes,
        &joint,
        &experiment.tsne,
        experiment.seed,
    );
    if experiment.task == Task::Clusters {
        made.tell();
    }
    write_or_remove(&at(MapRow::FILE), &made.rows)?;
    let settings = clusters::Settings {
        tastes: &tastes,
        subsets: &subsets,
        permutations,
        seed: experiment.seed,
    };
    let found = clusters::clusters(&conditions, &settings, &made, joint.last().copied());
    write_or_remove(&at(ClusterRow::FILE), &found)?;
    let similarity = clusters::similarity(&conditions, &tastes);
    write_or_remove(&at(SimilarityRow::FILE), &similarity)?;
    let distances = match experiment.task {
        Task::Compare => distances::distances(&conditions, &tastes, permutations, experiment.seed),
        _ => Vec::new(),
    };
    write_or_remove(&at(DistanceRow::FILE), &distances)?;
    let tsne = match joint.last() {
        Some(&most) => {
            let fusion: Vec<Option<bool>> = arms.iter().map(ReadyModel::fusion).collect();
            notebook(
                &conditions,
                &fusion,
                &made,
                &joint_name(most, conditions.len()),
            )
        }
        None => Vec::new(),
    };
    write_or_remove(&at(TsneRow::FILE), &tsne)?;
    Ok(Scored {
        scores,
        stats,
        clusters: found,
        distances,
        maps: made.records,
    })
}

/// Pieces of the taste that has most of them.
fn largest(conditions: &[Condition<'_>], tastes: &[&str]) -> usize {
    let counts = conditions.iter().flat_map(|c| c.of_tastes(tastes));
    counts.map(|rows| rows.len()).max().unwrap_or(0)
}

/// The subsets that are smaller than the whole.
fn smaller(subsets: &[usize], conditions: &[Condition<'_>], tastes: &[&str]) -> Vec<usize> {
    let all = largest(conditions, tastes);
    let subsets: HashSet<usize> = subsets.iter().copied().filter(|n| *n < all).collect();
    let mut subsets: Vec<usize> = subsets.into_iter().collect();
    subsets.sort_unstable();
    subsets
}
