//! What the pieces of an experiment are made from.

use crate::spec::audio::Found;
use crate::spec::template::Template;
use crate::spec::{Captions, Prompts};

/// What the pieces are made from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A folder, a CSV or a run.
    Found(Found),
    /// Several of them for the same items.
    Sets {
        /// By the names of the sets.
        sets: Vec<(String, Found)>,
        /// What all pieces are scored against, instead of their own prompts.
        text: Option<Template>,
    },
    /// One prompt a taste, in so many draws each.
    Template(Template, usize),
    /// A file of descriptions, each in so many draws.
    Descriptions {
        /// Where the file is.
        prompts: Prompts,
        /// What is made of each description, if not it is the prompt.
        rewrite: Option<Template>,
        draws: usize,
    },
    /// No pieces, but texts.
    Captions(Captions),
}
