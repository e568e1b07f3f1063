//! A checkpoint's tensors against those that an architecture needs.

use std::collections::BTreeSet;
use std::fmt;

use super::error::printable;
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
    pub(super) fn lacking(&self) -> String {
        let missing = self.missing.iter().map(|name| printable(name));
        let misshapen = self.misshapen.iter().map(ToString::to_string);
        listed("missing", missing.collect()) + &listed("misshapen", misshapen.collect())
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

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = printable(&self.name);
        write!(f, "{name} {:?}, needed {:?}", self.found, self.expected)?;
        match self.dtype.is_float() {
            true => Ok(()),
            false => write!(f, " (of type {}, not floating-point)", self.dtype),
        }
    }
}

fn listed(what: &str, items: Vec<String>) -> String {
    let mut lines = match items.len() {
        0 => return String::new(),
        1 => format!("\n  1 tensor is {what}:"),
        n => format!("\n  {n} tensors are {what}:"),
    };
    for item in items.iter().take(LISTED) {
        lines.push_str("\n    ");
        lines.push_str(item);
    }
    if items.len() > LISTED {
        lines.push_str(&format!("\n    and {} more", items.len() - LISTED));
    }
    lines
}
