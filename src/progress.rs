//! Bars and notes on standard error; apart from `main`, the only code that writes to the terminal.
//!
//! Bars appear only on a terminal (`indicatif` hides them elsewhere); notes always do, one line each.

use std::io::{self, ErrorKind, Write};

use indicatif::{ProgressBar, ProgressStyle};

/// Print one or more lines of results on standard output. A reader that has gone, as that of `| head`, has all it wanted:
/// no error.
///
/// # Errors
/// When standard output is a file that cannot be written, on a full disk for instance.
pub fn result(text: impl AsRef<str>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let text = text.as_ref().trim_end_matches('\n');
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(io::Error::new(
            e.kind(),
            format!("cannot write to standard output: {e}"),
        )),
        _ => Ok(()),
    }
}

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
