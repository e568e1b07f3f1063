//! Checkpoints that are damaged or hostile, and exports that were damaged since.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{Call, card, names_below, repository};

const CHECKPOINT: &str = "assets/demo/630k-audioset-best.pt";

/// A models folder with the card `mine` of `checkpoint`.
fn models_of(checkpoint: &Path) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("mine.yaml"), card(checkpoint, "")).unwrap();
    folder
}

fn export(models: &Path) -> Call {
    Call::new("export").arg("mine").option("--models", models)
}

/// Neither `export` nor `inspect` reads `bytes`.
fn refused(bytes: &[u8], words: &[&str]) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("weights.pt");
    fs::write(&path, bytes).unwrap();
    let models = models_of(&path);
    let here = TempDir::new().unwrap();
    let exported = export(models.path()).in_folder(here.path()).fails(1, words);
    assert!(exported.stderr.contains("card mine"), "{exported:?}");
    assert!(exported.stderr.contains("weights.pt"), "{exported:?}");
    Call::new("inspect")
        .arg(&path)
        .option("--models", models.path())
        .in_folder(here.path())
        .fails(1, words);
    let names = names_below(models.path());
    assert!(
        !names
            .iter()
            .any(|n| n.ends_with(".onnx") || n.contains(".part")),
        "{names:?}"
    );
    assert!(names_below(here.path()).is_empty(), "something ran");
}

#[test]
fn a_checkpoint_that_was_cut_off() {
    let whole = fs::read(repository(CHECKPOINT)).unwrap();
    for keep in [whole.len() / 2, whole.len() - 1, 100] {
        refused(&whole[..keep], &["weights.pt"]);
    }
    refused(&whole[..whole.len() / 2], &["cut off", "fetch it again"]);
}

#[test]
fn a_page_instead_of_a_checkpoint() {
    refused(
        &b"<html>404 not found</html>\n".repeat(100),
        &["weights.pt: "],
    );
    refused(b"", &["weights.pt: "]);
}

#[test]
fn a_pickle_that_calls_the_shell() {
    for name in ["shell.pt", "shell4.pt"] {
        let bytes =
            fs::read(repository("crates/checkpoint/tests/checkpoint/data").join(name)).unwrap();
        refused(
            &bytes,
            &["refused", "`posix system`", "nothing was executed"],
        );
    }
}

/// An export of its own with a file of one text to embed.
struct Export {
    models: TempDir,
    folder: PathBuf,
}

impl Export {
    fn new() -> Self {
        let models = models_of(&repository(CHECKPOINT));
        let outcome = export(models.path()).ok();
        fs::write(models.path().join("texts.txt"), "sweet music\n").unwrap();
        let folder = PathBuf::from(outcome.stdout.trim());
        Self { models, folder }
    }

    fn embed(&self) -> Call {
        let at = |name: &str| self.models.path().join(name);
        Call::new("embed")
            .option("--models", self.models.path())
            .option("--model", "mine")
            .option("--text", at("texts.txt"))
            .option("--out", at("out.csv"))
    }

    /// Say what is damaged and make it again, once; a second call finds nothing to mend.
    fn embed_mends(&self, words: &[&str]) {
        let out = self.models.path().join("out.csv");
        let mended = self.embed().ok().stderr;
        let whole = self.folder.to_str().unwrap();
        for word in [whole, "is damaged", "made again"].iter().chain(words) {
            assert!(mended.contains(word), "{word:?}: {mended}");
        }
        let first = fs::read(&out).unwrap();
        let again = self.embed().ok().stderr;
        assert!(!again.contains("damaged"), "{again}");
        assert!(first == fs::read(&out).unwrap());
        let names = names_below(&self.models.path().join("graphs"));
        assert!(!names.iter().any(|n| n.contains(".part")), "{names:?}");
        fs::remove_file(out).unwrap();
    }
}

#[test]
fn a_graph_that_was_cut_off_since_it_was_written() {
    let export = Export::new();
    let graph = export.folder.join("text.onnx");
    let bytes = fs::read(&graph).unwrap();
    fs::write(&graph, &bytes[..bytes.len() / 2]).unwrap();
    export.embed_mends(&["text.onnx is not what was written"]);
    assert!(fs::read(&graph).unwrap() == bytes);
}

#[test]
fn a_graph_whose_weights_are_gone() {
    let export = Export::new();
    fs::remove_file(export.folder.join("audio.onnx.data")).unwrap();
    export.embed_mends(&["audio.onnx"]);
    assert!(export.folder.join("audio.onnx.data").is_file());
}

#[test]
fn an_export_without_its_manifest() {
    let export = Export::new();
    let manifest = export.folder.join("export.json");
    fs::remove_file(&manifest).unwrap();
    export.embed_mends(&["export.json"]);
    fs::write(&manifest, "{}").unwrap();
    export.embed_mends(&["export.json"]);
}

#[test]
fn a_graph_or_weights_of_the_right_size_with_another_content() {
    for name in ["text.onnx", "text.onnx.data", "audio.onnx.data"] {
        let export = Export::new();
        let path = export.folder.join(name);
        let whole = fs::read(&path).unwrap();
        let mut other = whole.clone();
        let end = other.len();
        other[end - 9000..].fill(0);
        fs::write(&path, &other).unwrap();
        export.embed_mends(&[&format!("{name} is not what was written")]);
        assert!(fs::read(&path).unwrap() == whole);
    }
}
