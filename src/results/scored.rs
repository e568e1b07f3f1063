//! The results of every experiment that scores pieces.

use std::collections::HashSet;

use anyhow::Result;

use super::clusters::{self, clusters};
use super::conditions::{Condition, conditions};
use super::files::Files;
use super::maps::{Maps, maps};
use super::rows::{Embedded, rows};
use super::sample::{is_large, sample};
use super::write::{remove_if_there, write_or_remove};
use super::{Computed, ComputedArm, Results, told};
use crate::labels::Labels;
use crate::spec::{Clusters, Piece};
use crate::statistics::grouping::Score;
use crate::statistics::window_spread::WindowSpread;
use crate::statistics::{draws, grouping, stats};
use crate::tables::{
    self, ClusterRow, DrawsRow, EmbeddingRow, MapRow, Row, ScoreRow, SimilarityRow, StatsRow,
    WindowSpreadRow,
};

/// The scores of a run, and their statistics.
pub struct Scored<'r> {
    labels: &'r Labels,
    pub scores: Vec<Score<'r>>,
    pub stats: Vec<StatsRow>,
    /// Of pieces that were heard in windows.
    pub spread: Vec<WindowSpreadRow>,
    /// The rows that are shown and compared: all of them, or those of the sample of a large run.
    shown: Vec<ScoreRow>,
    /// One for each that is shown.
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
        told: scored.told(),
    })
}

/// Rows that are in memory at once.
const AT_ONCE: usize = 8192;

impl<'r> Scored<'r> {
    /// Write the scores, the embeddings and the statistics of scores.
    pub fn write(run: &'r Computed<'r>) -> Result<Self> {
        let Rows {
            sample,
            scores,
            shown,
            embeddings,
            spread,
        } = Rows::write(run)?;
        let (at, word) = (|file: &str| run.folder.join(file), &run.labels.word);
        match &sample {
            Some(_) => tables::write(&at(tables::SAMPLE), &shown, word)?,
            None => remove_if_there(&at(tables::SAMPLE))?,
        }
        let stats = stats(&scores, run.seed, &run.labels)?;
        tables::write(&at(StatsRow::FILE), &stats, word)?;
        write_or_remove(&at(DrawsRow::FILE), &draws(&scores, run.seed), word)?;
        let spread = spread.rows();
        write_or_remove(&at(WindowSpreadRow::FILE), &spread, word)?;
        Ok(Self {
            labels: &run.labels,
            scores,
            stats,
            spread,
            shown,
            embeddings,
        })
    }

    /// The most important numbers, as plain text.
    pub fn told(&self) -> String {
        told::scores(&self.scores, &self.stats, self.labels) + &told::windows(&self.spread)
    }

    /// The embeddings by what is compared.
    pub fn conditions(&self) -> Vec<Condition<'_>> {
        conditions(&self.shown, &self.embeddings)
    }

    /// The tastes that occur, in their order.
    pub fn tastes(&self) -> Vec<&str> {
        grouping::tastes(&self.scores, self.labels)
    }
}

/// What is kept in memory of the rows of a run.
struct Rows<'r> {
    /// Of a large run, by their ids.
    sample: Option<HashSet<&'r str>>,
    scores: Vec<Score<'r>>,
    shown: Vec<ScoreRow>,
    embeddings: Vec<EmbeddingRow>,
    spread: WindowSpread,
}

impl<'r> Rows<'r> {
    /// Write every row of every file; some thousand are in memory at once.
    fn write(run: &'r Computed<'r>) -> Result<Self> {
        let large = is_large(run.pieces.len(), run.arms.len());
        let mut files = Files::create(run, large)?;
        let mut all = Self {
            sample: large.then(|| sample(run.pieces, run.seed)),
            scores: Vec::with_capacity(run.arms.len() * run.pieces.len()),
            shown: Vec::new(),
            embeddings: Vec::new(),
            spread: WindowSpread::default(),
        };
        let of_arm = |arm| run.pieces.chunks(AT_ONCE).map(move |pieces| (arm, pieces));
        let parts: Vec<(&ComputedArm<'_>, &[Piece])> = run.arms.iter().flat_map(of_arm).collect();
        let read = |part: usize| match parts.get(part) {
            Some((arm, pieces)) => rows(run, arm, pieces),
            None => Ok(Vec::new()),
        };
        let mut next = read(0)?;
        for (i, (arm, _)) in parts.iter().enumerate() {
            let part = std::mem::take(&mut next);
            let write = || {
                part.into_iter()
                    .try_for_each(|row| all.add(arm, row, &mut files))
            };
            // The next part is read while this one is written.
            let (written, read) = rayon::join(write, || read(i + 1));
            written?;
            next = read?;
        }
        files.finish()?;
        Ok(all)
    }

    fn add(
        &mut self,
        arm: &'r ComputedArm<'r>,
        row: Embedded<'r>,
        files: &mut Files,
    ) -> Result<()> {
        let id = row.piece.id.as_str();
        let is_shown = self.sample.as_ref().is_none_or(|ids| ids.contains(id));
        let embedding = is_shown || files.has_embeddings();
        let embedding = embedding.then(|| row.embedding_row());
        files.add(&row, embedding.as_ref())?;
        if !row.windows.is_empty() {
            let windows = row.windows.iter().map(|(_, score)| *score);
            self.spread
                .add(row.score.condition(), row.score.clap_score, windows);
        }
        let Embedded { piece, score, .. } = row;
        self.scores.push(Score {
            condition: arm.condition(piece),
            arm: arm.name,
            id: &piece.id,
            taste: piece.taste.as_deref().unwrap_or_default(),
            prompt_id: piece.origin.as_ref().map(|o| o.prompt_id.as_str()),
            clap_score: score.clap_score,
        });
        if let Some(embedding) = embedding.filter(|_| is_shown) {
            self.shown.push(score);
            self.embeddings.push(embedding);
        }
        Ok(())
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
    let (at, word) = (|file: &str| run.folder.join(file), &run.labels.word);
    let maps = maps(conditions, tastes, joint, run.tsne, run.seed, word);
    write_or_remove(&at(MapRow::FILE), &maps.rows, word)?;
    let settings = clusters::Settings {
        tastes,
        subsets: &smaller(&settings.pieces_per_taste, conditions, tastes),
        permutations: settings.permutations,
        seed: run.seed,
        word,
    };
    let clusters = clusters(conditions, &settings, &maps, joint.last().copied());
    write_or_remove(&at(ClusterRow::FILE), &clusters, word)?;
    let similarity = clusters::similarity(conditions, tastes);
    write_or_remove(&at(SimilarityRow::FILE), &similarity, word)?;
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
