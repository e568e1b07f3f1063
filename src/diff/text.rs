//! Two runs on standard output.

use super::embeddings::Cosines;
use super::words::{self, cell, key, pair, shown};
use super::{Alone, ArmChange, Diff, Key, Pair, PiecesMade, Ranking, Setting};
use crate::tables::aligned;

/// The most settings that are listed.
const MOST_SETTINGS: usize = 100;
/// The most places that are listed: they count for nothing.
const MOST_PLACES: usize = 5;
/// The most rows of one side that are listed.
const MOST_ALONE: usize = 5;
/// The most pairs of tastes that are listed as swapped.
const MOST_SWAPPED: usize = 6;
/// Stands for a value that is not there, or not defined.
const NONE: &str = "-";

/// The whole report, with the `top` rows that moved most.
pub fn report(diff: &Diff, top: usize) -> String {
    let mut out = format!(
        "A  {}\nB  {}\n",
        shown_path(&diff.a.folder),
        shown_path(&diff.b.folder)
    );
    settings(&mut out, diff);
    rows(&mut out, diff);
    arms(&mut out, diff);
    most_moved(&mut out, diff, top);
    embeddings(&mut out, diff);
    if let Some(made) = &diff.made {
        pieces(&mut out, made);
    }
    means(&mut out, diff);
    out
}

fn settings(out: &mut String, diff: &Diff) {
    let Some(settings) = &diff.settings else {
        return;
    };
    if settings.settings.is_empty() {
        out.push_str("\nno setting differs\n");
    } else {
        table_of_settings(out, "setting", &settings.settings, MOST_SETTINGS);
    }
    if !settings.places.is_empty() {
        let title = "place (counts for nothing)";
        table_of_settings(out, title, &settings.places, MOST_PLACES);
    }
}

fn table_of_settings(out: &mut String, title: &str, settings: &[Setting], most: usize) {
    let mut rows = vec![cells([title, "A", "B"])];
    for setting in settings.iter().take(most) {
        let (a, b) = match (&setting.a, &setting.b) {
            (Some(a), Some(b)) => pair(a, b),
            (a, b) => {
                let text =
                    |value: &Option<String>| value.as_deref().map_or(NONE.into(), words::value);
                (text(a), text(b))
            }
        };
        let more = match setting.more {
            0 => String::new(),
            more => format!(", and of {more} more"),
        };
        rows.push(vec![format!("{}{more}", key(&setting.key)), a, b]);
    }
    out.push('\n');
    out.push_str(&aligned::table(&rows, 3));
    if settings.len() > most {
        out.push_str(&format!("and {} more\n", settings.len() - most));
    }
}

fn rows(out: &mut String, diff: &Diff) {
    let rows = &diff.rows;
    let n = rows.pairs.len();
    let texts = diff.arms.is_empty();
    out.push_str(&format!("\n{} in both", counted(n, "row")));
    let (prompt, score) = match texts {
        true => ("another text", "embedding"),
        false => ("another prompt", "score"),
    };
    if rows.other_prompt > 0 {
        out.push_str(&format!(", {} with {prompt} in B", rows.other_prompt));
    }
    if rows.other_crops > 0 {
        let crops = rows.other_crops;
        out.push_str(&format!(", {crops} heard at other places (crops)"));
    }
    let changed = rows.pairs.iter().filter(|pair| pair.is_beyond(0.0)).count();
    match changed {
        0 => out.push_str(&format!("; no {score} changed\n")),
        _ => out.push_str(&format!("; {changed} with another {score}\n")),
    }
    alone(out, "", &rows.alone);
}

fn alone(out: &mut String, what: &str, alone: &Alone<Key>) {
    for (side, keys) in [("A", &alone.a), ("B", &alone.b)] {
        if keys.is_empty() {
            continue;
        }
        let list: Vec<String> = keys.iter().take(MOST_ALONE).map(Key::to_string).collect();
        let more = match keys.len().saturating_sub(MOST_ALONE) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let list = list.join("; ");
        let rows = counted(keys.len(), "row");
        out.push_str(&format!("{rows}{what} only in {side}: {list}{more}\n"));
    }
}

