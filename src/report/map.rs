//! The t-SNE maps, drawn by the page's script: colour is the taste, shape the condition, and a click plays the piece.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use super::colours;
use super::html::{Html, shown};
use super::items::Places;
use super::load::Run;
use crate::tables::MapRow;
use crate::words::counted;

/// The side of a map in its own units.
const SIDE: f64 = 1000.0;

/// All maps of a page.
#[derive(Debug, Serialize)]
pub struct Maps<'r> {
    tastes: Vec<Taste<'r>>,
    no_taste: String,
    /// The conditions, by the number that points have.
    arms: Vec<Cow<'r, str>>,
    maps: Vec<Map>,
    /// Of maps of texts: id and text.
    texts: Vec<(Cow<'r, str>, Cow<'r, str>)>,
}

#[derive(Debug, Serialize)]
struct Taste<'r> {
    name: Cow<'r, str>,
    colour: String,
    hollow: bool,
}

#[derive(Debug, Serialize)]
struct Map {
    name: String,
    note: Option<String>,
    points: Vec<Point>,
}

/// x, y, taste (-1: none), arm, item or text (-1: unknown), slot (-1: a text).
type Point = [i32; 6];

/// The maps of `runs`; nothing when there are none.
pub fn maps<'r>(runs: &'r [Run], places: &Places, tastes: &[&'r str]) -> Option<Maps<'r>> {
    let mut found = Maps {
        tastes: tastes
            .iter()
            .zip(colours::marks(tastes))
            .map(|(name, mark)| Taste {
                name: shown(name),
                colour: mark.colour,
                hollow: mark.hollow,
            })
            .collect(),
        no_taste: colours::no_taste(),
        arms: Vec::new(),
        maps: Vec::new(),
        texts: Vec::new(),
    };
    let mut arms: HashMap<&str, i32> = HashMap::new();
    for (r, run) in runs.iter().enumerate() {
        let texts: HashMap<&str, &str> = run
            .texts
            .iter()
            .map(|t| (t.id.as_str(), t.text.as_str()))
            .collect();
        for (name, rows) in by_map(&run.maps) {
            let mut points = Vec::with_capacity(rows.len());
            let scale = Scale::of(&rows);
            for row in &rows {
                let arm = *arms.entry(&row.arm).or_insert_with(|| {
                    found.arms.push(shown(&row.arm));
                    found.arms.len() as i32 - 1
                });
                let taste = tastes.iter().position(|t| *t == row.taste);
                let (item, slot) = match places.get(&(r, row.arm.clone(), row.id.clone())) {
                    Some(&(item, slot)) => (item as i32, slot as i32),
                    None => match texts.get(row.id.as_str()) {
                        Some(text) => {
                            found.texts.push((shown(&row.id), shown(text)));
                            (found.texts.len() as i32 - 1, -1)
                        }
                        None => (-1, -1),
                    },
                };
                let (x, y) = scale.place(row);
                points.push([x, y, taste.map_or(-1, |t| t as i32), arm, item, slot]);
            }
            found.maps.push(Map {
                name: match runs.len() {
                    1 => shown(name).into_owned(),
                    _ => shown(&format!("{}: {name}", run.label)).into_owned(),
                },
                note: note(&run.manifest, name),
                points,
            });
        }
    }
    (!found.maps.is_empty()).then_some(found)
}

fn by_map(rows: &[MapRow]) -> Vec<(&str, Vec<&MapRow>)> {
    let mut maps: Vec<(&str, Vec<&MapRow>)> = Vec::new();
    for row in rows {
        match maps.iter_mut().find(|(name, _)| *name == row.map) {
            Some((_, rows)) => rows.push(row),
            None => maps.push((&row.map, vec![row])),
        }
    }
    maps
}

/// The same scale along both axes: distances on a map mean nothing otherwise.
struct Scale {
    centre: (f64, f64),
    per_unit: f64,
}

impl Scale {
    fn of(rows: &[&MapRow]) -> Self {
        let range = |value: fn(&MapRow) -> f64| {
            let values = rows.iter().map(|row| value(row));
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            })
        };
        let (x, y) = (range(|row| row.tsne_1), range(|row| row.tsne_2));
        let side = (x.1 - x.0).max(y.1 - y.0);
        Self {
            centre: ((x.0 + x.1) / 2.0, (y.0 + y.1) / 2.0),
            per_unit: if side > 0.0 { SIDE / side } else { 0.0 },
        }
    }

    fn place(&self, row: &MapRow) -> (i32, i32) {
        let along = |value: f64, centre: f64| SIDE / 2.0 + (value - centre) * self.per_unit;
        let x = along(row.tsne_1, self.centre.0);
        // Upwards on paper is downwards on a screen.
        let y = SIDE - along(row.tsne_2, self.centre.1);
        (x.round() as i32, y.round() as i32)
    }
}

