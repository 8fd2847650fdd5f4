//! Classifies the SDK's errors by their types, codes and HTTP status.

use std::error::Error;

pub(super) use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::aws::NoCredentials;
use crate::refusal::{Refusal, is_about_credentials, refusal};
use crate::settings::value::REGION;
use crate::unreadable::Unreadable;
use crate::{StoreError, Target};
pub(super) use mrdeck_core::causes::causes;

/// The header by which S3 says where a bucket is.
const BUCKET_REGION: &str = "x-amz-bucket-region";

/// A failed call, as far as its own answer tells.
#[derive(Debug)]
pub(super) enum Failure {
    Known(StoreError),
    /// A 404, for either the key or the bucket.
    Missing,
    /// A refusal without a code: what is known until a call whose answer has a body tells more.
    Bare(StoreError),
}

pub(super) fn classify<E>(at: &Target, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let mut failure = classified(at, error);
    if let Failure::Known(StoreError::OtherRegion { region, .. }) = &mut failure {
        let answer = error.raw_response();
        let header = answer.and_then(|answer| answer.headers().get(BUCKET_REGION));
        *region = header.filter(|name| REGION.fits(name)).map(str::to_owned);
    }
    failure
}

fn classified<E>(at: &Target, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(Unreadable { status, detail }) = Unreadable::of(error) {
        return strange(at, status, detail);
    }
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

/// Classifies an answer that has only a status; a success should have had more.
fn strange(at: &Target, status: u16, detail: String) -> Failure {
    if (200..300).contains(&status) {
        let at = at.clone();
        return Failure::Known(StoreError::Unreadable { at, detail });
    }
    refused(at, status, None, detail)
}

/// Classifies an answer with an error status. Codes come first, since many of them share a status.
fn refused(at: &Target, status: u16, code: Option<&str>, detail: String) -> Failure {
    let at = at.clone();
    Failure::Known(match code.map_or(Kind::Shared(Refusal::Unknown), kind) {
        Kind::NoBucket => return no_bucket(at, detail),
        Kind::NoKey => return Failure::Missing,
        Kind::NoRange => no_range(at, detail),
        Kind::Changed => changed(at, detail),
        Kind::Conflict => conflict(at, detail),
        Kind::OtherRegion => other_region(at, detail),
        Kind::Shared(Refusal::Credentials) => StoreError::Credentials {
            detail,
            advice: None,
        },
        Kind::Shared(Refusal::Denied) => StoreError::Denied { at, detail },
        Kind::Shared(Refusal::Throttled) => StoreError::Throttled { detail },
        Kind::Shared(Refusal::Skewed) => StoreError::Skewed { detail },
        Kind::Shared(Refusal::Unknown) => match status {
            404 if code.is_none() => return Failure::Missing,
            301 => other_region(at, detail),
            400 if code.is_none() => return Failure::Bare(StoreError::Other { at, detail }),
            401 | 403 if code.is_none() => {
                return Failure::Bare(StoreError::Denied { at, detail });
            }
            401 | 403 => StoreError::Denied { at, detail },
            409 => conflict(at, detail),
            412 => changed(at, detail),
            416 => no_range(at, detail),
            429 | 503 => StoreError::Throttled { detail },
            _ => StoreError::Other { at, detail },
        },
    })
}

fn no_bucket(at: Target, detail: String) -> Failure {
    let bucket = match at {
        Target::Object(uri) => uri.bucket().to_owned(),
        Target::Keys { bucket, .. } => bucket,
        Target::Buckets => return Failure::Known(StoreError::Other { at, detail }),
    };
    Failure::Known(StoreError::NoSuchBucket { bucket })
}

fn other_region(at: Target, detail: String) -> StoreError {
    StoreError::OtherRegion {
        at,
        detail,
        region: None,
    }
}

fn changed(at: Target, detail: String) -> StoreError {
    match at {
        Target::Object(uri) => StoreError::Changed { uri },
        at => StoreError::Other { at, detail },
    }
}

fn no_range(at: Target, detail: String) -> StoreError {
    match at {
        Target::Object(uri) => StoreError::NoSuchRange { uri },
        at => StoreError::Other { at, detail },
    }
}

fn conflict(at: Target, detail: String) -> StoreError {
    match at {
        Target::Object(uri) => StoreError::Conflict { uri, detail },
        at => StoreError::Other { at, detail },
    }
}

/// The meaning of a code: specific to S3, or shared by all AWS services.
enum Kind {
    NoBucket,
    NoKey,
    NoRange,
    Changed,
    Conflict,
    OtherRegion,
    Shared(Refusal),
}

fn kind(code: &str) -> Kind {
    match code {
        "NoSuchBucket" => Kind::NoBucket,
        "NoSuchKey" | "NotFound" | "NoSuchVersion" => Kind::NoKey,
        "InvalidRange" => Kind::NoRange,
        "PreconditionFailed" => Kind::Changed,
        "ConditionalRequestConflict" | "OperationAborted" => Kind::Conflict,
        "PermanentRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => Kind::OtherRegion,
        code => Kind::Shared(refusal(code)),
    }
}

/// Classifies a call that received no meaningful answer.
fn undelivered<E>(at: &Target, error: &SdkError<E, HttpResponse>) -> StoreError
where
    E: Error + 'static,
{
    if let Some(NoCredentials { cause, advice }) = NoCredentials::among(error) {
        return StoreError::Credentials {
            detail: cause.clone(),
            advice: Some(advice.clone()),
        };
    }
    let detail = causes(error);
    if is_about_credentials(error) {
        return StoreError::Credentials {
            detail,
            advice: None,
        };
    }
    match error {
        SdkError::ConstructionFailure(_) => StoreError::Other {
            at: at.clone(),
            detail,
        },
        _ => StoreError::Unreachable { detail },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use mrdeck_core::uri::S3Uri;

    fn at() -> Target {
        (&"s3://b/k".parse::<S3Uri>().unwrap()).into()
    }

    fn known(status: u16, code: Option<&str>) -> StoreError {
        match refused(&at(), status, code, String::new()) {
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
            known(403, Some("RequestTimeTooSkewed")),
            StoreError::Skewed { .. }
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
            StoreError::OtherRegion { .. }
        ));
    }

    #[test]
    fn without_a_code_the_status_decides() {
        assert!(matches!(known(412, None), StoreError::Changed { .. }));
        assert!(matches!(known(416, None), StoreError::NoSuchRange { .. }));
        assert!(matches!(known(409, None), StoreError::Conflict { .. }));
        assert!(matches!(known(429, None), StoreError::Throttled { .. }));
        assert!(matches!(known(500, None), StoreError::Other { .. }));
        assert!(matches!(known(301, None), StoreError::OtherRegion { .. }));
        assert!(matches!(
            refused(&at(), 404, None, String::new()),
            Failure::Missing
        ));
        assert!(matches!(
            refused(&at(), 404, Some("NoSuchKey"), String::new()),
            Failure::Missing
        ));
        assert!(matches!(
            refused(&at(), 403, None, String::new()),
            Failure::Bare(StoreError::Denied { .. })
        ));
        assert!(matches!(
            refused(&at(), 400, None, String::new()),
            Failure::Bare(StoreError::Other { .. })
        ));
    }
}
