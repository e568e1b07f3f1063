//! The rows of two runs, matched.

use std::collections::HashMap;

use foreign::Foreign;

use super::DiffError;
use super::distance::distance;
use super::join::{Alone, Key, join};
use super::side::Side;
use super::sources::{self, Embedded, key_of, table};
use crate::tables::diff::FoundIn;
use crate::tables::{self, DiffRow, Row, ScoreRow, TextRow};

/// How far a score may lie beyond 1 before it is no cosine: two lengths of 1 in 32-bit floats, and six decimals.
const COSINE_SLACK: f64 = 1e-5;
/// Changes are rounded to 12 decimals, unless nothing were left.
const DECIMALS: f64 = 1e12;

/// A row that both runs have.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    pub key: Key,
    /// Empty when the row has none.
    pub taste: String,
    /// The prompt or the text, as A has it.
    pub text: String,
    /// CLAP scores in A and B; `None` in runs without scores.
    pub scores: Option<(f64, f64)>,
    /// 1 minus the cosine of the two embeddings of the audio, 0 to 2; `None` when a run has none, or they cannot be compared.
    pub audio_distance: Option<f64>,
    pub text_distance: Option<f64>,
}

/// All rows of two runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// In the order of A.
    pub pairs: Vec<Pair>,
    pub alone: Alone<Key>,
    /// Scores of the rows that only one run has, by their keys.
    scores_alone: HashMap<Key, (String, f64)>,
    /// Pairs whose prompts differ.
    pub other_prompt: usize,
    /// Pairs that were heard at other places.
    pub other_crops: usize,
    /// The condition of a set of pieces under an arm: `scores.csv` has it, `embeddings.csv` does not.
    conditions: HashMap<(Option<String>, String), String>,
    /// Rows of `embeddings.csv` that only one run has.
    pub embeddings_alone: Alone<Key>,
    /// Pairs whose embeddings have no cosine: of other lengths, zero, or not finite.
    pub no_cosine: usize,
}

impl Pair {
    /// What a tolerance is held against, 0 or more: the change of the score, or the distance of the embeddings of a text.
    pub fn moved_by(&self) -> f64 {
        match self.change() {
            Some(change) => change.abs(),
            None => self.text_distance.unwrap_or(0.0),
        }
    }

    /// Score in B minus score in A, as the decimals of the file have it: 0.4 - 0.3 is 0.1.
    pub fn change(&self) -> Option<f64> {
        self.scores.map(|(a, b)| {
            let rounded = ((b - a) * DECIMALS).round() / DECIMALS;
            match rounded == 0.0 {
                true => b - a,
                false => rounded,
            }
        })
    }

    /// Whether the row moved by more than `tolerance`.
    pub fn is_beyond(&self, tolerance: f64) -> bool {
        self.moved_by() > tolerance
    }
}

impl Rows {
    pub(super) fn of_scores(a: &Side, b: &Side) -> Result<Self, DiffError> {
        let (rows_a, rows_b) = (scores(a)?, scores(b)?);
        let mut conditions = HashMap::new();
        let mut scores_alone = HashMap::new();
        for row in rows_a.iter().chain(&rows_b) {
            conditions
                .entry((row.set.clone(), row.arm.clone()))
                .or_insert_with(|| row.condition().to_owned());
            scores_alone.insert(key_of(row), (row.taste.clone(), row.clap_score));
        }
        let (mut other_prompt, mut other_crops) = (0, 0);
        let mut pairs = Vec::with_capacity(rows_a.len());
        let alone = join(
            table(a, ScoreRow::FILE, rows_a.into_iter().map(Ok)),
            table(b, ScoreRow::FILE, rows_b.into_iter().map(Ok)),
            key_of,
            |key, place, a, b| {
                other_prompt += usize::from(a.prompt != b.prompt);
                other_crops += usize::from(crops(&a) != crops(&b));
                scores_alone.remove(key);
                let pair = Pair {
                    key: key.clone(),
                    taste: a.taste,
                    text: a.prompt,
                    scores: Some((a.clap_score, b.clap_score)),
                    audio_distance: None,
                    text_distance: None,
                };
                pairs.push((place, pair));
            },
        )?;
        Ok(Self {
            pairs: in_order(pairs),
            alone,
            scores_alone,
            other_prompt,
            other_crops,
            conditions,
            embeddings_alone: Alone {
                a: Vec::new(),
                b: Vec::new(),
            },
            no_cosine: 0,
        })
    }

    pub(super) fn of_texts(a: &Side, b: &Side) -> Result<Self, DiffError> {
        let (mut other_prompt, mut no_cosine) = (0, 0);
        let mut pairs = Vec::new();
        let rows = |side: &Side| -> Result<_, DiffError> {
            let rows = tables::rows::<TextRow>(&side.at(TextRow::FILE), &side.word)?;
            Ok(table(side, TextRow::FILE, rows))
        };
        let key = |row: &TextRow| Key {
            condition: row.kind.name().to_owned(),
            id: row.id.clone(),
        };
        let alone = join(rows(a)?, rows(b)?, key, |key, place, a, b| {
            other_prompt += usize::from(a.text != b.text);
            let text_distance = distance(&a.embedding, &b.embedding);
            no_cosine += usize::from(text_distance.is_none());
            let pair = Pair {
                key: key.clone(),
                taste: String::new(),
                text: a.text,
                scores: None,
                audio_distance: None,
                text_distance,
            };
            pairs.push((place, pair));
        })?;
        Ok(Self {
            pairs: in_order(pairs),
            alone,
            scores_alone: HashMap::new(),
            other_prompt,
            other_crops: 0,
            conditions: HashMap::new(),
            embeddings_alone: Alone {
                a: Vec::new(),
                b: Vec::new(),
            },
            no_cosine,
        })
    }