/// How the map was made, and that its perplexity was lowered.
fn note(manifest: &Value, name: &str) -> Option<String> {
    let maps = manifest.get("maps")?.as_array()?;
    let map = maps.iter().find(|map| map["map"] == name)?;
    let number = |key: &str| map.get(key).and_then(Value::as_f64);
    let perplexity = number("perplexity")?;
    let lowered = number("perplexity_asked").filter(|asked| *asked > perplexity);
    Some(match lowered {
        Some(asked) => format!(
            "Perplexity lowered from {asked} to {perplexity:.1}: there are too few points for more."
        ),
        None => format!("Perplexity {perplexity}."),
    })
}

impl Maps<'_> {
    /// The section that the script fills.
    pub fn section(&self) -> Html {
        let mut html = Html::new();
        html.raw("<section id=\"map\" class=\"js\" aria-labelledby=\"h-map\">\n<h2 id=\"h-map\">Map</h2>\n<p class=\"hint\">");
        let plays = self
            .maps
            .iter()
            .flat_map(|map| &map.points)
            .any(|point| point[5] >= 0);
        html.raw(match plays {
            true => "Pieces that sound alike to the model lie together (t-SNE). Click a point to hear it, or move with the arrow keys and play with <kbd>Enter</kbd>.",
            false => "Texts that are alike to the model lie together (t-SNE). Click a point to read it, or move with the arrow keys and press <kbd>Enter</kbd>.",
        });
        html.raw("</p>\n");
        if self.maps.len() > 1 {
            html.raw("<p class=\"tools\"><label>Map of <select id=\"map-choice\">");
            for (i, map) in self.maps.iter().enumerate() {
                html.raw("<option value=\"")
                    .count(i)
                    .raw("\">")
                    .text(&map.name)
                    .raw(" (");
                html.text(&counted(map.points.len(), "point"))
                    .raw(")</option>");
            }
            html.raw("</select></label></p>\n");
        }
        html.raw("<div class=\"map\"><div id=\"plane\"></div><div id=\"legend\"></div></div>\n");
        html.raw("<p id=\"map-note\" class=\"note\"></p>\n</section>\n");
        html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(map: &str, id: &str, x: f64, y: f64) -> MapRow {
        MapRow {
            map: map.into(),
            arm: "on".into(),
            id: id.into(),
            taste: "sweet".into(),
            tsne_1: x,
            tsne_2: y,
        }
    }

    #[test]
    fn maps_keep_their_shape() {
        let rows = [
            row("on", "1", -10.0, 0.0),
            row("on", "2", 10.0, 5.0),
            row("one", "1", 3.0, 3.0),
        ];
        let maps = by_map(&rows);
        assert_eq!(maps.len(), 2);
        let scale = Scale::of(&maps[0].1);
        assert_eq!(
            (scale.place(&rows[0]), scale.place(&rows[1])),
            ((0, 625), (1000, 375))
        );
        assert_eq!(Scale::of(&maps[1].1).place(&rows[2]), (500, 500));
    }

    #[test]
    fn a_lowered_perplexity_is_said() {
        let manifest = serde_json::json!({ "maps": [{ "map": "on", "perplexity_asked": 30, "perplexity": 3.6666666 }] });
        assert_eq!(
            note(&manifest, "on").unwrap(),
            "Perplexity lowered from 30 to 3.7: there are too few points for more."
        );
        assert_eq!(note(&manifest, "off"), None);
    }
}
