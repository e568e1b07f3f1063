//! What a card names: repository, file, revision, pin. Strangers write cards, so every part is checked before it becomes
//! part of a path or an address.

use std::fmt;

use foreign::Foreign;
use hf_hub::{Repo, RepoType};
use serde::Serialize;

use super::error::HubError;

/// What a repository holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RepoKind {
    /// Checkpoints, tokenizers.
    #[default]
    Model,
    /// Prompts, audio.
    Dataset,
}

/// One file of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HubFile {
    /// `owner/name`, or `name` for the oldest ones.
    pub repo: String,
    /// What the repository holds.
    pub kind: RepoKind,
    /// Path in the repository, with `/`.
    pub file: String,
    /// A commit; a branch or tag works too, but may name other bytes tomorrow.
    pub revision: String,
    /// What the content must be, in hex, if the card says so.
    pub sha256: Option<String>,
}

impl fmt::Display for HubFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} at {}", self.file, self.repo, self.revision)
    }
}

impl HubFile {
    /// Whether the revision is a full commit, which always names the same bytes.
    pub(super) fn pinned_commit(&self) -> bool {
        is_commit(&self.revision)
    }

    /// The card's hash in lower case.
    pub(super) fn pin(&self) -> Option<String> {
        self.sha256.as_ref().map(|s| s.to_ascii_lowercase())
    }

    /// As `hf-hub` names the repository.
    pub(super) fn hf_repo(&self) -> Repo {
        let kind = match self.kind {
            RepoKind::Model => RepoType::Model,
            RepoKind::Dataset => RepoType::Dataset,
        };
        Repo::with_revision(self.repo.clone(), kind, self.revision.clone())
    }

    /// The file's path as part of an address.
    pub(super) fn file_in_url(&self) -> String {
        let mut out = String::with_capacity(self.file.len());
        for byte in self.file.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                    out.push(char::from(byte));
                }
                other => out.push_str(&format!("%{other:02X}")),
            }
        }
        out
    }

    /// # Errors
    /// [`HubError::Name`] when a part could leave its folder or is not what such a part looks like.
    pub fn check(&self) -> Result<(), HubError> {
        let wrong = |what: &'static str, given: &str, expected: &'static str| {
            Err(HubError::Name {
                what,
                given: Foreign::new(given),
                expected,
            })
        };
        let word = |s: &str| {
            s.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        let parts: Vec<&str> = self.repo.split('/').collect();
        let double = self.repo.contains("--") || self.repo.contains("..");
        if parts.len() > 2 || double || !parts.iter().all(|p| is_plain(p) && word(p)) {
            return wrong(
                "repository",
                &self.repo,
                "`owner/name` of letters, digits and - _ .",
            );
        }
        if !self.revision.split('/').all(|p| is_plain(p) && word(p)) {
            return wrong("revision", &self.revision, "a commit, or a branch or tag");
        }
        if !self.file.split('/').all(is_plain) {
            return wrong(
                "file",
                &self.file,
                "a path inside the repository, such as `folder/model.safetensors`",
            );
        }
        match &self.sha256 {
            Some(pin) if !is_sha256(pin) => wrong("sha256", pin, "64 hexadecimal digits"),
            _ => Ok(()),
        }
    }
}

/// A part of a path that stays where it is put, on any system.
fn is_plain(part: &str) -> bool {
    !part.is_empty()
        && part != "."
        && part != ".."
        && !part.contains(['\\', ':', '\0'])
        && !part.chars().any(char::is_control)
}

/// A full git commit: 40 hex digits, or 64 in newer repositories.
pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(repo: &str, file: &str, revision: &str) -> HubFile {
        HubFile {
            repo: repo.to_owned(),
            kind: RepoKind::Model,
            file: file.to_owned(),
            revision: revision.to_owned(),
            sha256: None,
        }
    }

    #[test]
    fn real_names_pass() {
        for (repo, name, revision) in [
            ("lukewys/laion_clap", "630k-audioset-fusion-best.pt", "main"),
            ("roberta-base", "tokenizer.json", "refs/pr/5"),
            ("a/b.c_d-e", "sub folder/größe [1].bin", "v1.0"),
        ] {
            file(repo, name, revision).check().unwrap();
        }
    }

    #[test]
    fn no_part_leaves_its_folder() {
        for bad in [
            "",
            "..",
            "../x",
            "a/../b",
            "/etc/passwd",
            "a//b",
            "a\\b",
            "a\0b",
            "a/",
            "c:x",
            "a/./b",
        ] {
            for wrong in [
                file(bad, "f", "main"),
                file("a/b", bad, "main"),
                file("a/b", "f", bad),
            ] {
                let error = wrong.check().unwrap_err();
                assert!(matches!(error, HubError::Name { .. }), "{bad:?}");
            }
        }
        for repo in ["a/b/c", "a b", "a?b", "a%2e", "a--b/c"] {
            assert!(file(repo, "f", "main").check().is_err(), "{repo}");
        }
    }

    #[test]
    fn a_pin_is_64_digits_in_either_case() {
        let mut pinned = file("a/b", "f", "main");
        pinned.sha256 = Some("AB".repeat(32));
        pinned.check().unwrap();
        assert_eq!(pinned.pin(), Some("ab".repeat(32)));
        pinned.sha256 = Some("ab".repeat(31));
        assert!(pinned.check().is_err());
    }

    #[test]
    fn odd_characters_are_escaped_in_addresses() {
        let odd = file("a/b", "x y/ü?#%.pt", "main");
        assert_eq!(odd.file_in_url(), "x%20y/%C3%BC%3F%23%25.pt");
    }
}
