//! When a device may replay the kernels that it recorded, instead of being given them one by one.
//!
//! A recording (a CUDA graph) holds the addresses of all buffers, and what the host gave to kernels when it was taken. It
//! is valid as long as the same buffers are bound and no input that the host reads has changed; inputs that the device
//! reads may change in place.

use std::sync::atomic::{AtomicI32, Ordering};

/// ONNX Runtime's run option, and its value for "neither record nor replay".
pub(super) const RUN_OPTION: &str = "gpu_graph_id";
const NONE: i32 = -1;

/// Of the recordings of this process; a session that met a number before would replay what it has under it.
static NEXT: AtomicI32 = AtomicI32::new(1);

/// What one set of buffers may replay.
#[derive(Debug)]
pub(super) struct Capture {
    /// None when the host's inputs change from run to run: nothing can be replayed then.
    recording: Option<i32>,
    ran: bool,
}

impl Capture {
    pub fn new() -> Self {
        Self {
            recording: Some(NEXT.fetch_add(1, Ordering::Relaxed)),
            ran: false,
        }
    }

    /// A buffer was bound: a recording does not know it, and another has to be taken.
    pub fn bound(&mut self) {
        if self.ran && self.recording.is_some() {
            *self = Self::new();
        }
    }

    /// An input that the host reads has another value.
    pub fn host_input_changed(&mut self) {
        if self.ran {
            self.recording = None;
        }
    }

    /// The value of [`RUN_OPTION`] for the run that comes now.
    pub fn next_run(&mut self) -> i32 {
        self.ran = true;
        self.recording.unwrap_or(NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_buffers_replay_and_new_ones_record_anew() {
        let mut capture = Capture::new();
        capture.bound();
        capture.host_input_changed();
        let first = capture.next_run();
        assert!(first > 0);
        assert_eq!(capture.next_run(), first);
        capture.bound();
        let second = capture.next_run();
        assert!(second > first);
        assert_eq!(capture.next_run(), second);
        assert_ne!(Capture::new().next_run(), second);
    }

    #[test]
    fn what_the_host_reads_must_stay_or_nothing_is_replayed() {
        let mut capture = Capture::new();
        capture.next_run();
        capture.host_input_changed();
        assert_eq!(capture.next_run(), NONE);
        // Nor does another buffer help.
        capture.bound();
        assert_eq!(capture.next_run(), NONE);
    }
}
