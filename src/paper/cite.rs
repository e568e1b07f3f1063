//! What to cite for runs: this program, ONNX Runtime, the checkpoints with their papers, and the data.

use std::path::{Path, PathBuf};

use foreign::{Foreign, Words, words};
use serde::Deserialize;

use super::PaperError;
use super::bib::{Bibliography, Misc};
use super::escape::comment;
use super::run::Run;
use crate::references;
use crate::tables::manifest::{MANIFEST, ManifestError};

/// Where models and data sets of a hub are shown.
const HUB: &str = "https://huggingface.co";

/// Of data, by how their names begin: what to cite. Of a model its card says it.
const DATA: [(&str, &str); 2] = [
    ("google/MusicCaps", "agostinelli2023musiclm"),
    (
        "https://raw.githubusercontent.com/matteospanio/taste-music-dataset/",
        "spanio2025symphony",
    ),
];

/// References as text, and what has to be said beside them.
pub struct Cited {
    /// BibTeX; ends with a line feed.
    pub text: String,
    pub notes: Vec<Words>,
}

/// The parts of a manifest that are read here. All are optional: an earlier program may have written it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Manifest {
    random_weights: bool,
    arms: Vec<Model>,
    generation: Option<Generation>,
    runtime: Runtime,
    harness: Program,
    settings: Settings,
    pieces_from: Option<Source>,
    sets: Vec<Set>,
}

