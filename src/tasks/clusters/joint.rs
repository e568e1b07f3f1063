//! The joint map of all arms in the columns of its notebook.

use std::collections::HashMap;

use crate::labels::Word;
use crate::results::conditions::Condition;
use crate::results::maps::{Maps, joint_name};
use crate::tables::{MapRow, TsneRow};

/// Rows of `tsne.csv`: the joint map of so many pieces a taste; none when there is no such map. `fusion` is that of each
/// condition.
pub(super) fn rows(
    conditions: &[Condition<'_>],
    fusion: &[Option<bool>],
    maps: &Maps,
    pieces_per_taste: usize,
    word: &Word,
) -> Vec<TsneRow> {
    let joint = joint_name(pieces_per_taste, conditions.len(), word);
    let mut rows = Vec::new();
    for (condition, fusion) in conditions.iter().zip(fusion) {
        let own: HashMap<&str, &MapRow> = maps
            .points(condition.name)
            .map(|row| (row.id.as_str(), row))
            .collect();
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let of_condition = maps.points(&joint).filter(|row| row.arm == condition.name);
        for point in of_condition {
            let Some(at) = condition.ids.iter().position(|id| *id == point.id) else {
                continue;
            };
            let number = seen.entry(condition.tastes[at]).or_default();
            *number += 1;
            let own = own.get(point.id.as_str());
            rows.push(TsneRow {
                id: point.id.clone(),
                descriptor: point.taste.clone(),
                audio_emb: condition.audio.row(at).to_vec(),
                text_emb: condition.text.row(at).to_vec(),
                fusion: *fusion,
                tsne_1: point.tsne_1,
                tsne_2: point.tsne_2,
                num_id: *number,
                arm: condition.name.to_owned(),
                arm_tsne_1: own.map(|row| row.tsne_1),
                arm_tsne_2: own.map(|row| row.tsne_2),
            });
        }
    }
    rows
}
