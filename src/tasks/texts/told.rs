//! What is told of a finished run of texts.

use foreign::Foreign;

use crate::tables::NearestRow;

/// Neighbours of each query that are told.
const TOLD_NEIGHBOURS: usize = 3;
/// Of each of them.
const TOLD_CHARS: usize = 60;

/// The nearest texts of each query.
pub(super) fn nearest(rows: &[NearestRow]) -> String {
    let mut text = String::new();
    for group in rows.chunk_by(|a, b| a.query == b.query && a.kind == b.kind) {
        let Some(first) = group.first() else { continue };
        let found: Vec<String> = group
            .iter()
            .take(TOLD_NEIGHBOURS)
            .map(|row| {
                let text = Foreign::within(&row.text, TOLD_CHARS);
                format!("{text} ({:.3})", row.similarity)
            })
            .collect();
        text += &format!(
            "{}s nearest to '{}': {}\n",
            first.kind.name(),
            Foreign::new(&first.query),
            found.join("; ")
        );
    }
    text
}
