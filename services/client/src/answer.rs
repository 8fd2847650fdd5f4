//! Reads the answer of a service: bounded in size, lenient where nothing depends on it, strict where the result does.

use mrdeck_core::api::ErrorAnswer;
use mrdeck_core::causes::root_cause;
use mrdeck_core::human;
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::CallError;

/// The milliseconds that a service spent on a part of its work (`Server-Timing`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimedPart {
    pub name: String,
    pub ms: f64,
}

/// An answer, and the facts in its headers.
#[derive(Debug, Clone)]
pub struct Timed<T> {
    pub answer: T,
    /// The parts of the work, as measured by the service.
    pub timing: Vec<TimedPart>,
    /// The name that the service gives itself; mrdeck's send `mrdeck-services/VERSION ROLE`.
    pub service: Option<String>,
}

/// The longest answer that is read: answers list at most 10,000 chunks, which is much less.
const MAX_ANSWER: usize = 32 << 20;

pub(crate) async fn read_body(address: &str, mut response: Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(piece)) if body.len() + piece.len() <= MAX_ANSWER => {
                body.extend_from_slice(&piece);
            }
            Ok(Some(_)) => {
                return Err(CallError::Garbage {
                    address: address.to_owned(),
                    detail: format!("more than {} MiB", MAX_ANSWER >> 20),
                });
            }
            Ok(None) => return Ok(body),
            Err(error) => {
                return Err(CallError::Interrupted {
                    address: address.to_owned(),
                    detail: root_cause(&error),
                });
            }
        }
    }
}

pub(crate) fn status_error(address: &str, status: StatusCode, body: &[u8]) -> CallError {
    let address = address.to_owned();
    match serde_json::from_slice::<ErrorAnswer>(body) {
        Ok(ErrorAnswer { error }) => CallError::Refused {
            address,
            status,
            code: error.code,
            message: error.message,
            object: error.object,
        },
        Err(_) => CallError::Status {
            address,
            status,
            excerpt: excerpt(body),
        },
    }
}

pub(crate) fn parse<T: DeserializeOwned>(address: &str, body: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(body).map_err(|error| {
        let address = address.to_owned();
        // A success status around an error is no success.
        if let Ok(ErrorAnswer { error }) = serde_json::from_slice(body) {
            let detail = error.message;
            return CallError::Garbage { address, detail };
        }
        let detail = format!("{error}: {}", excerpt(body));
        if error.is_data() {
            CallError::Shape { address, detail }
        } else {
            CallError::Garbage { address, detail }
        }
    })
}

/// Returns the first line of a body, for a message.
fn excerpt(body: &[u8]) -> String {
    const LENGTH: usize = 120;
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * LENGTH)]);
    match human::excerpt(&text, LENGTH) {
        line if line.is_empty() => "an empty answer".to_owned(),
        line => line,
    }
}

/// Returns the parts of the work that a service reports: `s3_get;dur=12.3, count;dur=4`.
pub(crate) fn server_timing(response: &Response) -> Vec<TimedPart> {
    response
        .headers()
        .get_all("server-timing")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(timed_part)
        .collect()
}

fn timed_part(metric: &str) -> Option<TimedPart> {
    let mut fields = metric.split(';').map(str::trim);
    let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
    let ms = fields
        .find_map(|field| field.strip_prefix("dur="))?
        .trim_matches('"')
        .parse()
        .ok()
        .filter(|ms: &f64| ms.is_finite() && *ms >= 0.0)?;
    Some(TimedPart { name, ms })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use mrdeck_core::api::MapAnswer;

    use super::*;
    use crate::error::Retry;

    #[test]
    fn server_timing_is_read_leniently() {
        let part = timed_part(" s3_get;dur=12.5").unwrap();
        assert_eq!(part.name, "s3_get");
        assert!((part.ms - 12.5).abs() < f64::EPSILON);
        assert!(timed_part("total;desc=\"all\"; dur=\"3\"").is_some());
        for bad in ["", "cache", "x;dur=", "x;dur=NaN", "x;dur=-1", ";dur=1"] {
            assert!(timed_part(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn an_excerpt_is_one_printable_line() {
        assert_eq!(
            excerpt(b"\x1b[31mno such key\nmore"),
            "\u{fffd}[31mno such key"
        );
        assert_eq!(excerpt(b" \n"), "an empty answer");
        assert!(excerpt(&[b'x'; 9_000]).chars().count() <= 121);
        assert_eq!(excerpt(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn an_error_in_a_success_is_named() {
        let body = br#"{"error":{"code":"s3_failed","message":"S3 failed"}}"#;
        let error = parse::<MapAnswer>("a:1", body).unwrap_err();
        assert!(error.to_string().ends_with("S3 failed"), "{error}");
    }

    #[test]
    fn a_plain_text_error_may_come_from_the_wrong_service() {
        let plain = status_error("a:1", StatusCode::NOT_FOUND, b"404 page not found");
        assert_eq!(plain.retry(), Retry::Elsewhere);
    }

    #[test]
    fn an_answer_of_the_wrong_shape_is_told_from_one_that_is_cut_off() {
        let retry = |body: &str| {
            parse::<MapAnswer>("a:1", body.as_bytes())
                .unwrap_err()
                .retry()
        };
        for shape in ["{}", "[]", r#"{"out":"nowhere"}"#, r#"{"out":7}"#, "null"] {
            assert_eq!(retry(shape), Retry::Elsewhere, "{shape}");
        }
        let error = r#"{"error":{"code":"s3_failed","message":"S3 failed"}}"#;
        for passing in ["", "<html>it works", r#"{"out":"s3://b"#, error] {
            assert_eq!(retry(passing), Retry::Anywhere, "{passing}");
        }
    }
}
