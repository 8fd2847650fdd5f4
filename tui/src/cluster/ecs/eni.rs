//! Public IPs: EC2's `DescribeNetworkInterfaces`, the one call that ECS itself has no answer to.
//!
//! The EC2 SDK would take minutes to build for it, so the request is signed and read here.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_ecs::config::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use mrdeck_services::store::aws::endpoint_of;
use serde::Deserialize;

use super::failure;
use crate::trouble::Trouble;

/// Values one filter takes.
const BATCH: usize = 200;
const DEADLINE: Duration = Duration::from_secs(10);
const VERSION: &str = "2016-11-15";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// What is known of public addresses.
#[derive(Debug, Default)]
pub(super) struct PublicIps {
    pub(super) by_interface: HashMap<String, IpAddr>,
    /// Why some may be missing; private addresses work all the same.
    pub(super) trouble: Option<Trouble>,
}

/// Asks EC2, and remembers: an interface keeps its address for its task's life.
pub(super) struct Interfaces {
    sdk: SdkConfig,
    http: reqwest::Client,
    known: HashMap<String, IpAddr>,
}

impl Interfaces {
    pub(super) fn new(sdk: &SdkConfig, http: reqwest::Client) -> Self {
        Self {
            sdk: sdk.clone(),
            http,
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
            let answer: Answer = read(&self.send(form).await?)?;
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

    /// Signs and sends one request; gives the body of a successful answer.
    async fn send(&self, form: String) -> Result<String, Trouble> {
        let region = self.sdk.region().map_or("us-east-1", AsRef::as_ref);
        let url = endpoint_of(&self.sdk, "EC2").unwrap_or_else(|| default_endpoint(region));
        let headers = self.signature(&url, &form, region).await?;
        let mut request = self
            .http
            .post(&url)
            .timeout(DEADLINE)
            .header("content-type", FORM);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let unreachable = |error: reqwest::Error| {
            Trouble::new(
                format!("EC2 can't be asked for public IPs: {error}"),
                "private IPs still work; check the network and --endpoint-url",
            )
        };
        let answer = request.body(form).send().await.map_err(unreachable)?;
        let status = answer.status();
        let body = answer.text().await.map_err(unreachable)?;
        if status.is_success() {
            return Ok(body);
        }
        let refused: Refused = quick_xml::de::from_str(&body).unwrap_or_default();
        let error = refused.errors.error;
        let code = error.code.unwrap_or_else(|| status.to_string());
        let message = error.message.unwrap_or_default();
        let what = "look up public IPs (ec2:DescribeNetworkInterfaces)";
        Err(failure::explain(what, "", &code, &message))
    }

    async fn signature(
        &self,
        url: &str,
        form: &str,
        region: &str,
    ) -> Result<Vec<(String, String)>, Trouble> {
        let provider = self
            .sdk
            .credentials_provider()
            .ok_or_else(|| failure::credentials("there is no source of them"))?;
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|error| failure::credentials(&error.to_string()))?;
        let identity = credentials.into();
        let unsignable = |detail: String| {
            Trouble::new(
                format!("the request for public IPs can't be signed: {detail}"),
                "private IPs still work; check the region and --endpoint-url",
            )
        };
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("ec2")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| unsignable(error.to_string()))?
            .into();
        let request = SignableRequest::new(
            "POST",
            url,
            [("content-type", FORM)].into_iter(),
            SignableBody::Bytes(form.as_bytes()),
        )
        .map_err(|error| unsignable(error.to_string()))?;
        let (instructions, _) = sign(request, &params)
            .map_err(|error| unsignable(error.to_string()))?
            .into_parts();
        Ok(instructions
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}

fn default_endpoint(region: &str) -> String {
    let domain = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    format!("https://ec2.{region}.{domain}/")
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

fn read(body: &str) -> Result<Answer, Trouble> {
    quick_xml::de::from_str(body).map_err(|error| {
        Trouble::new(
            format!("EC2 answered something else than network interfaces: {error}"),
            "private IPs still work; check --endpoint-url",
        )
    })
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

#[derive(Debug, Default, Deserialize)]
struct Refused {
    #[serde(rename = "Errors", default)]
    errors: Errors,
}

#[derive(Debug, Default, Deserialize)]
struct Errors {
    #[serde(rename = "Error", default)]
    error: RefusedBecause,
}

#[derive(Debug, Default, Deserialize)]
struct RefusedBecause {
    #[serde(rename = "Code")]
    code: Option<String>,
    #[serde(rename = "Message")]
    message: Option<String>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn interfaces_with_and_without_an_address_are_read() {
        let answer = read(
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
        assert!(read(none).unwrap().interfaces.items.is_empty());
        assert!(read("not xml").is_err());
    }

    #[test]
    fn the_filter_names_every_interface() {
        let ids = ["eni-1".to_owned(), "eni-2".to_owned()];
        let form = form(&ids.iter().collect::<Vec<_>>(), Some("a b"));
        assert!(form.contains("Filter.1.Value.1=eni-1&Filter.1.Value.2=eni-2"));
        assert!(form.ends_with("NextToken=a+b"));
    }
}
