//! The names to switch to: profiles from AWS's own files, regions from EC2, clusters from ECS.

use std::collections::BTreeSet;
use std::time::Duration;

use mrdeck_store::aws::{AwsOptions, sdk_config};
use mrdeck_store::settings::{SettingsError, profile_names, regions_of_profiles};
use serde::Deserialize;
use tokio::time::timeout;

use super::arn::resource_name;
use super::ec2::{self, EC2};
use super::http::{AwsHttpError, http_client};
use super::{AwsError, QueryClient, ecs_client};
use mrdeck_core::diagnostic::Diagnostic;

/// A half-typed line waits for the names.
const DEADLINE: Duration = Duration::from_secs(10);

/// Where names come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameSource {
    Profiles,
    Regions,
    Clusters,
}

/// Looks the names up, and returns them in order.
///
/// # Errors
///
/// Returns why they can't be listed.
pub async fn names(source: NameSource, aws: &AwsOptions) -> Result<Vec<String>, Diagnostic> {
    let found = timeout(DEADLINE, async {
        match source {
            NameSource::Profiles => Ok(profile_names()?.into_iter().collect()),
            NameSource::Regions => regions(aws).await,
            NameSource::Clusters => clusters(aws).await,
        }
    });
    let names = found.await.map_err(|_| LookupError::Late)??;
    Ok(names.into_iter().collect())
}

#[derive(Debug, thiserror::Error)]
enum LookupError {
    #[error("AWS did not answer within {} s", DEADLINE.as_secs())]
    Late,
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Http(#[from] AwsHttpError),
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl From<LookupError> for Diagnostic {
    fn from(error: LookupError) -> Self {
        let advice = match error {
            LookupError::Late => "a name can be typed all the same",
            LookupError::Settings(error) => return error.into(),
            LookupError::Http(error) => return error.into(),
            LookupError::Aws(error) => return error.into(),
        };
        Self::new(error.to_string(), advice)
    }
}

/// Returns the regions that the account may use; where it may not ask, those that the profiles name.
async fn regions(aws: &AwsOptions) -> Result<BTreeSet<String>, LookupError> {
    let sdk = sdk_config(aws).await?;
    let client = QueryClient::new(&sdk, http_client(aws)?);
    let form = ec2::Request::new("DescribeRegions").finish();
    let refused = match client.query::<Regions>(EC2, &form).await {
        Ok(answer) => {
            let names = answer.regions.items.into_iter().map(|region| region.name);
            return Ok(names.collect());
        }
        Err(refused) => refused,
    };
    let named: BTreeSet<String> = regions_of_profiles()?.into_iter().collect();
    if named.is_empty() {
        Err(refused.doing("list the regions (ec2:DescribeRegions)"))?;
    }
    Ok(named)
}

async fn clusters(aws: &AwsOptions) -> Result<BTreeSet<String>, LookupError> {
    let client = ecs_client(&sdk_config(aws).await?);
    let arns: Vec<String> = client
        .list_clusters()
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(|error| AwsError::ecs("list the clusters (ecs:ListClusters)", "", error))?;
    let names = arns.iter().map(|arn| resource_name(arn).to_owned());
    Ok(names.collect())
}

#[derive(Debug, Deserialize)]
struct Regions {
    #[serde(rename = "regionInfo")]
    regions: RegionSet,
}

#[derive(Debug, Default, Deserialize)]
struct RegionSet {
    #[serde(rename = "item", default)]
    items: Vec<Region>,
}

#[derive(Debug, Deserialize)]
struct Region {
    #[serde(rename = "regionName")]
    name: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn regions_are_read() {
        let answer: Regions = quick_xml::de::from_str(
            "<DescribeRegionsResponse><requestId>r</requestId><regionInfo>\
             <item><regionName>eu-west-1</regionName><regionEndpoint>e</regionEndpoint></item>\
             <item><regionName>us-east-1</regionName></item>\
             </regionInfo></DescribeRegionsResponse>",
        )
        .unwrap();
        let names: Vec<&str> = answer.regions.items.iter().map(|r| &*r.name).collect();
        assert_eq!(names, ["eu-west-1", "us-east-1"]);
    }
}
