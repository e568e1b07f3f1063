//! What the pieces of an experiment are made from.

use super::audio::Found;
use super::template::Template;

/// What the pieces are made from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A folder, a CSV or a run for each set of pieces.
    Found(Vec<Found>),
    /// One prompt a taste.
    Template(Template),
    /// A descriptions file, and what is made of each description if not it is the prompt.
    Descriptions(Option<Template>),
    /// No pieces, but texts.
    Captions,
}
