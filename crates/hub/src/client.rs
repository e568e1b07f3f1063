//! Sets the HTTP client up and sorts its failures.

use files::regular;
use foreign::words;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Proxy};

use super::error::HubError;
use super::failure::Failure;
use super::settings::Settings;

/// The certificates that systems come with take 250 kB.
const LARGEST_CERTIFICATES: u64 = 64 << 20;

/// What `ureq` failed at, and whether the hub was reached.
pub(super) fn passing(error: &ureq::Error) -> Failure {
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

/// A client with the settings' limits and certificates; it follows no redirect and takes every status for an answer.
pub(super) fn agent(settings: &Settings) -> Result<Agent, HubError> {
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
        let pem = regular::read(path, LARGEST_CERTIFICATES)
            .map_err(HubError::io("read SSL_CERT_FILE", path))?;
        let certificates: Vec<_> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            let path = path.display();
            return Err(HubError::Settings(words!(
                "SSL_CERT_FILE names {}, which holds no certificate; correct it or unset it",
                path
            )));
        }
        let tls = TlsConfig::builder().root_certs(RootCerts::from(certificates));
        config = config.tls_config(tls.build());
    }
    Ok(config.build().new_agent())
}
