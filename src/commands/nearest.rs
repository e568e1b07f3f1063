//! `harness nearest`: what in a finished run lies nearest to a text.

use std::path::{Path, PathBuf};

use analysis::nearest::nearest;
use anyhow::{Context, Result};
use clap::Args;
use foreign::words;
use foreign::{Foreign, hint};
use ndarray::{Array1, Array2};
use ort_runtime::library;
use pipelines::TextTower;
use process::interrupt;
use process::progress::{note, result};
use serde::Deserialize;

use super::{check_runtime, open_runtime};
use crate::args::{ModelsArgs, RuntimeArgs};
use crate::card::{Card, Kind};
use crate::demo;
use crate::exit::{self, UsageError};
use crate::labels::{Labels, Word};
use crate::model::{self, Model};
use crate::tables::aligned;
use crate::tables::manifest::{self, MANIFEST};
use crate::tables::{
    self, EMBEDDINGS_NPY, EmbeddingRow, NpyRows, Row, ScoreRow, TextKind, TextRow,
};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  harness nearest runs/musiccaps_text \"sweet, warm\" -k 10
  harness nearest runs/weights \"a solemn choir\" --arm \"music_audioset, fusion off\"

The text is embedded by the checkpoint that the run used, and no other.")]
pub struct NearestArgs {
    /// A run folder, such as runs/musiccaps_text
    #[arg(value_name = "RUN_DIR")]
    pub run_dir: PathBuf,
    /// What to look for
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// How many to list
    #[arg(short, long = "count", value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub k: u16,
    /// The arm whose embeddings are searched; the first by default
    #[arg(long, value_name = "NAME")]
    pub arm: Option<String>,
    /// The card of the run's checkpoint, where it is not found by the name that the run used
    #[arg(long, value_name = "CARD")]
    pub model: Option<String>,
    #[command(flatten)]
    pub models: ModelsArgs,
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

/// What is read of the manifest.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    demo: bool,
    #[serde(default)]
    random_weights: bool,
    /// How many texts were embedded; a run of pieces has none.
    #[serde(default)]
    texts: usize,
    arms: Vec<Arm>,
    #[serde(skip)]
    labels: Labels,
}

#[derive(Deserialize)]
struct Arm {
    name: String,
    card: String,
    checkpoint_sha256: String,
}

/// Something that can be near: a heading, and what is told of each entry.
struct Group {
    heading: String,
    embeddings: Array2<f32>,
    entries: Vec<Entry>,
}

struct Entry {
    id: String,
    text: String,
}

/// Longest text on a line of the terminal.
const SHOWN_CHARS: usize = 100;

pub(crate) fn nearest_to(args: &NearestArgs) -> Result<()> {
    check_runtime(&args.runtime)?;
    if args.text.trim().is_empty() {
        return Err(UsageError("the text is empty; say what to look for".into()).into());
    }
    let manifest = read_manifest(&args.run_dir)?;
    let arm = choose(&manifest, args)?;
    let word = &manifest.labels.word;
    // Before a model is loaded in vain.
    let groups = match manifest.texts {
        1.. => texts(&args.run_dir, args, word)?,
        0 => pieces(&args.run_dir, &arm.name, args, word)?,
    };
    if manifest.random_weights {
        note("the run's model has random weights; what is near means nothing");
    }
    let query = embed(&manifest, arm, args)?;
    let mut out = String::new();
    for group in &groups {
        let width = group.embeddings.ncols();
        if width != query.len() {
            return Err(UsageError(words!(
                "the embeddings of {} have {} dimensions, and the model gives {}; run the experiment again",
                args.run_dir.display(),
                width,
                query.len()
            ))
            .into());
        }
        out.push_str(&format!("{}\n", group.heading));
        let found = nearest(group.embeddings.view(), query.view(), usize::from(args.k))
            .context("an embedding is not finite; run the experiment again")?;
        let rows: Vec<Vec<String>> = found
            .iter()
            .filter_map(|&(at, similarity)| {
                let entry = group.entries.get(at)?;
                Some(vec![
                    format!("{similarity:.4}"),
                    Foreign::new(&entry.id).to_string(),
                    on_one_line(&entry.text),
                ])
            })
            .collect();
        out.push_str(&aligned::table(&rows, 3));
    }
    Ok(result(out)?)
}

fn read_manifest(run_dir: &Path) -> Result<Manifest> {
    let Some(value) = manifest::read(run_dir)? else {
        return Err(UsageError(words!(
            "{} holds no finished run: it has no {}; name a run folder, such as runs/musiccaps_text",
            run_dir.display(),
            MANIFEST
        ))
        .into());
    };
    let labels = Labels::of_manifest(&value);
    let read = labels.and_then(|labels| {
        let manifest = serde_json::from_value(value)?;
        Ok(Manifest { labels, ..manifest })
    });
    read.with_context(|| {
        format!(
            "cannot read {}; run the experiment again",
            run_dir.join(MANIFEST).display()
        )
    })
}

/// The arm asked for, or the first.
fn choose<'m>(manifest: &'m Manifest, args: &NearestArgs) -> Result<&'m Arm> {
    let names: Vec<&str> = manifest.arms.iter().map(|arm| arm.name.as_str()).collect();
    let wanted = match &args.arm {
        Some(wanted) => wanted.as_str(),
        None => names.first().copied().unwrap_or_default(),
    };
    let found = manifest.arms.iter().find(|arm| arm.name == wanted);
    found.ok_or_else(|| {
        UsageError(words!(
            "the run has no arm '{}'{}",
            Foreign::new(wanted),
            hint(wanted, &names)
        ))
        .into()
    })
}

