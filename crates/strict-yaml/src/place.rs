//! Where something was written.

use std::fmt::{self, Display};
use std::path::Path;

use foreign::{Foreign, Safe, Words, words};

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The file as a whole.
    File,
    /// A line of the file, from 1.
    Line(u64),
    /// A `--set path=value`, as given.
    Set(String),
}

/// Where something was written: `weights.yaml:7`, `weights.yaml` or `--set seed=x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At(Words);

impl At {
    pub(super) fn new(origin: &Path, place: &Place) -> Self {
        At(match place {
            Place::File => words!("{}", origin.display()),
            Place::Line(line) => words!("{}:{}", origin.display(), line),
            Place::Set(assignment) => words!("--set {}", Foreign::new(assignment)),
        })
    }
}

impl Safe for At {}

impl Display for At {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}
