//! Why there are not as many tasks as wanted, and whether asking again may help.

use std::time::Duration;

use aws_sdk_ecs::types::Failure;

use crate::aws::{AwsError, QueryError};
use mrdeck_core::diagnostic::Diagnostic;

const NO_ROOM: &str =
    "try again later; or ask AWS for a higher quota, or run tasks in more availability zones";
/// Reasons that no waiting removes. The others are about room: `RESOURCE:…`, `AGENT`, "Capacity is unavailable …".
const LASTING: [&str; 4] = ["MISSING", "INACTIVE", "ATTRIBUTE", "LOCATION"];

#[derive(Debug, thiserror::Error)]
pub(super) enum ScaleError {
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// One of `failures[]`: the call was understood, and not (all) done.
    #[error("{reason}{}", .detail.as_ref().map_or(String::new(), |detail| format!(" ({detail})")))]
    Failure {
        reason: String,
        detail: Option<String>,
    },
    /// Nothing was started, and nothing was said about it.
    #[error("ECS started nothing and gave no reason")]
    Unexplained,
    #[error("the tasks to start more like have gone")]
    ModelsGone,
    #[error("the network interface {0} of a running task has gone")]
    InterfaceGone(String),
    #[error("ECS does not say how the running tasks were started")]
    NoTemplate,
    #[error("service {0} has gone")]
    ServiceGone(String),
    #[error("a task that was started has stopped: {0}")]
    Stopped(String),
    #[error("others started or stopped tasks meanwhile")]
    Changed,
    #[error("not more in {} s", .0.as_secs())]
    Late(Duration),
    /// What a service says of the tasks that are missing when the time is over.
    #[error("{0}")]
    Complaint(String),
    /// The list of tasks is stale.
    #[error("{}", .0.cause)]
    Stale(Diagnostic),
}

impl From<&Failure> for ScaleError {
    fn from(failure: &Failure) -> Self {
        Self::Failure {
            reason: failure.reason().unwrap_or("no reason given").to_owned(),
            detail: failure.detail().map(str::to_owned),
        }
    }
}

impl ScaleError {
    /// Returns whether it is worth asking again.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Failure { reason, .. } => {
                !LASTING.iter().any(|lasting| reason.starts_with(lasting))
            }
            Self::Unexplained => true,
            Self::Aws(error) => match &error.cause {
                QueryError::Refused { code, message } => {
                    is_about_room(code, message)
                        || error.cause.is_throttled()
                        || code.starts_with("Internal")
                }
                // Lost on the way there or back: whether it was done is unknown.
                QueryError::Unreachable { .. } | QueryError::Unreadable { .. } => true,
                QueryError::Unexplained { .. }
                | QueryError::Unmade { .. }
                | QueryError::Credentials { .. } => false,
            },
            _ => false,
        }
    }
}

fn is_about_room(code: &str, message: &str) -> bool {
    match code {
        "LimitExceededException" | "ServerException" | "ServiceUnavailableException" => true,
        // ECS has no code of their own for quotas and capacity, and hands on EC2's limits in the text.
        "ClientException" | "InvalidParameterException" => {
            let message = message.to_lowercase();
            ["capacity", "limit", "quota"]
                .iter()
                .any(|word| message.contains(word))
        }
        _ => false,
    }
}

impl From<ScaleError> for Diagnostic {
    fn from(error: ScaleError) -> Self {
        let advice = match error {
            ScaleError::Aws(error) => return error.into(),
            ScaleError::Stale(diagnostic) => return diagnostic,
            ScaleError::Failure { .. } if !error.is_transient() => {
                "check the task definition and the cluster"
            }
            ScaleError::Failure { .. } | ScaleError::Unexplained => NO_ROOM,
            ScaleError::ModelsGone
            | ScaleError::InterfaceGone(_)
            | ScaleError::ServiceGone(_)
            | ScaleError::Changed => "scale again",
            ScaleError::NoTemplate => "start one more with 'aws ecs run-task'",
            ScaleError::Stopped(_) => "d on the task says more, and so does its log",
            ScaleError::Late(_) | ScaleError::Complaint(_) => {
                "the others may still come: 'mrdeck tasks' shows them, and --wait SECONDS waits longer"
            }
        };
        Self::new(error.to_string(), advice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str, message: &str) -> ScaleError {
        let (code, message) = (code.to_owned(), message.to_owned());
        QueryError::Refused { code, message }
            .doing("start tasks")
            .into()
    }

    #[test]
    fn what_is_about_room_may_pass() {
        let is_transient = |reason: &str| {
            let failure = Failure::builder().reason(reason).build();
            ScaleError::from(&failure).is_transient()
        };
        for reason in [
            "RESOURCE:MEMORY",
            "RESOURCE:ENI",
            "AGENT",
            "Capacity is unavailable at this time. Please try again later or in a different availability zone",
            "You've reached the limit on the number of vCPUs you can run concurrently",
        ] {
            assert!(is_transient(reason), "{reason}");
        }
        for reason in ["MISSING", "INACTIVE", "ATTRIBUTE:ecs.os-type", "LOCATION"] {
            assert!(!is_transient(reason), "{reason}");
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
            assert!(refused(code, message).is_transient(), "{code}");
        }
        for (code, message) in [
            ("ClientException", "TaskDefinition is inactive"),
            ("InvalidParameterException", "No subnet"),
            ("AccessDeniedException", "not authorized"),
            ("ClusterNotFoundException", ""),
            ("BlockedException", ""),
        ] {
            assert!(!refused(code, message).is_transient(), "{code}");
        }
    }

    #[test]
    fn a_reason_comes_with_its_detail() {
        let failure = Failure::builder().reason("AGENT").detail("i-1").build();
        let diagnostic = Diagnostic::from(ScaleError::from(&failure));
        assert_eq!(diagnostic, Diagnostic::new("AGENT (i-1)", NO_ROOM));
    }
}
