//! Why ECS would not start, stop or scale something just now, and whether it may tomorrow.

use std::error::Error;

use aws_sdk_ecs::config::http::HttpResponse;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::types::Failure;
use mrdeck_store::refusal::{Refusal, refusal};

use crate::aws::failure::ecs_diagnostic;
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};

const NO_ROOM: &str =
    "try again later; or ask AWS for a higher quota, or run tasks in more availability zones";
/// Reasons that no waiting removes. The others are about room: `RESOURCE:…`, `AGENT`, "Capacity is unavailable …".
const LASTING: [&str; 4] = ["MISSING", "INACTIVE", "ATTRIBUTE", "LOCATION"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setback {
    pub(super) diagnostic: Diagnostic,
    /// Is it worth asking again?
    pub(super) may_pass: bool,
}

impl Setback {
    /// One of `failures[]`: the call was understood, and not (all) done.
    pub(super) fn of_failure(failure: &Failure) -> Self {
        let reason = failure.reason().unwrap_or("no reason given");
        let cause = match failure.detail() {
            Some(detail) => format!("{reason} ({detail})"),
            None => reason.to_owned(),
        };
        let may_pass = !LASTING.iter().any(|lasting| reason.starts_with(lasting));
        let advice = if may_pass {
            NO_ROOM
        } else {
            "check the task definition and the cluster"
        };
        Self {
            diagnostic: Diagnostic::new(cause, advice),
            may_pass,
        }
    }

    /// Nothing was started, and nothing was said about it.
    pub(super) fn unexplained() -> Self {
        Self {
            diagnostic: Diagnostic::new("ECS started nothing and gave no reason", NO_ROOM),
            may_pass: true,
        }
    }

    pub(super) fn of_error<E>(what: &str, cluster: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let diagnostic = ecs_diagnostic(what, cluster, error);
        let may_pass = match error {
            SdkError::ServiceError(answer) => {
                let metadata = answer.err();
                passes(metadata.code().unwrap_or_default(), metadata.message())
            }
            SdkError::ConstructionFailure(_) => false,
            // Lost on the way there or back: nobody knows whether it was done.
            _ => diagnostic.kind != DiagnosticKind::Credentials,
        };
        Self {
            diagnostic,
            may_pass,
        }
    }
}

fn passes(code: &str, message: Option<&str>) -> bool {
    match code {
        "LimitExceededException" | "ServerException" | "ServiceUnavailableException" => true,
        // ECS has no code of their own for quotas and capacity, and hands on EC2's limits in the text.
        "ClientException" | "InvalidParameterException" => {
            let message = message.unwrap_or_default().to_lowercase();
            ["capacity", "limit", "quota"]
                .iter()
                .any(|word| message.contains(word))
        }
        _ => code.starts_with("Internal") || refusal(code) == Refusal::Throttled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_room_may_pass() {
        let may_pass = |reason: &str| {
            let failure = Failure::builder().reason(reason).build();
            Setback::of_failure(&failure).may_pass
        };
        for reason in [
            "RESOURCE:MEMORY",
            "RESOURCE:ENI",
            "AGENT",
            "Capacity is unavailable at this time. Please try again later or in a different availability zone",
            "You've reached the limit on the number of vCPUs you can run concurrently",
        ] {
            assert!(may_pass(reason), "{reason}");
        }
        for reason in ["MISSING", "INACTIVE", "ATTRIBUTE:ecs.os-type", "LOCATION"] {
            assert!(!may_pass(reason), "{reason}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_request_stays_wrong() {
        for (code, message) in [
            ("ThrottlingException", "Rate exceeded"),
            ("ServerException", ""),
            ("LimitExceededException", ""),
            (
                "ClientException",
                "Tasks in PROVISIONING state reached the limit",
            ),
            ("InvalidParameterException", "sg: Request limit exceeded."),
        ] {
            assert!(passes(code, Some(message)), "{code}");
        }
        for (code, message) in [
            ("ClientException", "TaskDefinition is inactive"),
            ("InvalidParameterException", "No subnet"),
            ("AccessDeniedException", "not authorized"),
            ("ClusterNotFoundException", ""),
            ("BlockedException", ""),
        ] {
            assert!(!passes(code, Some(message)), "{code}");
        }
    }
}
