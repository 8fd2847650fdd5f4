//! What `up` is asked for: a stack, its images, its roles and its network, each value checked as it is read.
//!
//! The errors only say what would be right: the caller knows the name of a value and shows both.

use std::borrow::Borrow;
use std::fmt;
use std::net::Ipv4Addr;
use std::ops::Deref;
use std::str::FromStr;

use ipnet::Ipv4Net;

use super::stack_template::{HELLO, MAPPER, Service};

/// Names of repositories and buckets begin with the stack's, and buckets' are the shortest: 63.
const MAX_STACK_NAME: usize = 40;

/// What is to exist after `up`; `None` keeps it as it is, or takes the default for a new stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployRequest {
    pub stack: StackName,
    pub allow_from: Option<Cidr>,
    pub mappers: Option<u32>,
    pub hello: Option<u32>,
    pub tag: ImageTag,
    pub execution_role: Option<RoleName>,
    pub task_role: Option<RoleName>,
    pub subnets: Vec<String>,
    pub other_buckets: Vec<BucketName>,
    pub bucket: Option<BucketName>,
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

/// Makes a type for texts that pass a check, and the error of those that don't.
macro_rules! checked_text {
    ($(#[$about:meta])* $name:ident, $check:expr, $error:ident: $advice:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        #[doc = concat!("The error of a text that is no [`", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error($advice)]
        pub struct $error;

        impl FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                let check: fn(&str) -> bool = $check;
                check(text).then(|| Self(text.to_owned())).ok_or($error)
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self)
            }
        }
    };
}

checked_text!(
    /// The name of a stack. It is part of the names of repositories, which take no capitals and no two dashes in a row.
    StackName,
    |text| {
        text.len() <= MAX_STACK_NAME
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !text.contains("--")
            && !text.ends_with('-')
    },
    StackNameError: "use lower-case letters, digits and single '-', begin with a letter, {MAX_STACK_NAME} characters at most"
);

checked_text!(
    /// The tag of an image.
    ImageTag,
    |text| {
        (1..=128).contains(&text.len())
            && !text.starts_with(['.', '-'])
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    },
    ImageTagError: "use letters, digits, '.', '_' and '-', begin with none of '.' and '-', 128 characters at most"
);

checked_text!(
    /// An IAM role, by name or ARN.
    RoleName,
    |text| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
        let is_arn = text.starts_with("arn:") && text.contains(":role/");
        is_arn || (!text.is_empty() && text.chars().all(is_part))
    },
    RoleNameError: "give an IAM role's name or its ARN, for instance LabRole"
);

checked_text!(
    /// The name of a bucket.
    BucketName,
    |text| {
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
        (3..=63).contains(&text.len()) && text.chars().all(is_part)
    },
    BucketNameError: "use 3 to 63 lower-case letters, digits, '.' and '-'"
);

/// A block of IPv4 addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr(Ipv4Net);

impl Cidr {
    /// Returns whether it contains every address there is.
    pub fn is_everyone(self) -> bool {
        self.0.prefix_len() == 0
    }
}

/// The error of a text that is no [`Cidr`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give an IPv4 address or CIDR, for instance 203.0.113.7 or 203.0.113.0/24")]
pub struct CidrError;

impl FromStr for Cidr {
    type Err = CidrError;

    /// Reads an address alone as a block of one, and drops what follows the prefix.
    fn from_str(text: &str) -> Result<Self, CidrError> {
        let block = match text.parse::<Ipv4Addr>() {
            Ok(address) => Ipv4Net::from(address),
            Err(_) => text.parse().map_err(|_| CidrError)?,
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
    fn names_that_a_service_would_refuse_are_refused_at_once() {
        for bad in ["", "Mr", "1a", "a--b", "a-", "a_b", &"a".repeat(41)] {
            assert!(bad.parse::<StackName>().is_err(), "{bad}");
        }
        assert!("mr-2".parse::<StackName>().is_ok());
        for bad in ["", ".x", "-x", "a b", "a:b"] {
            assert!(bad.parse::<ImageTag>().is_err(), "{bad}");
        }
        assert!("v1.2_rc-3".parse::<ImageTag>().is_ok());
        for bad in ["", "a role", "role/LabRole"] {
            assert!(bad.parse::<RoleName>().is_err(), "{bad}");
        }
        assert!("arn:aws:iam::1:role/x/y".parse::<RoleName>().is_ok());
        for bad in ["", "ab", "A-bucket", "a_b", &"a".repeat(64)] {
            assert!(bad.parse::<BucketName>().is_err(), "{bad}");
        }
        assert!("my.bucket-1".parse::<BucketName>().is_ok());
    }
}
