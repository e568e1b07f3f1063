//! Where the hub and its cache are, from the variables that all of the hub's tools share.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use files::cache;
use files::regular;

use super::error::HubError;

/// A token takes some dozens of bytes.
const LARGEST_TOKEN: u64 = 64 << 10;

/// A hub token. It is shown nowhere, also not by `{:?}`.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// `None` when there is nothing in it.
    ///
    /// # Errors
    /// When it holds characters that cannot be in a token; the message does not show it.
    pub fn new(text: &str) -> Result<Option<Self>, HubError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(HubError::Settings(
                "the hub token (HF_TOKEN or the token file) holds spaces or other characters that no token has; set it again".into(),
            ));
        }
        Ok(Some(Token(text.to_owned())))
    }

    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(...)")
    }
}

/// How long to wait, and how often to try again.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Tries after the first one; counted anew whenever bytes have arrived.
    pub retries: u32,
    /// Before the first retry; doubled for each further one, 30 s at most.
    pub pause: Duration,
    /// For a connection to stand.
    pub connect: Duration,
    /// For the next bytes of an answer.
    pub silence: Duration,
    /// For [`Patience::least`] bytes of a file, again and again until it is whole.
    pub stretch: Duration,
    /// Bytes that a stretch has to bring.
    pub least: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            retries: 5,
            pause: Duration::from_millis(500),
            connect: Duration::from_secs(15),
            silence: Duration::from_secs(30),
            // 17 kB/s: slower than any line that a checkpoint is fetched over on purpose.
            stretch: Duration::from_secs(60),
            least: 1 << 20,
        }
    }
}

/// Everything that the outside decides: explicit, so that tests need not change the process.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `HF_ENDPOINT`; `None`: the public hub, as `hf-hub` knows it.
    pub endpoint: Option<String>,
    /// `HF_HUB_CACHE`, else `hub` in `HF_HOME`, else `huggingface/hub` in the user's cache folder.
    pub cache: PathBuf,
    /// `HF_TOKEN`, else the content of `HF_TOKEN_PATH` or of `token` in `HF_HOME`.
    pub token: Option<Token>,
    /// `HF_HUB_OFFLINE`.
    pub offline: bool,
    /// `SSL_CERT_FILE`: the certificates to trust instead of the built-in ones, for networks with a proxy of their own.
    pub certificates: Option<PathBuf>,
    /// Whether `HTTPS_PROXY` and its kin count.
    pub proxy: bool,
    /// Where hashes already computed are remembered.
    pub checked: PathBuf,
    /// Times and tries.
    pub patience: Patience,
}

impl Settings {
    /// Those of the environment variables.
    ///
    /// # Errors
    /// When there is no home folder and no variable instead, or the token is not one.
    pub fn of_process() -> Result<Self, HubError> {
        Self::from_variables(|name| std::env::var_os(name), cache::folder()?)
    }

    fn from_variables(
        variable: impl Fn(&str) -> Option<OsString>,
        harness_cache: PathBuf,
    ) -> Result<Self, HubError> {
        let set = |name: &str| variable(name).filter(|v| !v.is_empty());
        let path = |name: &str| set(name).map(PathBuf::from);
        let home = path("HF_HOME").or_else(|| {
            let user = path("XDG_CACHE_HOME")
                .or_else(|| etcetera::home_dir().ok().map(|h| h.join(".cache")));
            user.map(|u| u.join("huggingface"))
        });
        let home = home.ok_or_else(|| {
            HubError::Settings(
                "no place for the hub's cache: there is no home folder; set HF_HOME to a folder"
                    .into(),
            )
        })?;
        let token = match set("HF_TOKEN") {
            Some(token) => Token::new(&token.to_string_lossy())?,
            None => {
                let file = path("HF_TOKEN_PATH").unwrap_or_else(|| home.join("token"));
                token_in(&file)?
            }
        };
        let endpoint = set("HF_ENDPOINT").map(|e| e.to_string_lossy().into_owned());
        Ok(Settings {
            endpoint: endpoint.map(|e| e.trim_end_matches('/').to_owned()),
            cache: path("HF_HUB_CACHE").unwrap_or_else(|| home.join("hub")),
            token,
            offline: set("HF_HUB_OFFLINE").is_some_and(|v| is_true(&v.to_string_lossy())),
            certificates: path("SSL_CERT_FILE"),
            proxy: true,
            checked: harness_cache.join("checked"),
            patience: Patience::default(),
        })
    }
}

/// No file, no token. A file that cannot be read is an error: the user thinks that they are signed in.
fn token_in(file: &Path) -> Result<Option<Token>, HubError> {
    match regular::read_text(file, LARGEST_TOKEN) {
        Ok(text) => Token::new(&text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(HubError::io("read", file)(e)),
    }
}

/// What counts as yes for the hub's tools.
fn is_true(text: &str) -> bool {
    ["1", "on", "yes", "true"].contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, HubError> {
        let find = |name: &str| {
            let found = variables.iter().find(|(n, _)| *n == name);
            found.map(|(_, v)| OsString::from(v))
        };
        Settings::from_variables(find, PathBuf::from("/h"))
    }

    #[test]
    fn the_cache_is_where_the_other_tools_have_it() {
        let cache = |v: &[(&str, &str)]| settings(v).unwrap().cache;
        assert_eq!(
            cache(&[("HF_HUB_CACHE", "/c"), ("HF_HOME", "/x")]),
            Path::new("/c")
        );
        assert_eq!(cache(&[("HF_HOME", "/x")]), Path::new("/x/hub"));
        assert_eq!(
            cache(&[("XDG_CACHE_HOME", "/u"), ("HF_HOME", "")]),
            Path::new("/u/huggingface/hub")
        );
    }

    #[test]
    fn the_token_comes_from_the_variable_or_the_file_and_is_never_shown() {
        let home = tempfile::tempdir().unwrap();
        let home_text = home.path().to_str().unwrap();
        std::fs::write(home.path().join("token"), "hf_filed\n").unwrap();
        let filed = settings(&[("HF_HOME", home_text)]).unwrap();
        assert_eq!(filed.token.as_ref().unwrap().header(), "Bearer hf_filed");
        let set = settings(&[("HF_HOME", home_text), ("HF_TOKEN", " hf_set ")]).unwrap();
        assert_eq!(set.token.as_ref().unwrap().header(), "Bearer hf_set");
        assert!(!format!("{set:?}").contains("hf_set"));
        let bad = settings(&[("HF_TOKEN", "hf_a\nb")])
            .unwrap_err()
            .to_string();
        assert!(bad.contains("HF_TOKEN") && !bad.contains("hf_a"), "{bad}");
    }

    #[test]
    fn the_other_variables_are_honoured() {
        let s = settings(&[
            ("HF_HOME", "/x"),
            ("HF_ENDPOINT", "http://mirror/"),
            ("HF_HUB_OFFLINE", "ON"),
            ("SSL_CERT_FILE", "/ca.pem"),
        ])
        .unwrap();
        assert_eq!(s.endpoint.as_deref(), Some("http://mirror"));
        assert!(s.offline);
        assert_eq!(s.certificates.as_deref(), Some(Path::new("/ca.pem")));
        assert!(s.token.is_none());
    }
}
