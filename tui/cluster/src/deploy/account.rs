//! Whose account it is, and the network that tasks run in unless told.

use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::aws::{Caller, Service};
use mrdeck_core::diagnostic::Diagnostic;

const STS: Service = Service {
    id: "STS",
    name: "sts",
    host: "sts",
};
const STS_VERSION: &str = "2011-06-15";
const EC2_VERSION: &str = "2016-11-15";

/// Who asks.
#[derive(Debug, Clone)]
pub struct Identity {
    pub account: String,
    pub arn: String,
}

impl Identity {
    /// A role's ARN; its name alone will do, since it can only be one of this account.
    pub fn role_arn(&self, role: &str) -> String {
        if role.starts_with("arn:") {
            return role.to_owned();
        }
        let partition = self.arn.split(':').nth(1).unwrap_or("aws");
        format!("arn:{partition}:iam::{}:role/{role}", self.account)
    }
}

/// A VPC and public subnets of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    pub vpc: String,
    pub subnets: Vec<String>,
}

pub async fn identity(aws: &Caller) -> Result<Identity, Diagnostic> {
    let form = format!("Action=GetCallerIdentity&Version={STS_VERSION}");
    let answer: CallerIdentity = aws
        .query(STS, &form)
        .await
        .map_err(|error| error.diagnostic("tell whose credentials these are"))?;
    Ok(Identity {
        account: answer.result.account,
        arn: answer.result.arn,
    })
}

/// The named subnets with their VPC; without any, the default VPC with its default subnets.
pub async fn network(aws: &Caller, named: &[String]) -> Result<Network, Diagnostic> {
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

async fn default_network(aws: &Caller) -> Result<Network, Diagnostic> {
    let advice = "name public subnets with --subnet, or make a default VPC with 'aws ec2 create-default-vpc'";
    let form = filtered("DescribeVpcs", "is-default", &["true".to_owned()]);
    let answer: Vpcs = aws
        .query(crate::aws::call::EC2, &form)
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

async fn subnets(aws: &Caller, filter: &str, values: &[String]) -> Result<Vec<Subnet>, Diagnostic> {
    let answer: Subnets = aws
        .query(
            crate::aws::call::EC2,
            &filtered("DescribeSubnets", filter, values),
        )
        .await
        .map_err(|error| error.diagnostic("look up subnets (ec2:DescribeSubnets)"))?;
    Ok(answer.subnets.items)
}

/// One page holds every VPC and every subnet of one, by EC2's own quotas.
fn filtered(action: &str, name: &str, values: &[String]) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("Action", action)
        .append_pair("Version", EC2_VERSION)
        .append_pair("Filter.1.Name", name);
    for (index, value) in values.iter().enumerate() {
        form.append_pair(&format!("Filter.1.Value.{}", index + 1), value);
    }
    form.finish()
}

#[derive(Debug, Deserialize)]
struct CallerIdentity {
    #[serde(rename = "GetCallerIdentityResult")]
    result: CallerIdentityResult,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CallerIdentityResult {
    account: String,
    arn: String,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roles_name_is_enough() {
        let identity = Identity {
            account: "123456789012".to_owned(),
            arn: "arn:aws-cn:sts::123456789012:assumed-role/x/y".to_owned(),
        };
        let full = "arn:aws-cn:iam::123456789012:role/LabRole";
        assert_eq!(identity.role_arn("LabRole"), full);
        assert_eq!(identity.role_arn(full), full);
    }
}
