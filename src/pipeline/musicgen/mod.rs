//! Prompts to music. Reads no YAML, writes no file, prints nothing.

pub mod batch;
pub mod delay;
pub mod sampler;
