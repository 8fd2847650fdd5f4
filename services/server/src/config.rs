//! Reads the environment into a validated [`Config`], or an error that says what to correct.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use mrdeck_core::role::Role;
use mrdeck_core::uri::S3Uri;

/// The most requests that work at the same time, unless `MAX_IN_FLIGHT` says otherwise.
pub const DEFAULT_MAX_IN_FLIGHT: usize = 64;

/// Returns the prefix of outputs, unless `OUT_PREFIX` or the request's `run` says otherwise.
const fn default_prefix(role: Role) -> &'static str {
    match role {
        Role::Splitter => "mr/chunks",
        Role::Mapper => "mr/maps",
        Role::Reducer => "mr/reduce",
    }
}

/// The address to listen on; without a host, every interface, IPv6 and IPv4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddr {
    /// A name or an address, without the brackets of IPv6.
    pub host: Option<String>,
    /// 0 lets the system choose.
    pub port: u16,
}

impl FromStr for ListenAddr {
    type Err = ConfigError;

    /// Reads `:PORT`, `HOST:PORT` and `[IPV6]:PORT`.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let refused = |reason| ConfigError::Addr {
            value: text.to_owned(),
            reason,
        };
        let (host, port) = text
            .rsplit_once(':')
            .ok_or_else(|| refused("the ':' before the port is missing"))?;
        let port = port
            .parse()
            .map_err(|_| refused("the port is not a number from 0 to 65535"))?;
        let bare = match host.strip_prefix('[') {
            Some(rest) => {
                let inner = rest
                    .strip_suffix(']')
                    .ok_or_else(|| refused("the ']' is missing"))?;
                let address = inner.parse::<std::net::Ipv6Addr>();
                address.map_err(|_| refused("what is in the brackets is not an IPv6 address"))?;
                inner
            }
            None if host.contains(':') => return Err(refused("an IPv6 address needs brackets")),
            None => host,
        };
        if bare.contains(char::is_whitespace) || bare.contains('/') {
            return Err(refused("the host is not a name or an address"));
        }
        Ok(Self {
            host: (!bare.is_empty()).then(|| bare.to_owned()),
            port,
        })
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.as_deref() {
            Some(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Some(host) => write!(f, "{host}:{}", self.port),
            None => write!(f, ":{}", self.port),
        }
    }
}

/// The configuration of a service, apart from what the AWS SDK reads by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `ADDR`; `:8080` by default.
    pub addr: ListenAddr,
    /// `OUT_PREFIX`, without slashes at its ends; by default a folder of the role's own.
    pub out_prefix: String,
    /// `ALLOWED_BUCKETS`, comma-separated; `None` allows every bucket.
    pub allowed_buckets: Option<BTreeSet<String>>,
    /// `MAX_IN_FLIGHT`, at least 1.
    pub max_in_flight: usize,
    /// `MAX_TABLE_BYTES`, at least 1; `None` derives it from the container's memory, see [`crate::memory`].
    pub max_table_bytes: Option<u64>,
}

/// The error of a wrong configuration, with its correction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("ADDR '{value}' can't be listened on: {reason}; write HOST:PORT, :PORT or [::]:PORT")]
    Addr { value: String, reason: &'static str },
    #[error("OUT_PREFIX '{value}' holds no name; leave it unset or write something like mr/out")]
    OutPrefix { value: String },
    #[error(
        "ALLOWED_BUCKETS '{value}' names no bucket; leave it unset to allow any, or write BUCKET,BUCKET"
    )]
    AllowedBuckets { value: String },
    #[error("MAX_IN_FLIGHT '{value}' is not a number from 1 to 100000")]
    MaxInFlight { value: String },
    #[error("MAX_TABLE_BYTES '{value}' is not a number of bytes above 0")]
    MaxTableBytes { value: String },
}

impl Config {
    /// Reads the environment through `lookup`. An empty value counts as unset, except that an empty
    /// `ALLOWED_BUCKETS` is refused: it must not allow every bucket by mistake.
    ///
    /// # Errors
    ///
    /// Returns an error for the first variable with an invalid value.
    pub fn from_env(
        role: Role,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let given = |name: &str| {
            lookup(name)
                .map(|v| v.trim().to_owned())
                .filter(|v| !v.is_empty())
        };
        Ok(Self {
            addr: listen_addr(lookup("ADDR").as_deref())?,
            out_prefix: given("OUT_PREFIX")
                .map_or_else(|| Ok(default_prefix(role).to_owned()), prefix)?,
            allowed_buckets: lookup("ALLOWED_BUCKETS").map(buckets).transpose()?,
            max_in_flight: given("MAX_IN_FLIGHT").map_or(Ok(DEFAULT_MAX_IN_FLIGHT), in_flight)?,
            max_table_bytes: given("MAX_TABLE_BYTES").map(table_bytes).transpose()?,
        })
    }

