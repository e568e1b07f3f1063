//! `--crops`: the crops to take, instead of drawing them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use clap_audio::Crops;
use foreign::Foreign;
use foreign::words;

use super::SpecError;
use super::table::{Row, Table};
use crate::tables::cell::unguarded;

/// Room for what `embed` writes about thousands of pieces, embeddings included.
const MAX_BYTES: u64 = 256 << 20;

/// The crops by piece id, from a CSV with the columns `id,front,middle,back,offset`.
///
/// Other columns are passed over and so are rows whose `kind` is `text`, and a piece may have a row for each arm, so that
/// the CSV of an earlier `embed` or a run's `scores.csv` can be given as it is (that of two sets if their pieces are of the
/// same length: the crops of an item hold for both). Whether a crop fits its clip is for the caller to check.
pub fn read(path: &Path) -> Result<HashMap<String, Crops>, SpecError> {
    let table = Table::read(
        path,
        MAX_BYTES,
        &["id", "front", "middle", "back", "offset"],
    )?;
    let mut crops: HashMap<String, (Crops, u64)> = HashMap::new();
    for row in table.rows().filter(|row| row.get("kind") != "text") {
        let id = unguarded(row.get("id"));
        if id.is_empty() {
            return Err(row.error("the id is empty"));
        }
        let taken = crops_of(&row)?;
        match crops.entry(id.to_owned()) {
            Entry::Vacant(slot) => {
                slot.insert((taken, row.line()));
            }
            Entry::Occupied(mut slot) => {
                let (known, line) = slot.get_mut();
                *known = merged(*known, taken).ok_or_else(|| {
                    row.error(words!(
                        "the id '{}' has other crops in line {}; keep one",
                        Foreign::new(id),
                        *line
                    ))
                })?;
            }
        }
    }
    Ok(crops
        .into_iter()
        .map(|(id, (crops, _))| (id, crops))
        .collect())
}

/// What two rows of one piece say together, one for a fused model and one for another; `None` if they disagree.
fn merged(a: Crops, b: Crops) -> Option<Crops> {
    let field = |a: Option<usize>, b: Option<usize>| match (a, b) {
        (Some(a), Some(b)) if a != b => None,
        _ => Some(a.or(b)),
    };
    Some(Crops {
        front: field(a.front, b.front)?,
        middle: field(a.middle, b.middle)?,
        back: field(a.back, b.back)?,
        offset: field(a.offset, b.offset)?,
    })
}

fn crops_of(row: &Row) -> Result<Crops, SpecError> {
    let number = |column: &str| match row.get(column) {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            row.error(words!(
                "'{}' is '{}'; it must be a whole number, 0 or more, or empty",
                Foreign::new(column),
                Foreign::new(text)
            ))
        }),
    };
    let crops = Crops {
        front: number("front")?,
        middle: number("middle")?,
        back: number("back")?,
        offset: number("offset")?,
    };
    let fused = [crops.front, crops.middle, crops.back];
    if fused.iter().any(Option::is_some) && fused.iter().any(Option::is_none) {
        return Err(row.error("give all of front, middle and back or none of them"));
    }
    Ok(crops)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<HashMap<String, Crops>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crops.csv");
        std::fs::write(&path, text).unwrap();
        read(&path).map_err(|e| {
            e.to_string()
                .replace(&format!("{}", path.display()), "crops.csv")
        })
    }

    #[test]
    fn crops_are_read_by_name_of_column() {
        let crops =
            read_text("id,front,middle,back,offset\na05,0,1,0,\nb,,,,480001\nc,,,,\n").unwrap();
        let fused = Crops {
            front: Some(0),
            middle: Some(1),
            back: Some(0),
            offset: None,
        };
        assert_eq!(crops["a05"], fused);
        assert_eq!(
            crops["b"],
            Crops {
                offset: Some(480_001),
                ..Crops::default()
            }
        );
        assert_eq!(crops["c"], Crops::default());
    }

    #[test]
    fn what_embed_wrote_can_be_given_back() {
        let text = "id,kind,embedding,front,middle,back,offset\n1,text,\"[0.5, 0.5]\",,,,\n1,audio,[1],,,,7\n";
        assert_eq!(read_text(text).unwrap()["1"].offset, Some(7));
    }

    #[test]
    fn an_id_with_an_apostrophe_against_formulas_is_read_without() {
        let crops = read_text("id,front,middle,back,offset\n'=1+1,,,,7\n'plain,,,,8\n").unwrap();
        assert_eq!(crops["=1+1"].offset, Some(7));
        assert_eq!(crops["'plain"].offset, Some(8));
    }

    #[test]
    fn the_scores_of_several_arms_can_be_given_back() {
        let text = "id,front,middle,back,offset,arm\na,1,2,3,,on\na,,,,7,off\na,,,,7,music\n";
        let expected = Crops {
            front: Some(1),
            middle: Some(2),
            back: Some(3),
            offset: Some(7),
        };
        assert_eq!(read_text(text).unwrap()["a"], expected);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let header = "id,front,middle,back,offset\n";
        for (rows, expected) in [
            (
                "a,,,,1\na,,,,2\n",
                "crops.csv:3: the id 'a' has other crops in line 2; keep one",
            ),
            (
                "a,1,,2,\n",
                "crops.csv:2: give all of front, middle and back or none of them",
            ),
            (
                "a,,,,-1\n",
                "crops.csv:2: 'offset' is '-1'; it must be a whole number, 0 or more, or empty",
            ),
            (
                "a,,,,99999999999999999999\n",
                "crops.csv:2: 'offset' is '99999999999999999999'; it must be a whole number, 0 or more, or empty",
            ),
            (
                "a,1\n",
                "crops.csv:2: this row has 2 fields, the header 5; put a text with a comma in quotes",
            ),
            (",,,,1\n", "crops.csv:2: the id is empty"),
        ] {
            assert_eq!(read_text(&format!("{header}{rows}")).unwrap_err(), expected);
        }
        assert_eq!(
            read_text("id,offset\n").unwrap_err(),
            "crops.csv:1: the header must name the columns id,front,middle,back,offset; front,middle,back is missing, and there are id,offset"
        );
    }
}
