//! Ctrl-C: exit code 130 at once, except between embeddings, where the batch in flight is finished and saved first, and
//! while pieces are made, where it ends before the next step.

use std::sync::atomic::{AtomicBool, Ordering};

static SAVING: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicBool = AtomicBool::new(false);

/// The user pressed Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Answer Ctrl-C from now on: it ends the process at once, which downloads and exports survive.
pub fn install() {
    let handler = || {
        if !SAVING.load(Ordering::SeqCst) || ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    };
    if let Err(e) = ctrlc::set_handler(handler) {
        crate::progress::note(format!("Ctrl-C will not wait for the batch in flight: {e}"));
    }
}

/// From now on the first Ctrl-C is left to [`check`], and only a second one ends the process at once.
pub fn listen() {
    SAVING.store(true, Ordering::SeqCst);
}

/// Nothing is left to save: Ctrl-C ends the process at once again.
pub fn end_at_once() {
    SAVING.store(false, Ordering::SeqCst);
}

/// Say behind "interrupted" what became of the work; other errors stay as they are.
pub fn explain(error: anyhow::Error, outcome: &str) -> anyhow::Error {
    if error.chain().any(|cause| cause.is::<Interrupted>()) {
        let told = format!("{}; {outcome}", crate::commands::message(&error));
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
