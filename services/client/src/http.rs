//! The HTTP client behind all requests to services.

use std::time::Duration;

use mrdeck_core::diagnostic::Diagnostic;
use url::Url;

/// The longest that connecting may take. A task in the same region answers in milliseconds; packets that a firewall
/// drops are never answered.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);

/// How long a connection is kept for the next request. It must be less than services keep it: a request on a connection
/// that is just being closed fails. mrdeck's own close it after 10 s without one.
const IDLE: Duration = Duration::from_secs(5);

/// The error of an HTTP client that can't be created.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client can't start: {0}")]
pub struct HttpClientError(#[from] reqwest::Error);

impl From<HttpClientError> for Diagnostic {
    fn from(error: HttpClientError) -> Self {
        Self::new(error.to_string(), "check this machine's TLS certificates")
    }
}

/// Builds the HTTP client for tasks: no redirects, no hidden retries, no delayed small packets, and no proxy but the
/// named one.
///
/// Without usable root certificates it trusts none: `http://` addresses need none, and most tasks have such.
///
/// # Errors
///
/// Returns an error where TLS can't be set up.
pub fn http_client(proxy: Option<&Url>) -> Result<reqwest::Client, HttpClientError> {
    let builder = || -> Result<_, reqwest::Error> {
        let builder = http_client_builder();
        Ok(match proxy {
            Some(url) => builder.proxy(reqwest::Proxy::all(url.as_str())?),
            None => builder,
        })
    };
    let trusting = builder()?.build();
    trusting
        .or_else(|_| builder()?.tls_certs_only([]).build())
        .map_err(HttpClientError)
}

/// Returns what all HTTP clients have in common, however they get to where they call.
pub fn http_client_builder() -> reqwest::ClientBuilder {
    // reqwest takes TLS's cryptography from what the process has installed. This fails only if there is some already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(CONNECT_DEADLINE)
        .tcp_nodelay(true)
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .user_agent(concat!("mrdeck/", env!("CARGO_PKG_VERSION")))
}
