//! The network that tasks run in: the subnets that were named, or the default VPC's.

use serde::Deserialize;

use crate::aws::QueryClient;
use crate::aws::ec2::{self, EC2};
use mrdeck_core::diagnostic::Diagnostic;

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
pub async fn network(aws: &QueryClient, named: &[String]) -> Result<Network, Diagnostic> {
    if named.is_empty() {
        return default_network(aws).await;
    }
    let subnets = subnets(aws, "subnet-id", named).await?;
    if let Some(missing) = named.iter().find(|id| subnets.iter().all(|s| s.id != **id)) {
        return Err(Diagnostic::new(
            format!("there is no subnet '{missing}' in {}", aws.region()),
            "check --subnet and the region: 'aws ec2 describe-subnets' shows what exists",
        ));
    }
    let vpc = subnets[0].vpc.clone();
    if let Some(elsewhere) = subnets.iter().find(|subnet| subnet.vpc != vpc) {
        return Err(Diagnostic::new(
            format!("{} and {} are not in one VPC", subnets[0].id, elsewhere.id),
            "name subnets of one VPC with --subnet",
        ));
    }
    Ok(Network {
        vpc,
        subnets: named.to_vec(),
    })
}

async fn default_network(aws: &QueryClient) -> Result<Network, Diagnostic> {
    let advice = "name public subnets with --subnet, or make a default VPC with 'aws ec2 create-default-vpc'";
    let request = ec2::Request::new("DescribeVpcs").filter("is-default", &["true".to_owned()]);
    let answer: Vpcs = aws
        .query(EC2, &request.finish())
        .await
        .map_err(|error| error.diagnostic("look up the default VPC (ec2:DescribeVpcs)"))?;
    let Some(vpc) = answer.vpcs.items.into_iter().next() else {
        let cause = format!("there is no default VPC in {}", aws.region());
        return Err(Diagnostic::new(cause, advice));
    };
    let of_vpc = subnets(aws, "vpc-id", std::slice::from_ref(&vpc.id)).await?;
    let subnets: Vec<String> = of_vpc
        .into_iter()
        .filter(|subnet| subnet.is_default)
        .map(|subnet| subnet.id)
        .collect();
    if subnets.is_empty() {
        let cause = format!("the default VPC {} has no default subnet", vpc.id);
        return Err(Diagnostic::new(cause, advice));
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
) -> Result<Vec<Subnet>, Diagnostic> {
    // One page holds every VPC and every subnet of one, by EC2's own quotas.
    let request = ec2::Request::new("DescribeSubnets").filter(filter, values);
    let answer: Subnets = aws
        .query(EC2, &request.finish())
        .await
        .map_err(|error| error.diagnostic("look up subnets (ec2:DescribeSubnets)"))?;
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
