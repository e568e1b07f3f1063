//! The labels that have a place and a colour of their own in every table and figure, whatever the run, so that figures of
//! several runs can lie side by side: `assets/labels.csv`. Others follow in the order of the experiment. And what labels are called.
//!
//! The colours are of Okabe and Ito (Color Universal Design, 2008): told apart by colour-blind readers.

mod of_run;
mod word;

use std::sync::LazyLock;

pub use of_run::Labels;
pub use word::{Said, Word};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    pub name: &'static str,
    /// Red, green, blue.
    pub colour: [u8; 3],
}

/// All of them, in their order.
pub fn known() -> &'static [Label] {
    static KNOWN: LazyLock<Vec<Label>> = LazyLock::new(|| {
        let lines = include_str!("../../assets/labels.csv").lines().skip(1);
        lines.filter_map(label).collect()
    });
    &KNOWN
}

/// `sweet,#cc79a7`.
fn label(line: &'static str) -> Option<Label> {
    let (name, colour) = line.split_once(",#")?;
    let [_, red, green, blue] = u32::from_str_radix(colour, 16).ok()?.to_be_bytes();
    Some(Label {
        name,
        colour: [red, green, blue],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_file_is_a_label() {
        let lines = include_str!("../../assets/labels.csv").lines().skip(1);
        assert_eq!(known().len(), lines.count());
        assert!(known().len() > 1 && known()[0].colour == [0, 158, 115]);
    }
}
