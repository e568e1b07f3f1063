//! Several draws of one prompt: their spread, against that of the prompts.
//!
//! One draw says little about a prompt: two draws of one description have scored 0.388 and 0.189. The standard deviation
//! within prompts is pooled over them, sqrt(sum of squared deviations / (draws - prompts)), as in a one-way analysis of
//! variance.

use std::collections::HashMap;

use analysis::mean::mean;
use analysis::summary::{Summary, summarise};
use rayon::prelude::*;

use super::grouping::{ALL, Scored};
use crate::tables::scores::as_written;
use crate::tables::stats::Kind;
use crate::tables::{DrawsRow, StatsRow};

/// The scores of one prompt's draws under one arm.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptScores<'a> {
    pub arm: &'a str,
    pub prompt_id: &'a str,
    /// Empty when the prompt has none.
    pub taste: &'a str,
    /// In the order of the draws, as `scores.csv` has them.
    pub scores: Vec<f64>,
}

impl PromptScores<'_> {
    /// The summary of the draws, with a bootstrap interval of their mean where there are several.
    pub fn summary(&self, seed: u64) -> Option<Summary> {
        let label = format!("prompt\u{1f}{}\u{1f}{}", self.arm, self.prompt_id);
        summarise(&self.scores, seed, &label)
    }
}

/// The scores by arm and prompt, both in the order in which they first appear. Pieces that were not generated are in none.
pub fn by_prompt<S: Scored>(rows: &[S]) -> Vec<PromptScores<'_>> {
    let mut prompts: Vec<PromptScores<'_>> = Vec::new();
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    for row in rows.iter().map(Scored::score) {
        let Some(prompt_id) = row.prompt_id else {
            continue;
        };
        let place = *places
            .entry((row.condition, prompt_id))
            .or_insert(prompts.len());
        if place == prompts.len() {
            prompts.push(PromptScores {
                arm: row.condition,
                prompt_id,
                taste: row.taste,
                scores: Vec::new(),
            });
        }
        prompts[place].scores.push(as_written(row.clap_score));
    }
    prompts
}

/// Rows of `draws.csv`; none when no prompt has more than one draw.
pub fn draws<S: Scored>(rows: &[S], seed: u64) -> Vec<DrawsRow> {
    let prompts = by_prompt(rows);
    if prompts.iter().all(|prompt| prompt.scores.len() < 2) {
        return Vec::new();
    }
    let row = |prompt: &PromptScores<'_>| {
        let summary = prompt.summary(seed)?;
        Some(DrawsRow::new(
            prompt.arm,
            prompt.prompt_id,
            prompt.taste,
            &summary,
        ))
    };
    let rows: Vec<_> = prompts.par_iter().map(row).collect();
    rows.into_iter().flatten().collect()
}

/// Rows of `stats.csv` about the spread within prompts and between them, arm by arm; none when no prompt has more than
/// one draw.
pub(super) fn spread<S: Scored>(rows: &[S], seed: u64) -> Vec<StatsRow> {
    let prompts = by_prompt(rows);
    let mut arms: Vec<&str> = prompts.iter().map(|prompt| prompt.arm).collect();
    arms.dedup();
    let mut found = Vec::new();
    for arm in arms {
        let scores: Vec<&[f64]> = prompts
            .iter()
            .filter(|prompt| prompt.arm == arm)
            .map(|prompt| prompt.scores.as_slice())
            .collect();
        let Some(within) = within(&scores) else {
            continue;
        };
        found.push(StatsRow::of(Kind::Within, arm, ALL, &within));
        let means: Vec<f64> = scores.iter().filter_map(|scores| mean(scores)).collect();
        if let Some(between) = summarise(&means, seed, &format!("between\u{1f}{arm}")) {
            found.push(StatsRow::of(Kind::Between, arm, ALL, &between));
        }
    }
    found
}

/// The deviations of the draws from the means of their prompts, over the prompts with several draws.
fn within(prompts: &[&[f64]]) -> Option<Summary> {
    let several: Vec<_> = prompts.iter().filter(|scores| scores.len() > 1).collect();
    let mut deviations = Vec::new();
    for scores in &several {
        let mean = mean(scores)?;
        deviations.extend(scores.iter().map(|score| score - mean));
    }
    let squares: f64 = deviations.iter().map(|d| d * d).sum();
    let freedom = deviations.len() - several.len();
    let summary = summarise(&deviations, 0, "")?;
    Some(Summary {
        mean: 0.0,
        sd: Some((squares / freedom as f64).sqrt()),
        ci_low: None,
        ci_high: None,
        ..summary
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::ScoreRow;
    use crate::tables::scores::{drawn, row};

    fn rows() -> Vec<ScoreRow> {
        let scores = [
            ("a", [0.1, 0.3, 0.2]),
            ("b", [0.5, 0.5, 0.8]),
            ("c", [-0.1, 0.0, 0.4]),
        ];
        let of = |(prompt, scores): (&str, [f64; 3])| {
            let draws = scores.into_iter().enumerate();
            let rows = draws.map(|(i, score)| drawn(prompt, i + 1, "on", score));
            rows.collect::<Vec<_>>()
        };
        scores.into_iter().flat_map(of).collect()
    }

    /// numpy: within = sqrt(sum over prompts of var(ddof=0) * 3 / 6), between = std of the three means (ddof=1).
    #[test]
    fn the_spread_within_is_pooled_and_that_between_is_of_the_means() {
        let stats = spread(&rows(), 0);
        assert_eq!(stats.len(), 2);
        let (within, between) = (&stats[0], &stats[1]);
        assert_eq!((within.kind, within.n, within.mean), (Kind::Within, 9, 0.0));
        let squares: f64 = 0.02 + 0.06 + 0.14;
        assert!((within.sd.unwrap() - (squares / 6.0).sqrt()).abs() < 1e-12);
        assert_eq!((between.kind, between.n), (Kind::Between, 3));
        assert!((between.mean - 0.3).abs() < 1e-12);
        assert!((between.sd.unwrap() - 0.07_f64.sqrt()).abs() < 1e-12);
        assert!(between.ci_low.is_some() && within.ci_low.is_none());
    }

    #[test]
    fn every_prompt_has_its_row_and_one_draw_has_no_spread() {
        let table = draws(&rows(), 0);
        let keys: Vec<_> = table.iter().map(|r| (r.prompt_id.as_str(), r.n)).collect();
        assert_eq!(keys, [("a", 3), ("b", 3), ("c", 3)]);
        assert!(table.iter().all(|r| r.sd.is_some() && r.ci_low.is_some()));

        let mut unequal = rows();
        unequal.truncate(4);
        let table = draws(&unequal, 0);
        assert_eq!((table[1].n, table[1].sd), (1, None));
        let stats = spread(&unequal, 0);
        assert_eq!((stats[0].n, stats[1].n), (3, 2));

        let single: Vec<_> = rows().into_iter().step_by(3).collect();
        assert!(draws(&single, 0).is_empty() && spread(&single, 0).is_empty());
        let found = [row("1", "on", "sweet", 0.5), row("2", "on", "sweet", 0.5)];
        assert!(draws(&found, 0).is_empty() && by_prompt(&found).is_empty());
    }
}
