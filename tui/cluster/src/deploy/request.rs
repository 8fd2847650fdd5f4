//! What the command line of `up` asks for, validated before AWS is asked anything.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use ipnet::Ipv4Net;

use crate::scale::MAX_TASKS;

use super::stack_template::{HELLO, MAPPER, Service};

/// Names of repositories and buckets begin with the stack's, and buckets' are the shortest: 63.
const MAX_STACK_NAME: usize = 40;

/// What is to be there after `up`; `None` is as it is, or the default for a new stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployRequest {
    pub stack: String,
    pub allow_from: Option<Cidr>,
    pub mappers: Option<u32>,
    pub hello: Option<u32>,
    pub tag: String,
    pub execution_role: Option<String>,
    pub task_role: Option<String>,
    pub subnets: Vec<String>,
    pub other_buckets: Vec<String>,
    pub bucket: Option<String>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeployRequestError {
    #[error(
        "--stack {0} can't be used: write lower-case letters, digits and single '-', beginning with a letter, {MAX_STACK_NAME} characters at most"
    )]
    Stack(String),
    #[error(
        "--allow-from {0} is not an IPv4 address or CIDR: write for instance 203.0.113.7 or 203.0.113.0/24"
    )]
    AllowFrom(String),
    #[error("--mappers {0} is not a number of mappers: give one from 1 to {MAX_TASKS}")]
    Mappers(String),
    #[error("--hello={0} is not a number of tasks: give one from 0 to {MAX_TASKS}")]
    Hello(String),
    #[error("--tag {0} is not an image tag: write letters, digits, '.', '_' and '-', 128 at most")]
    Tag(String),
    #[error("the role '{0}' is neither a name nor an ARN: write for instance LabRole")]
    Role(String),
    #[error("--role gives both roles: leave --execution-role and --task-role away, or --role")]
    Roles,
    #[error("'{0}' is not a bucket's name")]
    Bucket(String),
}

impl DeployRequest {
    /// Returns how many tasks of a service were asked for.
    pub fn count(&self, service: &Service) -> Option<u32> {
        match service.name {
            MAPPER => self.mappers,
            HELLO => self.hello,
            _ => None,
        }
    }
}

/// Reads a stack's name. It is part of the names of repositories, which take no capitals and no two dashes in a row.
pub fn stack_name(text: &str) -> Result<String, DeployRequestError> {
    let is_name = text.len() <= MAX_STACK_NAME
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !text.contains("--")
        && !text.ends_with('-');
    let name = text.to_owned();
    if is_name {
        Ok(name)
    } else {
        Err(DeployRequestError::Stack(name))
    }
}

/// Reads an image tag.
pub fn tag(text: &str) -> Result<String, DeployRequestError> {
    let is_tag = (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    let tag = text.to_owned();
    if is_tag {
        Ok(tag)
    } else {
        Err(DeployRequestError::Tag(tag))
    }
}

/// Reads a role's name or ARN.
pub fn role(text: &str) -> Result<String, DeployRequestError> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    let is_arn = text.starts_with("arn:") && text.contains(":role/");
    if is_arn || (!text.is_empty() && text.chars().all(is_part)) {
        Ok(text.to_owned())
    } else {
        Err(DeployRequestError::Role(text.to_owned()))
    }
}

/// Reads a bucket's name.
pub fn bucket_name(name: &str) -> Result<String, DeployRequestError> {
    let name = name.to_owned();
    if is_bucket(&name) {
        Ok(name)
    } else {
        Err(DeployRequestError::Bucket(name))
    }
}

/// Reads how many tasks a service is to have: a number from `least` to [`MAX_TASKS`].
pub fn task_count(text: &str, least: u32) -> Option<u32> {
    let count = text.parse().ok();
    count.filter(|count| (least..=MAX_TASKS).contains(count))
}

fn is_bucket(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
    (3..=63).contains(&name.len()) && name.chars().all(is_part)
}

/// A block of IPv4 addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr(Ipv4Net);

impl Cidr {
    /// Returns whether it contains every address there is.
    pub fn is_everyone(self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl FromStr for Cidr {
    type Err = DeployRequestError;

    /// Reads an address alone as a block of one, and drops what follows the prefix.
    fn from_str(text: &str) -> Result<Self, DeployRequestError> {
        let block = match text.parse::<Ipv4Addr>() {
            Ok(address) => Ipv4Net::from(address),
            Err(_) => text
                .parse()
                .map_err(|_| DeployRequestError::AllowFrom(text.to_owned()))?,
        };
        Ok(Self(block.trunc()))
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn addresses_are_blocks() {
        for (text, block) in [
            ("203.0.113.7", "203.0.113.7/32"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("10.1.2.3/0", "0.0.0.0/0"),
        ] {
            let cidr: Cidr = text.parse().unwrap();
            assert_eq!(cidr.to_string(), block);
            assert_eq!(cidr.is_everyone(), block.ends_with("/0"));
        }
        for bad in [
            "",
            "x",
            "1.2.3",
            "1.2.3.4/33",
            "1.2.3.4/",
            "1.2.3.4/+1",
            "::1/128",
            "1.2.3.4/1/1",
        ] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_that_some_service_would_refuse_are_refused_at_once() {
        for bad in ["", "Mr", "1a", "a--b", "a-", "a_b", &"a".repeat(41)] {
            assert!(stack_name(bad).is_err(), "{bad}");
        }
        assert!(stack_name("mr-2").is_ok());
        for bad in ["", ".x", "-x", "a b", "a:b"] {
            assert!(tag(bad).is_err(), "{bad}");
        }
        assert!(tag("v1.2_rc-3").is_ok());
        for bad in ["", "a role", "role/LabRole"] {
            assert!(role(bad).is_err(), "{bad}");
        }
        assert!(role("arn:aws:iam::1:role/x/y").is_ok());
    }
}
