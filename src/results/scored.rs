//! The results of every experiment that scores pieces.

use std::collections::HashSet;

use anyhow::Result;

use super::clusters::{self, clusters};
use super::conditions::{Condition, conditions, stacked};
use super::maps::{Maps, maps};
use super::write::{write_npy_file, write_or_remove};
use super::{Computed, Results, rows, told};
use crate::spec::Clusters;
use crate::statistics::{draws, grouping, stats};
use crate::tables::{
    self, ClusterRow, DrawsRow, EmbeddingRow, MapRow, Row, ScoreRow, SimilarityRow, StatsRow,
};

/// The scores of a run, and their statistics.
pub struct Scored {
    pub scores: Vec<ScoreRow>,
    pub stats: Vec<StatsRow>,
    /// One for each score.
    embeddings: Vec<EmbeddingRow>,
}

/// How far the tastes lie apart, in maps and numbers.
pub struct Separation {
    pub maps: Maps,
    pub clusters: Vec<ClusterRow>,
}

/// All that there is of pieces whose task asks for no more.
pub fn of_pieces(run: &Computed<'_>) -> Result<Results> {
    let scored = Scored::write(run)?;
    let settings = Clusters::default();
    let separation = separation(run, &scored.conditions(), &scored.tastes(), &settings, &[])?;
    Ok(Results {
        maps: separation.maps.records,
        told: told::scores(&scored.scores, &scored.stats),
    })
}

impl Scored {
    /// Write the scores, the embeddings and the statistics of scores.
    pub fn write(run: &Computed<'_>) -> Result<Self> {
        let (scores, embeddings) = rows::rows(run)?;
        let stats = stats(&scores, run.seed)?;
        let at = |file: &str| run.folder.join(file);
        tables::write(&at(ScoreRow::FILE), &scores)?;
        tables::write(&at(EmbeddingRow::FILE), &embeddings)?;
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
        write_or_remove(&at(DrawsRow::FILE), &draws(&scores, run.seed))?;
        Ok(Self {
            scores,
            stats,
            embeddings,
        })
    }

    /// The embeddings by what is compared.
    pub fn conditions(&self) -> Vec<Condition<'_>> {
        conditions(&self.scores, &self.embeddings)
    }

    /// The tastes that occur, in their order.
    pub fn tastes(&self) -> Vec<&str> {
        grouping::tastes(&self.scores)
    }
}

/// Write the maps and the numbers of clusters. `joint` are the sizes of maps of all conditions together, in pieces per
/// taste; the last one is that of all pieces.
pub fn separation(
    run: &Computed<'_>,
    conditions: &[Condition<'_>],
    tastes: &[&str],
    settings: &Clusters,
    joint: &[usize],
) -> Result<Separation> {
    let at = |file: &str| run.folder.join(file);
    let maps = maps(conditions, tastes, joint, run.tsne, run.seed);
    write_or_remove(&at(MapRow::FILE), &maps.rows)?;
    let settings = clusters::Settings {
        tastes,
        subsets: &smaller(&settings.pieces_per_taste, conditions, tastes),
        permutations: settings.permutations,
        seed: run.seed,
    };
    let clusters = clusters(conditions, &settings, &maps, joint.last().copied());
    write_or_remove(&at(ClusterRow::FILE), &clusters)?;
    let similarity = clusters::similarity(conditions, tastes);
    write_or_remove(&at(SimilarityRow::FILE), &similarity)?;
    Ok(Separation { maps, clusters })
}

/// Pieces of the taste that has most of them.
pub fn largest(conditions: &[Condition<'_>], tastes: &[&str]) -> usize {
    let counts = conditions.iter().flat_map(|c| c.of_tastes(tastes));
    counts.map(|rows| rows.len()).max().unwrap_or(0)
}

/// The subsets that are smaller than the whole.
pub fn smaller(subsets: &[usize], conditions: &[Condition<'_>], tastes: &[&str]) -> Vec<usize> {
    let all = largest(conditions, tastes);
    let subsets: HashSet<usize> = subsets.iter().copied().filter(|n| *n < all).collect();
    let mut subsets: Vec<usize> = subsets.into_iter().collect();
    subsets.sort_unstable();
    subsets
}
