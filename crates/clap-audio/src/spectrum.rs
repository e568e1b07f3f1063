//! The sizes of CLAP's spectrograms.

/// The sample rate that CLAP reads [Hz].
pub const CLAP_RATE_HZ: u32 = 48_000;
/// Samples from one frame to the next (10 ms).
pub const HOP: usize = 480;
/// Mel bins of a frame.
pub const MEL_BINS: usize = 64;
/// Samples of one window, and length of the transform.
pub(super) const WINDOW: usize = 1024;
/// Frequencies of a spectrum, 0 Hz to the Nyquist frequency.
pub(super) const BINS: usize = WINDOW / 2 + 1;
