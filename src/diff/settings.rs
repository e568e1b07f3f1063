//! Settings of two manifests that differ.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

/// Keys at the end of a path that say where something lies: they count for nothing and are told apart.
const PLACES: [&str; 4] = ["path", "folder", "file", "csv"];
/// The same as whole keys.
const PLACE_KEYS: [&str; 1] = ["audio.from"];
/// Keys at the end of a path that cannot matter, or that follow from another one: the library's build from its hash, the size
/// of a graph from its hash, what to cite and where it is published from a checkpoint's.
const SKIPPED: [&str; 5] = ["threads", "build", "bytes", "cite", "repository"];
/// Keys of the manifest itself that cannot matter, as into how many shares a run was cut, that its settings have as well, or
/// that hold results.
const SKIPPED_AT_THE_TOP: [&str; 8] = [
    "format", "identity", "maps", "notebook", "seed", "settings", "shards", "times",
];

/// Settings that graphs are exported for: where one of them differs, every graph does, and needs no line of its own.
const TARGETS: [&str; 2] = ["runtime.provider", "runtime.precision"];
/// What tells a graph of a model.
const GRAPH: &str = ".graphs.";

/// What every record of a model has.
const CHECKPOINT: &str = "checkpoint_sha256";

/// A setting with another value in each of the two runs; `None` where a run does not have it.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Its path in the manifest with dots, items of lists by their names: `arms[fusion on].checkpoint_sha256`.
    pub key: String,
    pub a: Option<String>,
    pub b: Option<String>,
    /// Other pieces that differ in the same key.
    pub more: usize,
}

/// What differs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    pub settings: Vec<Setting>,
    /// Where things lie.
    pub places: Vec<Setting>,
}

/// Compare two manifests: the settings as they were understood, and what they were run with.
pub fn compare(a: &Value, b: &Value) -> Settings {
    let (a, b) = (effective(a), effective(b));
    let mut found = Vec::new();
    walk("", Some(&a), Some(&b), &mut found);
    if found.iter().any(|s| TARGETS.contains(&s.key.as_str())) {
        found.retain(|setting| !setting.key.contains(GRAPH));
    }
    drop_repeated_hashes(&mut found);
    let found = gather_pieces(found);
    let (places, settings) = found
        .into_iter()
        .partition(|setting| is_place(&setting.key));
    Settings { settings, places }
}

/// The settings at the top, as in the experiment file, with what the manifest adds to them.
fn effective(manifest: &Value) -> Value {
    let Value::Object(manifest) = manifest else {
        return manifest.clone();
    };
    let mut settings = match manifest.get("settings") {
        Some(Value::Object(settings)) => settings.clone(),
        _ => Map::new(),
    };
    settings.retain(|key, _| !["name", "notebook"].contains(&key.as_str()));
    if !settings.contains_key("seed")
        && let Some(seed) = manifest.get("seed")
    {
        settings.insert("seed".to_owned(), seed.clone());
    }
    for (key, value) in manifest {
        if SKIPPED_AT_THE_TOP.contains(&key.as_str()) {
            continue;
        }
        match (key.as_str(), value) {
            ("crops", Value::Object(crops)) => {
                let mut crops = crops.clone();
                if let Some(policy) = crops.shift_remove("policy") {
                    settings.insert("crops".to_owned(), policy);
                }
                settings.insert("recorded_crops".to_owned(), Value::Object(crops));
            }
            ("generation", Value::Object(generation)) => {
                let mut generation = generation.clone();
                // Compared one by one, see `pieces`.
                generation.shift_remove("pieces");
                if settings.contains_key("generation") {
                    generation.shift_remove("settings");
                }
                merge(&mut settings, "generation", Value::Object(generation));
            }
            // A number beside what the settings say of them.
            ("pieces" | "texts", Value::Number(_)) => {
                settings.insert(format!("number_of_{key}"), value.clone());
            }
            _ => merge(&mut settings, key, value.clone()),
        }
    }
    Value::Object(settings)
}

