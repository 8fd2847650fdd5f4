//! The HTTP client of the calls to AWS that are made here: by the same proxies and authorities as the SDK's.

use mrdeck_client::{HttpClientError, http_client_builder};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_store::aws::AwsOptions;
use mrdeck_store::settings::network::Network;
use mrdeck_store::settings::{SettingsError, network};
use reqwest::{Certificate, NoProxy, Proxy};

/// The error of a client that can't be created.
#[derive(Debug, thiserror::Error)]
pub enum AwsHttpError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Http(#[from] HttpClientError),
}

impl From<AwsHttpError> for Diagnostic {
    fn from(error: AwsHttpError) -> Self {
        match error {
            AwsHttpError::Settings(error) => error.into(),
            AwsHttpError::Http(error) => error.into(),
        }
    }
}

/// Creates a client for AWS.
///
/// # Errors
///
/// Returns a setting that can't be used, or that TLS can't be set up.
pub fn http_client(options: &AwsOptions) -> Result<reqwest::Client, AwsHttpError> {
    let network = network(options)?;
    match build(&network, false) {
        Ok(client) => Ok(client),
        // There are no usable certificates of the system; an `http://` endpoint needs none.
        Err(_) => Ok(build(&network, true)?),
    }
}

fn build(network: &Network, trusts_none: bool) -> Result<reqwest::Client, HttpClientError> {
    let mut builder = http_client_builder();
    let direct = || NoProxy::from_string(&network.direct);
    if let Some(proxy) = &network.http {
        builder = builder.proxy(Proxy::http(proxy.url())?.no_proxy(direct()));
    }
    if let Some(proxy) = &network.https {
        builder = builder.proxy(Proxy::https(proxy.url())?.no_proxy(direct()));
    }
    if let Some(authorities) = &network.authorities {
        let certificates = authorities.certificates.iter();
        let certificates: Result<Vec<Certificate>, reqwest::Error> = certificates
            .map(|pem| Certificate::from_pem(pem.as_bytes()))
            .collect();
        builder = builder.tls_certs_only(certificates?);
    } else if trusts_none {
        builder = builder.tls_certs_only([]);
    }
    Ok(builder.build()?)
}
