//! Speaks to the hub: what it states of a file, and the file's bytes from an offset on.
//!
//! Redirects are followed here, not by `ureq`: the hub's own answers carry the commit and the hash, the storage host that
//! it redirects to does not; and only the hub's host ever gets the token.

use std::io::Read;
use std::time::Duration;

use hf_hub::Cache;
use hf_hub::api::sync::ApiBuilder;
use ureq::http::{Method, Request, Response, StatusCode, Uri, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Proxy};

use super::error::HubError;
use super::name::{HubFile, is_commit, is_sha256};
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

/// Why an answer did not come.
#[derive(Debug)]
pub(super) enum Failure {
    /// Trying again is no use.
    Final(HubError),
    /// It may pass.
    Passing {
        cause: String,
        status: Option<u16>,
        /// The hub was not spoken to at all.
        unreachable: bool,
    },
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
        let api = api
            .build()
            .map_err(|e| HubError::Settings(format!("cannot set up the hub's client: {e}")))?;
        let url = api.repo(file.hf_repo()).url(&file.file_in_url());
        let hub = Origin::of(&url).ok_or_else(|| {
            HubError::Settings("HF_ENDPOINT is not an address such as https://host".to_owned())
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
                let file = self.file.to_string();
                return Err(match status {
                    Some(status) => HubError::Status { file, status },
                    None => HubError::Unreachable { file, cause },
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
        let protocol = |what: &str| Failure::Final(self.protocol(what));
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
        let file = self.file.to_string();
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

    fn protocol(&self, what: &str) -> HubError {
        HubError::Protocol {
            file: self.file.to_string(),
            what: what.to_owned(),
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

/// Scheme, host and port: what a token is bound to.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let usual = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        Some(Origin {
            host: uri.host()?.to_ascii_lowercase(),
            port: uri.port_u16().unwrap_or(usual),
            scheme,
        })
    }
}

/// The address that a `Location` header means on the page `base`.
fn join(base: &str, location: &str) -> Option<String> {
    if location.contains("://") && location.find("://") < location.find('/') {
        return Some(location.to_owned());
    }
    let (scheme, rest) = base.split_once("://")?;
    if location.starts_with("//") {
        return Some(format!("{scheme}:{location}"));
    }
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    if location.starts_with('/') {
        return Some(format!("{scheme}://{host}{location}"));
    }
    let path = path.split(['?', '#']).next()?;
    let folder = path.rfind('/').map_or("", |at| &path[..at]);
    Some(format!("{scheme}://{host}{folder}/{location}"))
}

/// `bytes 100-199/200` gives 100 and 200; the size may be `*`.
fn content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let start = range.split_once('-')?.0.trim().parse().ok()?;
    match total.trim() {
        "*" => Some((start, None)),
        total => Some((start, Some(total.parse().ok()?))),
    }
}

fn passing(error: &ureq::Error) -> Failure {
    use std::io::ErrorKind as Kind;
    use ureq::{Error, Timeout};
    let unreachable = match error {
        Error::HostNotFound | Error::ConnectionFailed | Error::InvalidProxyUrl => true,
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => true,
        Error::Tls(_) | Error::Rustls(_) => true,
        Error::Io(e) => matches!(
            e.kind(),
            Kind::ConnectionRefused | Kind::HostUnreachable | Kind::NetworkUnreachable
        ),
        _ => false,
    };
    let mut cause = error.to_string();
    // An invalid certificate arrives as an I/O error.
    if cause.to_lowercase().contains("certificate") {
        cause += " (where a proxy decrypts traffic, set SSL_CERT_FILE to its certificates)";
    }
    Failure::Passing {
        cause,
        status: None,
        unreachable,
    }
}

fn agent(settings: &Settings) -> Result<Agent, HubError> {
    let patience = &settings.patience;
    let mut config = Agent::config_builder()
        .user_agent(concat!("harness/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.silence))
        .timeout_per_read(Some(patience.silence))
        .timeout_per_write(Some(patience.silence));
    if !settings.proxy {
        config = config.proxy(None::<Proxy>);
    }
    if let Some(path) = &settings.certificates {
        let pem = std::fs::read(path).map_err(HubError::io("read SSL_CERT_FILE", path))?;
        let certificates: Vec<_> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            let path = path.display();
            return Err(HubError::Settings(format!(
                "SSL_CERT_FILE names {path}, which holds no certificate; correct it or unset it"
            )));
        }
        let tls = TlsConfig::builder().root_certs(RootCerts::from(certificates));
        config = config.tls_config(tls.build());
    }
    Ok(config.build().new_agent())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_joined_as_browsers_do() {
        let base = "http://h:1/a/b/resolve/main/f?x=/y";
        assert_eq!(join(base, "https://cdn/z").unwrap(), "https://cdn/z");
        assert_eq!(join(base, "//cdn/z").unwrap(), "http://cdn/z");
        assert_eq!(
            join(base, "/api/z?u=http://q").unwrap(),
            "http://h:1/api/z?u=http://q"
        );
        assert_eq!(join(base, "g").unwrap(), "http://h:1/a/b/resolve/main/g");
        assert_eq!(join("http://h", "g").unwrap(), "http://h/g");
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert_eq!(Origin::of("https://H/a"), Origin::of("https://h:443/b"));
        for other in ["http://h", "https://h:8443", "https://g", "https://h.evil"] {
            assert_ne!(Origin::of("https://h"), Origin::of(other), "{other}");
        }
        assert_eq!(Origin::of("ftp://h"), None);
        assert_eq!(Origin::of("h/a"), None);
    }

    #[test]
    fn content_ranges() {
        assert_eq!(content_range("bytes 100-199/200"), Some((100, Some(200))));
        assert_eq!(content_range("bytes 0-1/*"), Some((0, None)));
        for bad in [
            "",
            "bytes */200",
            "bytes 1-2",
            "items 0-1/2",
            "bytes -1-2/x",
        ] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }
}