/// Put `value` beside what `settings` has under `key`: maps are joined, and lists item by item where they have the same names.
fn merge(settings: &mut Map<String, Value>, key: &str, value: Value) {
    match (settings.get_mut(key), value) {
        (Some(Value::Object(known)), Value::Object(value)) => {
            for (key, value) in value {
                // A generation names its model, and the manifest tells what was found under that name.
                let key = match known.contains_key(&key) {
                    true => format!("{key}_found"),
                    false => key,
                };
                known.insert(key, value);
            }
        }
        (Some(Value::Array(known)), Value::Array(items)) => {
            for item in items {
                let name = label(&item);
                let same = known
                    .iter_mut()
                    .find(|k| name.is_some() && label(k) == name);
                match (same, item) {
                    (Some(Value::Object(known)), Value::Object(item)) => known.extend(item),
                    (_, item) => known.push(item),
                }
            }
        }
        (_, value) => _ = settings.insert(key.to_owned(), value),
    }
}

fn walk(key: &str, a: Option<&Value>, b: Option<&Value>, found: &mut Vec<Setting>) {
    let (a, b) = (a.filter(has_value), b.filter(has_value));
    if a == b || last(key).is_some_and(|last| SKIPPED.contains(&last)) {
        return;
    }
    match (a, b) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            for name in a
                .keys()
                .chain(b.keys().filter(|name| !a.contains_key(*name)))
            {
                walk(&below(key, name), a.get(name), b.get(name), found);
            }
        }
        (Some(Value::Object(map)), None) => one_sided(key, map, &mut |key, value| {
            walk(key, Some(value), None, found);
        }),
        (None, Some(Value::Object(map))) => one_sided(key, map, &mut |key, value| {
            walk(key, None, Some(value), found);
        }),
        (Some(Value::Array(a)), Some(Value::Array(b))) if named(a) && named(b) => {
            walk_items(key, a, b, found);
        }
        (Some(Value::Number(a)), Some(Value::Number(b))) if a.as_f64() == b.as_f64() => {}
        (a, b) => found.push(Setting {
            key: key.to_owned(),
            a: a.map(value_text),
            b: b.map(value_text),
            more: 0,
        }),
    }
}

/// A map that the other run does not have. Of a model only its checkpoint is told.
fn one_sided(key: &str, map: &Map<String, Value>, each: &mut dyn FnMut(&str, &Value)) {
    const TOLD: [&str; 2] = ["card", CHECKPOINT];
    let is_model = map.contains_key(CHECKPOINT);
    for (name, value) in map {
        if !is_model || TOLD.contains(&name.as_str()) {
            each(&below(key, name), value);
        }
    }
}

/// Items of one name are compared. One that a run lacks is one difference, whatever is in it; pieces that one lacks are left to
/// the rows.
fn walk_items(key: &str, a: &[Value], b: &[Value], found: &mut Vec<Setting>) {
    let by_label = |items| -> HashMap<String, &Value> { labelled(items).collect() };
    let (in_a, in_b) = (by_label(a), by_label(b));
    let only = |label: &str, a: bool| Setting {
        key: format!("{key}[{label}]"),
        a: a.then(|| "there".to_owned()),
        b: (!a).then(|| "there".to_owned()),
        more: 0,
    };
    for (label, item) in labelled(a) {
        match in_b.get(&label) {
            Some(other) => walk(&format!("{key}[{label}]"), Some(item), Some(other), found),
            None if key == "pieces" => {}
            None => found.push(only(&label, true)),
        }
    }
    for (label, _) in labelled(b).filter(|(label, _)| !in_a.contains_key(label)) {
        if key != "pieces" {
            found.push(only(&label, false));
        }
    }
}

fn has_value(value: &&Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}

fn below(key: &str, name: &str) -> String {
    match key {
        "" => name.to_owned(),
        _ => format!("{key}.{name}"),
    }
}

fn last(key: &str) -> Option<&str> {
    key.rsplit('.').next()
}

fn is_place(key: &str) -> bool {
    PLACE_KEYS.contains(&key) || last(key).is_some_and(|last| PLACES.contains(&last))
}

/// What an item of a list is called: its id or name, or the name of its file.
fn label(item: &Value) -> Option<&str> {
    let text = |key| item.get(key).and_then(Value::as_str);
    let file = || text("path").and_then(|path| path.rsplit(['/', '\\']).next());
    text("id")
        .or_else(|| text("name"))
        .or_else(|| text("map"))
        .or_else(file)
}

/// Whether every item is a map with a name of its own.
fn named(items: &[Value]) -> bool {
    let mut seen = HashSet::new();
    items
        .iter()
        .all(|item| item.is_object() && label(item).is_some_and(|label| seen.insert(label)))
}

