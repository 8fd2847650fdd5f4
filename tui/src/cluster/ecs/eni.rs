//! Public IPs: EC2's `DescribeNetworkInterfaces`, the one call that ECS itself has no answer to.
//!
//! The EC2 SDK would take minutes to build for it, so the call is made by hand.

use std::collections::HashMap;
use std::net::IpAddr;

use serde::Deserialize;

use crate::aws::{Caller, Service};
use crate::trouble::Trouble;

const VERSION: &str = "2016-11-15";
const LOOK_UP: &str = "look up public IPs (ec2:DescribeNetworkInterfaces)";
/// Values one filter takes.
const BATCH: usize = 200;

/// What is known of public addresses.
#[derive(Debug, Default)]
pub(super) struct PublicIps {
    pub(super) by_interface: HashMap<String, IpAddr>,
    /// Why some may be missing; private addresses work all the same.
    pub(super) trouble: Option<Trouble>,
}

/// Asks EC2, and remembers: an interface keeps its address for its task's life.
pub(super) struct Interfaces {
    aws: Caller,
    known: HashMap<String, IpAddr>,
}

impl Interfaces {
    pub(super) fn new(aws: Caller) -> Self {
        Self {
            aws,
            known: HashMap::new(),
        }
    }

    /// The public addresses of these interfaces; those that have none are not in the answer.
    pub(super) async fn public_ips(&mut self, interfaces: &[String]) -> PublicIps {
        self.known.retain(|id, _| interfaces.contains(id));
        let unknown: Vec<&String> = interfaces
            .iter()
            .filter(|id| !self.known.contains_key(*id))
            .collect();
        let mut trouble = None;
        for batch in unknown.chunks(BATCH) {
            match self.describe(batch).await {
                Ok(found) => self.known.extend(found),
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            }
        }
        PublicIps {
            by_interface: self.known.clone(),
            trouble,
        }
    }

    async fn describe(&self, ids: &[&String]) -> Result<Vec<(String, IpAddr)>, Trouble> {
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let form = form(ids, next.as_deref());
            let answer: Answer = self
                .aws
                .query(Service::EC2, &form)
                .await
                .map_err(|error| error.trouble(LOOK_UP))?;
            found.extend(answer.interfaces.items.into_iter().filter_map(|interface| {
                let ip = interface.association?.public_ip?.parse().ok()?;
                Some((interface.id, ip))
            }));
            next = answer.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}

/// A filter, not a list of ids: one id that vanished would fail the whole batch.
fn form(ids: &[&String], next: Option<&str>) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", "DescribeNetworkInterfaces")
        .append_pair("Version", VERSION)
        .append_pair("MaxResults", "1000")
        .append_pair("Filter.1.Name", "network-interface-id");
    for (index, id) in ids.iter().enumerate() {
        form.append_pair(&format!("Filter.1.Value.{}", index + 1), id);
    }
    if let Some(token) = next {
        form.append_pair("NextToken", token);
    }
    form.finish()
}

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(rename = "networkInterfaceSet", default)]
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
struct Interface {
    #[serde(rename = "networkInterfaceId")]
    id: String,
    association: Option<Association>,
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
             <association><publicIp>54.1.2.3</publicIp></association></item>\
             <item><networkInterfaceId>eni-2</networkInterfaceId></item>\
             </networkInterfaceSet><nextToken>more</nextToken></DescribeNetworkInterfacesResponse>",
        )
        .unwrap();
        let ips: Vec<_> = answer
            .interfaces
            .items
            .iter()
            .map(|item| item.association.as_ref().and_then(|a| a.public_ip.clone()))
            .collect();
        assert_eq!(ips, [Some("54.1.2.3".to_owned()), None]);
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
