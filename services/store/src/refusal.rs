//! Classifies the error codes that AWS services share, and finds the causes of SDK errors.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;

/// The kinds of refusal that callers treat alike for every service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Missing, wrong or expired.
    Credentials,
    Denied,
    Throttled,
    /// The caller's clock is too far off.
    Skewed,
    /// A code specific to its service.
    Unknown,
}

/// Returns the meaning of an AWS error code.
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

/// Returns whether a call failed before it was sent because credentials could not be obtained.
pub fn is_about_credentials(error: &(dyn Error + 'static)) -> bool {
    has_cause::<CredentialsError>(error)
}

/// Returns whether the error, or one of its causes, is of this type.
pub fn has_cause<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |e| (*e).source()).any(<dyn Error + 'static>::is::<T>)
}
