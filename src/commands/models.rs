//! `harness models`: the cards, and what of them is on this machine.

use std::path::Path;

use anyhow::Result;
use files::cache;
use foreign::Foreign;
use onnx_export::Target;
use process::progress::{note, result};

use crate::args::ModelsArgs;
use crate::card::{Card, Source};
use crate::model::{Model, graphs_folder, hub_file};
use crate::tables::aligned;

pub(crate) fn list(args: &ModelsArgs) -> Result<()> {
    let cards = Card::all(&args.models)?;
    if cards.is_empty() {
        return Ok(result(format!("no cards in {}", args.models.display()))?);
    }
    let header = ["card", "downloaded", "exported", "licence", "checkpoint"].map(str::to_owned);
    let mut rows = vec![header.to_vec()];
    rows.extend(cards.iter().map(|card| describe(card, args).to_vec()));
    let table = aligned::table(&rows, header.len());
    let graphs = graphs_folder(&args.models);
    let exports = match size_of_folders(&graphs) {
        (0, _) => String::new(),
        (n, bytes) => format!(" ({n} exports, {})", megabytes(bytes)),
    };
    let mut told = format!("{table}graphs: {}{exports}\n", graphs.display());
    for left in unfinished(&graphs) {
        told += &left;
    }
    Ok(result(told)?)
}

/// The finished exports in a folder, and their bytes.
fn size_of_folders(graphs: &Path) -> (usize, u64) {
    let entries = std::fs::read_dir(graphs).into_iter().flatten().flatten();
    let exports = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && !files::is_part(path));
    let sizes: Vec<u64> = exports.filter_map(|path| size_of(&path)).collect();
    (sizes.len(), sizes.iter().sum())
}

/// A line for everything that lies unfinished among the graphs and in the cache.
fn unfinished(graphs: &Path) -> Vec<String> {
    let mut folders = vec![graphs.to_owned()];
    if let Ok(cache) = cache::folder() {
        let entries = std::fs::read_dir(cache).into_iter().flatten().flatten();
        folders.extend(entries.map(|e| e.path()).filter(|path| path.is_dir()));
    }
    let all = folders
        .iter()
        .flat_map(|folder| files::unfinished(folder).unwrap_or_default());
    let mut lines: Vec<String> = all
        .map(|left| {
            let whose = match left.held {
                true => "another process is at work on it",
                false => {
                    "left by a process that was killed; the next one that writes there removes it"
                }
            };
            let (path, bytes) = (left.path.display(), megabytes(left.bytes));
            format!("unfinished: {path} ({bytes}): {whose}\n")
        })
        .collect();
    lines.sort();
    lines
}

fn describe(card: &Card, args: &ModelsArgs) -> [String; 5] {
    let (here, source) = match &card.source {
        Source::Path(local) => (size_of(&local.path), local.path.display().to_string()),
        Source::Hub(hub) => {
            let cached: Vec<_> = hub
                .files
                .iter()
                .map(|file| hub::cached(&hub_file(hub, file)))
                .collect();
            let bytes = cached
                .iter()
                .flatten()
                .filter_map(|path| size_of(path))
                .sum();
            let whole = !cached.is_empty() && cached.iter().all(Option::is_some);
            let files: Vec<&str> = hub.files.iter().map(|f| f.name.as_str()).collect();
            (
                whole.then_some(bytes),
                format!("{} {}", hub.repo, files.join(", ")),
            )
        }
    };
    // What is downloaded has a hash, which the graphs are kept by.
    let exported = here.and_then(|_| {
        let found = Model::obtain(card.clone(), true)
            .and_then(|model| model.exported(&args.models, Target::REFERENCE));
        match found {
            Ok(exported) => exported.map(|e| megabytes(e.bytes())),
            Err(e) => {
                note(e.to_string());
                Some("damaged".to_owned())
            }
        }
    });
    [
        card.name.clone(),
        here.map_or_else(|| "no".to_owned(), megabytes),
        exported.unwrap_or_else(|| "no".to_owned()),
        Foreign::new(&card.licence).to_string(),
        source,
    ]
}

/// Bytes of a file, or of the files of a folder.
fn size_of(path: &Path) -> Option<u64> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).ok()?;
        return Some(
            entries
                .filter_map(|entry| entry.ok()?.metadata().ok().filter(|m| m.is_file()))
                .map(|m| m.len())
                .sum(),
        );
    }
    std::fs::metadata(path).ok().map(|m| m.len())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
