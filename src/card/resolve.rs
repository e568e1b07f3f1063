//! A card as written → a checked [`Card`].

use std::path::Path;

use foreign::words;
use foreign::{Foreign, Words, hint};
use strict_yaml::{Document, YamlError};

use super::raw::{RawCard, RawFile, RawKnown, RawSource};
use super::{Card, HubFile, HubSource, Kind, Known, LocalSource, Source, card_name};
use crate::references;

/// The branch that a hub source means when it names no revision.
const DEFAULT_REVISION: &str = "main";

/// What a hub repository of a whole model holds at the least.
const FOLDER_FILES: [&str; 2] = ["config.json", "model.safetensors"];

/// Check a parsed card; `path` is the card's own.
pub(super) fn resolve(document: &Document, path: &Path) -> Result<Card, YamlError> {
    let raw: RawCard = document.to()?;
    let check = Check {
        document,
        folder: path.parent().unwrap_or(Path::new("")),
    };
    if raw.licence.trim().is_empty() {
        return Err(document.invalid(
            "licence",
            "'licence' is empty; write what the weights' page says",
        ));
    }
    let tokenizer = check.source("tokenizer", raw.tokenizer)?;
    if matches!(&tokenizer, Source::Hub(hub) if hub.folder) {
        let message = "'tokenizer' is one file: add file: tokenizer.json";
        return Err(document.invalid("tokenizer", message));
    }
    Ok(Card {
        name: card_name(path),
        path: path.to_owned(),
        kind: raw.kind,
        source: check.source("source", raw.source)?,
        tokenizer,
        architecture: check.architecture(raw.kind, raw.architecture)?,
        fusion_shrink: raw.fusion_shrink,
        licence: raw.licence,
        known: raw
            .known
            .into_iter()
            .enumerate()
            .map(|(i, k)| check.known(i, k))
            .collect::<Result<_, _>>()?,
        random_weights: raw.random_weights,
        cite: check.references(raw.cite)?,
    })
}

struct Check<'a> {
    document: &'a Document,
    folder: &'a Path,
}

