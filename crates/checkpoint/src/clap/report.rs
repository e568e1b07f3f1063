//! What `harness inspect` prints of a checkpoint, as aligned plain text.

use std::collections::BTreeMap;

use foreign::{Foreign, Words};

use super::super::musicgen::{self, is_musicgen};
use super::super::{Checkpoint, CheckpointError, Dtype, Match};
use super::architecture::{ClapArchitecture, Naming, spaced};
use super::compare::compare;
use super::recognise::recognise;
use super::weights::Expected;

/// How many names a list shows, for what the checkpoint is and for what a card says otherwise.
const LISTED: usize = 12;
const LISTED_OF_A_CARD: usize = 4;

/// Describe a checkpoint, and compare it with what each card says: what is missing, misshapen and left over.
pub fn inspect_report(checkpoint: &Checkpoint, cards: &[(String, Expected)]) -> String {
    let mut out = format!("{}\n", checkpoint.path().display());
    line(&mut out, "format", &format_and_files(checkpoint));
    line(&mut out, "tensors", &tensors_by_dtype(checkpoint));
    match recognise(checkpoint) {
        Ok(architecture) => clap_model(&mut out, checkpoint, &architecture, cards),
        Err(_) if is_musicgen(checkpoint) => musicgen(&mut out, checkpoint),
        Err(CheckpointError::NotClap { detail, .. }) => {
            line(&mut out, "model", &format!("not CLAP: {detail}"));
        }
        Err(other) => line(&mut out, "model", &format!("not CLAP: {other}")),
    }
    out
}

fn line(out: &mut String, label: &str, text: &str) {
    out.push_str(&format!("  {label:<13} {text}\n"));
}

fn format_and_files(checkpoint: &Checkpoint) -> String {
    let files = checkpoint.files().len();
    match files {
        1 => format!("{}, 1 file", checkpoint.format()),
        _ => format!("{}, {files} files", checkpoint.format()),
    }
}

fn tensors_by_dtype(checkpoint: &Checkpoint) -> String {
    let mut sums: BTreeMap<Dtype, (usize, usize)> = BTreeMap::new();
    for info in checkpoint.tensors().values() {
        let sum = sums.entry(info.dtype).or_default();
        *sum = (sum.0 + 1, sum.1.saturating_add(info.bytes()));
    }
    let parts: Vec<_> = sums
        .iter()
        .map(|(dtype, (count, bytes))| format!("{count} {dtype} ({})", size(*bytes)))
        .collect();
    format!("{}: {}", checkpoint.tensors().len(), parts.join(", "))
}

/// Decimal megabytes, as hubs show them.
fn size(bytes: usize) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

fn clap_model(
    out: &mut String,
    checkpoint: &Checkpoint,
    architecture: &ClapArchitecture,
    cards: &[(String, Expected)],
) {
    let names = match architecture.naming {
        Naming::Laion => "laion_clap",
        Naming::Transformers => "transformers",
    };
    let model = format!(
        "CLAP, {architecture}, {} components, names of {names}",
        architecture.joint_dim
    );
    line(out, "model", &model);
    let audio = &architecture.audio;
    let tower = format!(
        "HTSAT, {} channels, blocks {}, heads {}, windows {window} x {window}, {} mel bins, output {}",
        audio.embed_dim,
        spaced(&audio.depths),
        spaced(&audio.heads),
        audio.mel_bins,
        audio.width(),
        window = audio.window,
    );
    line(out, "audio tower", &tower);
    let text = &architecture.text;
    let tower = format!(
        "RoBERTa, {} layers, {} channels, {} heads, feed-forward {}, {} tokens, {} positions, eps {:e}",
        text.layers,
        text.hidden,
        text.heads,
        text.intermediate,
        text.vocab,
        text.positions,
        text.layer_norm_eps
    );
    line(out, "text tower", &tower);

    let own = compare(checkpoint, architecture);
    let unused = format!(
        "{} tensors that inference does not use (constant tables, training heads, front-end kernels)",
        own.unused.len()
    );
    line(out, "unused", &unused);
    let mut rows = vec![Row {
        card: "(as recognised)".into(),
        says: architecture.to_string(),
        found: Ok(own),
        same: true,
    }];
    for (card, expected) in cards {
        let claimed = expected.claimed(architecture);
        rows.push(Row {
            card: Foreign::new(card).to_string(),
            says: match &claimed {
                Ok(claimed) => claimed.to_string(),
                Err(_) => Foreign::new(expected.audio.as_deref().unwrap_or("?")).to_string(),
            },
            same: claimed.as_ref() == Ok(architecture),
            found: claimed.map(|claimed| compare(checkpoint, &claimed)),
        });
    }
    table(out, &rows);
    for (index, row) in rows.iter().enumerate() {
        // Cards that say the same lack the same.
        if !rows[..index].iter().any(|earlier| earlier.says == row.says) {
            let most = if row.same { LISTED } else { LISTED_OF_A_CARD };
            details(out, row, most);
        }
    }
}

