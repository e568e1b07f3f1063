//! The table of what is exported: for each kind of model its graphs, and what its pipelines must know of it.

use std::collections::BTreeMap;
use std::path::Path;

use checkpoint::Checkpoint;
use checkpoint::clap::ClapWeights;
use checkpoint::musicgen::MusicgenWeights;
use onnx_graph::GraphBuilder;
use onnx_graph::Precision;

use super::exported::{ExportedClap, ExportedGraph, ExportedModel};
use super::write::{WritePlan, write_graph};
use super::{AUDIO, ExportError, TEXT, clap_audio, clap_text, front_end, musicgen};

/// Builds one graph of CLAP in a precision.
type ClapBuild = fn(&mut GraphBuilder, &ClapWeights, Precision) -> Result<(), ExportError>;

/// The weights of a model of any kind, whole.
#[derive(Debug)]
pub enum ModelWeights<'a> {
    Clap(Box<ClapWeights<'a>>),
    Musicgen(Box<MusicgenWeights<'a>>),
}

impl ModelWeights<'_> {
    /// Tensors of the file that neither the model needs nor such checkpoints are known to carry.
    pub fn leftover(&self) -> &[String] {
        match self {
            Self::Clap(weights) => weights.leftover(),
            Self::Musicgen(weights) => weights.leftover(),
        }
    }

    /// In words.
    pub(super) fn architecture(&self) -> String {
        match self {
            Self::Clap(weights) => weights.architecture().to_string(),
            Self::Musicgen(weights) => weights.config().to_string(),
        }
    }

    pub(super) fn exported(&self) -> ExportedModel {
        match self {
            Self::Clap(weights) => {
                let architecture = weights.architecture();
                ExportedModel::Clap(ExportedClap {
                    fusion: architecture.audio.fusion,
                    joint_dim: architecture.joint_dim,
                    vocab: architecture.text.vocab,
                    pad_id: architecture.text.pad_id,
                })
            }
            Self::Musicgen(weights) => ExportedModel::Musicgen(Box::new(weights.config().clone())),
        }
    }

    /// What can be told wrong before a graph is written.
    pub(super) fn check(&self) -> Result<(), ExportError> {
        match self {
            Self::Clap(weights) => front_end::check(weights),
            Self::Musicgen(_) => Ok(()),
        }
    }

    /// Write every graph into `folder`.
    pub(super) fn write(
        &self,
        folder: &Path,
        plan: &WritePlan,
    ) -> Result<BTreeMap<String, ExportedGraph>, ExportError> {
        let mut graphs = BTreeMap::new();
        match self {
            Self::Clap(weights) => {
                let builds: [(&str, ClapBuild); 2] =
                    [(AUDIO, clap_audio::build), (TEXT, clap_text::build)];
                for (name, build) in builds {
                    let graph = write_graph(folder, name, plan, |graph, precision| {
                        build(graph, weights, precision)
                    })?;
                    graphs.insert(name.to_owned(), graph);
                }
            }
            Self::Musicgen(weights) => {
                let layers = weights.config().decoder.layers;
                let scaled = plan.cache_scales.is_some_and(|s| s.layers.len() == layers);
                if plan.target.needs_cache_scales() && !scaled {
                    return Err(ExportError::NoCacheScales);
                }
                for (name, build) in musicgen::GRAPHS {
                    let graph = write_graph(folder, name, plan, |graph, precision| {
                        let WritePlan {
                            target,
                            cache_scales,
                            ..
                        } = *plan;
                        let plan = musicgen::Plan {
                            precision,
                            cache: target.cache_form(),
                            fuse_cached_attention: target.fuses_cached_attention(),
                            choose_codes: target.chooses_codes(),
                            cache_element: target.cache_element(),
                            cache_scales,
                        };
                        build(graph, weights, &plan)
                    })?;
                    graphs.insert(name.to_owned(), graph);
                }
            }
        }
        // What was written is what was hashed.
        self.checkpoint().check_unchanged()?;
        Ok(graphs)
    }

    fn checkpoint(&self) -> &Checkpoint {
        match self {
            Self::Clap(weights) => weights.checkpoint(),
            Self::Musicgen(weights) => weights.checkpoint(),
        }
    }
}