impl Check<'_> {
    fn source(&self, key: &str, raw: RawSource) -> Result<Source, YamlError> {
        let fault = |message: Words| Err(self.document.invalid(key, message));
        let RawSource {
            hub,
            file,
            files,
            revision,
            path,
            sha256,
            bytes,
        } = raw;
        let sha256 = self.sha256(&format!("{key}.sha256"), sha256)?;
        match (hub, path) {
            (Some(_), Some(_)) => fault(words!(
                "'{}' has both 'hub' and 'path'; keep one",
                Foreign::new(key)
            )),
            (None, None) => fault(words!("'{}' needs 'hub' or 'path'", Foreign::new(key))),
            (None, Some(path)) => {
                for (name, given) in [
                    ("file", file.is_some()),
                    ("files", files.is_some()),
                    ("revision", revision.is_some()),
                ] {
                    if given {
                        return fault(words!(
                            "'{}.{}' goes with 'hub', not with 'path'",
                            Foreign::new(key),
                            name
                        ));
                    }
                }
                if path.is_empty() {
                    return fault(words!("'{}.path' is empty", Foreign::new(key)));
                }
                Ok(Source::Path(LocalSource {
                    path: self.folder.join(path),
                    sha256,
                    bytes,
                }))
            }
            (Some(repo), None) => {
                self.hub_name(&format!("{key}.hub"), &repo)?;
                let revision = revision.unwrap_or_else(|| DEFAULT_REVISION.to_owned());
                self.revision(&format!("{key}.revision"), &revision)?;
                let folder = file.is_none();
                let files = match (file, files) {
                    (Some(_), Some(_)) => {
                        return fault(words!(
                            "'{}' has both 'file' and 'files'; keep one",
                            Foreign::new(key)
                        ));
                    }
                    (Some(name), None) => {
                        vec![self.hub_file(
                            &format!("{key}.file"),
                            RawFile {
                                file: name,
                                sha256,
                                bytes,
                            },
                        )?]
                    }
                    (None, _) if sha256.is_some() || bytes.is_some() => {
                        return fault(words!(
                            "'{}.sha256' and '{}.bytes' go with 'file'; \
                             with several files write files: [{{ file: NAME, sha256: HEX }}]",
                            Foreign::new(key),
                            Foreign::new(key)
                        ));
                    }
                    (None, Some(files)) => self.hub_files(key, files)?,
                    (None, None) => {
                        let file = |name: &str| HubFile {
                            name: name.to_owned(),
                            sha256: None,
                            bytes: None,
                        };
                        FOLDER_FILES.map(file).into()
                    }
                };
                Ok(Source::Hub(HubSource {
                    repo,
                    revision,
                    files,
                    folder,
                }))
            }
        }
    }

    fn hub_files(&self, key: &str, files: Vec<RawFile>) -> Result<Vec<HubFile>, YamlError> {
        let list = format!("{key}.files");
        if files.is_empty() {
            return Err(self
                .document
                .invalid(&list, words!("'{}' is empty", Foreign::new(&list))));
        }
        let mut out: Vec<HubFile> = Vec::new();
        for (i, file) in files.into_iter().enumerate() {
            let file = self.hub_file(&format!("{list}.{i}"), file)?;
            if out.iter().any(|other| other.name == file.name) {
                let message = words!(
                    "'{}' names '{}' twice",
                    Foreign::new(&list),
                    Foreign::new(&file.name)
                );
                return Err(self.document.invalid(&format!("{list}.{i}"), message));
            }
            out.push(file);
        }
        Ok(out)
    }

    fn hub_file(&self, key: &str, raw: RawFile) -> Result<HubFile, YamlError> {
        let stays_inside = raw.file.split('/').all(is_plain);
        if !stays_inside {
            let message = words!(
                "'{}' is '{}', which is no file of a repository",
                Foreign::new(key),
                Foreign::new(&raw.file)
            );
            return Err(self.document.invalid(key, message));
        }
        let sha256 = self.sha256(&format!("{key}.sha256"), raw.sha256)?;
        Ok(HubFile {
            name: raw.file,
            sha256,
            bytes: raw.bytes,
        })
    }

    fn hub_name(&self, key: &str, repo: &str) -> Result<(), YamlError> {
        let parts: Vec<&str> = repo.split('/').collect();
        if parts.len() > 2 || !parts.iter().all(|part| is_plain(part)) {
            let message = words!(
                "'{}' is '{}'; write owner/name, as on the hub",
                Foreign::new(key),
                Foreign::new(repo)
            );
            return Err(self.document.invalid(key, message));
        }
        Ok(())
    }

    /// Branches may hold a `/` (`refs/pr/1`).
    fn revision(&self, key: &str, revision: &str) -> Result<(), YamlError> {
        if !revision.split('/').all(is_plain) {
            let message = words!(
                "'{}' is '{}'; write a commit or a branch",
                Foreign::new(key),
                Foreign::new(revision)
            );
            return Err(self.document.invalid(key, message));
        }
        Ok(())
    }

    fn sha256(&self, key: &str, text: Option<String>) -> Result<Option<String>, YamlError> {
        match text {
            Some(text) if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) => {
                let message = words!(
                    "'{}' is '{}'; a sha256 is 64 hex digits",
                    Foreign::new(key),
                    Foreign::new(&text)
                );
                Err(self.document.invalid(key, message))
            }
            text => Ok(text.map(|text| text.to_ascii_lowercase())),
        }
    }

    fn architecture(
        &self,
        kind: Kind,
        architecture: super::Architecture,
    ) -> Result<super::Architecture, YamlError> {
        if kind == Kind::Musicgen && architecture != super::Architecture::default() {
            let message =
                "'architecture' goes with kind: clap; MusicGen's is read from its config.json";
            return Err(self.document.invalid("architecture", message));
        }
        Ok(architecture)
    }

    fn references(&self, keys: Vec<String>) -> Result<Vec<String>, YamlError> {
        for (i, key) in keys.iter().enumerate() {
            if references::find(key).is_none() {
                let known: Vec<&str> = references::known().iter().map(|r| r.key).collect();
                let message = words!(
                    "'cite' names '{}', which is no reference of the program{}",
                    Foreign::new(key),
                    hint(key, &known)
                );
                return Err(self.document.invalid(&format!("cite.{i}"), message));
            }
        }
        Ok(keys)
    }

    fn known(&self, index: usize, raw: RawKnown) -> Result<Known, YamlError> {
        let key = format!("known.{index}");
        if raw.text.trim().is_empty() {
            return Err(self
                .document
                .invalid(&key, words!("'known.{}.text' is empty", index)));
        }
        // The vectors have length 1, so no component is larger.
        if raw.begins.is_empty() || raw.begins.iter().any(|v| !(-1.0..=1.0).contains(v)) {
            let message = words!(
                "'known.{}.begins' must be one or more numbers between -1 and 1",
                index
            );
            return Err(self.document.invalid(&key, message));
        }
        Ok(Known {
            text: raw.text,
            begins: raw.begins,
        })
    }
}

/// A name that can be one step of a path and nothing else.
fn is_plain(part: &str) -> bool {
    !part.is_empty()
        && part != "."
        && part != ".."
        && part.len() <= 200
        && part
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '='))
}
