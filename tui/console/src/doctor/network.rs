//! Through which proxy each kind of call goes, and which certificate authorities it trusts.

use aws_config::SdkConfig;
use mrdeck_cluster::aws::default_endpoint;
use mrdeck_store::aws::endpoint_of;
use mrdeck_store::settings::network;
use mrdeck_store::settings::network::{Network, named_by_environment};

use super::finding::Finding;
use super::s3_endpoint;
use crate::config::Config;

const CHECK: &str = "network";

/// Says the ways of calls to ECS, unless `is_s3_alone`, to S3, and to tasks. Nothing is called.
pub(super) fn check(sdk: &SdkConfig, config: &Config, is_s3_alone: bool) -> Finding {
    let network = match network(&config.connect.aws) {
        Ok(network) => network,
        Err(error) => return Finding::failed(CHECK, error.into()),
    };
    let s3 = way(&network, &s3_endpoint(sdk));
    let region = sdk.region().map_or("us-east-1", AsRef::as_ref);
    let ecs = endpoint_of(sdk, "ECS").unwrap_or_else(|| default_endpoint("ecs", region));
    let ecs = way(&network, &ecs);
    let to_aws = if is_s3_alone {
        format!("S3 {s3}")
    } else if ecs == s3 {
        format!("AWS and S3 {s3}")
    } else {
        format!("AWS {ecs}; S3 {s3}")
    };
    let to_tasks = match &config.connect.task_proxy {
        Some(url) => format!(
            "through {} (--task-proxy)",
            url.origin().ascii_serialization()
        ),
        None => "directly".to_owned(),
    };
    Finding::ok(CHECK, format!("calls go to {to_aws}; to tasks {to_tasks}"))
}

/// Returns how an address is reached, to be put behind the name of what is called.
fn way(network: &Network, url: &str) -> String {
    let mut way = match network.proxy_of(url) {
        Some(proxy) => format!("through {} ({})", proxy.shown(), proxy.origin),
        None => "directly".to_owned(),
    };
    if url.starts_with("https:") {
        let trusted = match &network.authorities {
            Some(authorities) => format!(
                ", trusting {} ({})",
                authorities.file.display(),
                authorities.origin
            ),
            None => match named_by_environment() {
                Some((name, value)) => format!(", trusting {value} ({name})"),
                None => ", trusting the system's authorities".to_owned(),
            },
        };
        way.push_str(&trusted);
    }
    way
}
