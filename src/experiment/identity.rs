//! Which settings make a run what it is: a hash over all of them but a stated list.
//!
//! Two runs with one identity may share a folder and continue each other; with two they never mix rows. The idea of
//! hashing the effective settings with a list that must not count is dora's (`facebookresearch/dora`).

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::Experiment;
use crate::spec::{Origin, Piece};

/// What changes no result: where things lie, how fast and how noisily they run. `*` stands for every item of a list. `limit`
/// counts through the pieces or texts that it selects, and of pieces all but their paths. Settings of a task that do not count it says itself:
/// [`Task::not_counted`](super::Task::not_counted).
const NOT_COUNTED: [&str; 11] = [
    "experiment.limit",
    "experiment.notebook",
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
/// the checkpoints' and pieces' own hashes. Pieces, of which there may be a million, are hashed where they are.
#[derive(Clone, Debug)]
pub struct Counted<'e> {
    /// With a null where the pieces belong.
    experiment: Map<String, Value>,
    run: Value,
    pieces: &'e [Piece],
}

/// A short hash of each setting by its name.
pub type Parts = BTreeMap<String, String>;

/// The key of an experiment's pieces.
const PIECES: &str = "pieces";

impl<'e> Counted<'e> {
    /// Of an experiment with the rest of a run's effective settings. Absent and null settings are the same, and the order of
    /// keys does not matter.
    pub fn new(experiment: &'e Experiment, run: Value) -> Result<Self, serde_json::Error> {
        let mut settings = json!({ "experiment": serde_json::to_value(experiment)?, "run": run });
        for path in NOT_COUNTED {
            let steps: Vec<&str> = path.split('.').collect();
            remove(&mut settings, &steps);
        }
        for path in experiment.task.not_counted() {
            let steps: Vec<&str> = ["experiment"].into_iter().chain(path.split('.')).collect();
            remove(&mut settings, &steps);
        }
        let mut half = |name: &str| canonical(settings[name].take());
        let mut experiment_half = match half("experiment") {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        experiment_half.insert(PIECES.to_owned(), Value::Null);
        experiment_half.sort_keys();
        Ok(Self {
            experiment: experiment_half,
            run: half("run"),
            pieces: &experiment.pieces,
        })
    }

    /// The hash of all of them.
    pub fn identity(&self) -> io::Result<Identity> {
        let experiment = Half {
            settings: &self.experiment,
            pieces: self.pieces,
        };
        hashed(&Both {
            experiment,
            run: &self.run,
        })
    }

    /// A hash of each, to say in which two identities differ; what the experiment and the rest both have is hashed together.
    pub fn parts(&self) -> io::Result<Parts> {
        let mut parts = Parts::new();
        let run = self.run.as_object().into_iter().flatten();
        for (name, value) in self.experiment.iter().chain(run) {
            let before = parts.get(name);
            let part = match value {
                Value::Null => hashed(&(CountedPieces(self.pieces), before))?,
                value => hashed(&(value, before))?,
            };
            parts.insert(name.clone(), part.short().to_owned());
        }
        Ok(parts)
    }
}

#[derive(Serialize)]
struct Both<'c> {
    experiment: Half<'c>,
    run: &'c Value,
}

/// The settings of an experiment, with the pieces in their place.
struct Half<'c> {
    settings: &'c Map<String, Value>,
    pieces: &'c [Piece],
}

impl Serialize for Half<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.settings.len()))?;
        for (name, value) in self.settings {
            match value {
                Value::Null => map.serialize_entry(name, &CountedPieces(self.pieces))?,
                value => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

/// Pieces as [`canonical`] would leave them, without their paths.
struct CountedPieces<'c>(&'c [Piece]);

impl Serialize for CountedPieces<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(CountedPiece::of))
    }
}

/// In the order of the names.
#[derive(Serialize)]
struct CountedPiece<'c> {
    id: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<CountedOrigin<'c>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    own_prompt: Option<&'c str>,
    prompt: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    taste: Option<&'c str>,
}

#[derive(Serialize)]
struct CountedOrigin<'c> {
    draw: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    instrument: Option<&'c str>,
    prompt_id: &'c str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tastes: &'c [String],
}

impl<'c> CountedPiece<'c> {
    fn of(piece: &'c Piece) -> Self {
        // Named one by one: a field that is new is looked at here.
        let Piece {
            id,
            path: _,
            prompt,
            taste,
            origin,
            set,
            own_prompt,
        } = piece;
        Self {
            id,
            origin: origin.as_ref().map(|origin| {
                let Origin {
                    prompt_id,
                    draw,
                    instrument,
                    tastes,
                } = origin;
                CountedOrigin {
                    draw: *draw,
                    instrument: instrument.as_deref(),
                    prompt_id,
                    tastes,
                }
            }),
            own_prompt: own_prompt.as_deref(),
            prompt,
            set: set.as_deref(),
            taste: taste.as_deref(),
        }
    }
}

/// The identity of settings that all count, of a folder that no experiment made.
pub fn identity_of(settings: Value) -> io::Result<Identity> {
    hashed(&canonical(settings))
}

fn hashed(canonical: &impl Serialize) -> io::Result<Identity> {
    let hash = files::sha256_written(|to| Ok(serde_json::to_writer(to, canonical)?))?;
    Ok(Identity(hash))
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
    use crate::labels::Word;
    use std::path::Path;

    use strict_yaml::Document;

    use super::*;
    use crate::experiment::Overrides;
    use crate::spec::{HeardParts, Piece};

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
        counted.identity().unwrap().short().to_owned()
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
            short(|e| e.crops = HeardParts::Start, run()),
            short(|e| e.arms[0].model = "other".into(), run()),
            short(|e| e.arms[0].name = "off".into(), run()),
            short(|e| e.pieces[0].prompt = "sour music".into(), run()),
            short(|e| e.pieces.clear(), run()),
            short(|e| e.word = Word::new("mood", None).unwrap(), run()),
            short(
                |e| e.word = Word::new("mood", Some("mood_words")).unwrap(),
                run(),
            ),
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

    #[test]
    fn pieces_are_hashed_as_their_values_would_be() {
        let mut piece = experiment().pieces.remove(0);
        let origin = Origin {
            prompt_id: "p".into(),
            draw: 2,
            instrument: None,
            tastes: vec!["sweet".into()],
        };
        for (set, origin) in [(None, None), (Some("a".to_owned()), Some(origin))] {
            (piece.set, piece.origin) = (set.clone(), origin);
            piece.own_prompt = set;
            let mut value = serde_json::to_value(&piece).unwrap();
            remove(&mut value, &["path"]);
            let found = serde_json::to_string(&CountedPiece::of(&piece)).unwrap();
            assert_eq!(found, canonical(value).to_string());
        }
    }

    /// A change here gives every finished run a new folder: do it on purpose only.
    #[test]
    fn the_identity_of_given_settings_never_moves() {
        assert_eq!(short(|_| {}, json!({ "ep": "cpu" })), "e3c63902c3d5");
    }
}
