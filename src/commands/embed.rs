//! `harness embed`: audio files and texts to a CSV of embeddings.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use clap_audio::{CropPolicy, Crops};
use foreign::words;
use foreign::{Foreign, Words};
use ndarray::ArrayView1;
use onnx_export::Exported;
use ort_runtime::{Runtime, library};
use pipelines::clips::CropChoice;
use pipelines::windows::{Pool, Windows};
use pipelines::{AudioTower, TextTower};
use process::interrupt;
use process::progress;

use super::{check_runtime, open_runtime};
use crate::args::{ModelsArgs, RuntimeArgs};
use crate::card::{Card, Kind};
use crate::exit::{self, UsageError};
use crate::model::{self, Model};
use crate::run::survey::survey;
use crate::spec::{self, audio_files, check_ids};
use crate::tables::cell::guarded;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  harness embed --model music_audioset --audio pieces --out audio.csv
  harness embed --model music_audioset --audio songs --windows --out songs.csv
  harness embed --model models/mine.yaml --text captions.txt --out text.csv")]
pub struct EmbedArgs {
    /// A card: its name in the models folder, or a path
    #[arg(long, value_name = "CARD")]
    pub model: String,
    /// An audio file, or a folder of them; may be repeated
    #[arg(long, value_name = "FILE|DIR")]
    pub audio: Vec<PathBuf>,
    /// A file with one text a line
    #[arg(long, value_name = "FILE.txt")]
    pub text: Option<PathBuf>,
    /// Use these crops of long clips: a CSV id,front,middle,back,offset, such as an earlier output
    #[arg(long, value_name = "FILE.csv", conflicts_with = "crop_policy")]
    pub crops: Option<PathBuf>,
    /// Which part of a long clip is heard: seeded, start or center
    #[arg(long, value_name = "POLICY", default_value_t)]
    pub crop_policy: CropPolicy,
    /// Hear all of long clips, in windows of 10 s, and pool their embeddings
    #[arg(long, conflicts_with_all = ["crops", "crop_policy", "seed"])]
    pub windows: bool,
    /// With --windows: seconds from one to the next, 0.1 to 10
    #[arg(long, value_name = "SECONDS", default_value_t = Windows::default().hop_s, value_parser = hop_s, requires = "windows")]
    pub hop: f64,
    /// With --windows: mean or max of the embeddings, or none to write those of every window
    #[arg(long, value_name = "POOL", default_value_t, requires = "windows")]
    pub pool: Pool,
    /// Seed of the crops
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// The CSV to write: id,kind,embedding and, with audio, the crops taken or where windows begin
    #[arg(long, value_name = "FILE.csv")]
    pub out: PathBuf,
    /// Leave out audio that cannot be read, and say which
    #[arg(long)]
    pub skip_bad: bool,
    #[command(flatten)]
    pub models: ModelsArgs,
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

/// One line of the CSV.
struct Row {
    id: String,
    kind: &'static str,
    embedding: Vec<f32>,
    crops: Crops,
    /// Of a window [s].
    start_s: Option<f64>,
}

pub(crate) fn embed(args: &EmbedArgs) -> Result<()> {
    check_runtime(&args.runtime)?;
    if args.audio.is_empty() && args.text.is_none() {
        return Err(UsageError(
            "nothing to embed; give --audio FILE|DIR or --text FILE.txt".into(),
        )
        .into());
    }
    check_out(&args.out)?;
    let card = Card::find_kind(Kind::Clap, &args.model, &args.models.models)?;
    let texts = match &args.text {
        Some(path) => spec::prompts::read(path)?,
        None => Vec::new(),
    };
    let recorded = match &args.crops {
        Some(path) => Some(spec::crops::read(path)?),
        None => None,
    };
    let clips = audio_clips(args)?;
    // Before a download that would be in vain without it.
    let library = library::find_or_install(args.runtime.ep, args.models.offline)?;

    model::make_folder(&args.models.models)?;
    let model = Model::obtain(card, args.models.offline)?;
    let export = model
        .export(&args.models.models, args.runtime.target(), None)?
        .export;
    interrupt::listen();
    let runtime = open_runtime(&args.runtime, &library)?;
    let windows = Windows {
        hop_s: args.hop,
        pool: args.pool,
    };
    let choice = match recorded {
        Some(crops) => CropChoice::Recorded(crops),
        None if args.windows => CropChoice::Windows(windows),
        None => CropChoice::Policy {
            policy: args.crop_policy,
            seed: args.seed,
            experiment: "embed".to_owned(),
        },
    };
    let embedded = || -> Result<Vec<Row>> {
        let mut rows = embed_audio(&runtime, &export, &model, &clips, &choice)?;
        rows.extend(embed_texts(&runtime, &export, &model, &texts)?);
        Ok(rows)
    };
    let rows = embedded().map_err(|e| exit::explain(e, "nothing was written"))?;
    let columns = match (clips.is_empty(), args.windows) {
        (true, _) => &[][..],
        (false, false) => &CROPS,
        (false, true) => &[START],
    };
    write(&args.out, &rows, columns)
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    progress::note(format!(
        "{} embeddings in {}",
        rows.len(),
        args.out.display()
    ));
    Ok(())
}

/// The output's folder must be there and writable before anything long starts.
pub(super) fn check_out(out: &Path) -> Result<()> {
    let folder = match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if out.exists() && !out.is_file() && !out.is_dir() {
        // A device or a pipe is written into, whatever its folder allows.
        return Ok(());
    }
    if out.is_dir() {
        return Err(UsageError(words!("--out {} is a folder; name a file", out.display())).into());
    }
    if !folder.is_dir() {
        return Err(UsageError(words!(
            "cannot write --out {}: there is no folder {}; make it first",
            out.display(),
            folder.display()
        ))
        .into());
    }
    tempfile::tempfile_in(folder).map_err(|e| {
        UsageError(words!(
            "cannot write --out {}: {}",
            out.display(),
            Foreign::said(e)
        ))
    })?;
    Ok(())
}

/// Every file of `--audio` with its id, readable from start to end.
fn audio_clips(args: &EmbedArgs) -> Result<Vec<(String, PathBuf)>> {
    let mut clips: Vec<(String, PathBuf)> = Vec::new();
    for path in &args.audio {
        clips.extend(audio_files(path)?);
    }
    check_ids(&clips, |_, _| Words::none())?;
    let paths: Vec<&Path> = clips.iter().map(|(_, path)| path.as_path()).collect();
    survey(&paths, 0, "audio files", args.skip_bad)?.keep(&mut clips);
    Ok(clips)
}

fn embed_audio(
    runtime: &Runtime,
    export: &Exported,
    model: &Model,
    clips: &[(String, PathBuf)],
    choice: &CropChoice,
) -> Result<Vec<Row>> {
    if clips.is_empty() {
        return Ok(Vec::new());
    }
    let parts = choice.parts(clips.len());
    let mut tower = AudioTower::load(runtime, export, model.card.fusion_shrink, parts)?;
    let bar = progress::items("audio", "clips", clips.len() as u64);
    let named: Vec<(&str, &Path)> = clips
        .iter()
        .map(|(id, path)| (id.as_str(), path.as_path()))
        .collect();
    let mut rows = Vec::with_capacity(clips.len());
    tower.embed(&named, choice, |clip| -> Result<()> {
        interrupt::check()?;
        let id = clips[clip.index].0.clone();
        match (choice, clip.windows) {
            (CropChoice::Windows(how), Some(of_clip)) if how.pool == Pool::None => {
                let each = how.each(of_clip, clip.embedding.len());
                rows.extend(each.map(|(start_s, window)| Row {
                    start_s: Some(start_s),
                    ..row(id.clone(), "audio", window.into(), clip.crops)
                }));
            }
            _ => rows.push(row(id, "audio", clip.embedding, clip.crops)),
        }
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    Ok(rows)
}

fn embed_texts(
    runtime: &Runtime,
    export: &Exported,
    model: &Model,
    texts: &[String],
) -> Result<Vec<Row>> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let mut tower = TextTower::load(runtime, export, &model.tokenizer.path)?;
    let bar = progress::items("text", "texts", texts.len() as u64);
    let embeddings = tower.embed(texts, |ready| {
        bar.set_position(ready as u64);
        interrupt::check()
    })?;
    bar.finish_and_clear();
    Ok(embeddings
        .rows()
        .into_iter()
        .enumerate()
        .map(|(i, embedding)| row((i + 1).to_string(), "text", embedding, Crops::default()))
        .collect())
}

fn row(id: String, kind: &'static str, embedding: ArrayView1<f32>, crops: Crops) -> Row {
    Row {
        id,
        kind,
        embedding: embedding.to_vec(),
        crops,
        start_s: None,
    }
}

const CROPS: [&str; 4] = ["front", "middle", "back", "offset"];
const START: &str = "start_s";

/// `columns` are those after the embedding: the crops, or where a window begins.
fn write(out: &Path, rows: &[Row], columns: &[&str]) -> io::Result<()> {
    files::write_atomic(out, |file| -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(file);
        let mut header = vec!["id", "kind", "embedding"];
        header.extend(columns);
        csv.write_record(header)?;
        for row in rows {
            let mut record = vec![
                guarded(&row.id).into_owned(),
                row.kind.to_owned(),
                serde_json::to_string(&row.embedding)?,
            ];
            let number = |n: Option<usize>| n.map(|n| n.to_string()).unwrap_or_default();
            record.extend(columns.iter().map(|column| match *column {
                "front" => number(row.crops.front),
                "middle" => number(row.crops.middle),
                "back" => number(row.crops.back),
                "offset" => number(row.crops.offset),
                _ => row.start_s.map(|s| s.to_string()).unwrap_or_default(),
            }));
            csv.write_record(record)?;
        }
        csv.flush()
    })
}

/// `--hop`.
fn hop_s(text: &str) -> Result<f64, String> {
    let (least, most) = (Windows::HOPS_S.start(), Windows::HOPS_S.end());
    let hop = text
        .parse()
        .ok()
        .filter(|hop| Windows::HOPS_S.contains(hop));
    hop.ok_or_else(|| {
        format!("it must be a number from {least} to {most}, so that all of a clip is heard")
    })
}
