//! What graphs are exported for: the one place that knows which operators a provider's reader takes, and which graph of a
//! model computes in which precision.

use onnx_graph::Precision;
use onnx_graph::{Element, Operators};
use ort_runtime::Provider;

use super::musicgen::names;
use super::{AUDIO, TEXT};

/// A provider and the precision asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub provider: Provider,
    pub precision: Precision,
}

/// How the decoder's cache grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheForm {
    /// The graph writes the new keys and values into the caller's buffers: past and present are the same memory.
    Shared,
    /// The graph gives the new keys and values, and the caller puts them behind the others: for a reader that would copy
    /// the whole cache at every step.
    Appended,
}

impl Target {
    /// For the machine that everything is compared with.
    pub const REFERENCE: Self = Self {
        provider: Provider::Cpu,
        precision: Precision::Fp32,
    };

    /// Operators that the provider's reader takes.
    ///
    /// - OpenVINO (2025.4) reads no `MultiHeadAttention`, and no layer normalisation with the residual fused into it: that
    ///   is why exporters write `Add` and `LayerNormalization`, which ONNX Runtime fuses for itself.
    /// - TensorRT, Core ML and MIGraphX read the standard operators only.
    pub fn operators(self) -> Operators {
        match self.provider {
            Provider::Cpu | Provider::Cuda => Operators::Contributed,
            _ => Operators::Standard,
        }
    }

    /// What the graph `name` computes its products in.
    ///
    /// - The text encoder and the cross-attention's projections run once a prompt, and the codec is to keep 40 dB: nothing is
    ///   gained by rounding them.
    /// - CLAP's text tower keeps fp32 under bf16: its embeddings moved by up to 0.0023 (1 - cosine) with random weights of
    ///   the real size, where 0.001 is allowed (benches/RESULTS.md). In int8 its texts are rounded around their own
    ///   means ([`super::centred`]), which bf16 cannot do.
    pub fn precision_of(self, name: &str) -> Precision {
        match (name, self.precision) {
            (TEXT, Precision::Bf16) => Precision::Fp32,
            (AUDIO | TEXT | names::DECODER, precision) => precision,
            _ => Precision::Fp32,
        }
    }

    /// How the decoder's cache grows. Other providers than these two copy what they are given and what they give.
    pub fn cache_form(self) -> CacheForm {
        match self.provider {
            Provider::Cpu | Provider::Cuda => CacheForm::Shared,
            _ => CacheForm::Appended,
        }
    }

    /// Whether the decoder attends to its cache with one fused operator. ONNX Runtime has it for CUDA in half precision only.
    pub fn fuses_cached_attention(self) -> bool {
        match self.provider {
            Provider::Cpu => true,
            Provider::Cuda => self.precision != Precision::Fp32,
            _ => false,
        }
    }

    /// What the decoder's cache holds.
    pub fn cache_element(self) -> Element {
        match (self.fuses_cached_attention(), self.precision) {
            (true, Precision::Fp16) => Element::Float16,
            (true, Precision::Bf16) => Element::Bfloat16,
            (true, Precision::Int8) => Element::Int8,
            _ => Element::Float,
        }
    }

    /// Whether the decoder's graph chooses the codes too, so that nothing crosses to the host at a step. It pays where the
    /// logits are in another memory; on the CPU the host chooses faster than standard operators do (benches/RESULTS.md).
    pub fn chooses_codes(self) -> bool {
        self.provider == Provider::Cuda
    }

    /// Whether the cache's scales are to be found before the graphs can be written.
    pub fn needs_cache_scales(self) -> bool {
        self.cache_element() == Element::Int8
    }

    /// Whether some of its graphs are those of [`Target::REFERENCE`].
    pub(super) fn shares_with_reference(self) -> bool {
        self.key() != Self::REFERENCE.key() && self.operators() == Self::REFERENCE.operators()
    }

    /// Whether its graph `name` is that of [`Target::REFERENCE`], if it shares any.
    pub(super) fn is_reference_for(self, name: &str) -> bool {
        let same_cache = self.fuses_cached_attention() && self.cache_element() == Element::Float;
        let same_decoder = same_cache && !self.chooses_codes();
        self.precision_of(name) == Precision::Fp32 && (name != names::DECODER || same_decoder)
    }

    /// Providers with the same key share their graphs.
    pub(super) fn key(self) -> String {
        format!(
            "{:?} {:?} {} {} {}",
            self.operators(),
            self.cache_form(),
            self.fuses_cached_attention(),
            self.chooses_codes(),
            self.precision
        )
    }
}