#[derive(Debug, Deserialize)]
struct Generation {
    model: Model,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Model {
    card: String,
    checkpoint: String,
    checkpoint_sha256: String,
    files: Vec<File>,
    licence: String,
    repository: Option<String>,
    /// `None` where the program was too old to ask the card.
    cite: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct File {
    path: PathBuf,
    sha256: String,
    revision: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Runtime {
    provider: String,
    precision: String,
    onnxruntime: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Program {
    version: Option<String>,
    commit: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    generation: Option<Prompted>,
    texts: Option<Texts>,
}

#[derive(Debug, Deserialize)]
struct Prompted {
    prompts: Prompts,
}

#[derive(Debug, Deserialize)]
struct Prompts {
    url: Option<Download>,
}

#[derive(Debug, Deserialize)]
struct Download {
    url: String,
    sha256: String,
}

#[derive(Debug, Deserialize)]
struct Texts {
    captions: Captions,
}

#[derive(Debug, Deserialize)]
struct Captions {
    hub: Option<DataFile>,
}

#[derive(Debug, Deserialize)]
struct DataFile {
    repo: String,
    file: String,
    revision: String,
    sha256: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Set {
    from: Option<Source>,
}

/// The run that made the pieces.
#[derive(Debug, Deserialize)]
struct Source {
    folder: PathBuf,
    experiment: String,
    identity: String,
}

/// What to cite for the finished runs in `folders`, and for the runs that made their pieces, where those are still there.
///
/// # Errors
/// When a folder holds no finished run.
pub fn cite(folders: &[PathBuf]) -> Result<Cited, PaperError> {
    let mut runs = Run::open_all(folders)?;
    let mut all = Bibliography::default();
    let mut told = Told::default();
    let mut next = 0;
    while let Some(run) = runs.get(next) {
        let manifest = read(run)?;
        told.about(run, &manifest);
        add(&mut all, &manifest);
        let mut found: Vec<Run> = Vec::new();
        for source in manifest.sources() {
            let is_it = |run: &Run| run.said("/identity") == Some(&source.identity);
            if runs.iter().chain(&found).any(is_it) {
                continue;
            }
            match source.run() {
                Some(source) => found.push(source),
                None => told.missing(run, source),
            }
        }
        runs.extend(found);
        next += 1;
    }
    let text = format!(
        "% References made by `harness cite` of harness {} for:\n{}\n% Addresses need \\usepackage{{url}} or hyperref.\n\n{}",
        env!("CARGO_PKG_VERSION"),
        told.head.join("\n"),
        all.written()
    );
    Ok(Cited {
        text,
        notes: told.notes,
    })
}

/// What is said of the runs: above the entries, and beside them.
#[derive(Default)]
struct Told {
    head: Vec<String>,
    notes: Vec<Words>,
}

impl Told {
    fn about(&mut self, run: &Run, manifest: &Manifest) {
        self.head.push(format!("%   {}", comment(&run.origin())));
        if manifest.random_weights {
            self.head.push(
                "%   WARNING: its checkpoints are made up (random weights): none of those that are published was used."
                    .to_owned(),
            );
            self.notes.push(words!(
                "the checkpoints of {} are made up (random weights); cite nothing for its numbers, which mean nothing",
                run.folder.display()
            ));
        }
        if manifest.models().any(|model| model.cite.is_none()) {
            self.notes.push(words!(
                "{} was computed by an earlier harness, which did not keep what its cards say to cite; the same `harness run` again \
                 does, and computes nothing anew",
                run.folder.display()
            ));
        }
    }

    /// The run that made the pieces of `run` is not there.
    fn missing(&mut self, run: &Run, source: &Source) {
        self.head.push(format!(
            "%   Its pieces are of the run {}, which is not there: what made them is missing here.",
            comment(&source.experiment)
        ));
        self.notes.push(words!(
            "the run {} that made the pieces of {} is not in {}; add its folder to cite what made them",
            Foreign::new(&source.experiment),
            run.folder.display(),
            source.folder.display()
        ));
    }
}

fn read(run: &Run) -> Result<Manifest, PaperError> {
    Manifest::deserialize(&run.manifest).map_err(|source| {
        let path = run.folder.join(MANIFEST);
        ManifestError::Parse { path, source }.into()
    })
}

impl Manifest {
    /// The generator first.
    fn models(&self) -> impl Iterator<Item = &Model> {
        let generator = self.generation.iter().map(|generation| &generation.model);
        generator.chain(&self.arms)
    }

    fn sources(&self) -> impl Iterator<Item = &Source> {
        self.pieces_from
            .iter()
            .chain(self.sets.iter().filter_map(|set| set.from.as_ref()))
    }
}

impl Source {
    /// The finished run, if it is still there. The folder is as a manifest names it, which may be a stranger's: only a run with the
    /// identity that it states is taken.
    fn run(&self) -> Option<Run> {
        let run = Run::open(&self.folder).ok()?;
        (run.said("/identity") == Some(&self.identity)).then_some(run)
    }
}

fn add(all: &mut Bibliography, manifest: &Manifest) {
    let Program { version, commit } = &manifest.harness;
    let version = version.as_ref().map(|version| format!("version {version}"));
    let commit = commit.as_ref().map(|commit| format!("commit {commit}"));
    let note: Vec<String> = version.into_iter().chain(commit).collect();
    let title = format!("harness: {}", env!("CARGO_PKG_DESCRIPTION"));
    all.misc("harness", &Misc::new(&title).note(&note));
    let Runtime {
        provider,
        precision,
        onnxruntime,
    } = &manifest.runtime;
    if !onnxruntime.is_empty() {
        let note = [
            format!("version {onnxruntime}"),
            format!("execution provider {provider}, precision {precision}"),
        ];
        let runtime = Misc::new("ONNX Runtime")
            .address("https://onnxruntime.ai")
            .note(&note);
        all.misc("onnxruntime", &runtime);
    }
    for model in manifest.models() {
        all.misc(
            &format!("checkpoint-{}", model.card),
            &checkpoint(model, manifest.random_weights),
        );
        for key in model.cite.iter().flatten() {
            paper(all, key);
        }
    }
    if let Some(data) = manifest
        .settings
        .texts
        .as_ref()
        .and_then(|texts| texts.captions.hub.as_ref())
    {
        let mut note = vec![
            format!("file {}", data.file),
            format!("revision {}", data.revision),
        ];
        note.extend(data.sha256.as_ref().map(|hash| format!("SHA-256 {hash}")));
        let address = format!("{HUB}/datasets/{}", data.repo);
        all.misc(
            &format!("data-{}", data.repo),
            &Misc::new(&data.repo).address(&address).note(&note),
        );
        of_data(all, &data.repo);
    }
    if let Some(data) = manifest
        .settings
        .generation
        .as_ref()
        .and_then(|made| made.prompts.url.as_ref())
    {
        let name = data.url.rsplit('/').next().unwrap_or_default();
        let note = [format!("SHA-256 {}", data.sha256)];
        all.misc(
            &format!("data-{name}"),
            &Misc::new(&format!("Descriptions: {name}"))
                .address(&data.url)
                .note(&note),
        );
        of_data(all, &data.url);
    }
}

fn checkpoint(model: &Model, random: bool) -> Misc {
    let entry = Misc::new(&match random {
        true => format!("{} (made up)", model.card),
        false => model.card.clone(),
    });
    let entry = match &model.repository {
        Some(repository) => entry.address(&format!("{HUB}/{repository}")),
        None => entry,
    };
    let mut note = Vec::new();
    if random {
        note.push(
            "made up: random weights, and not the checkpoint of this name that is published"
                .to_owned(),
        );
    }
    note.push(format!("checkpoint {}", model.checkpoint));
    let revision = model.files.iter().find_map(|file| file.revision.as_ref());
    note.extend(revision.map(|revision| format!("revision {revision}")));
    match model.files.as_slice() {
        [] | [_] => note.push(format!("SHA-256 {}", model.checkpoint_sha256)),
        // The hash of a folder is that of a list; those of its files are what others can compare.
        files => note.extend(
            files
                .iter()
                .map(|file| format!("SHA-256 of {} {}", name(&file.path), file.sha256)),
        ),
    }
    note.push(format!("licence {}", model.licence));
    entry.note(&note)
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn of_data(all: &mut Bibliography, name: &str) {
    for (_, key) in DATA.iter().filter(|(begin, _)| name.starts_with(begin)) {
        paper(all, key);
    }
}

/// A key that this program does not know was written by another one, and has no entry here.
fn paper(all: &mut Bibliography, key: &str) {
    if let Some(reference) = references::find(key) {
        all.whole(reference.key, reference.bibtex);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_data_cite_is_known() {
        for (_, key) in DATA {
            assert!(references::find(key).is_some(), "{key}");
        }
    }
}
