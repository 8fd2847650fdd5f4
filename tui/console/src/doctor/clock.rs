//! This machine's clock against AWS's: signatures carry the time, and old ones are refused.

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use mrdeck_core::causes::causes;
use reqwest::Client;
use reqwest::header::DATE;

use super::finding::Finding;
use mrdeck_core::diagnostic::{CHECK_NETWORK, Diagnostic};
use mrdeck_core::human::plural;

const CHECK: &str = "clock";
/// "A request must reach AWS within five minutes of the timestamp in the request" (IAM user guide, elements of
/// a request signature); S3 allows 15 minutes (`RequestTimeTooSkewed`).
const LIMIT: SignedDuration = SignedDuration::from_mins(5);
/// A clock that NTP sets is off by milliseconds; beyond this, it isn't set by NTP.
const SUSPECT: SignedDuration = SignedDuration::from_secs(30);
/// The header has whole seconds, so on average the answer is half a second younger.
const HALF_A_SECOND: SignedDuration = SignedDuration::from_millis(500);

/// Compares the clocks. Any answer of `endpoint` has the time, even a refusal, so nothing is signed.
pub(super) async fn check(http: &Client, endpoint: &str) -> Finding {
    let sent = Timestamp::now();
    let answer = match http.get(endpoint).send().await {
        Ok(answer) => answer,
        Err(error) => {
            let diagnostic = Diagnostic::new(
                format!("{endpoint} can't be asked for the time: {}", causes(&error)),
                CHECK_NETWORK,
            );
            return Finding::failed(CHECK, diagnostic);
        }
    };
    let received = Timestamp::now();
    let date = answer.headers().get(DATE);
    match date.and_then(|date| offset(date.as_bytes(), sent, received)) {
        Some(offset) => judge(offset),
        None => Finding::warning(
            CHECK,
            Diagnostic::new(
                format!("{endpoint} does not say the time"),
                "check that this machine's clock is set by NTP",
            ),
        ),
    }
}

/// Returns how far this clock is ahead of the server's, which was asked between `sent` and `received`.
fn offset(date: &[u8], sent: Timestamp, received: Timestamp) -> Option<SignedDuration> {
    let server = DateTimeParser::new().parse_timestamp(date).ok()? + HALF_A_SECOND;
    let here = sent + received.duration_since(sent) / 2;
    Some(here.duration_since(server))
}

fn judge(offset: SignedDuration) -> Finding {
    let off = offset.abs();
    if off < SignedDuration::from_secs(2) {
        return Finding::ok(CHECK, "right to the second");
    }
    let seconds = plural(off.as_secs().unsigned_abs(), "second");
    let way = if offset.is_positive() {
        "ahead of"
    } else {
        "behind"
    };
    let found = format!("{seconds} {way} AWS's");
    if off < SUSPECT {
        return Finding::ok(CHECK, found);
    }
    let diagnostic = Diagnostic::new(
        format!("{found}; AWS refuses what is signed more than 5 minutes off (S3: 15)"),
        "set this machine's clock by NTP, for instance with 'timedatectl set-ntp true'",
    );
    if off < LIMIT {
        Finding::warning(CHECK, diagnostic)
    } else {
        Finding::failed(CHECK, diagnostic)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::doctor::CheckStatus;

    const DATE: &[u8] = b"Wed, 29 Jul 2026 10:00:00 GMT";

    #[test]
    fn the_offset_is_measured_at_the_middle_of_the_request() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (sent, received) = (at("2026-07-29T10:01:00Z"), at("2026-07-29T10:01:03Z"));
        let measured = offset(DATE, sent, received).unwrap();
        assert_eq!(measured, SignedDuration::from_secs(61));
        assert_eq!(offset(b"yesterday", sent, received), None);
    }

    #[test]
    fn the_limits_are_those_of_aws() {
        for (seconds, status, words) in [
            (0, CheckStatus::Ok, "right"),
            (-20, CheckStatus::Ok, "20 seconds behind"),
            (31, CheckStatus::Warning, "31 seconds ahead"),
            (-299, CheckStatus::Warning, "5 minutes"),
            (300, CheckStatus::Failed, "300 seconds ahead"),
            (-86_400, CheckStatus::Failed, "86,400 seconds behind"),
        ] {
            let finding = judge(SignedDuration::from_secs(seconds));
            assert_eq!(finding.status, status, "{seconds}");
            assert!(finding.found.contains(words), "{}", finding.found);
        }
    }
}
