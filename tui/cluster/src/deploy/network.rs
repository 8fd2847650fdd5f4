//! The network that tasks run in: the subnets that were named, or the default VPC's.

use serde::Deserialize;

use super::DeployError;
use crate::aws::ec2::{self, EC2};
use crate::aws::{AwsError, QueryClient};

/// A VPC and public subnets of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    pub vpc: String,
    pub subnets: Vec<String>,
}

/// Looks up the named subnets with their VPC; without any, the default VPC with its default subnets.
///
/// # Errors
///
/// Returns which subnet or VPC there is none of, or why AWS did not say.
pub async fn network(aws: &QueryClient, named: &[String]) -> Result<Network, DeployError> {
    if named.is_empty() {
        return default_network(aws).await;
    }
    let subnets = subnets(aws, "subnet-id", named).await?;
    if let Some(missing) = named.iter().find(|id| subnets.iter().all(|s| s.id != **id)) {
        return Err(DeployError::NoSubnet {
            subnet: missing.clone(),
            region: aws.region().to_owned(),
        });
    }
    let [first, others @ ..] = &subnets[..] else {
        // At least one is named, and none is missing.
        return default_network(aws).await;
    };
    if let Some(elsewhere) = others.iter().find(|subnet| subnet.vpc != first.vpc) {
        return Err(DeployError::SeveralVpcs(
            first.id.clone(),
            elsewhere.id.clone(),
        ));
    }
    Ok(Network {
        vpc: first.vpc.clone(),
        subnets: named.to_vec(),
    })
}

async fn default_network(aws: &QueryClient) -> Result<Network, DeployError> {
    let request = ec2::Request::new("DescribeVpcs").filter("is-default", &["true".to_owned()]);
    let answer: Vpcs = aws
        .query(EC2, &request.finish())
        .await
        .map_err(|error| error.doing("look up the default VPC (ec2:DescribeVpcs)"))?;
    let Some(vpc) = answer.vpcs.items.into_iter().next() else {
        return Err(DeployError::NoDefaultVpc(aws.region().to_owned()));
    };
    let of_vpc = subnets(aws, "vpc-id", std::slice::from_ref(&vpc.id)).await?;
    let subnets: Vec<String> = of_vpc
        .into_iter()
        .filter(|subnet| subnet.is_default)
        .map(|subnet| subnet.id)
        .collect();
    if subnets.is_empty() {
        return Err(DeployError::NoDefaultSubnet(vpc.id));
    }
    Ok(Network {
        vpc: vpc.id,
        subnets,
    })
}

async fn subnets(
    aws: &QueryClient,
    filter: &str,
    values: &[String],
) -> Result<Vec<Subnet>, AwsError> {
    // One page holds every VPC and every subnet of one, by EC2's own quotas.
    let request = ec2::Request::new("DescribeSubnets").filter(filter, values);
    let answer: Subnets = aws
        .query(EC2, &request.finish())
        .await
        .map_err(|error| error.doing("look up subnets (ec2:DescribeSubnets)"))?;
    Ok(answer.subnets.items)
}

#[derive(Debug, Deserialize)]
struct Vpcs {
    #[serde(rename = "vpcSet")]
    vpcs: Items<Vpc>,
}

#[derive(Debug, Deserialize)]
struct Vpc {
    #[serde(rename = "vpcId")]
    id: String,
}

#[derive(Debug, Deserialize)]
struct Subnets {
    #[serde(rename = "subnetSet")]
    subnets: Items<Subnet>,
}

#[derive(Debug, Deserialize)]
struct Subnet {
    #[serde(rename = "subnetId")]
    id: String,
    #[serde(rename = "vpcId")]
    vpc: String,
    #[serde(rename = "defaultForAz", default)]
    is_default: bool,
}

#[derive(Debug, Deserialize)]
struct Items<T> {
    #[serde(rename = "item", default = "Vec::new")]
    items: Vec<T>,
}
