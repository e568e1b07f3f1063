//! Speaks to the hub: what it states of a file, and the file's bytes from an offset on.
//!
//! Redirects are followed here, not by `ureq`: the hub's own answers carry the commit and the hash, the storage host that
//! it redirects to does not; and only the hub's host ever gets the token.

use std::io::Read;
use std::time::Duration;

use foreign::Foreign;
use foreign::words;
use hf_hub::Cache;
use hf_hub::api::sync::ApiBuilder;
use ureq::http::{Method, Request, Response, StatusCode, header};
use ureq::{Agent, Body};

use super::address::{Origin, content_range, join};
use super::client::{agent, passing};
use super::error::HubError;
use super::failure::Failure;
use super::name::{HubFile, is_commit, is_sha256};
use super::pace::Pace;
use super::settings::Settings;

const REDIRECTS: usize = 8;

/// What the hub says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteInfo {
    /// Its size.
    pub bytes: u64,
    /// Of its content; stated for large (LFS) files only.
    pub sha256: Option<String>,
    /// The commit that the revision means now.
    pub commit: String,
}

/// [`RemoteInfo`] with the name of the blob.
#[derive(Debug)]
pub(super) struct Stated {
    pub info: RemoteInfo,
    /// Checked to be a plain file name.
    pub etag: String,
}

/// The bytes of the file from `start` to its end.
pub(super) struct Rest {
    pub start: u64,
    pub reader: Box<dyn Read>,
}

/// One file on the hub.
pub(super) struct Remote<'a> {
    agent: Agent,
    settings: &'a Settings,
    file: &'a HubFile,
    url: String,
    hub: Origin,
}

impl<'a> Remote<'a> {
    pub fn new(settings: &'a Settings, file: &'a HubFile) -> Result<Self, HubError> {
        // `hf-hub` knows the public hub's address and how addresses of files are made.
        let mut api = ApiBuilder::from_cache(Cache::new(settings.cache.clone())).with_token(None);
        if let Some(endpoint) = &settings.endpoint {
            api = api.with_endpoint(endpoint.clone());
        }
        let api = api.build().map_err(|e| {
            HubError::Settings(words!(
                "cannot set up the hub's client: {}",
                Foreign::said(e)
            ))
        })?;
        let url = api.repo(file.hf_repo()).url(&file.file_in_url());
        let hub = Origin::of(&url).ok_or_else(|| {
            HubError::Settings("HF_ENDPOINT is not an address such as https://host".into())
        })?;
        Ok(Remote {
            agent: agent(settings)?,
            settings,
            file,
            url,
            hub,
        })
    }