fn arms(out: &mut String, diff: &Diff) {
    let arms = &diff.arms;
    if arms.is_empty() {
        return;
    }
    let mut rows = vec![cells([
        "CLAP score, B - A",
        "of",
        "largest |change|",
        "mean |change|",
        "mean change",
        "n",
        "changed",
        "Pearson r",
        "Kendall tau-b",
    ])];
    for arm in arms {
        rows.push(vec![
            cell(&arm.condition),
            match arm.changed {
                0 => NONE.to_owned(),
                _ => cell(&arm.largest_id),
            },
            score(arm.largest),
            score(arm.mean_absolute),
            signed(arm.mean),
            arm.n.to_string(),
            arm.changed.to_string(),
            optional(arm.pearson_r),
            optional(arm.kendall_tau_b),
        ]);
    }
    out.push('\n');
    out.push_str(&aligned::table(&rows, 2));
    let ranked: Vec<(&ArmChange, &Ranking)> = arms
        .iter()
        .filter_map(|arm| Some((arm, arm.ranking.as_ref()?)))
        .collect();
    if ranked.is_empty() {
        return;
    }
    let by = diff.word().said("tastes by mean score");
    let mut rows = vec![cells([&*by, "A", "B", "swapped", "Kendall tau-b"])];
    for (arm, ranking) in ranked {
        let order = |tastes: &[String]| {
            let names: Vec<String> = tastes.iter().map(|taste| cell(taste)).collect();
            names.join(" > ")
        };
        rows.push(vec![
            cell(&arm.condition),
            order(&ranking.a),
            match ranking.agrees() {
                true => "the same".to_owned(),
                false => order(&ranking.b),
            },
            swapped(ranking),
            optional(ranking.kendall_tau_b),
        ]);
    }
    out.push('\n');
    out.push_str(&aligned::table(&rows, 4));
}

