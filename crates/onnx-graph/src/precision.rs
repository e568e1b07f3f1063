//! The arithmetic of graphs.

use serde::{Deserialize, Serialize};

/// Arithmetic of a graph's matrix products; what else keeps fp32 depends on the model ([`onnx_export`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// IEEE single, the reference for accuracy.
    #[default]
    Fp32,
    /// IEEE half.
    Fp16,
    /// bfloat16: the exponent of single precision, 8 bits of mantissa.
    Bf16,
    /// Whole numbers of eight bits with scales in fp32.
    Int8,
}

impl Precision {
    /// The name on the command line, in YAML and in the manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Fp16 => "fp16",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