fn labelled(items: &[Value]) -> impl Iterator<Item = (String, &Value)> {
    let label = |item| label(item).unwrap_or_default().to_owned();
    items.iter().map(move |item| (label(item), item))
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(value_text).collect();
            items.join(", ")
        }
        other => other.to_string(),
    }
}

/// The hash of a checkpoint of one file stands there twice, as that of the checkpoint and as that of the file.
fn drop_repeated_hashes(found: &mut Vec<Setting>) {
    type Values = (Option<String>, Option<String>);
    let checkpoints: HashMap<String, Values> = found
        .iter()
        .filter_map(|setting| {
            let (base, last) = setting.key.rsplit_once('.')?;
            if last != CHECKPOINT {
                return None;
            }
            Some((base.to_owned(), (setting.a.clone(), setting.b.clone())))
        })
        .collect();
    found.retain(|setting| {
        let base = setting.key.rsplit_once(".files[").map(|(base, _)| base);
        let known = base.and_then(|base| checkpoints.get(base));
        let of_file = setting.key.ends_with("].sha256") || setting.key.ends_with(']');
        // One file of another name is told by the checkpoint's own name.
        let same =
            |(a, b): &Values| setting.key.ends_with(']') || (*a == setting.a && *b == setting.b);
        !(of_file && known.is_some_and(same))
    });
}