    /// Ask until there is an answer or patience ends.
    pub fn stated(&self) -> Result<Stated, HubError> {
        let mut tries = 0;
        loop {
            let (cause, status, unreachable) = match self.ask() {
                Ok(stated) => return Ok(stated),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing {
                    cause,
                    status,
                    unreachable,
                }) => (cause, status, unreachable),
            };
            if unreachable || tries >= self.settings.patience.retries {
                let file = Foreign::said(self.file);
                return Err(match status {
                    Some(status) => HubError::Status { file, status },
                    None => HubError::Unreachable {
                        file,
                        cause: Foreign::said(cause),
                    },
                });
            }
            std::thread::sleep(self.pause(tries));
            tries += 1;
        }
    }

    /// How long to wait after `tries` failures in a row.
    pub fn pause(&self, tries: u32) -> Duration {
        let factor = 1u32 << tries.min(10);
        let pause = self.settings.patience.pause.saturating_mul(factor);
        pause.min(Duration::from_secs(30))
    }

    /// Tries that are allowed after the first one.
    pub fn retries(&self) -> u32 {
        self.settings.patience.retries
    }

    fn ask(&self) -> Result<Stated, Failure> {
        let hop = self.send(Method::HEAD, &self.url, None, Follow::OnTheHub)?;
        let header = |name: &str| hop.header(name);
        let protocol = |what: &'static str| Failure::Final(self.protocol(what));
        let commit =
            header("x-repo-commit").ok_or_else(|| protocol("there is no X-Repo-Commit header"))?;
        if !is_commit(&commit) {
            return Err(protocol("its X-Repo-Commit header is no commit"));
        }
        if self.file.pinned_commit() && !commit.eq_ignore_ascii_case(&self.file.revision) {
            return Err(protocol(
                "it is about another commit than the one asked for",
            ));
        }
        let etag = header("x-linked-etag")
            .or_else(|| header("etag"))
            .ok_or_else(|| protocol("there is no ETag header"))?;
        let etag = etag.trim_start_matches("W/").trim_matches('"').to_owned();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if etag.is_empty() || etag.len() > 128 || !etag.bytes().all(plain) {
            return Err(protocol("its ETag header cannot be a file's name"));
        }
        let mut size = header("x-linked-size");
        if size.is_none() {
            let last = match &hop.elsewhere {
                Some(url) => &self.send(Method::HEAD, url, None, Follow::Anywhere)?,
                None => &hop,
            };
            size = last.header(header::CONTENT_LENGTH.as_str());
        }
        let bytes = size
            .and_then(|s| s.parse().ok())
            .ok_or_else(|| protocol("it does not state the file's size"))?;
        let sha256 = is_sha256(&etag).then(|| etag.to_ascii_lowercase());
        Ok(Stated {
            info: RemoteInfo {
                bytes,
                sha256,
                commit,
            },
            etag,
        })
    }

    /// What a transfer is held to.
    pub fn pace(&self) -> Pace<'_> {
        Pace::new(&self.settings.patience)
    }

    /// The bytes from `from` on, or from the start when the server does not do parts of files.
    pub fn rest(&self, from: u64, total: u64) -> Result<Rest, Failure> {
        let hop = self.send(Method::GET, &self.url, Some(from), Follow::Anywhere)?;
        let (start, stated) = if hop.response.status() == StatusCode::PARTIAL_CONTENT {
            let range = hop.header(header::CONTENT_RANGE.as_str());
            range.as_deref().and_then(content_range).ok_or_else(|| {
                Failure::Final(self.protocol("it has no Content-Range that can be read"))
            })?
        } else {
            (0, hop.response.body().content_length())
        };
        if start != 0 && start != from {
            return Err(Failure::Final(
                self.protocol("it is another part of the file than the one asked for"),
            ));
        }
        if stated.is_some_and(|s| s != total) {
            return Err(Failure::Final(
                self.protocol("its size is not the one stated before"),
            ));
        }
        let reader = hop.response.into_body().into_reader();
        Ok(Rest {
            start,
            reader: Box::new(reader.take(total - start)),
        })
    }

    fn send(
        &self,
        method: Method,
        url: &str,
        from: Option<u64>,
        follow: Follow,
    ) -> Result<Hop, Failure> {
        let mut url = url.to_owned();
        for _ in 0..REDIRECTS {
            let origin = Origin::of(&url);
            let on_the_hub = origin.as_ref() == Some(&self.hub);
            let mut request = Request::builder()
                .method(method.clone())
                .uri(&url)
                // Sizes and offsets are those of the file, not of a compressed form.
                .header(header::ACCEPT_ENCODING, "identity");
            if let Some(from) = from {
                request = request.header(header::RANGE, format!("bytes={from}-"));
            }
            if let Some(token) = self.settings.token.as_ref().filter(|_| on_the_hub) {
                request = request.header(header::AUTHORIZATION, token.header());
            }
            let request = request
                .body(())
                .map_err(|_| Failure::Final(self.protocol("it redirects to no address")))?;
            let response = self.agent.run(request).map_err(|e| passing(&e))?;
            if !response.status().is_redirection() {
                self.judge(&response, on_the_hub)?;
                return Ok(Hop {
                    response,
                    elsewhere: None,
                });
            }
            let location = text(&response, header::LOCATION.as_str());
            let next = location.and_then(|l| join(&url, &l));
            let (next, target) = next
                .and_then(|n| Origin::of(&n).map(|o| (n, o)))
                .ok_or_else(|| Failure::Final(self.protocol("it redirects to no address")))?;
            if self.hub.scheme == "https" && target.scheme != "https" {
                return Err(Failure::Final(
                    self.protocol("it redirects to an address without encryption"),
                ));
            }
            if matches!(follow, Follow::OnTheHub) && target != self.hub {
                return Ok(Hop {
                    response,
                    elsewhere: Some(next),
                });
            }
            url = next;
        }
        Err(Failure::Final(self.protocol("it redirects too often")))
    }

    /// Tell the errors of an answer apart. A storage host that refuses may have been handed an address that ran out:
    /// that passes, the hub gives a new one.
    fn judge(&self, response: &Response<Body>, on_the_hub: bool) -> Result<(), Failure> {
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let code = text(response, "x-error-code").unwrap_or_default();
        let passes = matches!(status.as_u16(), 408 | 425 | 429 | 500..);
        if passes || !on_the_hub {
            return Err(Failure::Passing {
                cause: format!("the server answers {status}"),
                status: Some(status.as_u16()),
                unreachable: false,
            });
        }
        let file = Foreign::said(self.file);
        let token = self.settings.token.is_some();
        Err(Failure::Final(match (status.as_u16(), code.as_str()) {
            (401, "GatedRepo") | (403, _) => HubError::Forbidden { file, token },
            (401, _) => HubError::Unauthorised { file, token },
            (404, "EntryNotFound") => HubError::NotFound {
                file,
                what: "the repository has no such file at this revision",
            },
            (404, "RevisionNotFound") => HubError::NotFound {
                file,
                what: "the repository has no such revision",
            },
            (404, "RepoNotFound") => HubError::NotFound {
                file,
                what: "there is no such repository",
            },
            (404, _) => HubError::NotFound {
                file,
                what: "there is no such repository, revision or file",
            },
            (status, _) => HubError::Status { file, status },
        }))
    }

    fn protocol(&self, what: &'static str) -> HubError {
        HubError::Protocol {
            file: Foreign::said(self.file),
            what: what.into(),
        }
    }
}

/// How far to follow redirects.
enum Follow {
    /// Stop before another host, whose answers do not state the commit.
    OnTheHub,
    Anywhere,
}

/// An answer, and where it redirects to if that was not followed.
struct Hop {
    response: Response<Body>,
    elsewhere: Option<String>,
}

impl Hop {
    fn header(&self, name: &str) -> Option<String> {
        text(&self.response, name)
    }
}

fn text(response: &Response<Body>, name: &str) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?;
    Some(value.trim().to_owned())
}
