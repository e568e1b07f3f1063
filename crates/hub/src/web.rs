//! Fetches a small file from anywhere on the web, known by its hash, into the harness' own cache.
//!
//! The hash is all the trust there is: a file that has another never gets its name in the cache, and one that is there
//! needs no network. No token is sent: the hub's is for the hub.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use files::cache;
use foreign::Foreign;
use indicatif::DecimalBytes;
use process::progress;
use ureq::Agent;
use ureq::http::{Request, Response, header};

use super::address::{Origin, join};
use super::client::{agent, passing};
use super::error::HubError;
use super::failure::Failure;
use super::pace::Pace;
use super::settings::Settings;

const REDIRECTS: usize = 8;

/// Why a file is not here.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    #[error(
        "{url} (sha256 {sha256}) is not in the cache, and --offline forbids to download it; run once with a network, or \
         name a copy of the file with `path`"
    )]
    Offline { url: Foreign, sha256: Foreign },
    #[error(
        "cannot fetch {url}: {cause}; check the network, or name a copy of the file with `path`"
    )]
    Unreachable { url: Foreign, cause: Foreign },
    #[error("{url} answers {status}; correct the address, or name a copy of the file with `path`")]
    Status { url: Foreign, status: u16 },
    #[error("{url} holds more than {limit_bytes} bytes, the most for such a file; it was not kept")]
    TooLarge { url: Foreign, limit_bytes: u64 },
    #[error(
        "{url} is not the file that the experiment pins: `sha256` says {pinned}, the file has {found}; it was not kept. \
         Correct `sha256` if you trust this file, or name a copy of the pinned one with `path`"
    )]
    Mismatch {
        url: Foreign,
        pinned: Foreign,
        found: Foreign,
    },
    #[error("cannot {action} {}: {}", path.display(), files::advice(source, "HARNESS_CACHE"))]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(transparent)]
    Settings(#[from] HubError),
    #[error(transparent)]
    NoCacheFolder(#[from] cache::NoCacheFolder),
}

impl WebError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

/// The file of at most `limit_bytes` at `url`, whose content has the hash `sha256` (lower-case hex), from the cache or
/// from there.
pub fn fetch_pinned(
    url: &str,
    sha256: &str,
    limit_bytes: u64,
    offline: bool,
) -> Result<PathBuf, WebError> {
    let folder = cache::folder()?.join("downloads");
    let path = folder.join(sha256);
    if path.is_file() {
        let found = files::sha256_file(&path).map_err(WebError::io("read", &path))?;
        if found == sha256 {
            return Ok(path);
        }
        progress::note(format!(
            "{} is damaged and is fetched again",
            path.display()
        ));
    }
    if offline {
        return Err(WebError::Offline {
            url: Foreign::said(url),
            sha256: Foreign::new(sha256),
        });
    }
    let bytes = Web::new(url, limit_bytes)?.bytes()?;
    let found = files::sha256_bytes(&bytes);
    if found != sha256 {
        return Err(WebError::Mismatch {
            url: Foreign::said(url),
            pinned: Foreign::new(sha256),
            found: Foreign::new(found),
        });
    }
    fs::create_dir_all(&folder).map_err(WebError::io("make", &folder))?;
    files::write_bytes(&path, &bytes).map_err(WebError::io("write", &path))?;
    progress::note(format!(
        "downloaded {url} ({})",
        DecimalBytes(bytes.len() as u64)
    ));
    Ok(path)
}

struct Web<'a> {
    agent: Agent,
    settings: Settings,
    url: &'a str,
    limit_bytes: u64,
}

impl<'a> Web<'a> {
    fn new(url: &'a str, limit_bytes: u64) -> Result<Self, WebError> {
        let settings = Settings::of_process()?;
        Ok(Self {
            agent: agent(&settings)?,
            settings,
            url,
            limit_bytes,
        })
    }

