//! Configures the AWS SDK: one HTTP stack, one place that decides on path-style addresses.

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

/// The region if neither options nor environment nor profile name one.
const FALLBACK_REGION: &str = "us-east-1";
/// Just over the three seconds after which a lost SYN is sent a second time.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);
/// The time from a request to the first byte of its answer; bodies have no deadline, but must not stall.
const READ_TIMEOUT: Duration = Duration::from_mins(1);

/// Overrides the SDK's own search (environment, profile, container, instance); `None` leaves it alone.
#[derive(Debug, Clone, Default)]
pub struct AwsOptions {
    pub region: Option<String>,
    pub profile: Option<String>,
    /// Applies to every service, like `AWS_ENDPOINT_URL`.
    pub endpoint_url: Option<String>,
    pub credentials: Option<Credentials>,
}

/// Loads the configuration. It makes no call to AWS beyond those to find a region, and never fails: wrong credentials
/// show at the first call, as [`super::StoreError::Credentials`].
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

/// Loads the configuration like [`sdk_config`], but without a region if nothing names one.
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
    // A named profile means its credentials, as for the AWS CLI: not those in the environment, which the SDK's own
    // search would prefer.
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
        .interceptor(CallLog);
    if retries == Retries::None {
        builder = builder.retry_config(RetryConfig::disabled());
    }
    aws_sdk_s3::Client::from_conf(builder.build())
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
