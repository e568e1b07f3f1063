//! `harness inspect`: what a checkpoint holds.

use std::path::Path;

use anyhow::{Context, Result};
use checkpoint::Checkpoint;
use checkpoint::clap::inspect_report;
use foreign::Foreign;
use foreign::words;
use process::progress;

use crate::args::ModelsArgs;
use crate::card::{Card, Kind};
use crate::exit::UsageError;
use crate::model::{Model, expected};

/// Describe a file, a folder, or the checkpoint of a card, and compare it with the cards of the models folder.
pub(crate) fn inspect(what: &str, models: &ModelsArgs) -> Result<()> {
    let path = Path::new(what);
    let is_card = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
    let (checkpoint, cards) = if path.exists() && !is_card {
        let cards = Card::all(&models.models)?;
        (Checkpoint::open(path)?, cards)
    } else if is_card || path.components().count() == 1 {
        let card = Card::find(what, &models.models).with_context(|| {
            format!("{what} is no file or folder here, so a card of that name is looked for")
        })?;
        let model = Model::obtain(card.clone(), models.offline)?;
        (model.open()?, vec![card])
    } else {
        return Err(UsageError(words!(
            "{} is neither a file nor a folder nor a card",
            Foreign::new(what)
        ))
        .into());
    };
    let cards: Vec<_> = cards
        .iter()
        .filter(|card| card.kind == Kind::Clap)
        .map(|card| (card.name.clone(), expected(card)))
        .collect();
    progress::result(inspect_report(&checkpoint, &cards))?;
    Ok(())
}
