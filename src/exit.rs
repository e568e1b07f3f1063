//! How a command that failed ends: what it says, and its exit code.

use foreign::{Foreign, Words};
use process::interrupt::Interrupted;

use crate::card::CardError;
use crate::notebook::NotebookError;
use crate::spec::SpecError;

/// Something that the user wrote is wrong: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub Words);

/// The whole chain of causes in one paragraph; a cause that its error already told is not repeated.
pub fn message(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Foreign words are told escaped and cut.
        if !text.contains(&cause) && !text.contains(&Foreign::said(&cause).to_string()) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// That of the signal for an interruption, 2 for what the user wrote, 1 for the rest.
pub fn code(error: &anyhow::Error) -> u8 {
    let interrupted = error.chain().find_map(|e| e.downcast_ref::<Interrupted>());
    let usage = |e: &(dyn std::error::Error + 'static)| {
        e.is::<UsageError>()
            || e.is::<SpecError>()
            || e.is::<CardError>()
            || e.is::<NotebookError>()
    };
    match interrupted {
        Some(Interrupted(signal)) => signal.exit_code(),
        None if error.chain().any(usage) => 2,
        None => 1,
    }
}

/// Whether a signal ended the work.
pub fn is_interruption(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<Interrupted>())
}

/// Say behind "interrupted" what became of the work; other errors stay as they are.
pub fn explain(error: anyhow::Error, outcome: &str) -> anyhow::Error {
    if is_interruption(&error) {
        let told = format!("{}; {outcome}", message(&error));
        error.context(told)
    } else {
        error
    }
}