    /// How far the embeddings of each pair lie apart.
    pub(super) fn add_embeddings(&mut self, a: &Side, b: &Side) -> Result<(), DiffError> {
        let Self {
            pairs, conditions, ..
        } = self;
        let places: HashMap<Key, usize> = pairs
            .iter()
            .enumerate()
            .map(|(place, pair)| (pair.key.clone(), place))
            .collect();
        let (a, b) = (sources::of(a, conditions)?, sources::of(b, conditions)?);
        let mut no_cosine = 0;
        let key = |row: &Embedded| row.key.clone();
        self.embeddings_alone = join(a, b, key, |key, _, a, b| {
            let Some(pair) = places.get(key).and_then(|&place| pairs.get_mut(place)) else {
                return;
            };
            // Of two that are there, no distance is worth a word; one that a run has not is none.
            let mut undefined = false;
            let mut apart = |a: &Option<Vec<f32>>, b: &Option<Vec<f32>>| {
                let (a, b) = a.as_ref().zip(b.as_ref())?;
                let found = distance(a, b);
                undefined |= found.is_none();
                found
            };
            pair.audio_distance = apart(&a.audio, &b.audio);
            pair.text_distance = apart(&a.text, &b.text);
            no_cosine += usize::from(undefined);
        })?;
        self.no_cosine = no_cosine;
        Ok(())
    }

    /// Conditions in the order of A, each with its pairs.
    pub(super) fn by_condition(&self) -> Vec<(&str, Vec<&Pair>)> {
        let mut groups: Vec<(&str, Vec<&Pair>)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for pair in &self.pairs {
            let name = pair.key.condition.as_str();
            let place = *places.entry(name).or_insert_with(|| {
                groups.push((name, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(pair);
        }
        groups
    }

    pub(super) fn table(&self) -> Vec<DiffRow> {
        let both = self.pairs.iter().map(|pair| DiffRow {
            condition: pair.key.condition.clone(),
            id: pair.key.id.clone(),
            taste: pair.taste.clone(),
            found_in: FoundIn::Both,
            score_a: pair.scores.map(|(a, _)| a),
            score_b: pair.scores.map(|(_, b)| b),
            change: pair.change(),
            audio_distance: pair.audio_distance,
            text_distance: pair.text_distance,
            audio_cosine: pair.audio_distance.map(|distance| 1.0 - distance),
            text_cosine: pair.text_distance.map(|distance| 1.0 - distance),
        });
        let alone = |found_in: FoundIn| {
            move |key: &Key| {
                let known = self.scores_alone.get(key);
                let score = known.map(|(_, score)| *score);
                DiffRow {
                    condition: key.condition.clone(),
                    id: key.id.clone(),
                    taste: known.map(|(taste, _)| taste.clone()).unwrap_or_default(),
                    found_in,
                    score_a: score.filter(|_| found_in == FoundIn::A),
                    score_b: score.filter(|_| found_in == FoundIn::B),
                    change: None,
                    audio_distance: None,
                    text_distance: None,
                    audio_cosine: None,
                    text_cosine: None,
                }
            }
        };
        both.chain(self.alone.a.iter().map(alone(FoundIn::A)))
            .chain(self.alone.b.iter().map(alone(FoundIn::B)))
            .collect()
    }
}

/// The rows of `scores.csv`, whose scores are cosines.
fn scores(side: &Side) -> Result<Vec<ScoreRow>, DiffError> {
    let path = side.at(ScoreRow::FILE);
    let rows: Vec<ScoreRow> = tables::read(&path, &side.word)?;
    match rows
        .iter()
        .find(|r| r.clap_score.abs() > 1.0 + COSINE_SLACK)
    {
        Some(row) => Err(DiffError::Score {
            file: path.display().to_string(),
            key: Foreign::new(key_of(row).to_string()),
            score: row.clap_score,
        }),
        None => Ok(rows),
    }
}

fn crops(row: &ScoreRow) -> [Option<usize>; 4] {
    [row.front, row.middle, row.back, row.offset]
}

fn in_order(mut pairs: Vec<(usize, Pair)>) -> Vec<Pair> {
    pairs.sort_by_key(|(place, _)| *place);
    pairs.into_iter().map(|(_, pair)| pair).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A pair of scores, for tests.
    pub fn pair(condition: &str, id: &str, taste: &str, a: f64, b: f64) -> Pair {
        Pair {
            key: Key {
                condition: condition.into(),
                id: id.into(),
            },
            taste: taste.into(),
            text: String::new(),
            scores: Some((a, b)),
            audio_distance: None,
            text_distance: None,
        }
    }

    #[test]
    fn decimals_are_not_beyond_a_tolerance_that_they_equal() {
        assert!(!pair("on", "1", "", 0.3, 0.4).is_beyond(0.1));
        assert!(!pair("on", "1", "", 0.123_456, 0.123_457).is_beyond(0.000_001));
        assert!(pair("on", "1", "", 0.123_456, 0.123_458).is_beyond(0.000_001));
        assert!(pair("on", "1", "", 0.5, 0.5 + f64::EPSILON).is_beyond(0.0));
        assert!(!pair("on", "1", "", 0.5, 0.5).is_beyond(0.0));
        assert!(!pair("on", "1", "", 0.0, -0.0).is_beyond(0.0));
        assert_eq!(pair("on", "1", "", 0.3, 0.4).change(), Some(0.1));
    }
}
