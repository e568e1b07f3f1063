//! The models of a run: their files fetched, checked and exported, and what makes the run the one it is.

use anyhow::Result;
use foreign::{Foreign, words};
use onnx_export::musicgen::names;
use onnx_export::{EXPORTER_VERSION, Exported};
use ort_runtime::Runtime;
use ort_runtime::library::Library;
use process::interrupt;
use serde_json::json;

use super::making::check_generator;
use super::plan::Plan;
use crate::card::Card;
use crate::exit::UsageError;
use crate::experiment::Counted;
use crate::model::prepare;
use crate::model::{self, Model, note_leftover};
use crate::spec::texts_sha256;

/// One model, ready to compute.
pub(super) struct ReadyModel {
    /// Of the arm; that of the generator is [`GENERATOR`].
    pub name: String,
    pub model: Model,
    pub export: Exported,
    pub leftover: Vec<String>,
}

impl ReadyModel {
    /// Whether a CLAP model has fusion.
    pub fn fusion(&self) -> Option<bool> {
        self.export.clap().ok().map(|clap| clap.fusion)
    }
}

/// Stands in the journal where the name of an arm stands otherwise; no arm can be called so.
pub(super) const GENERATOR: &str = "";

/// Every model of a run.
pub(super) struct Ready {
    pub generator: Option<ReadyModel>,
    pub arms: Vec<ReadyModel>,
}

impl Ready {
    /// Fetch, check and export every model before any of them computes. With `only_found`, nothing is exported: what is not
    /// there is an error that says how to have it.
    pub fn prepare(
        plan: &Plan,
        only_found: bool,
        runtime: &mut dyn FnMut() -> Result<Runtime>,
    ) -> Result<Self> {
        model::make_folder(&plan.models)?;
        let obtain = |card: &Card| Model::obtain(card.clone(), plan.offline);
        let generator = plan.making.as_ref().map(|making| {
            let model = obtain(&making.card)?;
            check_generator(&plan.experiment, making, &model)?;
            anyhow::Ok(model)
        });
        let generator = generator.transpose()?;
        let arms = plan
            .cards
            .iter()
            .map(obtain)
            .collect::<Result<Vec<_>, _>>()?;
        let mut export = |name: &str, model: Model| -> Result<ReadyModel> {
            interrupt::check()?;
            let target = plan.runtime.target();
            if only_found && model.exported(&plan.models, target)?.is_none() {
                return Err(UsageError(words!(
                    "the graphs of {} for {} in {} are not in {}; a share makes none: run `harness prepare` once with the same \
                     arguments, and then the shares",
                    Foreign::new(&model.card.name),
                    target.provider.name(),
                    target.precision.name(),
                    plan.models.display()
                ))
                .into());
            }
            let model::Ready { export, leftover } =
                prepare(&model, &plan.models, plan.runtime.target(), &mut *runtime)?;
            note_leftover(&model.card.name, &leftover);
            Ok(ReadyModel {
                name: name.to_owned(),
                model,
                export,
                leftover,
            })
        };
        let names = plan.experiment.arms.iter().map(|arm| arm.name.as_str());
        Ok(Self {
            generator: generator
                .map(|model| export(GENERATOR, model))
                .transpose()?,
            arms: names
                .zip(arms)
                .map(|(name, model)| export(name, model))
                .collect::<Result<_>>()?,
        })
    }

    /// Everything that changes a sample or a number.
    pub fn counted<'p>(&self, plan: &'p Plan, library: &Library) -> Result<Counted<'p>> {
        let arms: Vec<_> = self
            .arms
            .iter()
            .map(|arm| {
                json!({
                    "checkpoint": arm.model.sha256,
                    "tokenizer": arm.model.tokenizer.sha256,
                    "fusion_shrink": arm.model.card.fusion_shrink,
                })
            })
            .collect();
        let generator = self.generator.as_ref().map(|generator| {
            // What was measured for a graph is in its weights.
            let decoder = generator.export.graphs.get(names::DECODER);
            json!({
                "checkpoint": generator.model.sha256,
                "tokenizer": generator.model.tokenizer.sha256,
                "decoder": decoder.map(|graph| graph.weights_sha256.as_str()),
            })
        });
        let pieces: Vec<&str> = plan.clips.iter().map(|clip| clip.sha256.as_str()).collect();
        let run = json!({
            "arms": arms,
            "generator": generator,
            "pieces": pieces,
            "texts": (!plan.texts.is_empty()).then(|| texts_sha256(&plan.texts)),
            "crops": plan.recorded.as_ref().map(|r| r.sha256.as_str()),
            "ep": plan.runtime.ep,
            "device": plan.runtime.device,
            "precision": plan.runtime.precision,
            "exporter": EXPORTER_VERSION,
            "onnxruntime": library_sha256(library)?,
        });
        Ok(Counted::new(&plan.experiment, run)?)
    }
}

/// The sha256 of the ONNX Runtime library, also of one that the harness did not install.
pub fn library_sha256(library: &Library) -> Result<String, hub::HubError> {
    match &library.sha256 {
        Some(sha256) => Ok(sha256.clone()),
        None => Ok(hub::remembered_sha256(&library.path)?.0),
    }
}
