//! Two runs without a row in common.

use foreign::{Words, words};

use super::error::DiffError;
use super::side::Side;
use super::words::shown;

/// The most arms that a message lists.
const LISTED: usize = 6;

/// `in_a` and `in_b`: the arms of their rows, as often as they come.
pub(super) fn nothing_shared(
    a: &Side,
    b: &Side,
    in_a: Vec<String>,
    in_b: Vec<String>,
) -> DiffError {
    let message = words!(
        "the two runs share no row, and there is nothing to compare: {}; {}. Rows are matched by arm and id",
        described(a, in_a),
        described(b, in_b)
    );
    DiffError::NothingShared { message }
}

/// `runs/weights is of experiment weights (task clap_scores) and has the arms x, y`.
fn described(side: &Side, mut arms: Vec<String>) -> Words {
    let from = match (&side.experiment, &side.task) {
        (Some(experiment), Some(task)) => words!(
            "is of experiment {} (task {})",
            shown(experiment),
            shown(task)
        ),
        (Some(experiment), None) => words!("is of experiment {}", shown(experiment)),
        _ => "has no manifest".into(),
    };
    let mut seen = std::collections::HashSet::new();
    arms.retain(|arm| seen.insert(arm.clone()));
    let list = Words::join(arms.iter().take(LISTED).map(|arm| shown(arm)), "; ");
    let rows = match arms.len() {
        0 if side.has_scores => "a scores.csv".into(),
        0 => "no scores.csv".into(),
        n if n > LISTED => words!("rows of {} and {} more", list, n - LISTED),
        _ => words!("rows of {}", list),
    };
    words!("{} {} and has {}", side.folder.display(), from, rows)
}
