//! AWS beyond the SDKs that are built in: signed calls to services of which mrdeck needs one or two operations, and
//! what a refusal means.

pub mod arn;
pub mod credentials;
pub mod ec2;
pub mod error;
mod error_body;
pub mod http;
pub mod identity;
pub mod lookup;
mod query;
mod signature;

use aws_config::SdkConfig;
use mrdeck_store::aws::CallLog;

pub use error::{AwsError, QueryError};
pub use query::{QueryClient, Service, default_endpoint};

/// Returns a client for ECS whose calls are logged.
pub fn ecs_client(sdk: &SdkConfig) -> aws_sdk_ecs::Client {
    let config = aws_sdk_ecs::config::Builder::from(sdk).interceptor(CallLog);
    aws_sdk_ecs::Client::from_conf(config.build())
}
