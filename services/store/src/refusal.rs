//! What the error codes of AWS services have in common, and what lies behind an SDK error.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;

/// What callers treat alike, whichever service refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Missing, wrong or expired.
    Credentials,
    Denied,
    Throttled,
    /// The caller's clock is too far off.
    Skewed,
    /// A code that only its own service understands.
    Unknown,
}

/// What an AWS error code means.
pub fn refusal(code: &str) -> Refusal {
    match code {
        "AuthFailure"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidToken"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "TokenRefreshRequired"
        | "UnrecognizedClientException" => Refusal::Credentials,
        "AccessDenied"
        | "AccessDeniedException"
        | "AllAccessDisabled"
        | "AccountProblem"
        | "UnauthorizedOperation" => Refusal::Denied,
        "RequestTimeTooSkewed" | "RequestInTheFuture" => Refusal::Skewed,
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
        | "BandwidthLimitExceeded" => Refusal::Throttled,
        _ => Refusal::Unknown,
    }
}

/// Did a call fail before it was sent, because no credentials could be had?
pub fn is_about_credentials(error: &(dyn Error + 'static)) -> bool {
    has_cause::<CredentialsError>(error)
}

/// Is the error, or one that led to it, of this type?
pub fn has_cause<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |e| (*e).source()).any(<dyn Error + 'static>::is::<T>)
}
