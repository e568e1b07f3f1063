//! The references that cards name: entries of `assets/references.bib`, found by their keys.

use std::sync::LazyLock;

/// An entry as the file has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    pub key: &'static str,
    /// From its `@` to its closing brace.
    pub bibtex: &'static str,
}

/// All of them, in the order of the file.
pub fn known() -> &'static [Reference] {
    static KNOWN: LazyLock<Vec<Reference>> = LazyLock::new(|| {
        let blocks = include_str!("../assets/references.bib").split("\n\n");
        blocks.filter_map(|block| entry(block.trim())).collect()
    });
    &KNOWN
}

/// The entry with this key.
pub fn find(key: &str) -> Option<Reference> {
    known().iter().find(|known| known.key == key).copied()
}

fn entry(bibtex: &'static str) -> Option<Reference> {
    let (_, rest) = bibtex.strip_prefix('@')?.split_once('{')?;
    let (key, _) = rest.split_once(',')?;
    Some(Reference { key, bibtex })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_file_is_found_by_a_key_of_its_own() {
        let text = include_str!("../assets/references.bib");
        let begun = text.lines().filter(|line| line.starts_with('@')).count();
        assert_eq!(known().len(), begun);
        for reference in known() {
            assert_eq!(find(reference.key), Some(*reference));
            assert!(reference.bibtex.ends_with("\n}"), "{}", reference.bibtex);
        }
        assert_eq!(find("unknown2020"), None);
    }
}
