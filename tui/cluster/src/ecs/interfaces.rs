//! Network interfaces: EC2's `DescribeNetworkInterfaces`, the one call that ECS itself has no answer to. It tells the
//! public IPs, and in which security groups a task is.

use std::net::IpAddr;

use serde::Deserialize;

use crate::aws::ec2::{self, EC2};
use crate::aws::{AwsError, QueryClient, QueryError};

const DESCRIBE: &str = "DescribeNetworkInterfaces";
/// What the call is for, where nothing else is said.
pub(super) const LOOK_UP: &str = "look up public IPs (ec2:DescribeNetworkInterfaces)";
/// Values one filter takes.
pub(super) const BATCH: usize = 200;

/// Describes at most a filter's worth of interfaces; an interface that is gone is not among them.
pub(super) async fn describe(
    aws: &QueryClient,
    ids: &[&String],
) -> Result<Vec<Interface>, QueryError> {
    let mut found = Vec::new();
    let mut next = None;
    loop {
        let form = form(ids, next.as_deref());
        let answer: Answer = aws.query(EC2, &form).await?;
        found.extend(answer.interfaces.items);
        next = answer.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(found);
        }
    }
}

/// Asks EC2 for any interface, only to see whether it answers.
///
/// # Errors
///
/// Returns why it does not.
pub async fn may_look_up_public_ips(aws: &QueryClient) -> Result<(), AwsError> {
    let form = ec2::Request::new(DESCRIBE).with("MaxResults", "5").finish();
    let answer: Result<Answer, _> = aws.query(EC2, &form).await;
    answer.map(drop).map_err(|error| error.doing(LOOK_UP))
}

/// Asks by a filter, not by a list of ids: a single id that vanished would fail the whole batch.
fn form(ids: &[&String], next: Option<&str>) -> String {
    let request = ec2::Request::new(DESCRIBE)
        .with("MaxResults", "1000")
        .filter("network-interface-id", ids.iter().copied());
    match next {
        Some(token) => request.with("NextToken", token).finish(),
        None => request.finish(),
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(rename = "networkInterfaceSet")]
    interfaces: InterfaceSet,
    #[serde(rename = "nextToken")]
    next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct InterfaceSet {
    #[serde(rename = "item", default)]
    items: Vec<Interface>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Interface {
    #[serde(rename = "networkInterfaceId")]
    pub(super) id: String,
    #[serde(rename = "groupSet", default)]
    groups: GroupSet,
    association: Option<Association>,
}

impl Interface {
    pub(super) fn public_ip(&self) -> Option<IpAddr> {
        self.association.as_ref()?.public_ip.as_ref()?.parse().ok()
    }

    /// Returns the ids of its security groups.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.items.iter().map(|group| group.id.as_str())
    }
}

#[derive(Debug, Default, Deserialize)]
struct GroupSet {
    #[serde(rename = "item", default)]
    items: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    #[serde(rename = "groupId")]
    id: String,
}

#[derive(Debug, Deserialize)]
struct Association {
    #[serde(rename = "publicIp")]
    public_ip: Option<String>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn interfaces_with_and_without_an_address_are_read() {
        let answer: Answer = quick_xml::de::from_str(
            "<DescribeNetworkInterfacesResponse xmlns='http://ec2.amazonaws.com/doc/2016-11-15/'>\
             <requestId>r</requestId><networkInterfaceSet>\
             <item><networkInterfaceId>eni-1</networkInterfaceId>\
             <groupSet><item><groupId>sg-1</groupId><groupName>web</groupName></item></groupSet>\
             <association><publicIp>54.1.2.3</publicIp></association></item>\
             <item><networkInterfaceId>eni-2</networkInterfaceId></item>\
             </networkInterfaceSet><nextToken>more</nextToken></DescribeNetworkInterfacesResponse>",
        )
        .unwrap();
        let [first, second] = &answer.interfaces.items[..] else {
            panic!("{answer:?}");
        };
        assert_eq!(first.public_ip(), Some([54, 1, 2, 3].into()));
        assert_eq!(first.groups().collect::<Vec<_>>(), ["sg-1"]);
        assert_eq!((second.public_ip(), second.groups().count()), (None, 0));
        assert_eq!(answer.next_token.as_deref(), Some("more"));
        let none = "<R><networkInterfaceSet/></R>";
        let answer: Answer = quick_xml::de::from_str(none).unwrap();
        assert!(answer.interfaces.items.is_empty());
    }

    #[test]
    fn the_filter_names_every_interface() {
        let ids = ["eni-1".to_owned(), "eni-2".to_owned()];
        let form = form(&ids.iter().collect::<Vec<_>>(), Some("a b"));
        assert!(form.contains("Filter.1.Value.1=eni-1&Filter.1.Value.2=eni-2"));
        assert!(form.ends_with("NextToken=a+b"));
    }
}
