//! CLAP checkpoints: which model the tensors are, and what the model needs of them.
//!
//! Sources: laion_clap 1.1.7 (`clap_module/htsat.py`, `model.py`, `feature_fusion.py`) and transformers 5.23
//! (`models/clap/modeling_clap.py`). A tensor's canonical name is laion_clap's without `module.`.

mod architecture;
mod compare;
mod config;
mod recognise;
mod report;
mod requirements;
mod strangers;
mod transformers;
mod weights;

pub use self::architecture::{ClapArchitecture, Htsat, LAYER_NORM_EPS, Naming, Roberta};
pub use self::compare::compare;
pub use self::recognise::recognise;
pub use self::report::inspect_report;
pub use self::requirements::{Requirement, requirements};
pub use self::weights::{ClapWeights, Expected};