/// A hundred pieces with another prompt are one line.
fn gather_pieces(found: Vec<Setting>) -> Vec<Setting> {
    let mut gathered: Vec<Setting> = Vec::new();
    let mut first: HashMap<String, usize> = HashMap::new();
    for setting in found {
        let field = setting
            .key
            .strip_prefix("pieces[")
            .and_then(|rest| rest.rsplit_once("]."))
            .map(|(_, field)| field.to_owned());
        match field.as_ref().and_then(|field| first.get(field)) {
            Some(&place) => gathered[place].more += 1,
            None => {
                if let Some(field) = field {
                    first.insert(field, gathered.len());
                }
                gathered.push(setting);
            }
        }
    }
    gathered
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `key: a -> b` of each setting that differs.
    fn lines(settings: &[Setting]) -> Vec<String> {
        let text = |value: &Option<String>| value.clone().unwrap_or("-".into());
        let line = |s: &Setting| format!("{}: {} -> {} +{}", s.key, text(&s.a), text(&s.b), s.more);
        settings.iter().map(line).collect()
    }

    fn manifest() -> Value {
        json!({
            "format": 1, "experiment": "weights", "identity": "aa", "seed": 0,
            "crops": { "policy": "seeded" }, "pieces": 2, "demo": false,
            "arms": [
                {
                    "name": "on", "card": "630k", "checkpoint_sha256": "11",
                    "files": [{ "path": "/a/630k.pt", "sha256": "11", "bytes": 1 }],
                    "graphs": { "audio": { "path": "g/audio.onnx", "sha256": "22", "bytes": 9 } },
                },
                { "name": "off", "card": "630k", "checkpoint_sha256": "33" },
            ],
            "generation": { "model": { "card": "tiny", "exporter_version": 3 }, "pieces": [{ "id": "x", "sha256": "1" }] },
            "runtime": { "provider": "cpu", "threads": 2, "build": "x", "onnxruntime": "1.31.1", "device": null },
            "settings": {
                "name": "weights", "seed": 0, "crops": "seeded",
                "arms": [{ "name": "on", "model": "630k" }, { "name": "off", "model": "630k" }],
                "tastes": ["sweet", "sour"],
                "generation": { "model": "tiny", "guidance": 3.0 },
                "pieces": [
                    { "id": "x", "path": "a/x.wav", "prompt": "p" }, { "id": "y", "path": "a/y.wav", "prompt": "p" },
                ],
            },
            "maps": [{ "map": "on", "kl_divergence": 0.5 }],
            "times": { "seconds": 1.0 },
        })
    }

    #[test]
    fn a_manifest_does_not_differ_from_itself_at_another_time_with_other_threads() {
        let mut other = manifest();
        other["times"]["seconds"] = json!(2);
        other["shards"] = json!([{ "shard": { "index": 1, "of": 2 } }]);
        other["maps"][0]["kl_divergence"] = json!(0.25);
        other["runtime"]["threads"] = json!(8);
        other["runtime"]["build"] = json!("y");
        other["identity"] = json!("bb");
        other["settings"]["generation"]["guidance"] = json!(3);
        other["arms"].as_array_mut().unwrap().reverse();
        assert_eq!(compare(&manifest(), &other), Settings::default());
    }

    #[test]
    fn settings_are_told_once_with_dotted_keys_and_paths_apart() {
        let mut other = manifest();
        other["seed"] = json!(7);
        other["settings"]["seed"] = json!(7);
        other["crops"] = json!({ "policy": "center" });
        other["settings"]["crops"] = json!("center");
        other["arms"][0]["checkpoint_sha256"] = json!("44");
        other["arms"][0]["files"][0] = json!({ "path": "/b/630k.pt", "sha256": "44" });
        other["arms"][1]["name"] = json!("music");
        other["settings"]["arms"][1]["name"] = json!("music");
        other["runtime"]["provider"] = json!("cuda");
        other["runtime"]["device"] = json!(0);
        other["settings"]["generation"]["guidance"] = json!(1.5);
        other["generation"]["model"]["exporter_version"] = json!(4);
        other["settings"]["tastes"] = json!(["sweet"]);
        for piece in other["settings"]["pieces"].as_array_mut().unwrap() {
            piece["prompt"] = json!("");
            piece["path"] = json!("b");
        }
        let found = compare(&manifest(), &other);
        assert_eq!(
            lines(&found.settings),
            [
                "seed: 0 -> 7 +0",
                "crops: seeded -> center +0",
                "arms[on].checkpoint_sha256: 11 -> 44 +0",
                "arms[off]: there -> - +0",
                "arms[music]: - -> there +0",
                "tastes: sweet, sour -> sweet +0",
                "generation.guidance: 3.0 -> 1.5 +0",
                "generation.model_found.exporter_version: 3 -> 4 +0",
                "pieces[x].prompt: p -> \"\" +1",
                "runtime.provider: cpu -> cuda +0",
                "runtime.device: - -> 0 +0",
            ]
        );
        assert_eq!(
            lines(&found.places),
            [
                "arms[on].files[630k.pt].path: /a/630k.pt -> /b/630k.pt +0",
                "pieces[x].path: a/x.wav -> b +1",
            ]
        );
    }

    #[test]
    fn graphs_of_another_precision_are_not_told_one_by_one() {
        let mut other = manifest();
        other["arms"][0]["graphs"]["audio"]["sha256"] = json!("99");
        let key = "arms[on].graphs.audio.sha256: 22 -> 99 +0";
        assert_eq!(lines(&compare(&manifest(), &other).settings), [key]);
        other["runtime"]["precision"] = json!("bf16");
        other["arms"][0]["graphs"]["audio"]["path"] = json!("g/bf16/audio.onnx");
        let found = compare(&manifest(), &other);
        assert_eq!(lines(&found.settings), ["runtime.precision: - -> bf16 +0"]);
        assert_eq!(found.places, []);
    }

    #[test]
    fn of_a_model_that_one_run_lacks_its_checkpoint_is_told() {
        let mut without = manifest();
        without.as_object_mut().unwrap().remove("generation");
        without["settings"]
            .as_object_mut()
            .unwrap()
            .remove("generation");
        let mut with = manifest();
        with["generation"]["model"]["checkpoint_sha256"] = json!("55");
        assert_eq!(
            lines(&compare(&without, &with).settings),
            [
                "generation.model: - -> tiny +0",
                "generation.guidance: - -> 3.0 +0",
                "generation.model_found.card: - -> tiny +0",
                "generation.model_found.checkpoint_sha256: - -> 55 +0",
            ]
        );
    }

    #[test]
    fn what_is_no_manifest_is_compared_all_the_same() {
        assert_eq!(compare(&json!([1]), &json!([1])), Settings::default());
        assert_eq!(
            compare(&json!([1]), &json!({ "seed": 1 })).settings.len(),
            1
        );
        let odd =
            json!({ "settings": [1], "arms": 3, "crops": "x", "generation": [], "pieces": {} });
        assert!(!compare(&odd, &manifest()).settings.is_empty());
        assert_eq!(compare(&odd, &odd), Settings::default());
    }
}
