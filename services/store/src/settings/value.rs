//! What a setting's value must look like. Nothing here knows where a value comes from.

use std::str::FromStr;

use url::Url;

/// The most bytes of a host's name: RFC 1035, section 2.3.4, as text.
const MAX_HOST: usize = 253;

/// A kind of value.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What the value must be, as a noun.
    pub wanted: &'static str,
    fits: fn(&str) -> bool,
    /// It is never shown.
    pub is_secret: bool,
}

const fn kind(wanted: &'static str, fits: fn(&str) -> bool) -> Kind {
    Kind {
        wanted,
        fits,
        is_secret: false,
    }
}

const fn secret(wanted: &'static str, fits: fn(&str) -> bool) -> Kind {
    Kind {
        wanted,
        fits,
        is_secret: true,
    }
}

pub const REGION: Kind = kind("a region's name, such as us-east-1", is_region);
pub const ENDPOINT: Kind = kind("an http:// or https:// address", is_endpoint);
pub const RETRY_MODE: Kind = kind("standard or adaptive", |text| {
    is_one_of(text, &["standard", "adaptive", "legacy"])
});
pub const ATTEMPTS: Kind = kind("a whole number above 0", |text| {
    matches!(u32::from_str(text), Ok(1..))
});
pub const BOOL: Kind = kind("true or false", |text| is_one_of(text, &["true", "false"]));
pub const CHECKSUM: Kind = kind("when_supported or when_required", |text| {
    is_one_of(text, &["when_supported", "when_required"])
});
pub const ENDPOINT_MODE: Kind = kind("preferred, required or disabled", |text| {
    is_one_of(text, &["preferred", "required", "disabled"])
});
pub const IP_VERSION: Kind = kind("IPv4 or IPv6", |text| is_one_of(text, &["ipv4", "ipv6"]));
pub const NUMBER: Kind = kind("a whole number", |text| u32::from_str(text).is_ok());
pub const PATH: Kind = kind("a path that begins with a slash", |text| {
    text.starts_with('/') && text.chars().all(|c| c.is_ascii_graphic())
});
pub const PATH_NAME: Kind = kind("the name of a file", |_| true);
pub const PROXY: Kind = secret(
    "the http:// or https:// address of a proxy (SOCKS is not supported)",
    is_proxy,
);
pub const ROLE: Kind = kind("the ARN of a role", |text| {
    text.starts_with("arn:") && text.contains(":role/")
});
pub const WORD: Kind = kind("a word in ASCII", |text| {
    text.chars().all(|c| c.is_ascii_graphic())
});
pub const TEXT: Kind = kind("a text", |_| true);
pub const ACCESS_KEY: Kind = secret("an access key: letters and digits", |text| {
    text.chars().all(|c| c.is_ascii_graphic())
});
pub const AUTHORIZATION: Kind = secret("the value of a header", |text| {
    text.chars().all(|c| c.is_ascii_graphic() || c == ' ')
});
pub const SECRET: Kind = secret("a word in ASCII, as AWS gives it", |text| {
    text.chars().all(|c| c.is_ascii_graphic())
});

impl Kind {
    /// Returns whether a value that has only visible characters is of this kind.
    pub fn fits(&self, text: &str) -> bool {
        (self.fits)(text)
    }
}

/// Returns what is wrong with the characters of a value, whatever it is for.
pub fn fault(text: &str) -> Option<&'static str> {
    let line_end = ['\r', '\n'];
    if text.ends_with(line_end) {
        Some("ends with a line end (CR or LF)")
    } else if text.contains(line_end) {
        Some("has a line end (CR or LF) in it")
    } else if text.contains(char::is_control) {
        Some("has a control character in it")
    } else if text.starts_with(char::is_whitespace) {
        Some("begins with a blank")
    } else if text.ends_with(char::is_whitespace) {
        Some("ends with a blank")
    } else {
        None
    }
}

/// Returns whether a name can be a region's: it becomes part of a host name.
fn is_region(text: &str) -> bool {
    let is_label = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=63).contains(&text.len())
        && text.chars().all(is_label)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_endpoint(text: &str) -> bool {
    let is_web = |url: Url| {
        let is_host = |host: &str| host.len() <= MAX_HOST;
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(is_host)
    };
    text.is_ascii() && !text.contains(' ') && Url::parse(text).is_ok_and(is_web)
}

fn is_proxy(text: &str) -> bool {
    if text.contains("://") {
        return is_endpoint(text);
    }
    is_endpoint(&format!("http://{text}"))
}

fn is_one_of(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_and_what_does_not() {
        for (kind, good, bad) in [
            (
                REGION,
                &["us-east-1", "local"][..],
                &["", "us east", "-", "a.b"][..],
            ),
            (
                ENDPOINT,
                &["http://localhost:9000", "https://s3.test/x", "HTTP://[::1]"],
                &[
                    "",
                    "localhost:9000",
                    "ftp://x",
                    "http://",
                    "http://a b",
                    "s3://x",
                ],
            ),
            (
                PROXY,
                &["proxy:3128", "http://ada:hush@proxy.test", "10.0.0.1"],
                &["", "socks5://proxy:1080", "http://", "a b"],
            ),
            (RETRY_MODE, &["standard", "Legacy"], &["", "none"]),
            (ATTEMPTS, &["1", "10"], &["0", "-1", "x", "1.5", ""]),
            (BOOL, &["true", "FALSE"], &["", "1", "yes"]),
            (PATH, &["/v2/credentials"], &["v2", "/a b", "http://x/"]),
            (
                ROLE,
                &["arn:aws:iam::1:role/a"],
                &["LabRole", "arn:aws:s3:::b"],
            ),
        ] {
            for text in good {
                assert!(kind.fits(text), "{text} is {}", kind.wanted);
            }
            for text in bad {
                assert!(!kind.fits(text), "{text} is not {}", kind.wanted);
            }
        }
    }

    #[test]
    fn what_can_not_be_seen_is_told() {
        for (text, word) in [
            ("AK\r", "ends with a line end"),
            ("A\nK", "in it"),
            ("A\u{1b}K", "control character"),
            (" AK", "begins with a blank"),
            ("AK ", "ends with a blank"),
        ] {
            assert!(
                fault(text).is_some_and(|told| told.contains(word)),
                "{text:?}"
            );
        }
        assert_eq!(fault("A K"), None);
    }
}
