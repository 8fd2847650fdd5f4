//! The AWS SDK's configuration: one HTTP stack, one place that decides on path-style addresses.

use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::Builder;
pub use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::config::SharedCredentialsProvider;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_types::service_config::ServiceConfigKey;

pub use crate::call_log::CallLog;

/// Where requests go if neither options nor environment nor profile name a region.
const FALLBACK_REGION: &str = "us-east-1";
/// Just over the three seconds after which a lost SYN is sent a second time.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);
/// From sending a request to the answer's first byte; bodies have no deadline, but must not stall.
const READ_TIMEOUT: Duration = Duration::from_mins(1);

/// What is to override the SDK's own search (environment, profile, container, instance); `None` leaves it alone.
#[derive(Debug, Clone, Default)]
pub struct AwsOptions {
    pub region: Option<String>,
    pub profile: Option<String>,
    /// Holds for every service, like `AWS_ENDPOINT_URL`.
    pub endpoint_url: Option<String>,
    pub credentials: Option<Credentials>,
}

/// Loads the configuration. It makes no call to AWS beyond what finding a region takes, and never
/// fails: wrong credentials show at the first call, as [`super::StoreError::Credentials`].
pub async fn sdk_config(options: &AwsOptions) -> SdkConfig {
    let config = found_config(options).await;
    if config.region().is_some() {
        return config;
    }
    config
        .into_builder()
        .region(Region::from_static(FALLBACK_REGION))
        .build()
}

/// The same, without a region where nothing names one.
pub async fn found_config(options: &AwsOptions) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let profiles_http = http.clone();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts);
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(credentials) = &options.credentials {
        loader = loader.credentials_provider(credentials.clone());
    }
    let config = loader.load().await;
    let (Some(profile), None) = (&options.profile, &options.credentials) else {
        return config;
    };
    // Whoever names a profile means its credentials, as for the AWS CLI: not those in the environment, which the
    // SDK's own search would take first.
    let region = config.region().cloned();
    let settings = ProviderConfig::without_region()
        .with_region(region.or_else(|| Some(Region::from_static(FALLBACK_REGION))))
        .with_http_client(profiles_http);
    let provider = ProfileFileCredentialsProvider::builder()
        .configure(&settings)
        .profile_name(profile)
        .build();
    config
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .build()
}

/// Who tries again when S3 fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retries {
    /// Nobody below the caller: each call is one request, and its failure is told at once.
    None,
    /// The SDK, as the configuration says (a few times, unless told otherwise).
    Standard,
}

/// A client for S3; path-style wherever the endpoint is overridden, since `BUCKET.HOST` rarely resolves there.
pub fn s3_client(config: &SdkConfig, retries: Retries) -> aws_sdk_s3::Client {
    let mut builder = Builder::from(config)
        .force_path_style(s3_endpoint(config).is_some())
        .interceptor(CallLog);
    if retries == Retries::None {
        builder = builder.retry_config(RetryConfig::disabled());
    }
    aws_sdk_s3::Client::from_conf(builder.build())
}

/// The endpoint that S3 calls go to instead of AWS's own, if any.
pub fn s3_endpoint(config: &SdkConfig) -> Option<String> {
    endpoint_of(config, "S3")
}

/// The endpoint that a service's calls go to instead of AWS's own, if any: from the options, from
/// `AWS_ENDPOINT_URL_SERVICE` or `AWS_ENDPOINT_URL`, or from the profile.
pub fn endpoint_of(config: &SdkConfig, service_id: &str) -> Option<String> {
    let general = config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return general;
    }
    // The same question that the SDK's own clients ask; their answer can't be read back from there.
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
            profile: None,
        }
    }

    #[tokio::test]
    async fn options_win() {
        let config = sdk_config(&options()).await;
        assert_eq!(config.region().unwrap().as_ref(), "eu-west-1");
        assert_eq!(s3_endpoint(&config).as_deref(), Some("http://127.0.0.1:9"));
    }

    #[test]
    fn secrets_are_not_shown() {
        assert!(!format!("{:?}", options()).contains("hush"));
    }
}
