//! A checkpoint's tensors against those that an architecture needs.

use std::collections::BTreeSet;
use std::fmt;

use foreign::words;
use foreign::{Foreign, Safe, Words};

use super::{Checkpoint, Dtype};

/// How many names an error lists.
const LISTED: usize = 10;

/// How a checkpoint and an architecture differ. Names are those of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Match {
    /// Needed and not in the file.
    pub missing: Vec<String>,
    /// In the file with another shape, or not of a floating-point type.
    pub misshapen: Vec<Misshapen>,
    /// In the file, not needed, and not among what checkpoints are known to carry.
    pub leftover: Vec<String>,
    /// In the file and known not to be needed: constant tables, heads of the training, the front end's kernels.
    pub unused: Vec<String>,
}

impl Match {
    /// Compare with the names and shapes that are `needed`.
    pub(super) fn of(
        checkpoint: &Checkpoint,
        needed: impl IntoIterator<Item = (String, Vec<usize>)>,
        is_known_unused: impl Fn(&str) -> bool,
    ) -> Self {
        let tensors = checkpoint.tensors();
        let mut result = Self::default();
        let mut names = BTreeSet::new();
        for (name, expected) in needed {
            match tensors.get(&name) {
                None => result.missing.push(name.clone()),
                Some(info) if info.shape == expected && info.dtype.is_float() => {}
                Some(info) => result.misshapen.push(Misshapen {
                    name: name.clone(),
                    expected,
                    found: info.shape.clone(),
                    dtype: info.dtype,
                }),
            }
            names.insert(name);
        }
        for name in tensors.keys().filter(|name| !names.contains(*name)) {
            match is_known_unused(name) {
                true => result.unused.push(name.clone()),
                false => result.leftover.push(name.clone()),
            }
        }
        result
    }

    /// Whether every tensor that is needed is there with its shape.
    pub fn fits(&self) -> bool {
        self.missing.is_empty() && self.misshapen.is_empty()
    }

    /// What is lacking, as lines to follow an error's first one; nothing when nothing is.
    pub(super) fn lacking(&self) -> Words {
        let missing = self.missing.iter().map(Foreign::new);
        words!(
            "{}{}",
            listed("missing", missing),
            listed("misshapen", self.misshapen.iter())
        )
    }
}

/// A tensor whose shape is not the one that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshapen {
    pub name: String,
    pub expected: Vec<usize>,
    pub found: Vec<usize>,
    pub dtype: Dtype,
}

impl Safe for Misshapen {}

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Foreign::new(&self.name);
        write!(f, "{name} {:?}, needed {:?}", self.found, self.expected)?;
        match self.dtype.is_float() {
            true => Ok(()),
            false => write!(f, " (of type {}, not floating-point)", self.dtype),
        }
    }
}

/// As lines behind a first one; nothing when there are no items.
fn listed<T: Safe + fmt::Display>(
    what: &'static str,
    items: impl ExactSizeIterator<Item = T>,
) -> Words {
    let count = items.len();
    let first = match count {
        0 => return Words::none(),
        1 => words!("\n  1 tensor is {}:", what),
        n => words!("\n  {} tensors are {}:", n, what),
    };
    let items = items.take(LISTED).map(|item| words!("\n    {}", item));
    let more = match count.saturating_sub(LISTED) {
        0 => Words::none(),
        more => words!("\n    and {} more", more),
    };
    words!("{}{}{}", first, Words::join(items, ""), more)
}
