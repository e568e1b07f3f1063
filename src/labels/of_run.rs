//! What a run says of its labels.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::Word;
use super::known;

/// What the labels of a run are called, and their order, as its manifest has them in `settings`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Labels {
    #[serde(default, rename = "label")]
    pub word: Word,
    /// Those of the experiment, in its order.
    #[serde(default, rename = "tastes")]
    pub order: Vec<String>,
}

impl Labels {
    /// Those of a manifest; a folder without one speaks of tastes.
    ///
    /// # Errors
    /// When the manifest's word is none.
    pub fn of_manifest(manifest: &Value) -> Result<Self, serde_json::Error> {
        match manifest.get("settings") {
            Some(settings @ Value::Object(_)) => Self::deserialize(settings),
            _ => Ok(Self::default()),
        }
    }

    /// Each of `found` once: those that are [`known`] first, in their order, then in that of the experiment, then in that of the
    /// alphabet. No label is none.
    pub fn sorted<'l>(&self, found: impl Iterator<Item = &'l str>) -> Vec<&'l str> {
        let found: BTreeSet<&str> = found.filter(|label| !label.is_empty()).collect();
        let known = known().iter().map(|label| label.name);
        let order: Vec<&str> = known.chain(self.order.iter().map(String::as_str)).collect();
        let place = |label: &&str| order.iter().position(|known| known == label);
        let mut sorted: Vec<&str> = found.into_iter().collect();
        sorted.sort_by_key(|label| place(label).unwrap_or(usize::MAX));
        sorted
    }

    /// What several runs have in common: their word, or else `label`, and their orders one after the other.
    pub fn of_several<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut common: Option<Self> = None;
        for labels in all {
            common = Some(match common {
                None => labels.clone(),
                Some(common) => Self {
                    word: match common.word == labels.word {
                        true => common.word,
                        false => Word::neutral(),
                    },
                    order: [common.order, labels.order.clone()].concat(),
                },
            });
        }
        common.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_labels_come_first_then_those_of_the_experiment_then_the_alphabet() {
        let labels = Labels {
            order: ["tense", "calm", "sweet"].map(str::to_owned).to_vec(),
            ..Labels::default()
        };
        let found = [
            "calm",
            "umami",
            "",
            "salty",
            "tense",
            "bitter",
            "astringent",
            "calm",
        ];
        let order = ["bitter", "salty", "tense", "calm", "astringent", "umami"];
        assert_eq!(labels.sorted(found.into_iter()), order);
    }

    #[test]
    fn a_manifest_says_how_labels_are_called() {
        let of = |manifest: Value| Labels::of_manifest(&manifest);
        let mood = Word::new("mood", None).unwrap();
        let manifest = serde_json::json!({ "settings": { "label": { "one": "mood", "many": "moods" }, "tastes": ["calm"] } });
        let labels = of(manifest).unwrap();
        assert_eq!(
            (&labels.word, labels.order.as_slice()),
            (&mood, &["calm".to_owned()][..])
        );
        assert_eq!(of(Value::Null).unwrap(), Labels::default());
        assert!(
            of(serde_json::json!({ "settings": { "label": { "one": "a b", "many": "c" } } }))
                .is_err()
        );
        let taste = Labels::default();
        assert_eq!(Labels::of_several([&labels, &labels]).word, mood);
        assert_eq!(
            &*Labels::of_several([&labels, &taste]).word.said("Taste"),
            "Label"
        );
        assert_eq!(Labels::of_several([]), taste);
    }
}
