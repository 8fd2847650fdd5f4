//! Which region and which endpoints AWS calls go to.

use aws_config::SdkConfig;
use mrdeck_store::aws::{AwsOptions, endpoint_of, found_config};

use super::finding::Finding;
use mrdeck_core::diagnostic::Diagnostic;

const CHECK: &str = "region";

/// The services that are called, by the ids that `AWS_ENDPOINT_URL_ID` has for them.
pub(super) const OF_ECS: &[&str] = &["ECS", "EC2", "STS", "S3", "CloudWatch Logs"];
pub(super) const OF_S3: &[&str] = &["S3"];

pub(super) async fn check(sdk: &SdkConfig, options: &AwsOptions, services: &[&str]) -> Finding {
    let region = sdk.region().map_or("", AsRef::as_ref);
    let named: Vec<(&str, Option<String>)> = services
        .iter()
        .map(|service| (*service, endpoint_of(sdk, service)))
        .collect();
    let found = format!("{region}, {}", endpoints(&named));
    // The console's own configuration always has a region.
    let found_here = found_config(options).await;
    if found_here.is_ok_and(|sdk| sdk.region().is_some()) {
        return Finding::ok(CHECK, found);
    }
    let advice = "choose one with --region, AWS_REGION or the profile";
    Finding::warning(
        CHECK,
        Diagnostic::new(format!("none is set, so mrdeck uses {found}"), advice),
    )
}

fn endpoints(named: &[(&str, Option<String>)]) -> String {
    let first = named.first().and_then(|(_, url)| url.as_deref());
    let is_same = named.iter().all(|(_, url)| url.as_deref() == first);
    match first {
        Some(url) if is_same => format!("at {url}"),
        None if is_same => "at AWS's own endpoints".to_owned(),
        _ => {
            let each: Vec<String> = named
                .iter()
                .map(|(id, url)| format!("{id} at {}", url.as_deref().unwrap_or("AWS's own")))
                .collect();
            each.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_told_one_by_one_only_where_they_differ() {
        let other = Some("http://s3.test".to_owned());
        assert_eq!(
            endpoints(&[("ECS", None), ("S3", None)]),
            "at AWS's own endpoints"
        );
        assert_eq!(
            endpoints(&[("ECS", other.clone()), ("S3", other.clone())]),
            "at http://s3.test"
        );
        assert_eq!(
            endpoints(&[("ECS", None), ("S3", other)]),
            "ECS at AWS's own, S3 at http://s3.test"
        );
    }
}
