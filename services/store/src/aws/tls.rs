//! The HTTP client of the AWS SDK, and the certificate authorities that it trusts.

use std::sync::LazyLock;

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::settings::{Origin, SettingsError};

/// The variables that name other certificates than the system's.
const NAMES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Whether there is a certificate to trust, or why not. The SDK panics in a debug build if there is none.
static AUTHORITIES: LazyLock<Result<(), String>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    let (usable, _) = rustls::RootCertStore::empty().add_parsable_certificates(found.certs);
    if usable > 0 {
        return Ok(());
    }
    let error = found.errors.first();
    Err(error.map_or("there is none".to_owned(), ToString::to_string))
});

/// Creates a client for `http://` and `https://`. Where all calls go to an `http://` endpoint, it needs no certificates.
///
/// # Errors
///
/// Returns that the environment names certificates of which none can be used.
pub(super) fn client(endpoint: Option<&str>) -> Result<SharedHttpClient, SettingsError> {
    let mut trusted = TrustStore::default();
    if let Err(detail) = &*AUTHORITIES {
        trusted = TrustStore::empty();
        let named = NAMES.into_iter().find_map(|name| {
            let value = std::env::var_os(name)?;
            Some((name, value.to_string_lossy().into_owned()))
        });
        let is_plain = endpoint.is_some_and(is_plain);
        if let (Some((name, value)), false) = (named, is_plain) {
            return Err(SettingsError::NoAuthorities {
                origin: Origin::Variable(name.to_owned()),
                value,
                detail: detail.clone(),
            });
        }
    }
    let context = TlsContext::builder().with_trust_store(trusted).build();
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    Ok(match context {
        Ok(context) => builder.tls_context(context).build_https(),
        // It is never refused: nothing in it can be wrong.
        Err(_) => plain_client(),
    })
}

/// Creates a client for `http://` alone, which needs no certificates.
pub(super) fn plain_client() -> SharedHttpClient {
    Builder::new().build_http()
}

fn is_plain(url: &str) -> bool {
    url.get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("http://"))
}
