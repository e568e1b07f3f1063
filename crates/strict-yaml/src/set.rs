//! `--set path.to.key=value`: one value of a document replaced before the schema is applied.

use std::path::Path;

use foreign::words;
use foreign::{Foreign, Words};

use super::error::YamlError;
use super::place::{At, Place};
use super::tree::{Entry, MAX_BYTES, Node, Value, parse};

/// Put the value of `assignment` at its path; keys that the file leaves out are made.
pub(super) fn set(root: &mut Node, assignment: &str) -> Result<(), YamlError> {
    let fault = |message: Words| YamlError::Set {
        assignment: Foreign::new(assignment),
        message,
    };
    let Some((path, text)) = assignment.split_once('=') else {
        return Err(fault("expected path.to.key=value".into()));
    };
    let steps: Vec<&str> = path.trim().split('.').collect();
    if steps.iter().any(|step| step.is_empty()) {
        return Err(fault(
            "the path has an empty part; write path.to.key=value".into(),
        ));
    }
    if text.len() as u64 > MAX_BYTES {
        return Err(fault("the value is too long".into()));
    }
    let place = Place::Set(assignment.to_owned());
    let target = descend(root, &steps, &place).map_err(fault)?;
    *target = value_of(text, &place);
    Ok(())
}

/// The node at the path, made when it is missing.
fn descend<'a>(root: &'a mut Node, steps: &[&str], place: &Place) -> Result<&'a mut Node, Words> {
    let mut node = root;
    for (depth, step) in steps.iter().enumerate() {
        let here = steps[..depth].join(".");
        if matches!(node.value, Value::Null) {
            node.value = Value::Map(Vec::new());
        }
        node = match &mut node.value {
            Value::Map(entries) => {
                let index = match entries.iter().position(|entry| entry.key == *step) {
                    Some(index) => index,
                    None => {
                        entries.push(Entry {
                            key: (*step).to_owned(),
                            place: place.clone(),
                            node: Node {
                                place: place.clone(),
                                value: Value::Null,
                                raw: None,
                            },
                        });
                        entries.len() - 1
                    }
                };
                &mut entries[index].node
            }
            Value::List(items) => {
                let count = items.len();
                let missing = || {
                    let step = Foreign::new(step);
                    words!(
                        "'{}' is a list of {}, counted from 0, and has no '{}'",
                        Foreign::new(&here),
                        count,
                        step
                    )
                };
                let index: usize = step.parse().map_err(|_| missing())?;
                items.get_mut(index).ok_or_else(missing)?
            }
            _ => {
                return Err(words!(
                    "'{}' is one value and holds no '{}'",
                    Foreign::new(&here),
                    Foreign::new(step)
                ));
            }
        };
    }
    Ok(node)
}

/// The value as YAML. What is no YAML is text: `{taste} music` need not be quoted twice.
fn value_of(text: &str, place: &Place) -> Node {
    let mut node = parse(text, Path::new("")).unwrap_or_else(|_| Node {
        place: place.clone(),
        value: Value::Text(text.to_owned()),
        raw: None,
    });
    mark(&mut node, place);
    match &mut node.value {
        Value::Null => {}
        // Without quotes around it, a text is what was typed: no comment begins at `#`.
        Value::Text(value) if !text.starts_with(['"', '\'']) => text.clone_into(value),
        Value::Text(_) => {}
        // Where the schema wants text, `{taste}` or `a: b` is what was typed.
        _ => node.raw = Some(text.to_owned()),
    }
    node
}

fn mark(node: &mut Node, place: &Place) {
    node.place = place.clone();
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| mark(item, place)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| {
            entry.place = place.clone();
            mark(&mut entry.node, place);
        }),
        _ => {}
    }
}

/// The place of the value at a dotted path, or of the nearest one above it that was written.
pub(super) fn place_of(root: &Node, path: &str, origin: &Path) -> At {
    At::new(origin, nearest(root, path).0)
}

/// Whether the value at a dotted path is there and was put there by `--set`.
pub(super) fn is_set(root: &Node, path: &str) -> bool {
    matches!(nearest(root, path), (Place::Set(_), true))
}

/// The place of the value at a dotted path, and `true`; or of the nearest one above it that is there.
fn nearest<'a>(root: &'a Node, path: &str) -> (&'a Place, bool) {
    let mut node = root;
    for step in path.split('.') {
        let inner = match &node.value {
            Value::Map(entries) => entries.iter().find(|e| e.key == step).map(|e| &e.node),
            Value::List(items) => step.parse().ok().and_then(|i: usize| items.get(i)),
            _ => None,
        };
        match inner {
            Some(inner) => node = inner,
            None => return (&node.place, false),
        }
    }
    (&node.place, true)
}
