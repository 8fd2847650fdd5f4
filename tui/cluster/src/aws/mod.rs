//! AWS beyond the SDKs that are built in: signed calls to services of which mrdeck needs one or two operations,
//! and what a person is told when AWS refuses.

pub mod arn;
pub mod call;
pub mod credentials;
pub mod ec2;
pub mod failure;
pub mod identity;
pub mod places;

use aws_config::SdkConfig;
use mrdeck_store::aws::CallLog;

pub use call::{CallError, Caller, Service, default_endpoint};

/// Returns a client for ECS whose calls are logged.
pub fn ecs_client(sdk: &SdkConfig) -> aws_sdk_ecs::Client {
    let config = aws_sdk_ecs::config::Builder::from(sdk).interceptor(CallLog);
    aws_sdk_ecs::Client::from_conf(config.build())
}
