//! The HTTP client of the AWS SDK: its proxies, and the certificate authorities that it trusts.

use std::error::Error;
use std::io;
use std::sync::{Arc, LazyLock};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::settings::network::{Network, Proxy, named_by_environment};
use crate::settings::{Origin, Settings, SettingsError};

/// Proxy Authentication Required.
const UNAUTHORIZED: u16 = 407;

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
pub(super) fn client(settings: &Settings) -> Result<SharedHttpClient, SettingsError> {
    let network = &settings.network;
    let trusted = match &network.authorities {
        Some(authorities) => authorities
            .certificates
            .iter()
            .fold(TrustStore::empty(), |store, pem| {
                store.with_pem_certificate(pem.as_bytes())
            }),
        None => system_store(settings.endpoint.as_deref())?,
    };
    let Ok(context) = TlsContext::builder().with_trust_store(trusted).build() else {
        // It is never refused: nothing in it can be wrong.
        return Ok(plain_client());
    };
    // To read the certificates takes longer than a call on this machine.
    let http = match &network.http {
        None => plain_client(),
        proxy => through(
            config(network, proxy.as_ref(), ProxyConfig::http),
            context.clone(),
        ),
    };
    Ok(SharedHttpClient::new(Clients {
        http,
        https: through(
            config(network, network.https.as_ref(), ProxyConfig::https),
            context,
        ),
        network: Arc::new(network.clone()),
    }))
}

/// Returns the system's certificates, unless the environment names others that can't be used.
fn system_store(endpoint: Option<&str>) -> Result<TrustStore, SettingsError> {
    let Err(detail) = &*AUTHORITIES else {
        return Ok(TrustStore::default());
    };
    match named_by_environment() {
        Some((name, value)) if !endpoint.is_some_and(is_plain) => {
            Err(SettingsError::NoAuthorities {
                origin: Origin::Variable(name.to_owned()),
                value,
                detail: detail.clone(),
            })
        }
        _ => Ok(TrustStore::empty()),
    }
}

/// Returns how one scheme's calls are sent.
fn config<E>(
    network: &Network,
    proxy: Option<&Proxy>,
    of_scheme: fn(String) -> Result<ProxyConfig, E>,
) -> ProxyConfig {
    let proxy = proxy.map(|proxy| of_scheme(proxy.url().to_owned()));
    match proxy {
        Some(Ok(config)) => config.no_proxy(&network.direct),
        // Its address was checked when it was read.
        Some(Err(_)) | None => ProxyConfig::disabled(),
    }
}

fn through(proxy: ProxyConfig, context: TlsContext) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder().proxy_config(proxy.clone());
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        builder
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.clone())
            .build()
    })
}

/// Creates a client for `http://` alone, which needs no certificates and goes through no proxy.
pub(super) fn plain_client() -> SharedHttpClient {
    Builder::new().build_http()
}

fn is_plain(url: &str) -> bool {
    url.get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("http://"))
}

/// Two clients, since one can't have two proxies.
#[derive(Debug, Clone)]
struct Clients {
    http: SharedHttpClient,
    https: SharedHttpClient,
    network: Arc<Network>,
}

impl HttpClient for Clients {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(ByScheme {
            clients: self.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

/// Sends each request by the client of its scheme, and says what was on the way of one that failed. A scheme that is not
/// used costs nothing: the certificates are read for the first call that needs them.
#[derive(Debug)]
struct ByScheme {
    clients: Clients,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri = request.uri().to_owned();
        let clients = &self.clients;
        let client = if is_plain(&uri) {
            &clients.http
        } else {
            &clients.https
        };
        let connector = client.http_connector(&self.settings, &self.components);
        let answer = connector.call(request);
        let network = clients.network.clone();
        HttpConnectorFuture::new(async move {
            match answer.await {
                Ok(answer) if answer.status().as_u16() == UNAUTHORIZED => {
                    Err(unauthorized(&network, &uri))
                }
                Ok(answer) => Ok(answer),
                Err(error) => Err(explained(error, &network, &uri)),
            }
        })
    }
}

/// What was on the way of a call that failed.
#[derive(Debug, thiserror::Error)]
enum OnTheWay {
    #[error(
        "the certificate is of no authority that is trusted here; name a file with your network's in AWS_CA_BUNDLE"
    )]
    Authority { source: ConnectorError },
    #[error(
        "the proxy {shown} ({origin}) wants a user and a password: http://USER:PASSWORD@HOST:PORT"
    )]
    Unauthorized { shown: String, origin: Origin },
    #[error("through the proxy {shown} ({origin})")]
    Proxy {
        shown: String,
        origin: Origin,
        source: ConnectorError,
    },
}

/// Returns what an answer with 407 means: it is not AWS's.
fn unauthorized(network: &Network, uri: &str) -> ConnectorError {
    let refused: Box<dyn Error + Send + Sync> = match network.proxy_of(uri) {
        Some(proxy) => Box::new(OnTheWay::Unauthorized {
            shown: proxy.shown(),
            origin: proxy.origin.clone(),
        }),
        None => "a proxy that no setting names wants a user and a password (HTTP 407)".into(),
    };
    // Asking again with the same words is in vain.
    ConnectorError::user(refused)
}

/// Returns the error with what a person has to look at, and of the kind by which the SDK decides on a retry.
fn explained(error: ConnectorError, network: &Network, uri: &str) -> ConnectorError {
    let (is_timeout, is_io) = (error.is_timeout(), error.is_io());
    let source = if is_of_unknown_authority(&error) {
        OnTheWay::Authority { source: error }
    } else if let Some(proxy) = network.proxy_of(uri) {
        OnTheWay::Proxy {
            shown: proxy.shown(),
            origin: proxy.origin.clone(),
            source: error,
        }
    } else {
        return error;
    };
    if is_timeout {
        ConnectorError::timeout(source.into())
    } else if is_io {
        ConnectorError::io(source.into())
    } else {
        ConnectorError::other(source.into(), None)
    }
}

fn is_of_unknown_authority(error: &(dyn Error + 'static)) -> bool {
    let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
    let is_unknown = |error: &(dyn Error + 'static)| error.downcast_ref() == Some(&unknown);
    std::iter::successors(Some(error), |error| (*error).source()).any(|error| {
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        is_unknown(error) || inner.is_some_and(|inner| is_unknown(inner))
    })
}
