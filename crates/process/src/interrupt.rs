//! Signals that ask for an end: Ctrl-C, `SIGTERM`, `SIGHUP`. Each ends the process at once, except between embeddings,
//! where the batch in flight is finished and saved first, and while pieces are made, where it ends before the next step.
//!
//! The process ends without the destructors of C++ libraries: they would take apart what ONNX Runtime's threads are at
//! work with, and crash. What this process was writing is removed, and the terminal is put right, before.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use crate::{child, progress};

/// How long an end at once waits for the terminal and the disk.
const PATIENCE: Duration = Duration::from_secs(2);

static SAVING: AtomicBool = AtomicBool::new(false);
/// The number of the first signal; 0: none came.
static ASKED: AtomicI32 = AtomicI32::new(0);
static ASKS_AGAIN: AtomicBool = AtomicBool::new(false);

/// The exit code that asks to be started again: `EX_TEMPFAIL` of `sysexits.h`.
pub const AGAIN: u8 = 75;
/// Somebody has the last word.
static ENDING: AtomicBool = AtomicBool::new(false);

/// What asked for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C, `SIGINT`.
    Interrupt,
    /// `SIGTERM`: from `kill`, a scheduler, or a machine that shuts down.
    Terminate,
    /// `SIGHUP`: the terminal is gone.
    HangUp,
    /// `SIGUSR1`: from a scheduler, some time before it ends the process.
    Warning,
}

impl Signal {
    const ALL: [Self; 4] = [
        Self::Interrupt,
        Self::Terminate,
        Self::HangUp,
        Self::Warning,
    ];

    /// 128 and the signal's number, as shells have it; [`AGAIN`] for a scheduler's, after [`ask_again`].
    pub fn exit_code(self) -> u8 {
        let scheduler = matches!(self, Self::Terminate | Self::Warning);
        match scheduler && ASKS_AGAIN.load(Ordering::SeqCst) {
            true => AGAIN,
            false => 128 + self.number(),
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::HangUp => 1,
            Self::Interrupt => 2,
            Self::Warning => match cfg!(target_os = "macos") {
                true => 30,
                false => 10,
            },
            Self::Terminate => 15,
        }
    }
}

/// A signal asked for the end.
#[derive(Debug, thiserror::Error)]
#[error("{}", match .0 {
    Signal::Interrupt => "interrupted",
    Signal::Terminate => "terminated",
    Signal::HangUp => "ended because the terminal is gone",
    Signal::Warning => "ended by SIGUSR1",
})]
pub struct Interrupted(pub Signal);

/// Answer signals from now on: they end the process at once, which downloads and exports survive.
pub fn install() {
    if let Err(e) = watch() {
        progress::note(format!(
            "signals will not wait for the batch in flight: {e}"
        ));
    }
}

#[cfg(unix)]
fn watch() -> std::io::Result<()> {
    // What the parent process chose to ignore stays ignored: `nohup`, and shells' background jobs.
    let wanted: Vec<i32> = Signal::ALL
        .map(|signal| i32::from(signal.number()))
        .into_iter()
        .filter(|number| !is_ignored(*number))
        .collect();
    let mut signals = signal_hook::iterator::Signals::new(wanted)?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for number in signals.forever() {
                let mut signals = Signal::ALL.into_iter();
                let came = signals.find(|s| i32::from(s.number()) == number);
                answer(came.unwrap_or(Signal::Terminate));
            }
        })?;
    Ok(())
}

#[cfg(unix)]
fn is_ignored(number: i32) -> bool {
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with no new action, `sigaction` only writes the present one, for which there is room; all zeros is one too.
    unsafe {
        libc::sigaction(number, std::ptr::null(), now.as_mut_ptr()) == 0
            && now.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(not(unix))]
fn watch() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| answer(Signal::Interrupt))
}

/// On a thread of its own.
fn answer(signal: Signal) {
    let (code, number) = (i32::from(signal.exit_code()), i32::from(signal.number()));
    let first = ASKED
        .compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst)
        .is_ok();
    if !(first && SAVING.load(Ordering::SeqCst)) {
        end(code);
    }
    if std::io::stderr().is_terminal() {
        // On a thread again: a terminal that takes nothing must not keep the next signal from being heard.
        let told = || progress::note("saving what is in flight; once more ends at once");
        let _ = std::thread::Builder::new().spawn(told);
    }
}

/// End now, while other threads are at work.
fn end(code: i32) -> ! {
    if !ENDING.swap(true, Ordering::SeqCst) {
        let (done, wait) = mpsc::channel();
        let clean = std::thread::Builder::new().spawn(move || {
            child::end_all();
            files::remove_all();
            progress::clear();
            let _ = done.send(());
        });
        if clean.is_ok() {
            let _ = wait.recv_timeout(PATIENCE);
        }
    }
    leave(code)
}

/// The command is done, one way or the other: nobody else ends the process from now on, unless a signal does already.
/// Then this waits for that end, and what the command would say of its broken work is not said.
pub fn last_word() {
    while ENDING.swap(true, Ordering::SeqCst) {
        std::thread::park();
    }
}

/// End the process without destructors of libraries.
pub fn leave(code: i32) -> ! {
    // Nothing is left to do about a failure; results were flushed when they were written.
    let _ = std::io::stdout().flush();
    #[cfg(unix)]
    signal_hook::low_level::exit(code);
    #[cfg(not(unix))]
    std::process::exit(code)
}

/// A scheduler started this process, and starts it again when it ends with [`AGAIN`]: so it does when one ends it.
pub fn ask_again() {
    ASKS_AGAIN.store(true, Ordering::SeqCst);
}

/// From now on the first signal is left to [`check`], and only a second one ends the process at once.
pub fn listen() {
    SAVING.store(true, Ordering::SeqCst);
}

/// Nothing is left to save: signals end the process at once again.
pub fn end_at_once() {
    SAVING.store(false, Ordering::SeqCst);
}

/// `Err` once a signal came: to be asked between batches.
pub fn check() -> Result<(), Interrupted> {
    let asked = ASKED.load(Ordering::SeqCst);
    let mut signals = Signal::ALL.into_iter();
    match signals.find(|s| i32::from(s.number()) == asked) {
        Some(signal) => Err(Interrupted(signal)),
        None => Ok(()),
    }
}