/// Pairs of tastes that changed places: `sweet and sour; salty and bitter`.
fn swapped(ranking: &Ranking) -> String {
    let pairs = &ranking.swapped;
    if pairs.is_empty() {
        return NONE.to_owned();
    }
    let names = |(x, y): &(String, String)| format!("{} and {}", shown(x), shown(y));
    let list: Vec<String> = pairs.iter().take(MOST_SWAPPED).map(names).collect();
    let more = match pairs.len().saturating_sub(MOST_SWAPPED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("{}{more}", list.join("; "))
}

fn most_moved(out: &mut String, diff: &Diff, top: usize) {
    let mut moved: Vec<&Pair> = diff
        .rows
        .pairs
        .iter()
        .filter(|pair| pair.is_beyond(0.0))
        .collect();
    if moved.is_empty() || top == 0 {
        return;
    }
    // Rows that moved alike stay in the order of A.
    moved.sort_by(|x, y| y.moved_by().total_cmp(&x.moved_by()));
    let total = moved.len();
    let shown_rows = moved.into_iter().take(top);
    let table = match diff.arms.is_empty() {
        true => {
            let mut rows = vec![cells(["moved most", "id", "text", "1 - cosine"])];
            rows.extend(shown_rows.map(|pair| {
                vec![
                    cell(&pair.key.condition),
                    cell(&pair.key.id),
                    cell(&pair.text),
                    pair.text_distance.map_or(NONE.into(), distance),
                ]
            }));
            aligned::table(&rows, 3)
        }
        false => {
            let mut rows = vec![cells(["moved most", "id", "A", "B", "change"])];
            rows.extend(shown_rows.filter_map(|pair| {
                let (a, b) = pair.scores?;
                Some(vec![
                    cell(&pair.key.condition),
                    cell(&pair.key.id),
                    score(a),
                    score(b),
                    signed(b - a),
                ])
            }));
            aligned::table(&rows, 2)
        }
    };
    out.push('\n');
    out.push_str(&table);
    if total > top {
        out.push_str(&format!("and {} more\n", total - top));
    }
}

fn embeddings(out: &mut String, diff: &Diff) {
    let mut rows = vec![cells([
        "cosine of the embeddings in A and B",
        "lowest of",
        "lowest",
        "mean",
        "n",
        "the same",
    ])];
    for change in &diff.embeddings {
        for (what, cosines) in [("audio", &change.audio), ("text", &change.text)] {
            let Some(cosines) = cosines else { continue };
            let name = match diff.arms.is_empty() {
                true => cell(&change.condition),
                false => format!("{}, {what}", shown(&change.condition)),
            };
            rows.push(cosine_row(name, cosines));
        }
    }
    if rows.len() > 1 {
        out.push('\n');
        out.push_str(&aligned::table(&rows, 2));
    }
    if diff.rows.no_cosine > 0 {
        let rows = counted(diff.rows.no_cosine, "row");
        out.push_str(&format!(
            "{rows} with embeddings that have no cosine: of two lengths, zero, or not finite\n"
        ));
    }
    alone(out, " of the embeddings", &diff.rows.embeddings_alone);
    for (name, has, other_has) in [
        ("A", diff.a.embeds(), diff.b.embeds()),
        ("B", diff.b.embeds(), diff.a.embeds()),
    ] {
        if !has && other_has {
            out.push_str(&format!(
                "\nembeddings are not compared: {name} has neither embeddings.csv nor embeddings.npy\n"
            ));
        }
    }
}

fn cosine_row(name: String, cosines: &Cosines) -> Vec<String> {
    let lowest = match cosines.same == cosines.n {
        true => NONE.to_owned(),
        false => cell(&cosines.min_id),
    };
    vec![
        name,
        lowest,
        format!("{:.9}", cosines.min),
        format!("{:.9}", cosines.mean),
        cosines.n.to_string(),
        cosines.same.to_string(),
    ]
}

fn pieces(out: &mut String, made: &PiecesMade) {
    let both = made.same + made.other.len();
    out.push_str(&format!(
        "\n{} made by both runs, {} of them the same file",
        counted(both, "piece"),
        made.same
    ));
    if !made.other.is_empty() {
        let list: Vec<String> = made
            .other
            .iter()
            .take(MOST_ALONE)
            .map(|id| cell(id))
            .collect();
        let more = match made.other.len().saturating_sub(MOST_ALONE) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        out.push_str(&format!("; others: {}{more}", list.join(", ")));
    }
    for (side, n) in [("A", made.only_in_a), ("B", made.only_in_b)] {
        if n > 0 {
            out.push_str(&format!("; {n} only made by {side}"));
        }
    }
    out.push('\n');
}

fn means(out: &mut String, diff: &Diff) {
    let Some(means) = &diff.means else { return };
    match &means.largest {
        Some((change, of)) if *change != 0.0 => {
            let change = signed(*change);
            out.push_str(&format!(
                "\nstats.csv: largest change of a mean {change}: {of}\n"
            ));
        }
        Some(_) => out.push_str("\nstats.csv: no mean changed\n"),
        None => out.push_str("\nstats.csv: no row in both\n"),
    }
    for (side, n) in [("A", means.only_in_a), ("B", means.only_in_b)] {
        if n > 0 {
            let rows = counted(n, "row");
            out.push_str(&format!("stats.csv: {rows} only in {side}\n"));
        }
    }
}

fn cells<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

fn shown_path(path: &std::path::Path) -> String {
    key(&path.display().to_string())
}

/// `1 row`, `2 rows`.
pub(super) fn counted(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        _ => format!("{n} {what}s"),
    }
}

/// As many decimals as `scores.csv` has, and more for a change that they would not show.
fn score(value: f64) -> String {
    match value != 0.0 && value.abs() < 5e-7 {
        true => format!("{value:.1e}"),
        false => format!("{value:.6}"),
    }
}

/// A change with its sign, and never -0.
fn signed(value: f64) -> String {
    if value > 0.0 {
        format!("+{}", score(value))
    } else if value < 0.0 {
        score(value)
    } else {
        score(0.0)
    }
}

fn distance(value: f64) -> String {
    format!("{value:.2e}")
}

fn optional(value: Option<f64>) -> String {
    value.map_or(NONE.to_owned(), |value| format!("{value:.4}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_say_that_they_are_not_zero() {
        assert_eq!(score(0.25), "0.250000");
        assert_eq!(score(2e-9), "2.0e-9");
        assert_eq!(signed(0.25), "+0.250000");
        assert_eq!(signed(-0.0), "0.000000");
        assert_eq!(signed(-1e-12), "-1.0e-12");
        assert_eq!(optional(None), "-");
    }
}
