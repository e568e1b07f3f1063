//! What the tables of one text have in common: the runs that they are of.

use super::run::WARNING;
use crate::labels::Labels;
use crate::words::listed;

/// What all tables of one text have in common.
pub struct Head {
    /// Of each run, what it was.
    pub origins: Vec<String>,
    /// The runs whose numbers mean nothing.
    pub random: Vec<String>,
    pub several: bool,
    /// What the labels of pieces are called, and their order.
    pub labels: Labels,
    /// Of labels in LaTeX.
    pub label: String,
}

impl Head {
    /// `random weights: the numbers mean nothing`, of several runs with their names.
    pub fn warning(&self) -> Option<String> {
        match (self.random.as_slice(), self.several) {
            ([], _) => None,
            (_, false) => Some(WARNING.to_owned()),
            (random, true) => Some(format!(
                "random weights in {}: their numbers mean nothing",
                listed(random)
            )),
        }
    }
}
