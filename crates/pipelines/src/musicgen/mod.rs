//! Prompts to music. Reads no YAML, writes no file, prints nothing but a note when memory runs out and batches get smaller.
//!
//! T5 reads each prompt once; the decoder takes a step for all pieces of a batch together; the codec turns their codes
//! into audio. What a piece becomes depends on its prompt, its settings and its random stream, and on nothing else.

pub mod batch;
mod by_graph;
mod by_host;
mod calibrate;
mod codec;
pub mod delay;
mod error;
mod generator;
mod job;
pub mod sampler;
mod steps;
mod text;

pub use calibrate::cache_scales;
pub use codec::Codec;
pub use error::GenerateError;
pub use generator::{Generator, Seconds, check_guidance, check_prompts, check_settings};
pub use job::{Generated, GenerationSettings, Job, Progress};
pub use sampler::Choice;
