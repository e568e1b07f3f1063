//! `manifest.json` of a run folder, as others read it.

use std::io;
use std::path::{Path, PathBuf};

use files::{self, regular};
use foreign::Foreign;
use serde_json::Value;
use thiserror::Error;

/// The layout of the manifests that this program writes, in their key `format`. A reader takes it and all before it; one
/// without the key is from before there was a number.
pub const FORMAT: u64 = 1;

/// The file's name in a run folder. It is written last: a folder that has it holds a finished run.
pub const MANIFEST: &str = "manifest.json";

/// One of a thousand pieces takes 200 kB [bytes].
const LARGEST: u64 = 64 << 20;

/// Why a manifest cannot be used.
#[derive(Debug, Error)]
pub enum ManifestError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot read {}: {}; run the experiment again", path.display(), Foreign::said(source))]
    Parse {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error(
        "cannot read {}: a newer harness wrote it (format {found}; this one knows up to {FORMAT}); update harness",
        path.display()
    )]
    Newer { path: PathBuf, found: Foreign },
}

/// The manifest of `run_dir`; `None` when it has none.
pub fn read(run_dir: &Path) -> Result<Option<Value>, ManifestError> {
    let path = run_dir.join(MANIFEST);
    let text = files::in_its_folder(&path).and_then(|path| regular::read_text(&path, LARGEST));
    let text = match text {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ManifestError::Read { path, source }),
    };
    let manifest: Value = match serde_json::from_str(&text) {
        Ok(manifest) => manifest,
        Err(source) => return Err(ManifestError::Parse { path, source }),
    };
    match manifest.get("format") {
        None => Ok(Some(manifest)),
        Some(format) if format.as_u64().is_some_and(|format| format <= FORMAT) => {
            Ok(Some(manifest))
        }
        Some(format) => Err(ManifestError::Newer {
            path,
            found: Foreign::new(format.to_string()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_manifest_of_a_newer_program_is_refused_and_an_older_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_none());
        let with = |text: &str| {
            fs::write(folder.path().join(MANIFEST), text).unwrap();
            read(folder.path())
        };
        assert_eq!(with("{\"seed\": 3}").unwrap().unwrap()["seed"], 3);
        assert!(with(&format!("{{\"format\": {FORMAT}}}")).is_ok());
        for newer in [
            format!("{{\"format\": {}}}", FORMAT + 1),
            "{\"format\": \"x\"}".to_owned(),
        ] {
            let told = with(&newer).unwrap_err().to_string();
            assert!(told.contains("a newer harness wrote it (format"), "{told}");
        }
        let told = with("{").unwrap_err().to_string();
        assert!(told.contains("run the experiment again"), "{told}");
    }
}
