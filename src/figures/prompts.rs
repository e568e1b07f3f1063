//! The figure of scores by prompt, from rows of scores.

use std::collections::HashMap;

use analysis::summary::Summary;

use super::FigureError;
use super::by_prompt::{self, Block, ByPromptSpec, Line};
use super::legend::of_tastes;
use super::run::{Run, SCORE, SCORE_AXIS};
use crate::statistics::draws::PromptScores;
use crate::tables::DrawsRow;
use crate::words::counted;

/// Most arms below each other.
const MOST_ARMS: usize = 5;

/// The figure; none when the pieces were not generated.
pub fn figures(run: &Run<'_>) -> Result<Vec<(&'static str, String)>, FigureError> {
    let prompts = crate::statistics::by_prompt(&run.rows);
    let Some(first) = prompts.first() else {
        return Ok(Vec::new());
    };
    let seed = run.manifest.seed.unwrap_or(0);
    // Of a sample, the summaries are those of all draws.
    let all: Vec<DrawsRow> = match run.sampled {
        true => run.optional()?.unwrap_or_default(),
        false => Vec::new(),
    };
    let all: HashMap<(&str, &str), Summary> = all
        .iter()
        .map(|row| ((row.arm.as_str(), row.prompt_id.as_str()), row.summary()))
        .collect();
    let summary = |prompt: &PromptScores<'_>| match run.sampled {
        true => all.get(&(prompt.arm, prompt.prompt_id)).copied(),
        false => prompt.summary(seed),
    };
    let mut arms: Vec<&str> = Vec::new();
    for prompt in &prompts {
        if !arms.contains(&prompt.arm) {
            arms.push(prompt.arm);
        }
    }
    let all_arms = arms.len();
    arms.truncate(MOST_ARMS);
    let order = order(&prompts, first.arm, &summary);
    let by_key: HashMap<(&str, &str), &PromptScores<'_>> = prompts
        .iter()
        .map(|prompt| ((prompt.arm, prompt.prompt_id), prompt))
        .collect();
    let block = |arm: &&str| {
        let lines = order.iter().map(|&label| {
            let prompt = by_key.get(&(*arm, label));
            Line {
                label,
                tint: run.palette.of(prompt.map_or("", |prompt| prompt.taste)),
                scores: prompt.map_or(Vec::new(), |prompt| prompt.scores.clone()),
                summary: prompt.and_then(|prompt| summary(prompt)),
            }
        });
        Block {
            title: (*arm).to_owned(),
            under: under(&prompts, arm, run, &summary, all_arms > 1),
            lines: lines.collect(),
        }
    };
    let of_prompts = counted(order.len(), "prompt");
    let mut words = run.words(format!(
        "{SCORE} by prompt: {of_prompts}, {}",
        run.subject()
    ));
    let labels_are_tastes = order
        .iter()
        .all(|label| run.palette.iter().any(|(taste, _)| taste == *label));
    if !labels_are_tastes && !run.palette.is_empty() {
        let without = prompts.iter().any(|prompt| prompt.taste.is_empty());
        words.legend = vec![of_tastes(&run.palette, without, run.word())];
    }
    words.key = run.what_is_of_all();
    if all_arms > arms.len() {
        words
            .key
            .push(format!("the first {MOST_ARMS} of {all_arms} arms"));
    }
    let spec = ByPromptSpec {
        blocks: arms.iter().map(block).collect(),
        axis: SCORE_AXIS,
        words,
        about: &run.about("by_prompt"),
    };
    Ok(vec![("by_prompt", by_prompt::render(spec)?)])
}

/// The prompts, those with the highest mean under `arm` first.
fn order<'r>(
    prompts: &[PromptScores<'r>],
    arm: &str,
    summary: &dyn Fn(&PromptScores<'_>) -> Option<Summary>,
) -> Vec<&'r str> {
    let mut means: Vec<(f64, &'r str)> = prompts
        .iter()
        .filter(|prompt| prompt.arm == arm)
        .filter_map(|prompt| Some((summary(prompt)?.mean, prompt.prompt_id)))
        .collect();
    means.sort_by(|a, b| b.0.total_cmp(&a.0));
    means.into_iter().map(|(_, id)| id).collect()
}

/// `fusion.pt`, `4 prompts, 25 draws each`, `highest mean first`.
fn under(
    prompts: &[PromptScores<'_>],
    arm: &str,
    run: &Run<'_>,
    summary: &dyn Fn(&PromptScores<'_>) -> Option<Summary>,
    several_arms: bool,
) -> Vec<String> {
    let counts = prompts
        .iter()
        .filter(|p| p.arm == arm)
        .map(|p| summary(p).map_or(p.scores.len(), |all| all.n));
    let counts: Vec<usize> = counts.collect();
    let (least, most) = (
        counts.iter().min().copied().unwrap_or(0),
        counts.iter().max().copied().unwrap_or(0),
    );
    let draws = match least == most {
        true => format!("{} each", counted(most, "draw")),
        false => format!("{least} to {most} draws"),
    };
    let order = match several_arms {
        true => "highest mean first under the first arm",
        false => "highest mean first",
    };
    let parts = [
        run.manifest.checkpoint(run.arm(arm)).map(str::to_owned),
        Some(format!("{}, {draws}", counted(counts.len(), "prompt"))),
        Some(order.to_owned()),
    ];
    parts.into_iter().flatten().collect()
}
