//! Answers that are not AWS's: from another kind of server, an incompatible stand-in, or an intermediary.

use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use mrdeck_core::causes::causes;

/// The number of characters quoted from a body.
const QUOTED: usize = 120;

/// An answer in which the SDK found neither the expected result nor an error of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub status: u16,
    /// What came, and for a success status, why it can't be read.
    pub detail: String,
}

impl Unreadable {
    /// Returns the answer if it is the reason why the call failed and all of it arrived.
    pub fn of<E>(error: &SdkError<E, HttpResponse>) -> Option<Self>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if let SdkError::ServiceError(answer) = error
            && (answer.err().code().is_some() || answer.err().message().is_some())
        {
            return None;
        }
        let answer = error.raw_response()?;
        // The body is missing if it was cut off.
        let body = answer.body().bytes()?;
        let status = answer.status();
        let came = describe(status.as_u16(), answer.headers().get("content-type"), body);
        let detail = if status.is_success() {
            format!("{} ({came})", causes(error))
        } else {
            came
        };
        Some(Self {
            status: status.as_u16(),
            detail,
        })
    }

    /// Returns whether the status claims success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Describes an answer for people: `HTTP 200, text/html: '<html>…'`.
pub fn describe(status: u16, content_type: Option<&str>, body: &[u8]) -> String {
    let quoted = quote(body);
    if quoted.is_empty() {
        return format!("HTTP {status} without an explanation");
    }
    let kind = content_type.map_or(String::new(), |kind| format!(", {kind}"));
    format!("HTTP {status}{kind}: '{quoted}'")
}

/// Returns the beginning of a body on one line, without control characters.
fn quote(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * QUOTED)]);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let mut quoted: String = line
        .chars()
        .filter(|c| !c.is_control())
        .take(QUOTED)
        .collect();
    if quoted.len() < line.len() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_said_on_one_line() {
        let html = b"<html>\r\n  <h1>Log\x1b[5i in</h1>\n";
        assert_eq!(
            describe(200, Some("text/html"), html),
            "HTTP 200, text/html: '<html> <h1>Log[5i in</h1>…'"
        );
        assert_eq!(describe(502, None, b"no"), "HTTP 502: 'no'");
        assert_eq!(
            describe(500, Some("text/html"), b" \n"),
            "HTTP 500 without an explanation"
        );
        let long = describe(200, None, "ä".repeat(1_000).as_bytes());
        assert_eq!(long, format!("HTTP 200: '{}…'", "ä".repeat(QUOTED)));
    }
}
