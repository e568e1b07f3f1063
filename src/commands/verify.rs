//! `harness verify`: the known answers of a card against this program.

use anyhow::{Result, bail};
use foreign::Foreign;
use foreign::words;
use onnx_graph::Precision;
use ort_runtime::library;
use pipelines::TextTower;
use process::progress::result;

use super::{check_runtime, open_runtime};
use crate::args::{ModelsArgs, RuntimeArgs};
use crate::card::{Card, Kind};
use crate::exit::UsageError;
use crate::model::{self, Model};

/// Published numbers are printed to eight digits by another implementation in float32; embeddings of length 1 agree
/// to about 1e-6 between two correct ones. A wrong checkpoint differs in the first digit.
const TOLERANCE: f64 = 1e-4;

pub(crate) fn verify(name: &str, models: &ModelsArgs, runtime: &RuntimeArgs) -> Result<()> {
    check_runtime(runtime)?;
    if runtime.precision != Precision::Fp32 {
        return Err(UsageError(words!(
            "the known answers are those of fp32, and {} moves them; leave --precision out",
            runtime.precision.name()
        ))
        .into());
    }
    let card = Card::find_kind(Kind::Clap, name, &models.models)?;
    if card.known.is_empty() {
        return Err(UsageError(words!(
            "card {} carries no known answers (known: [{{ text, begins: [...] }}]), so there is nothing to compare with",
            Foreign::new(&card.name)
        ))
        .into());
    }
    let library = library::find_or_install(runtime.ep, models.offline)?;
    model::make_folder(&models.models)?;
    let model = Model::obtain(card, models.offline)?;
    let export = model.export(&models.models, runtime.target(), None)?.export;
    let runtime = open_runtime(runtime, &library)?;
    let mut tower = TextTower::load(&runtime, &export, &model.tokenizer.path)?;
    let known = &model.card.known;
    let texts: Vec<&str> = known.iter().map(|k| k.text.as_str()).collect();
    let embeddings = tower.embed(&texts, |_| Ok(()))?;

    let mut wrong = 0;
    for (known, embedding) in known.iter().zip(embeddings.rows()) {
        if known.begins.len() > embedding.len() {
            return Err(UsageError(words!(
                "card {} states {} components for '{}', an embedding has {}",
                Foreign::new(&model.card.name),
                known.begins.len(),
                Foreign::new(&known.text),
                embedding.len()
            ))
            .into());
        }
        let largest = known
            .begins
            .iter()
            .zip(embedding)
            .map(|(expected, &got)| (expected - f64::from(got)).abs())
            .fold(0.0, f64::max);
        let verdict = if largest <= TOLERANCE { "ok" } else { "WRONG" };
        wrong += usize::from(largest > TOLERANCE);
        result(format!(
            "{verdict:6} {:?}: largest difference {largest:.1e}",
            Foreign::new(&known.text)
        ))?;
    }
    if wrong > 0 {
        bail!(
            "{wrong} of {} known answers of {} differ by more than {TOLERANCE:e}: these are other weights, another \
             tokenizer, or this program is wrong",
            known.len(),
            model.card.name
        );
    }
    Ok(result(format!(
        "{}: {} known answers within {TOLERANCE:e}",
        model.card.name,
        known.len()
    ))?)
}
