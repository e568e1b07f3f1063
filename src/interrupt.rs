//! Ctrl-C: the first one lets the batch in flight finish and be saved, the second one ends the process at once.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// The user pressed Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Listen from now on; until then Ctrl-C ends the process at once, which downloads and exports survive. Calls after the
/// first one do nothing.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(set_handler);
}

/// Without a handler Ctrl-C ends the process at once.
fn set_handler() {
    let handler = || {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    };
    if let Err(e) = ctrlc::set_handler(handler) {
        crate::progress::note(format!("Ctrl-C will not wait for the batch in flight: {e}"));
    }
}

/// Say behind "interrupted" what became of the work; other errors stay as they are.
pub fn explain(error: anyhow::Error, outcome: &str) -> anyhow::Error {
    if error.chain().any(|cause| cause.is::<Interrupted>()) {
        let told = format!("{error:#}; {outcome}");
        error.context(told)
    } else {
        error
    }
}

/// `Err` once Ctrl-C was pressed: to be asked between batches.
pub fn check() -> Result<(), Interrupted> {
    if ASKED.load(Ordering::SeqCst) {
        Err(Interrupted)
    } else {
        Ok(())
    }
}