/// The embedding of the text `[512]`, by the model of the run and no other.
fn embed(manifest: &Manifest, arm: &Arm, args: &NearestArgs) -> Result<Array1<f32>> {
    let models = match manifest.demo {
        true => demo::unpack()?.models,
        false => args.models.models.clone(),
    };
    let card = Card::find_kind(
        Kind::Clap,
        args.model.as_ref().unwrap_or(&arm.card),
        &models,
    )?;
    let library = library::find_or_install(args.runtime.ep, args.models.offline)?;
    model::make_folder(&models)?;
    let model = Model::obtain(card, args.models.offline)?;
    if model.sha256 != arm.checkpoint_sha256 {
        return Err(UsageError(words!(
            "the card {} is another checkpoint than the run's (sha256 {} instead of {}); name the run's with --model CARD",
            Foreign::new(&model.card.name),
            Foreign::new(&model.sha256),
            Foreign::new(&arm.checkpoint_sha256)
        ))
        .into());
    }
    let export = model.export(&models, args.runtime.target(), None)?.export;
    interrupt::listen();
    let runtime = open_runtime(&args.runtime, &library)?;
    let mut tower = TextTower::load(&runtime, &export, &model.tokenizer.path)?;
    let embeddings = tower
        .embed(&[&args.text], |_| interrupt::check())
        .map_err(|e| exit::explain(e.into(), "nothing was found"))?;
    Ok(embeddings.row(0).to_owned())
}

/// Captions and descriptors.
fn texts(run_dir: &Path, args: &NearestArgs, word: &Word) -> Result<Vec<Group>> {
    if args.arm.is_some() {
        return Err(UsageError("a run of texts has one model; leave out --arm".into()).into());
    }
    let rows: Vec<TextRow> = tables::read(&run_dir.join(TextRow::FILE), word)?;
    let group = |kind: TextKind| {
        let of_kind: Vec<&TextRow> = rows.iter().filter(|row| row.kind == kind).collect();
        let entries = of_kind.iter().map(|row| Entry {
            id: row.id.clone(),
            text: row.text.clone(),
        });
        let embeddings = of_kind.iter().map(|row| row.embedding.as_slice());
        Ok(Group {
            heading: format!("{}s nearest to '{}'", kind.name(), Foreign::new(&args.text)),
            embeddings: stacked(run_dir, embeddings)?,
            entries: entries.collect(),
        })
    };
    [TextKind::Caption, TextKind::Descriptor]
        .into_iter()
        .map(group)
        .filter(|group| !group.as_ref().is_ok_and(|group| group.entries.is_empty()))
        .collect()
}

/// The pieces as the arm hears them.
fn pieces(run_dir: &Path, arm: &str, args: &NearestArgs, word: &Word) -> Result<Vec<Group>> {
    let id = |set: &Option<String>, id: &str| match set {
        Some(set) => format!("{set}/{id}"),
        None => id.to_owned(),
    };
    let (mut entries, mut embeddings) = (Vec::new(), Vec::new());
    let path = run_dir.join(EmbeddingRow::FILE);
    if path.exists() {
        for row in tables::rows::<EmbeddingRow>(&path, word)? {
            let row = row?;
            if row.arm == arm {
                entries.push(Entry {
                    id: id(&row.set, &row.id),
                    text: row.prompt,
                });
                embeddings.push(row.audio_emb);
            }
        }
    } else {
        // A large run has the array alone.
        let path = run_dir.join(EMBEDDINGS_NPY);
        let mut array = NpyRows::open(&path)?;
        let rows = array.count_rows();
        for (n, row) in tables::rows::<ScoreRow>(&run_dir.join(ScoreRow::FILE), word)?.enumerate() {
            let row = row?;
            let embedding = array.next_row().with_context(|| {
                format!(
                    "cannot read row {} of the {rows} of {}",
                    n + 1,
                    path.display()
                )
            })?;
            if row.arm == arm {
                entries.push(Entry {
                    id: id(&row.set, &row.id),
                    text: row.prompt,
                });
                embeddings.push(embedding);
            }
        }
    }
    Ok(vec![Group {
        heading: format!(
            "pieces nearest to '{}' under {arm}",
            Foreign::new(&args.text)
        ),
        embeddings: stacked(run_dir, embeddings.iter().map(Vec::as_slice))?,
        entries,
    }])
}

/// Rows of equal length `[rows, dimensions]`.
fn stacked<'e>(
    run_dir: &Path,
    rows: impl ExactSizeIterator<Item = &'e [f32]>,
) -> Result<Array2<f32>> {
    let count = rows.len();
    let all: Vec<&[f32]> = rows.collect();
    let width = all.first().map_or(0, |row| row.len());
    if all.iter().any(|row| row.len() != width) {
        let path = run_dir.join(EmbeddingRow::FILE);
        anyhow::bail!(
            "cannot use {}: its embeddings differ in length; run the experiment again",
            path.display()
        );
    }
    Ok(Array2::from_shape_vec((count, width), all.concat())?)
}

fn on_one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    Foreign::within(words.join(" "), SHOWN_CHARS).to_string()
}
