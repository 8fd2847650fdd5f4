//! What a person is told when a call to AWS failed, told apart by types and codes.

use std::error::Error;

use aws_sdk_ecs::config::http::HttpResponse;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use mrdeck_core::causes::causes;
use mrdeck_store::refusal::{Refusal, is_about_credentials, refusal};
use mrdeck_store::unreadable::Unreadable;

use mrdeck_core::diagnostic::{CHECK_ENDPOINT, Diagnostic, DiagnosticKind};

/// Why ECS did not do `what` in `cluster`.
pub fn ecs_diagnostic<E>(what: &str, cluster: &str, error: &SdkError<E, HttpResponse>) -> Diagnostic
where
    E: ProvideErrorMetadata + Error + 'static,
{
    sdk_diagnostic("ECS", what, cluster, error)
}

/// Why S3 did not do `what`.
pub fn s3_diagnostic<E>(what: &str, error: &SdkError<E, HttpResponse>) -> Diagnostic
where
    E: ProvideErrorMetadata + Error + 'static,
{
    sdk_diagnostic("S3", what, "", error)
}

/// Why `service` did not do `what`.
pub(super) fn sdk_diagnostic<E>(
    service: &str,
    what: &str,
    cluster: &str,
    error: &SdkError<E, HttpResponse>,
) -> Diagnostic
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(came) = Unreadable::of(error) {
        return if came.is_success() {
            unreadable(service, &came.detail)
        } else {
            unexplained(what, came.status, &came.detail)
        };
    }
    let SdkError::ServiceError(answer) = error else {
        let detail = causes(error);
        return if is_about_credentials(error) {
            credentials(&detail)
        } else {
            Diagnostic::new(
                format!("{service} can't be reached: {detail}"),
                "check the network, the region and --endpoint-url",
            )
        };
    };
    let code = answer.err().code().unwrap_or_default();
    let message = answer.err().message().unwrap_or("no explanation");
    explain(what, cluster, code, message)
}

/// Returns what a person is told when a service was reached, and its answer to a successful call is not what AWS sends.
pub fn unreadable(service: &str, detail: &str) -> Diagnostic {
    Diagnostic::new(
        format!("{service} answered, but its answer can't be read: {detail}"),
        CHECK_ENDPOINT,
    )
}

/// Returns what a person is told when a service was reached, and refused `what` without a code of AWS's.
pub fn unexplained(what: &str, status: u16, detail: &str) -> Diagnostic {
    let advice = match status {
        429 | 500.. => "try again in a moment",
        _ => CHECK_ENDPOINT,
    };
    Diagnostic::new(format!("AWS could not {what}: {detail}"), advice)
}

/// The same for any AWS service that gives a code and a message.
pub fn explain(what: &str, cluster: &str, code: &str, message: &str) -> Diagnostic {
    match (code, refusal(code)) {
        ("ClusterNotFoundException", _) => Diagnostic::new(
            format!("there is no ECS cluster '{cluster}' here"),
            "check its name and the region: 'aws ecs list-clusters' shows what exists",
        ),
        (_, Refusal::Credentials) => credentials(message),
        (_, Refusal::Denied) => Diagnostic::new(
            format!("AWS does not allow you to {what}: {message}"),
            "ask for the permission, or use another --profile",
        )
        .of_kind(DiagnosticKind::Denied),
        (_, Refusal::Throttled) => Diagnostic::new(
            format!("AWS asks to slow down ({code})"),
            "the list is refreshed less often until it answers again",
        ),
        (_, Refusal::Skewed) => Diagnostic::new(
            format!("AWS refuses the time of this machine's clock: {message}"),
            "set it by NTP, for instance with 'timedatectl set-ntp true'",
        ),
        (_, Refusal::Unknown) => Diagnostic::new(
            format!("AWS could not {what}: {message} ({code})"),
            "try again in a moment",
        ),
    }
}

pub fn credentials(detail: &str) -> Diagnostic {
    // The SDK lists where it looked, a line each.
    let lines: Vec<&str> = detail.lines().map(str::trim).collect();
    Diagnostic::new(
        format!(
            "no valid AWS credentials: {}",
            lines.join("; ").replace(":; ", ": ")
        ),
        "renew them, for instance with 'aws sso login', or choose another --profile",
    )
    .of_kind(DiagnosticKind::Credentials)
}
