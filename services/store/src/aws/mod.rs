//! Configures the AWS SDK: one HTTP stack, one place that decides on path-style addresses.

mod credentials;
mod http;
pub(crate) mod payload;
mod process;
mod process_listener;
mod user_agent;

use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::Builder;
pub use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::config::SharedCredentialsProvider;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_types::service_config::ServiceConfigKey;

pub use self::credentials::NoCredentials;
use self::payload::PayloadDigest;
pub use self::process_listener::{ProcessListener, ProcessNews};
use self::user_agent::PlainUserAgent;
pub use crate::call_log::CallLog;
use crate::settings::{Settings, SettingsError};

/// The region if neither options nor environment nor profile name one.
const FALLBACK_REGION: &str = "us-east-1";
/// Just over the three seconds after which a lost SYN is sent a second time.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);
/// The time from a request to the first byte of its answer; bodies have no deadline, but must not stall.
const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// What gives credentials has deadlines of its own; this is above all of them.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_mins(10);

/// How long the request would be valid that is signed to no purpose.
const SHORTLY: Duration = Duration::from_mins(1);

/// Overrides the SDK's own search (environment, profile, container, instance); `None` leaves it alone.
#[derive(Debug, Clone, Default)]
pub struct AwsOptions {
    pub region: Option<String>,
    pub profile: Option<String>,
    /// Applies to every service, like `AWS_ENDPOINT_URL`.
    pub endpoint_url: Option<String>,
    pub credentials: Option<Credentials>,
    /// Who is told of a `credential_process`.
    pub process_listener: ProcessListener,
}

/// Loads the configuration. It makes no call to AWS beyond those to find a region. Wrong credentials show at the first
/// call, as [`super::StoreError::Credentials`].
///
/// # Errors
///
/// Returns the first setting that can't be used.
pub async fn sdk_config(options: &AwsOptions) -> Result<SdkConfig, SettingsError> {
    let config = found_config(options).await?;
    if config.region().is_some() {
        return Ok(config);
    }
    let fallback = Region::from_static(FALLBACK_REGION);
    Ok(config.into_builder().region(fallback).build())
}

/// Loads the configuration like [`sdk_config`], but without a region if nothing names one.
///
/// # Errors
///
/// Returns the first setting that can't be used.
pub async fn found_config(options: &AwsOptions) -> Result<SdkConfig, SettingsError> {
    let settings = Settings::read(options)?;
    let http = http::client(&settings)?;
    let base = ProviderConfig::without_region().with_http_client(http.clone());
    let region = if let Some(region) = &settings.region {
        Some(Region::new(region.clone()))
    } else {
        let instance = ImdsRegionProvider::builder().configure(&base).build();
        ProvideRegion::region(&instance).await
    };
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts())
        .identity_cache(
            IdentityCache::lazy()
                .load_timeout(CREDENTIALS_TIMEOUT)
                .build(),
        )
        .profile_files(settings.files(None))
        .profile_name(&settings.profile)
        .region(region.clone());
    if settings.retry_mode.is_some() || settings.max_attempts.is_some() {
        loader = loader.retry_config(retries(&settings));
    }
    // One from the environment or the profile stays with the SDK, for which it comes after those of each service.
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let provider = if let Some(credentials) = &options.credentials {
        SharedCredentialsProvider::new(credentials.clone())
    } else {
        let region = region.unwrap_or_else(|| Region::from_static(FALLBACK_REGION));
        let base = base.with_region(Some(region));
        SharedCredentialsProvider::new(credentials::Chain::new(&settings, options, &base))
    };
    Ok(loader.credentials_provider(provider).load().await)
}

/// Creates a client for an S3 at an `http://` address. Nothing of it comes from the environment or from files.
pub fn fixed_client(endpoint: &str, region: &str, credentials: Credentials) -> aws_sdk_s3::Client {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http::plain_client())
        .timeout_config(timeouts())
        .identity_cache(IdentityCache::no_cache())
        .region(Region::new(region.to_owned()))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    let builder = Builder::from(&config)
        .retry_config(RetryConfig::standard())
        .force_path_style(true)
        .interceptor(CallLog)
        .interceptor(PayloadDigest)
        .interceptor(PlainUserAgent);
    aws_sdk_s3::Client::from_conf(builder.build())
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build()
}

/// The SDK knows no `legacy`: that is what older ones of other languages do, and `standard` comes closest.
fn retries(settings: &Settings) -> RetryConfig {
    let mode = settings.retry_mode.as_deref().unwrap_or_default();
    let retries = if mode.eq_ignore_ascii_case("adaptive") {
        RetryConfig::adaptive()
    } else {
        RetryConfig::standard()
    };
    match settings.max_attempts {
        Some(attempts) => retries.with_max_attempts(attempts),
        None => retries,
    }
}

/// Which layer retries a failed call to S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retries {
    /// No layer below the caller: each call is one request, and its failure is reported at once.
    None,
    /// The SDK, as configured (a few times by default).
    Standard,
}

/// Creates a client for S3; it uses path-style addresses if the endpoint is overridden, since `BUCKET.HOST` rarely
/// resolves there.
pub fn s3_client(config: &SdkConfig, retries: Retries) -> aws_sdk_s3::Client {
    let mut builder = Builder::from(config)
        .force_path_style(s3_endpoint(config).is_some())
        .interceptor(CallLog)
        .interceptor(PayloadDigest);
    if retries == Retries::None {
        builder = builder.retry_config(RetryConfig::disabled());
    }
    aws_sdk_s3::Client::from_conf(builder.build())
}

/// Does what a first call would have to do before it is sent: finds credentials, compiles the rules of endpoints. Nothing
/// is sent to S3, and what fails shows at the first call.
pub async fn warm_up(client: &aws_sdk_s3::Client) {
    if let Ok(expiry) = PresigningConfig::expires_in(SHORTLY) {
        let call = client.get_object().bucket("bucket").key("key");
        // Signed, and never sent.
        let _ = call.presigned(expiry).await;
    }
}

/// Returns the endpoint of S3 calls if it is not AWS's own.
pub fn s3_endpoint(config: &SdkConfig) -> Option<String> {
    endpoint_of(config, "S3")
}

/// Returns the endpoint of a service's calls if it is not AWS's own: from the options, from
/// `AWS_ENDPOINT_URL_SERVICE` or `AWS_ENDPOINT_URL`, or from the profile.
pub fn endpoint_of(config: &SdkConfig, service_id: &str) -> Option<String> {
    let general = config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return general;
    }
    // The same lookup as in the SDK's own clients, whose result can't be read back.
    let key = ServiceConfigKey::builder()
        .service_id(service_id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let own = key
        .ok()
        .and_then(|key| config.service_config()?.load_config(key));
    own.or(general)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn options() -> AwsOptions {
        AwsOptions {
            region: Some("eu-west-1".to_owned()),
            endpoint_url: Some("http://127.0.0.1:9".to_owned()),
            credentials: Some(Credentials::new("id", "hush", None, None, "test")),
            ..AwsOptions::default()
        }
    }

    #[tokio::test]
    async fn options_win() {
        let config = sdk_config(&options()).await.unwrap();
        assert_eq!(config.region().unwrap().as_ref(), "eu-west-1");
        assert_eq!(s3_endpoint(&config).as_deref(), Some("http://127.0.0.1:9"));
    }

    #[test]
    fn secrets_are_not_shown() {
        assert!(!format!("{:?}", options()).contains("hush"));
    }
}
