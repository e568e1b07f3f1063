//! Results on standard output; errors, notes and bars on standard error. The only code that writes to the terminal.
//!
//! Whatever comes here is made safe for a terminal, and but for results cut: paths and the like may hold anything. Text that is
//! known to be foreign comes as [`Foreign`], on one line and cut for itself.
//!
//! Bars appear only on a terminal (`indicatif` hides them elsewhere); notes always do, one line each.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use foreign::Foreign;
use indicatif::{ProgressBar, ProgressStyle, WeakProgressBar};

/// The most characters of what a bar is of, such as a file's name.
const LABEL_CHARS: usize = 60;

/// Print one or more lines of results on standard output. A reader that has gone, as that of `| head`, has all it wanted:
/// no error.
///
/// # Errors
/// When standard output is a file that cannot be written, on a full disk for instance.
pub fn result(text: impl AsRef<str>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let text = foreign::on_terminal(text.as_ref().trim_end_matches('\n'));
    written(writeln!(out, "{text}").and_then(|()| out.flush()))
}

/// Have a library print what is ours on standard output, help in colours for instance: it is not made safe.
///
/// # Errors
/// As [`result`].
pub fn printed_by(print: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    written(print().and_then(|()| io::stdout().flush()))
}

fn written(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(io::Error::new(
            e.kind(),
            format!("cannot write to standard output: {e}"),
        )),
        _ => Ok(()),
    }
}

/// Print one line on standard error.
pub fn note(message: impl Display) {
    let line = foreign::message(&message.to_string()) + "\n";
    // A note that cannot be written, to a full disk or to a reader that has gone, is lost; the work is not.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Print why the program fails.
pub fn error(message: impl Display) {
    note(format_args!("error: {message}"));
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

/// A bar over the seconds of audio of pieces that are made together, step by step.
pub struct AudioBar {
    /// Counts steps of single pieces.
    bar: ProgressBar,
    /// Of audio, that a step adds to a piece.
    step_s: f64,
    batch_began: Instant,
}

impl AudioBar {
    /// For `pieces` of `steps` steps and `duration_s` seconds each.
    pub fn new(pieces: usize, steps: usize, duration_s: f64) -> Self {
        let total = pieces.saturating_mul(steps) as u64;
        Self {
            bar: styled(total, "", "audio [{bar:32}] {msg}, {eta} left"),
            step_s: duration_s / steps.max(1) as f64,
            batch_began: Instant::now(),
        }
    }

    /// A batch of `pieces` begins its step `step`, from 0.
    pub fn step(&mut self, pieces: usize, step: usize) {
        if step == 0 {
            self.batch_began = Instant::now();
        }
        let seconds = |steps: u64| steps as f64 * self.step_s;
        let rate = step as f64 / self.batch_began.elapsed().as_secs_f64().max(1e-9);
        self.bar.set_message(format!(
            "{:.1}/{:.1} s of audio, {rate:.1} steps/s",
            seconds(self.bar.position()),
            seconds(self.bar.length().unwrap_or_default()),
        ));
        self.bar.inc(pieces as u64);
    }

    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

fn styled(total: u64, label: &str, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(Foreign::within(label, LABEL_CHARS).to_string());
    *drawn() = bar.downgrade();
    bar
}

/// The last bar: there is one at a time.
static DRAWN: LazyLock<Mutex<WeakProgressBar>> = LazyLock::new(Default::default);

fn drawn() -> MutexGuard<'static, WeakProgressBar> {
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Take the bar off the terminal: the process ends.
pub fn clear() {
    if let Some(bar) = drawn().upgrade() {
        bar.finish_and_clear();
    }
}
