//! ONNX Runtime: which build a provider needs, where its library is, and how it gets there.
pub mod install;
pub mod library;
pub mod providers;