/// A card, what it says, and how the checkpoint compares.
struct Row {
    card: String,
    says: String,
    found: Result<Match, Words>,
    /// Whether it says what the tensors are.
    same: bool,
}

impl Row {
    fn verdict(&self) -> &'static str {
        match &self.found {
            Ok(found) if found.fits() && self.same => "fits",
            Ok(_) => "does not fit",
            Err(_) => "unknown architecture",
        }
    }
}

fn table(out: &mut String, rows: &[Row]) {
    let widest = |cell: fn(&Row) -> &str, title: &str| {
        let cells = rows.iter().map(|row| cell(row).chars().count());
        cells.max().unwrap_or(0).max(title.len())
    };
    let card = widest(|r| &r.card, "card");
    let says = widest(|r| &r.says, "says");
    out.push_str(&format!(
        "\n{:card$}  {:says$}  missing  misshapen  left over\n",
        "card", "says"
    ));
    for row in rows {
        let counts = row
            .found
            .as_ref()
            .ok()
            .map_or(["-".into(), "-".into(), "-".into()], |m| {
                [m.missing.len(), m.misshapen.len(), m.leftover.len()].map(|n| n.to_string())
            });
        let [missing, misshapen, leftover] = counts;
        out.push_str(&format!(
            "{:card$}  {:says$}  {missing:>7}  {misshapen:>9}  {leftover:>9}  {}\n",
            row.card,
            row.says,
            row.verdict()
        ));
    }
}

fn details(out: &mut String, row: &Row, most: usize) {
    let found = match &row.found {
        Ok(found) => found,
        Err(reason) => return out.push_str(&format!("\n{}: {reason}\n", row.card)),
    };
    let names = |names: &[String]| {
        names
            .iter()
            .map(|n| Foreign::new(n).to_string())
            .collect::<Vec<_>>()
    };
    let misshapen: Vec<_> = found.misshapen.iter().map(ToString::to_string).collect();
    for (what, items) in [
        ("missing", names(&found.missing)),
        ("misshapen", misshapen),
        ("left over", names(&found.leftover)),
    ] {
        if !items.is_empty() {
            list(out, &format!("{}, {what}", row.says), &items, most);
        }
    }
}

fn musicgen(out: &mut String, checkpoint: &Checkpoint) {
    let musicgen::Description { lines, lists } = musicgen::describe(checkpoint, size);
    for (label, text) in lines {
        line(out, label, &text);
    }
    for (what, items) in lists {
        list(out, what, &items, LISTED);
    }
}

/// A heading and the first `most` of `items`.
fn list(out: &mut String, heading: &str, items: &[String], most: usize) {
    out.push_str(&format!("\n{heading}:\n"));
    for item in items.iter().take(most) {
        out.push_str(&format!("  {item}\n"));
    }
    if items.len() > most {
        out.push_str(&format!("  and {} more\n", items.len() - most));
    }
}
