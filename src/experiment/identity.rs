//! Which settings make a run what it is: a hash over all of them but a stated list.
//!
//! Two runs with one identity may share a folder and continue each other; with two they never mix rows. The idea of
//! hashing the effective settings with a list that must not count is dora's (`facebookresearch/dora`).

use std::collections::BTreeMap;

use files::sha256_bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Experiment;

/// What changes no result: where things lie, how fast and how noisily they run. `*` stands for every item of a list. `limit`
/// counts through the pieces or texts that it selects. Settings of a task that do not count it says itself:
/// [`Task::not_counted`](super::Task::not_counted).
const NOT_COUNTED: [&str; 12] = [
    "experiment.limit",
    "experiment.notebook",
    "experiment.pieces.*.path",
    "run.batch",
    "run.demo",
    "run.fresh",
    "run.models",
    "run.offline",
    "run.out",
    "run.quiet",
    "run.skip_bad",
    "run.threads",
];

/// The hash of the settings that count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity(String);

impl Identity {
    /// 64 hex digits.
    pub fn full(&self) -> &str {
        &self.0
    }

    /// The first 12 hex digits, for folder names and messages.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

/// The settings of a run that count, with sorted keys and without nulls: of an experiment, and with it provider, precision,
/// the checkpoints' and pieces' own hashes.
#[derive(Clone, Debug)]
pub struct Counted(Value);

/// A short hash of each setting by its name.
pub type Parts = BTreeMap<String, String>;

impl Counted {
    /// Of an experiment with the rest of a run's effective settings. Absent and null settings are the same, and the order of
    /// keys does not matter.
    pub fn new(experiment: &Experiment, run: Value) -> Result<Self, serde_json::Error> {
        let mut settings = json!({ "experiment": serde_json::to_value(experiment)?, "run": run });
        for path in NOT_COUNTED {
            let steps: Vec<&str> = path.split('.').collect();
            remove(&mut settings, &steps);
        }
        for path in experiment.task.not_counted() {
            let steps: Vec<&str> = ["experiment"].into_iter().chain(path.split('.')).collect();
            remove(&mut settings, &steps);
        }
        Ok(Self(canonical(settings)))
    }

    /// The hash of all of them.
    pub fn identity(&self) -> Identity {
        hashed(&self.0)
    }

    /// A hash of each, to say in which two identities differ; what the experiment and the rest both have is hashed together.
    pub fn parts(&self) -> Parts {
        let mut parts = Parts::new();
        let halves = self.0.as_object().into_iter().flatten();
        for (name, value) in halves.filter_map(|(_, half)| half.as_object()).flatten() {
            let part = hashed(&json!([value, parts.get(name)]));
            parts.insert(name.clone(), part.short().to_owned());
        }
        parts
    }
}

/// The identity of settings that all count, of a folder that no experiment made.
pub fn identity_of(settings: Value) -> Identity {
    hashed(&canonical(settings))
}

fn hashed(canonical: &Value) -> Identity {
    Identity(sha256_bytes(canonical.to_string().as_bytes()))
}

fn remove(value: &mut Value, steps: &[&str]) {
    match (value, steps) {
        (Value::Object(map), [last]) => {
            map.remove(*last);
        }
        (Value::Object(map), [step, rest @ ..]) => {
            if let Some(inner) = map.get_mut(*step) {
                remove(inner, rest);
            }
        }
        (Value::Array(items), ["*", rest @ ..]) => {
            items.iter_mut().for_each(|item| remove(item, rest))
        }
        _ => {}
    }
}

/// The same value with sorted keys and without nulls.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().filter(|(_, v)| !v.is_null()).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(
                entries
                    .into_iter()
                    .map(|(k, v)| (k, canonical(v)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(canonical).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use strict_yaml::Document;

    use super::*;
    use crate::experiment::Overrides;
    use crate::spec::{CropPolicy, Piece};

    const YAML: &str = "\
experiment: weights
task: clap_scores
audio: { files: pieces, text: \"{taste} music\" }
tastes: [sweet]
arms: [{ name: on, model: 630k }]
";

    fn experiment() -> Experiment {
        let document = Document::parse(YAML, Path::new("w.yaml")).unwrap();
        let draft = crate::tasks::draft(document, &Overrides::default()).unwrap();
        let mut experiment = draft.experiment().clone();
        experiment.pieces = vec![Piece {
            id: "sweet_01".into(),
            path: "pieces/sweet_01.wav".into(),
            prompt: "sweet music".into(),
            taste: Some("sweet".into()),
            origin: None,
            set: None,
            own_prompt: None,
        }];
        experiment
    }

    fn short(change: impl FnOnce(&mut Experiment), run: Value) -> String {
        let mut experiment = experiment();
        change(&mut experiment);
        let counted = Counted::new(&experiment, run).unwrap();
        counted.identity().short().to_owned()
    }

    #[test]
    fn places_and_speed_do_not_count() {
        let base = short(|_| {}, json!({ "ep": "cpu", "precision": "fp32" }));
        assert_eq!(base.len(), 12);
        let same = [
            short(
                |_| {},
                json!({ "precision": "fp32", "threads": 8, "out": "x", "offline": true, "ep": "cpu" }),
            ),
            short(
                |_| {},
                json!({ "precision": "fp32", "ep": "cpu", "device": null }),
            ),
            short(
                |e| e.pieces[0].path = "elsewhere/sweet_01.wav".into(),
                json!({ "ep": "cpu", "precision": "fp32" }),
            ),
            short(
                |e| e.limit = Some(1),
                json!({ "ep": "cpu", "precision": "fp32" }),
            ),
        ];
        assert!(same.iter().all(|other| *other == base));
    }

    #[test]
    fn what_changes_a_number_counts() {
        let run = || json!({ "ep": "cpu" });
        let base = short(|_| {}, run());
        let others = [
            short(|e| e.seed = 1, run()),
            short(|e| e.crops = CropPolicy::Start, run()),
            short(|e| e.arms[0].model = "other".into(), run()),
            short(|e| e.arms[0].name = "off".into(), run()),
            short(|e| e.pieces[0].prompt = "sour music".into(), run()),
            short(|e| e.pieces.clear(), run()),
            short(|_| {}, json!({ "ep": "cuda" })),
            short(
                |_| {},
                json!({ "ep": "cpu", "checkpoints": { "on": "ab" } }),
            ),
        ];
        for (i, other) in others.iter().enumerate() {
            assert!(*other != base && !others[..i].contains(other));
        }
    }

    /// A change here gives every finished run a new folder: do it on purpose only.
    #[test]
    fn the_identity_of_given_settings_never_moves() {
        assert_eq!(short(|_| {}, json!({ "ep": "cpu" })), "e3c63902c3d5");
    }
}
