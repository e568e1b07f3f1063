//! The pieces as the page lists them: one row an item, with a player for each sound of it and a number for each condition.

use std::collections::HashMap;

use super::ReportError;
use super::along::{self, Along};
use super::load::Run;
use super::sources::{self, Sound};
use crate::tables::ScoreRow;

/// All items of a page.
#[derive(Debug)]
pub struct Items {
    /// Whose sound each player of a row plays; one without a name where there is only one.
    pub slots: Vec<Slot>,
    pub columns: Vec<Column>,
    pub rows: Vec<Item>,
}

/// A run, or a set of a run that compares sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub name: String,
    pub run: usize,
    pub set: Option<String>,
}

/// Scores of one condition, or the differences of two columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub run: usize,
    pub condition: String,
    pub arm: String,
    pub slot: usize,
    /// The two columns whose difference this is.
    pub difference: Option<(usize, usize)>,
}

/// One piece; in a comparison, the pieces of one id.
#[derive(Debug)]
pub struct Item {
    pub id: String,
    pub taste: String,
    /// Every taste of a description, where it names several.
    pub tastes: Option<String>,
    pub instrument: Option<String>,
    pub prompt: String,
    /// By slot: the prompt that the piece was made from, where it was scored against another text.
    pub own_prompts: Vec<Option<String>>,
    /// By slot.
    pub sounds: Vec<Option<Sound>>,
    /// By column.
    pub scores: Vec<Option<f64>>,
    /// By column: how the score goes along the piece.
    pub along: Vec<Option<Along>>,
}

/// Where the sound of a point is: item and slot.
pub type Places = HashMap<(usize, String, String), (usize, usize)>;

/// The items of `runs`, joined by id; their sounds are brought into the run folders.
pub fn items(runs: &[Run]) -> Result<(Items, Places), ReportError> {
    let (slots, columns) = headings(runs);
    let scored = columns.iter().enumerate();
    let scored = scored.filter(|(_, column)| column.difference.is_none());
    let scored = scored.map(|(c, column)| (c, &runs[column.run], column.condition.as_str()));
    let mut lines = along::lines(scored);
    let mut rows: Vec<Item> = Vec::new();
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    let mut places = Places::new();
    for (r, run) in runs.iter().enumerate() {
        let sounds = sources::bring(run)?;
        for row in &run.scores {
            let at = *by_id.entry(&row.id).or_insert_with(|| {
                rows.push(Item::new(row, slots.len(), columns.len()));
                rows.len() - 1
            });
            let item = &mut rows[at];
            let slot = slots
                .iter()
                .position(|s| s.run == r && s.set == row.set)
                .unwrap_or(0);
            let column = columns.iter().position(|c| {
                c.difference.is_none() && c.run == r && c.condition == row.condition()
            });
            if let Some(column) = column {
                item.scores[column] = Some(row.clap_score);
                item.along[column] = lines.remove(&(column, row.id.as_str()));
            }
            if item.sounds[slot].is_none() {
                item.sounds[slot] = sounds.get(&(row.set.as_deref(), row.id.as_str())).cloned();
                let own = row.own_prompt.as_ref().filter(|own| **own != item.prompt);
                let other = Some(&row.prompt).filter(|p| **p != item.prompt);
                item.own_prompts[slot] = own.or(other).cloned();
            }
            places.insert((r, row.condition().to_owned(), row.id.clone()), (at, slot));
        }
    }
    for item in &mut rows {
        for (i, column) in columns.iter().enumerate() {
            if let Some((a, b)) = column.difference {
                item.scores[i] = item.scores[a].zip(item.scores[b]).map(|(a, b)| a - b);
            }
        }
    }
    let items = Items {
        slots,
        columns,
        rows,
    };
    Ok((items, places))
}

fn headings(runs: &[Run]) -> (Vec<Slot>, Vec<Column>) {
    let several = runs.len() > 1;
    let (mut slots, mut columns) = (Vec::<Slot>::new(), Vec::<Column>::new());
    for (run, read) in runs.iter().enumerate() {
        for row in &read.scores {
            let place = slots.iter().position(|s| s.run == run && s.set == row.set);
            let slot = place.unwrap_or_else(|| {
                let name = match (&row.set, several) {
                    (Some(set), true) => format!("{}: {set}", read.label),
                    (Some(set), false) => set.clone(),
                    (None, true) => read.label.clone(),
                    (None, false) => String::new(),
                };
                let set = row.set.clone();
                slots.push(Slot { name, run, set });
                slots.len() - 1
            });
            let known = |c: &Column| c.run == run && c.condition == row.condition();
            if !columns.iter().any(known) {
                let condition = row.condition().to_owned();
                columns.push(Column {
                    name: match several {
                        true => format!("{}: {condition}", read.label),
                        false => condition.clone(),
                    },
                    run,
                    condition,
                    arm: row.arm.clone(),
                    slot,
                    difference: None,
                });
            }
        }
    }
    // Two sets, or two runs, side by side: the difference of what is called the same.
    if slots.len() == 2 {
        let pairs: Vec<(usize, usize)> = (0..columns.len())
            .filter(|&a| columns[a].slot == 0)
            .filter_map(|a| {
                let same = |c: &Column| c.slot == 1 && c.arm == columns[a].arm;
                columns.iter().position(same).map(|b| (a, b))
            })
            .collect();
        let arms = pairs.len();
        for (a, b) in pairs {
            // The way round that the statistics have it.
            let turned = runs[columns[a].run].stats.iter().any(|row| {
                row.arm == columns[b].condition
                    && row.arm_b.as_deref() == Some(&columns[a].condition)
            });
            let (a, b) = if turned && !several { (b, a) } else { (a, b) };
            let (of, other) = (&slots[columns[a].slot].name, &slots[columns[b].slot].name);
            let under = match arms {
                1 => String::new(),
                _ => format!(", {}", columns[a].arm),
            };
            columns.push(Column {
                name: format!("{of} − {other}{under}"),
                difference: Some((a, b)),
                ..columns[a].clone()
            });
        }
    }
    (slots, columns)
}

impl Item {
    fn new(row: &ScoreRow, slots: usize, columns: usize) -> Self {
        Self {
            id: row.id.clone(),
            taste: row.taste.clone(),
            tastes: row.tastes.clone(),
            instrument: row.instrument.clone(),
            prompt: row.prompt.clone(),
            own_prompts: vec![None; slots],
            sounds: vec![None; slots],
            scores: vec![None; columns],
            along: vec![None; columns],
        }
    }
}
