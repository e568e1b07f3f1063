//! The figure of scores by prompt, from rows of scores.

use std::collections::HashMap;

use super::by_prompt::{self, Block, ByPromptSpec, Line};
use super::manifest::Manifest;
use super::theme::{Colour, INK, palette};
use super::{Figure, FigureError};
use crate::analysis::draws::PromptScores;
use crate::analysis::{self, grouping};
use crate::report::ScoreRow;

/// Most prompts of a figure; of more, those that score highest and lowest are drawn.
const MOST_PROMPTS: usize = 400;
/// Most arms below each other.
const MOST_ARMS: usize = 5;

/// The figure; `None` when the pieces were not generated.
pub(super) fn figure(
    rows: &[ScoreRow],
    manifest: &Manifest,
    score: &str,
    caption: &str,
    watermark: Option<&str>,
) -> Result<Option<Figure>, FigureError> {
    let prompts = analysis::by_prompt(rows);
    let Some(first) = prompts.first() else {
        return Ok(None);
    };
    let seed = manifest.seed.unwrap_or(0);
    let mut arms: Vec<&str> = prompts.iter().map(|prompt| prompt.arm).collect();
    arms.dedup();
    let all_arms = arms.len();
    arms.truncate(MOST_ARMS);
    let (order, all_prompts) = order(&prompts, first.arm, seed);
    let note = match (all_prompts > order.len(), all_arms > arms.len()) {
        (false, false) => None,
        (true, false) => Some(format!(
            "the {} highest and {} lowest of {all_prompts} prompts",
            MOST_PROMPTS / 2,
            MOST_PROMPTS / 2
        )),
        (false, true) => Some(format!("the first {MOST_ARMS} of {all_arms} arms")),
        (true, true) => Some(format!(
            "the {} highest and {} lowest of {all_prompts} prompts, the first {MOST_ARMS} of {all_arms} arms",
            MOST_PROMPTS / 2,
            MOST_PROMPTS / 2
        )),
    };
    let tastes = grouping::tastes(rows);
    let colours: HashMap<&str, Colour> = tastes.iter().copied().zip(palette(&tastes)).collect();
    let by_key: HashMap<(&str, &str), &PromptScores<'_>> = prompts
        .iter()
        .map(|prompt| ((prompt.arm, prompt.prompt_id), prompt))
        .collect();
    let block = |arm: &&str| {
        let lines = order.iter().map(|&label| {
            let prompt = by_key.get(&(*arm, label));
            let taste = prompt.map_or("", |prompt| prompt.taste);
            Line {
                label,
                colour: colours.get(taste).copied().unwrap_or(INK),
                scores: prompt.map_or(Vec::new(), |prompt| prompt.scores.clone()),
                summary: prompt.and_then(|prompt| prompt.summary(seed)),
            }
        });
        Block {
            title: format!("{score} by prompt: {arm}"),
            subtitle: subtitle(&prompts, arm, manifest, all_arms > 1),
            lines: lines.collect(),
        }
    };
    let labels_are_tastes = order.iter().all(|label| colours.contains_key(label));
    let legend = tastes.iter().copied().zip(palette(&tastes));
    let spec = ByPromptSpec {
        blocks: arms.iter().map(block).collect(),
        score,
        tastes: legend.filter(|_| !labels_are_tastes).collect(),
        note: note.as_deref(),
        caption,
        watermark,
    };
    by_prompt::render(&spec).map(Some)
}

/// The prompts to draw, those with the highest mean under `arm` first, and how many there are.
fn order<'r>(prompts: &[PromptScores<'r>], arm: &str, seed: u64) -> (Vec<&'r str>, usize) {
    let mut means: Vec<(f64, &'r str)> = prompts
        .iter()
        .filter(|prompt| prompt.arm == arm)
        .filter_map(|prompt| Some((prompt.summary(seed)?.mean, prompt.prompt_id)))
        .collect();
    means.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all = means.len();
    if all > MOST_PROMPTS {
        means.drain(MOST_PROMPTS / 2..all - MOST_PROMPTS / 2);
    }
    (means.into_iter().map(|(_, id)| id).collect(), all)
}

/// `fusion.pt · 4 prompts, 25 draws each · highest mean first`.
fn subtitle(
    prompts: &[PromptScores<'_>],
    arm: &str,
    manifest: &Manifest,
    several_arms: bool,
) -> String {
    let counts = prompts
        .iter()
        .filter(|p| p.arm == arm)
        .map(|p| p.scores.len());
    let counts: Vec<usize> = counts.collect();
    let noun = |n: usize, one: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    };
    let (least, most) = (
        counts.iter().min().copied().unwrap_or(0),
        counts.iter().max().copied().unwrap_or(0),
    );
    let draws = match least == most {
        true => format!("{} each", noun(most, "draw")),
        false => format!("{least} to {most} draws"),
    };
    let order = match several_arms {
        true => "highest first under the first arm",
        false => "highest first",
    };
    let parts = [
        manifest.checkpoint(arm).map(str::to_owned),
        Some(format!("{}, {draws}", noun(counts.len(), "prompt"))),
        Some(order.to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
