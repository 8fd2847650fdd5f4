//! The values of flags that have rules of their own. The configuration file's values go through the same parsers.
//!
//! clap names the flag and the value in its message, so the errors here only say what would be right.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use mrdeck_core::run_id::RunId;
use mrdeck_store::settings::value::{self, REGION};
use serde::de::{Deserialize, Deserializer, Error};
use url::Url;

/// Returns a parser of whole numbers within bounds.
pub fn whole_number<T>(
    bounds: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| {
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        number.ok_or_else(|| {
            format!(
                "give a whole number from {} to {}",
                bounds.start(),
                bounds.end()
            )
        })
    }
}

/// How a run that is recorded on this machine is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunName {
    /// The newest one.
    Last,
    Id(RunId),
}

impl FromStr for RunName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "last" => Ok(Self::Last),
            id => id
                .parse()
                .map(Self::Id)
                .map_err(|_| "give a run's id, as 'mrdeck runs' lists it, or last".to_owned()),
        }
    }
}

/// The most characters of an ECS cluster's name.
const MAX_CLUSTER: usize = 255;
/// The most characters of a bucket's name, in regions that are old enough.
const MAX_BUCKET: usize = 255;

/// Reads the name of a bucket. Its finer rules are S3's.
///
/// # Errors
///
/// Returns what would be right.
pub fn bucket(text: &str) -> Result<String, String> {
    if let Some(rest) = text.strip_prefix("s3://") {
        let name = rest.split('/').next().unwrap_or_default();
        return Err(format!("give the bucket's name alone: {name}"));
    }
    visible(text)?;
    let is_name = |c: char| !c.is_whitespace() && c != '/';
    let is_access_point = text.starts_with("arn:");
    if text.is_empty() || text.len() > MAX_BUCKET || !is_access_point && !text.chars().all(is_name)
    {
        return Err("give the bucket's name alone, for instance my-bucket".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads the name or the ARN of an ECS cluster.
///
/// # Errors
///
/// Returns what would be right.
pub fn cluster(text: &str) -> Result<String, String> {
    visible(text)?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let is_arn = text.starts_with("arn:") && text.contains(":cluster/");
    if is_arn || (1..=MAX_CLUSTER).contains(&text.len()) && text.chars().all(is_name) {
        return Ok(text.to_owned());
    }
    Err("give the name of a cluster (letters, digits, - and _) or its ARN".to_owned())
}

/// Reads the name of an AWS region.
///
/// # Errors
///
/// Returns what would be right.
pub fn region(text: &str) -> Result<String, String> {
    visible(text)?;
    if REGION.fits(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("give {}", REGION.wanted))
    }
}

/// Reads the name of a profile in AWS's own files.
///
/// # Errors
///
/// Returns what would be right.
pub fn profile(text: &str) -> Result<String, String> {
    visible(text)?;
    if text.is_empty() {
        return Err("give the name of a profile".to_owned());
    }
    Ok(text.to_owned())
}

/// Checks that nothing is in a value that can't be seen.
fn visible(text: &str) -> Result<(), String> {
    value::fault(text).map_or(Ok(()), |fault| Err(format!("it {fault}")))
}

/// Returns a reader of the same value in the configuration file, where an empty one counts as unset.
fn in_file<'de, D: Deserializer<'de>>(
    deserializer: D,
    parse: fn(&str) -> Result<String, String>,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    parse(&text).map(Some).map_err(D::Error::custom)
}

/// Reads [`bucket`] from the configuration file.
///
/// # Errors
///
/// Returns what would be right.
pub fn bucket_in_file<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    in_file(from, bucket)
}

/// Reads [`cluster`] from the configuration file.
///
/// # Errors
///
/// Returns what would be right.
pub fn cluster_in_file<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    in_file(from, cluster)
}

/// Reads [`region`] from the configuration file.
///
/// # Errors
///
/// Returns what would be right.
pub fn region_in_file<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    in_file(from, region)
}

/// Reads [`profile`] from the configuration file.
///
/// # Errors
///
/// Returns what would be right.
pub fn profile_in_file<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    in_file(from, profile)
}

/// The longest that an attempt may take: `--timeout`, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "f64")]
pub struct Timeout(pub Duration);

impl Timeout {
    /// No request is worth waiting for longer than a day.
    const MAX_SECONDS: f64 = 86_400.0;
}

/// The error of a timeout that is not in range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give a number of seconds above 0, a day (86400) at most")]
pub struct TimeoutError;

impl TryFrom<f64> for Timeout {
    type Error = TimeoutError;

    fn try_from(seconds: f64) -> Result<Self, TimeoutError> {
        if seconds > 0.0 && seconds <= Self::MAX_SECONDS {
            let duration = Duration::try_from_secs_f64(seconds).ok();
            let duration = duration.filter(|duration| !duration.is_zero());
            duration.map(Self).ok_or(TimeoutError)
        } else {
            Err(TimeoutError)
        }
    }
}

impl FromStr for Timeout {
    type Err = TimeoutError;

    fn from_str(text: &str) -> Result<Self, TimeoutError> {
        text.parse::<f64>().map_err(|_| TimeoutError)?.try_into()
    }
}

/// The address of a service: an `http://` or `https://` URL with a host.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct ServiceUrl(pub Url);

/// The error of a text that is not a service's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give an http:// or https:// address, for instance http://10.0.0.7:8080")]
pub struct ServiceUrlError;

impl FromStr for ServiceUrl {
    type Err = ServiceUrlError;

    fn from_str(text: &str) -> Result<Self, ServiceUrlError> {
        let url = Url::parse(text).map_err(|_| ServiceUrlError)?;
        if matches!(url.scheme(), "http" | "https") && url.has_host() {
            Ok(Self(url))
        } else {
            Err(ServiceUrlError)
        }
    }
}

impl TryFrom<String> for ServiceUrl {
    type Error = ServiceUrlError;

    fn try_from(text: String) -> Result<Self, ServiceUrlError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn numbers_have_bounds() {
        let parse = whole_number(1..=100);
        for bad in ["0", "101", "x", "-1", "", "1.5"] {
            let error = parse(bad).unwrap_err();
            assert_eq!(error, "give a whole number from 1 to 100", "{bad}");
        }
        assert_eq!((parse("1"), parse("100")), (Ok(1), Ok(100)));
    }

    #[test]
    fn an_address_is_http() {
        for bad in ["10.0.0.1:8080", "ftp://x", "http://", "mapper"] {
            assert!(bad.parse::<ServiceUrl>().is_err(), "{bad}");
        }
        assert!("http://10.0.0.1:8080".parse::<ServiceUrl>().is_ok());
    }

    #[test]
    fn seconds_are_above_zero() {
        for bad in ["0", "-1", "x", "inf", "NaN", "1e300", "86401", "1e-300"] {
            assert!(bad.parse::<Timeout>().is_err(), "{bad}");
        }
        let half: Timeout = "0.5".parse().unwrap();
        assert_eq!(half, Timeout(Duration::from_millis(500)));
    }
}
