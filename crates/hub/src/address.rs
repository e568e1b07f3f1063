//! Addresses: where a redirect leads, and which hosts are the hub.

use ureq::http::Uri;

/// Scheme, host and port: what a token is bound to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    pub fn of(url: &str) -> Option<Self> {
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
pub(super) fn join(base: &str, location: &str) -> Option<String> {
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
pub(super) fn content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let start = range.split_once('-')?.0.trim().parse().ok()?;
    match total.trim() {
        "*" => Some((start, None)),
        total => Some((start, Some(total.parse().ok()?))),
    }
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
