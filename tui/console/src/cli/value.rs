//! The values of flags that have rules of their own. The configuration file's values go through the same parsers.
//!
//! clap names the flag and the value in its message, so the errors here only say what would be right.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
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

/// The longest that an attempt may take: `--timeout`, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
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

/// The fixed address of a service: an `http://` or `https://` URL with a host.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
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
