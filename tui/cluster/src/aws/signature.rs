//! Signature Version 4 for the requests of the query client.

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_sdk_ecs::config::ProvideCredentials;
use aws_sdk_ecs::error::BoxError;
use aws_sigv4::http_request::{self, SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;

use super::error::QueryError;
use super::query::{Service, region};

/// Signs a POST, and returns the headers to add to it.
///
/// # Errors
///
/// Returns that there are no credentials to sign with, or what about the request can't be signed.
pub(super) async fn sign(
    sdk: &SdkConfig,
    service: Service,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Vec<(String, String)>, QueryError> {
    let no_credentials = |source: BoxError| QueryError::Credentials { source };
    let provider = sdk
        .credentials_provider()
        .ok_or_else(|| no_credentials("there is no source of them".into()))?;
    let credentials = provider
        .provide_credentials()
        .await
        .map_err(|error| no_credentials(error.into()))?;
    let identity = credentials.into();
    let unmade = |source: BoxError| QueryError::Unmade {
        service: service.id,
        source,
    };
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region(sdk))
        .name(service.name)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| unmade(error.into()))?
        .into();
    let body = SignableBody::Bytes(body.as_bytes());
    let request = SignableRequest::new("POST", url, headers.iter().copied(), body)
        .map_err(|error| unmade(error.into()))?;
    let (instructions, _) = http_request::sign(request, &params)
        .map_err(|error| unmade(error.into()))?
        .into_parts();
    let headers = instructions.headers();
    Ok(headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}
