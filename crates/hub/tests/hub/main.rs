//! Downloads from a small local hub that misbehaves: cut lines, wrong bytes, refusals. Loopback only.

mod cuts;
mod hashes;
#[path = "../../../../tests/support/hub_server.rs"]
mod hub_server;
mod refusals;
mod whole;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use files::sha256_bytes;
use hub::{Fetched, Hub, HubError, HubFile, Patience, RepoKind, Settings};
use hub_server::{COMMIT, HubServer};
use tempfile::TempDir;

/// 300,000 bytes that do not repeat in step with any buffer.
fn weights() -> Vec<u8> {
    (0..300_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

fn file() -> HubFile {
    HubFile {
        repo: "lukewys/laion_clap".to_owned(),
        kind: RepoKind::Model,
        file: "sub/630k best.pt".to_owned(),
        revision: COMMIT.to_owned(),
        sha256: None,
    }
}

/// A cache in an empty folder, and the hub seen through it.
struct Machine {
    root: TempDir,
}

impl Machine {
    fn new() -> Self {
        Machine {
            root: tempfile::tempdir().unwrap(),
        }
    }

    fn settings(&self, url: &str) -> Settings {
        Settings {
            endpoint: Some(url.to_owned()),
            cache: self.cache(),
            token: None,
            offline: false,
            certificates: None,
            proxy: false,
            checked: self.root.path().join("checked"),
            patience: Patience {
                retries: 3,
                pause: Duration::from_millis(1),
                connect: Duration::from_secs(5),
                silence: Duration::from_secs(5),
                ..Patience::default()
            },
        }
    }

    fn hub(&self, server: &HubServer) -> Hub {
        Hub::new(self.settings(&server.url))
    }

    fn fetch(&self, server: &HubServer, file: &HubFile) -> Result<Fetched, HubError> {
        self.hub(server).fetch(file, false)
    }

    fn cache(&self) -> PathBuf {
        self.root.path().join("hub")
    }

    fn repo(&self) -> PathBuf {
        self.cache().join("models--lukewys--laion_clap")
    }

    fn blobs(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.repo().join("blobs")) else {
            return Vec::new();
        };
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// What an earlier run left when it was killed.
    fn leave_partial(&self, bytes: &[u8]) {
        let blobs = self.repo().join("blobs");
        fs::create_dir_all(&blobs).unwrap();
        let name = format!("{}.incomplete", sha256_bytes(&weights()));
        fs::write(blobs.join(name), bytes).unwrap();
    }
}

fn assert_whole(fetched: &Fetched) {
    assert_eq!(fs::read(&fetched.path).unwrap(), weights());
    assert_eq!(fetched.sha256, sha256_bytes(&weights()));
    assert_eq!(fetched.bytes, weights().len() as u64);
    assert_eq!(fetched.revision, COMMIT);
}

fn assert_says(error: &HubError, parts: &[&str]) {
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "`{part}` in: {message}");
    }
}