    /// Returns whether the service may access the bucket of `uri`.
    pub fn allows(&self, uri: &S3Uri) -> bool {
        self.allowed_buckets
            .as_ref()
            .is_none_or(|allowed| allowed.contains(uri.bucket()))
    }
}

/// Returns a variable of the process's environment. Invalid UTF-8 is replaced rather than ignored, so that an invalid
/// `ALLOWED_BUCKETS` does not count as unset.
pub fn environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Parses the value of `ADDR`; every service listens on port 8080 by default.
///
/// # Errors
///
/// Returns an error for a value that is not an address.
pub fn listen_addr(addr: Option<&str>) -> Result<ListenAddr, ConfigError> {
    let addr = addr.map(str::trim).filter(|addr| !addr.is_empty());
    addr.unwrap_or(":8080").parse()
}

fn prefix(value: String) -> Result<String, ConfigError> {
    let trimmed = value.trim_matches('/');
    if trimmed.is_empty() {
        Err(ConfigError::OutPrefix { value })
    } else {
        Ok(trimmed.to_owned())
    }
}

fn buckets(value: String) -> Result<BTreeSet<String>, ConfigError> {
    let names: BTreeSet<_> = value
        .split(',')
        .map(str::trim)
        .filter(|n| !n.is_empty())
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        Err(ConfigError::AllowedBuckets { value })
    } else {
        Ok(names)
    }
}

fn in_flight(value: String) -> Result<usize, ConfigError> {
    match value.parse() {
        Ok(n @ 1..=100_000) => Ok(n),
        _ => Err(ConfigError::MaxInFlight { value }),
    }
}

fn table_bytes(value: String) -> Result<u64, ConfigError> {
    match value.parse() {
        Ok(n @ 1..) => Ok(n),
        _ => Err(ConfigError::MaxTableBytes { value }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn config(environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let find = |name: &str| {
            environment
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        };
        Config::from_env(Role::Mapper, find)
    }

    #[test]
    fn nothing_set_gives_the_defaults() {
        let config = config(&[("ADDR", ""), ("OUT_PREFIX", " ")]).unwrap();
        assert_eq!(
            config.addr,
            ListenAddr {
                host: None,
                port: 8080
            }
        );
        assert_eq!(
            (config.out_prefix.as_str(), config.max_in_flight),
            ("mr/maps", 64)
        );
        assert!(config.allows(&"s3://any/key".parse().unwrap()));
    }

    #[test]
    fn addresses_are_read_with_and_without_a_host() {
        for (text, host, port) in [
            (":9000", None, 9000),
            ("0.0.0.0:80", Some("0.0.0.0"), 80),
            ("localhost:1", Some("localhost"), 1),
            ("[::]:8080", Some("::"), 8080),
        ] {
            let addr: ListenAddr = text.parse().unwrap();
            assert_eq!((addr.host.as_deref(), addr.port), (host, port));
            assert_eq!(addr.to_string(), text);
        }
    }

    #[test]
    fn a_wrong_address_is_named_with_the_right_forms() {
        for text in [
            "8080",
            "host",
            ":",
            ":99999",
            ":-1",
            "::1:80",
            "[::1:80",
            "[x]:80",
            "http://h:80",
            "a b:80",
        ] {
            let error = config(&[("ADDR", text)]).unwrap_err();
            assert!(
                matches!(&error, ConfigError::Addr { value, .. } if value == text),
                "{error}"
            );
            assert!(
                error
                    .to_string()
                    .contains("write HOST:PORT, :PORT or [::]:PORT")
            );
        }
    }

    #[test]
    fn the_allow_list_is_exact() {
        let config = config(&[("ALLOWED_BUCKETS", "a, b,")]).unwrap();
        assert!(
            config.allows(&"s3://a/k".parse().unwrap())
                && config.allows(&"s3://b/k".parse().unwrap())
        );
        assert!(!config.allows(&"s3://ab/k".parse().unwrap()));
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        assert!(matches!(
            config(&[("ALLOWED_BUCKETS", "")]),
            Err(ConfigError::AllowedBuckets { .. })
        ));
        assert!(matches!(
            config(&[("ALLOWED_BUCKETS", " , ")]),
            Err(ConfigError::AllowedBuckets { .. })
        ));
        assert!(matches!(
            config(&[("OUT_PREFIX", "//")]),
            Err(ConfigError::OutPrefix { .. })
        ));
        for n in ["0", "-1", "x", "100001"] {
            assert!(
                matches!(
                    config(&[("MAX_IN_FLIGHT", n)]),
                    Err(ConfigError::MaxInFlight { .. })
                ),
                "{n}"
            );
        }
    }

    #[test]
    fn slashes_around_the_prefix_do_not_count() {
        assert_eq!(
            config(&[("OUT_PREFIX", "/my/out/")]).unwrap().out_prefix,
            "my/out"
        );
    }
}
