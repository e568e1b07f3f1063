//! `harness`: music from taste words, judged by CLAP, without Python.
pub mod analysis;
pub mod audio;
pub mod cache;
pub mod card;
pub mod checkpoint;
pub mod export;
pub mod figures;
pub mod files;
pub mod hub;
pub mod onnx;
pub mod pipeline;
pub mod progress;
pub mod report;
pub mod run;
pub mod runtime;
pub mod spec;
