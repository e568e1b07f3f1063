//! Bars and notes on standard error; apart from `main`, the only code that writes to the terminal.
//!
//! Bars appear only on a terminal (`indicatif` hides them elsewhere); notes always do, one line each.

use indicatif::{ProgressBar, ProgressStyle};

/// Print one line on standard error.
pub fn note(message: impl AsRef<str>) {
    eprintln!("{}", message.as_ref());
}

/// A bar that counts `total` items of some `unit` ("clips", "texts").
pub fn items(label: &str, unit: &str, total: u64) -> ProgressBar {
    styled(
        total,
        label,
        &format!("{{msg}} [{{bar:32}}] {{pos}}/{{len}} {unit}, {{eta}} left"),
    )
}

/// A bar that counts bytes of a transfer, with its rate.
pub fn bytes(label: &str, total: u64) -> ProgressBar {
    styled(
        total,
        label,
        "{msg} [{bar:32}] {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
    )
}

fn styled(total: u64, label: &str, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(label.to_owned());
    bar
}