    /// The whole file; failures that may pass are tried again.
    fn bytes(&self) -> Result<Vec<u8>, WebError> {
        let patience = &self.settings.patience;
        let mut tries = 0;
        loop {
            let (cause, status, unreachable) = match self.attempt()? {
                Ok(bytes) => return Ok(bytes),
                Err(Failure::Final(error)) => return Err(error.into()),
                Err(Failure::Passing {
                    cause,
                    status,
                    unreachable,
                }) => (cause, status, unreachable),
            };
            if unreachable || tries >= patience.retries {
                return Err(match status {
                    Some(status) => WebError::Status {
                        url: Foreign::said(self.url),
                        status,
                    },
                    None => self.unreachable(&cause),
                });
            }
            std::thread::sleep(patience.pause.saturating_mul(1 << tries.min(6)));
            tries += 1;
        }
    }

    /// One request: an outer error ends it, an inner one may pass.
    fn attempt(&self) -> Result<Result<Vec<u8>, Failure>, WebError> {
        let response = match self.answer()? {
            Ok(response) => response,
            Err(failure) => return Ok(Err(failure)),
        };
        let status = response.status();
        if !status.is_success() {
            let url = Foreign::said(self.url);
            let status = status.as_u16();
            return match status {
                408 | 429 | 500.. => Ok(Err(broken(&format!("it answers {status}"), Some(status)))),
                _ => Err(WebError::Status { url, status }),
            };
        }
        let too_large = || WebError::TooLarge {
            url: Foreign::said(self.url),
            limit_bytes: self.limit_bytes,
        };
        let stated = response.body().content_length();
        if stated.is_some_and(|stated| stated > self.limit_bytes) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        let mut body = response
            .into_body()
            .into_reader()
            .take(self.limit_bytes.saturating_add(1));
        let mut pace = Pace::new(&self.settings.patience);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let came = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(came) => came,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Ok(Err(broken(&e.to_string(), None))),
            };
            bytes.extend_from_slice(&buffer[..came]);
            pace.count(came as u64)
                .map_err(|cause| self.unreachable(&cause))?;
        }
        let have = bytes.len() as u64;
        match stated {
            _ if have > self.limit_bytes => Err(too_large()),
            Some(stated) if stated != have => Ok(Err(broken("the connection ended early", None))),
            _ => Ok(Ok(bytes)),
        }
    }

    /// The answer behind all redirects, which never lead from https to http.
    fn answer(&self) -> Result<Result<Response<ureq::Body>, Failure>, WebError> {
        let mut url = self.url.to_owned();
        for _ in 0..=REDIRECTS {
            let request = Request::get(&url)
                .header(header::ACCEPT_ENCODING, "identity")
                .body(())
                .map_err(|e| self.unreachable(&e.to_string()))?;
            let response = match self.agent.run(request) {
                Ok(response) => response,
                Err(e) => return Ok(Err(passing(&e))),
            };
            if !response.status().is_redirection() {
                return Ok(Ok(response));
            }
            let location = response.headers().get(header::LOCATION);
            let next = location
                .and_then(|location| join(&url, location.to_str().ok()?))
                .ok_or_else(|| self.unreachable("it redirects to no address"))?;
            let scheme = |url: &str| Origin::of(url).map(|origin| origin.scheme);
            if scheme(&url).as_deref() == Some("https") && scheme(&next).as_deref() != Some("https")
            {
                return Err(self.unreachable("it redirects to an address without https"));
            }
            url = next;
        }
        Err(self.unreachable("it redirects without end"))
    }

    fn unreachable(&self, cause: &str) -> WebError {
        WebError::Unreachable {
            url: Foreign::said(self.url),
            cause: Foreign::said(cause),
        }
    }
}

fn broken(cause: &str, status: Option<u16>) -> Failure {
    Failure::Passing {
        cause: cause.to_owned(),
        status,
        unreachable: false,
    }
}
