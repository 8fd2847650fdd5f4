//! Why an attempt failed: told apart for the retries, explained for people.

use std::time::Duration;

use mrdeck_services::api;
use reqwest::StatusCode;

use crate::trouble::{Trouble, TroubleKind};

/// Why an attempt failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    #[error("{address} can't be reached: {detail}")]
    Connect { address: String, detail: String },
    #[error("{address} did not answer within {:.1} s", after.as_secs_f64())]
    Deadline { address: String, after: Duration },
    #[error("{address} broke off its answer: {detail}")]
    Interrupted { address: String, detail: String },
    /// One of our services says what was wrong.
    #[error("{message} ({address} answered {status})")]
    Refused {
        address: String,
        status: StatusCode,
        code: String,
        message: String,
    },
    /// Another kind of service, or something between: an excerpt of what it said.
    #[error("{address} answered {status}: {excerpt}")]
    Status {
        address: String,
        status: StatusCode,
        excerpt: String,
    },
    #[error("{address} answered something else than the service should: {detail}")]
    Garbage { address: String, detail: String },
}

impl CallError {
    /// Could another attempt, perhaps on another task, fare better?
    pub fn is_worth_retrying(&self) -> bool {
        match self {
            // Our services answer 4xx for what the caller got wrong: it would be wrong again.
            Self::Refused { status, code, .. } => {
                let is_final = matches!(
                    code.as_str(),
                    api::code::S3_CREDENTIALS | api::code::S3_DENIED
                );
                !status.is_client_error() && !is_final
            }
            _ => true,
        }
    }

    /// Cause and next step.
    pub fn trouble(&self) -> Trouble {
        let advice = match self {
            Self::Connect { .. } => {
                "nothing listens there, or a security group is in the way: see the task's status"
            }
            Self::Deadline { .. } => "the task may be stuck or overloaded: see its logs",
            Self::Interrupted { .. } => "the task probably ended: see its status and logs",
            Self::Refused { status, .. } if status.is_client_error() => "",
            Self::Refused { .. } => "see the task's logs",
            Self::Status { .. } | Self::Garbage { .. } => {
                "check that the right service runs at this address, and see its logs"
            }
        };
        let kind = match self {
            Self::Refused { code, .. } => match code.as_str() {
                api::code::S3_CREDENTIALS => TroubleKind::Credentials,
                api::code::INPUT_CHANGED => TroubleKind::InputChanged,
                _ => TroubleKind::Other,
            },
            _ => TroubleKind::Other,
        };
        Trouble::new(self.to_string(), advice).of_kind(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_fail_again_is_final() {
        let refused = |status, code: &str| CallError::Refused {
            address: "a:1".to_owned(),
            status,
            code: code.to_owned(),
            message: "x".to_owned(),
        };
        assert!(!refused(StatusCode::NOT_FOUND, "no_such_key").is_worth_retrying());
        assert!(!refused(StatusCode::BAD_GATEWAY, api::code::S3_DENIED).is_worth_retrying());
        assert!(refused(StatusCode::SERVICE_UNAVAILABLE, "overloaded").is_worth_retrying());
        let credentials = refused(StatusCode::BAD_GATEWAY, api::code::S3_CREDENTIALS);
        assert!(!credentials.is_worth_retrying());
        assert_eq!(credentials.trouble().kind, TroubleKind::Credentials);
    }
}
