//! Where an experiment's captions are: `captions: { path | hub with file }`.

use foreign::Words;
use foreign::words;
use hub::{HubFile, RepoKind};
use serde::Deserialize;
use strict_yaml::{Document, YamlError};

use crate::spec::{Captions, Shrink};

/// A CSV by `path`, or by `hub` and `file`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCaptions {
    pub hub: Option<String>,
    pub file: Option<String>,
    pub revision: Option<String>,
    pub sha256: Option<String>,
    pub path: Option<String>,
}

/// Where they are, and what was cut down. `path` wins over `hub`, and in a demo the bundled captions win over what would be fetched.
pub fn resolve(
    document: &Document,
    raw: &RawCaptions,
    demo: Option<&Shrink>,
) -> Result<(Captions, Vec<String>), YamlError> {
    let wrong = |key: &str, message: Words| Err(document.invalid(key, message));
    if let Some(path) = &raw.path {
        return Ok((Captions::Path(path.into()), Vec::new()));
    }
    let (Some(repo), Some(file)) = (&raw.hub, &raw.file) else {
        return wrong(
            "captions",
            "'captions' needs 'path' (a CSV with the columns ytid,aspect_list,caption) or 'hub' and 'file'".into(),
        );
    };
    let source = HubFile {
        repo: repo.clone(),
        kind: RepoKind::Dataset,
        revision: raw.revision.clone().unwrap_or_else(|| "main".to_owned()),
        file: file.clone(),
        sha256: raw.sha256.clone(),
    };
    if let Err(error) = source.check() {
        return wrong("captions", words!("'captions': {}", error));
    }
    match demo {
        Some(shrink) if !document.is_set("captions.hub") => {
            let bundled = Captions::Path(shrink.captions.clone());
            Ok((bundled, vec!["a few bundled captions".to_owned()]))
        }
        _ => Ok((Captions::Hub(source), Vec::new())),
    }
}
