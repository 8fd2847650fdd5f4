//! What the SDK's errors mean, told by their types, codes and HTTP status.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
pub(super) use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::store::StoreError;
use crate::uri::S3Uri;

/// A failed call, as far as its answer alone tells.
#[derive(Debug)]
pub(super) enum Failure {
    Known(StoreError),
    /// 404, for the key or for the bucket.
    Missing,
    /// Refused without a code: what can be said until a call with a body in its answer says more.
    Bare(StoreError),
}

pub(super) fn classify<E>(at: &S3Uri, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let answer = match error {
        SdkError::ServiceError(answer) => answer,
        other => return Failure::Known(undelivered(at, other)),
    };
    let status = answer.raw().status().as_u16();
    let code = answer.err().code();
    let message = answer.err().message();
    let detail = match (code, message) {
        (Some(code), Some(message)) => format!("{message} ({code}, HTTP {status})"),
        (Some(text), None) | (None, Some(text)) => format!("{text} (HTTP {status})"),
        (None, None) => format!("HTTP {status} without an explanation"),
    };
    refused(at, status, code, detail)
}

/// What an answer with an error status means. Codes come first: statuses are shared by many of them.
fn refused(at: &S3Uri, status: u16, code: Option<&str>, detail: String) -> Failure {
    let uri = at.clone();
    let bucket = at.bucket().to_owned();
    Failure::Known(match code.map_or(Kind::Unknown, kind) {
        Kind::NoBucket => StoreError::NoSuchBucket { bucket },
        Kind::NoKey => return Failure::Missing,
        Kind::Changed => StoreError::Changed { uri },
        Kind::Credentials => StoreError::Credentials { detail },
        Kind::Denied => StoreError::Denied { uri, detail },
        Kind::Throttled => StoreError::Throttled { detail },
        Kind::Unknown => match status {
            404 if code.is_none() => return Failure::Missing,
            400 if code.is_none() => return Failure::Bare(StoreError::Other { uri, detail }),
            401 | 403 if code.is_none() => {
                return Failure::Bare(StoreError::Denied { uri, detail });
            }
            401 | 403 => StoreError::Denied { uri, detail },
            412 => StoreError::Changed { uri },
            429 | 503 => StoreError::Throttled { detail },
            _ => StoreError::Other { uri, detail },
        },
    })
}

/// What the services treat alike.
enum Kind {
    NoBucket,
    NoKey,
    Changed,
    Credentials,
    Denied,
    Throttled,
    Unknown,
}

fn kind(code: &str) -> Kind {
    match code {
        "NoSuchBucket" => Kind::NoBucket,
        "NoSuchKey" | "NotFound" | "NoSuchVersion" => Kind::NoKey,
        "PreconditionFailed" => Kind::Changed,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidToken"
        | "SignatureDoesNotMatch"
        | "TokenRefreshRequired"
        | "UnrecognizedClientException" => Kind::Credentials,
        "AccessDenied" | "AccessDeniedException" | "AllAccessDisabled" | "AccountProblem" => {
            Kind::Denied
        }
        "SlowDown"
        | "SlowDownRead"
        | "SlowDownWrite"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestLimitExceeded"
        | "TooManyRequests"
        | "TooManyRequestsException"
        | "ServiceUnavailable"
        | "BandwidthLimitExceeded" => Kind::Throttled,
        _ => Kind::Unknown,
    }
}

/// A call that got no answer that S3 could have meant.
fn undelivered<E>(at: &S3Uri, error: &SdkError<E, HttpResponse>) -> StoreError
where
    E: Error + 'static,
{
    let detail = causes(error);
    if has_cause::<CredentialsError>(error) {
        return StoreError::Credentials { detail };
    }
    match error {
        SdkError::ConstructionFailure(_) => StoreError::Other {
            uri: at.clone(),
            detail,
        },
        _ => StoreError::Unreachable { detail },
    }
}

/// The causes of an error without the SDK's own outermost words, which only name the layer.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        // Many errors repeat their cause in their own text.
        if !texts.iter().any(|seen| seen.contains(&text)) {
            texts.push(text);
        }
        next = cause.source();
    }
    if texts.is_empty() {
        error.to_string()
    } else {
        texts.join(": ")
    }
}

fn has_cause<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |e| (*e).source()).any(<dyn Error + 'static>::is::<T>)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn known(status: u16, code: Option<&str>) -> StoreError {
        match refused(&"s3://b/k".parse().unwrap(), status, code, String::new()) {
            Failure::Known(error) => error,
            other => panic!("{code:?} {status}: {other:?}"),
        }
    }

    #[test]
    fn codes_decide_before_statuses() {
        assert!(matches!(
            known(404, Some("NoSuchBucket")),
            StoreError::NoSuchBucket { .. }
        ));
        assert!(matches!(
            known(400, Some("ExpiredToken")),
            StoreError::Credentials { .. }
        ));
        assert!(matches!(
            known(403, Some("InvalidAccessKeyId")),
            StoreError::Credentials { .. }
        ));
        assert!(matches!(
            known(403, Some("AccessDenied")),
            StoreError::Denied { .. }
        ));
        assert!(matches!(
            known(403, Some("SomethingNew")),
            StoreError::Denied { .. }
        ));
        assert!(matches!(
            known(503, Some("SlowDown")),
            StoreError::Throttled { .. }
        ));
        assert!(matches!(
            known(412, Some("PreconditionFailed")),
            StoreError::Changed { .. }
        ));
        assert!(matches!(
            known(301, Some("PermanentRedirect")),
            StoreError::Other { .. }
        ));
    }

    #[test]
    fn without_a_code_the_status_decides() {
        let at: S3Uri = "s3://b/k".parse().unwrap();
        assert!(matches!(known(412, None), StoreError::Changed { .. }));
        assert!(matches!(known(429, None), StoreError::Throttled { .. }));
        assert!(matches!(known(500, None), StoreError::Other { .. }));
        assert!(matches!(
            refused(&at, 404, None, String::new()),
            Failure::Missing
        ));
        assert!(matches!(
            refused(&at, 404, Some("NoSuchKey"), String::new()),
            Failure::Missing
        ));
        assert!(matches!(
            refused(&at, 403, None, String::new()),
            Failure::Bare(StoreError::Denied { .. })
        ));
        assert!(matches!(
            refused(&at, 400, None, String::new()),
            Failure::Bare(StoreError::Other { .. })
        ));
    }
}
