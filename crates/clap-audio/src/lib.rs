//! The audio front end of CLAP, a file in and log-mel features out, and the writer of generated music.
//!
//! The order is [`decode`] (any supported file to mono), [`resample`] (to [`CLAP_RATE_HZ`]), then
//! [`ClapFrontEnd::draw`] (which crops a long clip needs) and [`ClapFrontEnd::features`] (what the audio tower reads).
//! Nothing here knows a model, an experiment or ONNX Runtime.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

mod adpcm;
mod clap;
mod compressed;
mod container;
mod crops;
mod decode;
mod decoder;
mod edges;
mod error;
mod g711;
mod log_mel;
mod matroska;
mod mel_scale;
mod metered;
mod mono;
mod mp4;
mod opus;
mod resample;
mod riff;
mod samples;
mod shrink;
mod sniff;
mod spectrum;
mod tags;
mod wav;
mod wav_out;
mod wave64;
mod windows;

pub use clap::{ClapFeatures, ClapFrontEnd, FeatureError};
pub use crops::{CLIP_FRAMES, CLIP_SAMPLES, CropError, CropPolicy, Crops, UnknownCropPolicy};
pub use decode::{EXTENSIONS, Recording, decode, each_block};
pub use error::{AudioError, AudioFault};
pub use mel_scale::MelScale;
pub use mono::{Heard, Told};
pub use resample::{Resampler, resample};
pub use samples::{Samples, decode_at};
pub use shrink::FusionShrink;
pub use spectrum::{CLAP_RATE_HZ, HOP, MEL_BINS};
pub use wav_out::write_wav;
pub use windows::each_window;
