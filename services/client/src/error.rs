//! The reasons why an attempt failed: classified for retries, explained for people.

use std::time::Duration;

use mrdeck_core::api;
use mrdeck_core::uri::S3Uri;
use reqwest::StatusCode;

use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};

/// Why an attempt failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    #[error("{address} can't be reached: {detail}")]
    Connect { address: String, detail: String },
    #[error("{address} did not answer within {:.1} s", after.as_secs_f64())]
    Deadline { address: String, after: Duration },
    #[error("{address} dropped the connection: {detail}")]
    Interrupted { address: String, detail: String },
    /// A service of mrdeck's refused the request with a reason.
    #[error("{message} ({address} answered {status})")]
    Refused {
        address: String,
        status: StatusCode,
        code: String,
        message: String,
        /// The object at fault, if any.
        object: Option<S3Uri>,
    },
    /// Another kind of service or an intermediary answered; has an excerpt of its answer.
    #[error("{address} answered {status}: {excerpt}")]
    Status {
        address: String,
        status: StatusCode,
        excerpt: String,
    },
    /// Not JSON, or too much of it; an intermediary may have answered, or cut the answer off.
    #[error("{address} answered something else than the service should: {detail}")]
    Garbage { address: String, detail: String },
    /// It is JSON and does not say what it must.
    #[error("{address} answered something else than the service should: {detail}")]
    Shape { address: String, detail: String },
    /// Another service answers at the address of a task.
    #[error("something else answers at {address} now: {what}")]
    Impostor { address: String, what: String },
    /// The task left the cluster while it had the request.
    #[error("the task at {address} has stopped")]
    Gone { address: String },
}

/// Which further attempts may succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Those on the same task, too: what failed may pass.
    Anywhere,
    /// Only those on other tasks: this one would answer the same again.
    Elsewhere,
    /// None: it is the request that is refused.
    Never,
}

/// Returns whether a service that answers this may answer something else the next time.
fn may_pass(status: StatusCode) -> bool {
    match status {
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::CONFLICT
        | StatusCode::LOCKED
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => false,
        status => !status.is_client_error(),
    }
}

impl CallError {
    /// Returns which other attempts may succeed.
    pub fn retry(&self) -> Retry {
        match self {
            // mrdeck's services answer 4xx for errors of the caller, which another attempt repeats.
            Self::Refused { status, code, .. } => {
                let is_final = matches!(
                    code.as_str(),
                    api::code::S3_CREDENTIALS | api::code::S3_DENIED
                );
                if status.is_client_error() || is_final {
                    Retry::Never
                } else {
                    Retry::Anywhere
                }
            }
            Self::Status { status, .. } if !may_pass(*status) => Retry::Elsewhere,
            Self::Shape { .. } => Retry::Elsewhere,
            _ => Retry::Anywhere,
        }
    }

    /// Returns whether S3 or the service asks to slow down; then neither the task nor the work is at fault.
    pub fn is_throttled(&self) -> bool {
        match self {
            Self::Refused { code, .. } => {
                matches!(
                    code.as_str(),
                    api::code::S3_THROTTLED | api::code::OVERLOADED
                )
            }
            Self::Status { status, .. } => matches!(
                *status,
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
            ),
            _ => false,
        }
    }

    /// Returns whether the request may have been completed, with only its answer lost.
    pub fn may_be_done(&self) -> bool {
        match self {
            Self::Interrupted { .. } | Self::Deadline { .. } | Self::Gone { .. } => true,
            // An intermediary may have given up while the service continued.
            Self::Status { status, .. } => status.is_server_error(),
            _ => false,
        }
    }

    /// Returns whether the input, or the copy of a chunk, is no longer the requested version.
    pub fn is_input_changed(&self) -> bool {
        self.has_code(api::code::INPUT_CHANGED)
    }

    /// Returns whether the request asked for more chunks than the input has words.
    pub fn is_too_many_chunks(&self) -> bool {
        self.has_code(api::code::TOO_MANY_CHUNKS)
    }

    fn has_code(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == wanted)
    }

    /// Returns whether the identity of the service at the address has to be checked again.
    pub fn breaks_trust(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. }
                | Self::Interrupted { .. }
                | Self::Deadline { .. }
                | Self::Gone { .. }
                | Self::Impostor { .. }
                | Self::Garbage { .. }
                | Self::Shape { .. }
        )
    }

    /// Returns the object that has to be made again before the request can succeed.
    pub fn culprit(&self) -> Option<&S3Uri> {
        match self {
            Self::Refused { code, object, .. } => {
                let is_about_it = matches!(
                    code.as_str(),
                    api::code::NO_SUCH_KEY
                        | api::code::BAD_MAP_OUTPUT
                        | api::code::MAP_OUTPUT_MISMATCH
                        | api::code::INPUT_CHANGED
                        | api::code::S3_DAMAGED
                        | api::code::S3_TRUNCATED
                );
                object.as_ref().filter(|_| is_about_it)
            }
            _ => None,
        }
    }

    /// Returns the cause and the next step.
    pub fn diagnostic(&self) -> Diagnostic {
        let advice = match self {
            Self::Connect { .. } => {
                "nothing listens there, or a security group is in the way: see the task's status"
            }
            Self::Deadline { .. } => "the task may be stuck or overloaded: see its logs",
            Self::Interrupted { .. } => "the task probably ended: see its status and logs",
            Self::Refused { status, .. } if status.is_client_error() => "",
            Self::Refused { .. } => "see the task's logs",
            Self::Gone { .. } => "",
            Self::Status { .. }
            | Self::Garbage { .. }
            | Self::Shape { .. }
            | Self::Impostor { .. } => {
                "check that the right service runs at this address, and see its logs"
            }
        };
        let kind = match self {
            Self::Refused { code, .. } => match code.as_str() {
                api::code::S3_CREDENTIALS => DiagnosticKind::Credentials,
                api::code::INPUT_CHANGED => DiagnosticKind::InputChanged,
                api::code::TOO_MANY_CHUNKS => DiagnosticKind::TooManyChunks,
                _ => DiagnosticKind::Other,
            },
            _ => DiagnosticKind::Other,
        };
        Diagnostic::new(self.to_string(), advice).of_kind(kind)
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
            object: None,
        };
        let not_found = refused(StatusCode::NOT_FOUND, "no_such_key");
        assert_eq!(not_found.retry(), Retry::Never);
        let denied = refused(StatusCode::BAD_GATEWAY, api::code::S3_DENIED);
        assert_eq!(denied.retry(), Retry::Never);
        let overloaded = refused(StatusCode::SERVICE_UNAVAILABLE, "overloaded");
        assert_eq!(overloaded.retry(), Retry::Anywhere);
        let credentials = refused(StatusCode::BAD_GATEWAY, api::code::S3_CREDENTIALS);
        assert_eq!(credentials.retry(), Retry::Never);
        assert_eq!(credentials.diagnostic().kind, DiagnosticKind::Credentials);
    }
    #[test]
    fn a_status_that_would_come_again_is_asked_for_elsewhere_only() {
        for (status, retry) in [
            (302, Retry::Anywhere),
            (400, Retry::Elsewhere),
            (403, Retry::Elsewhere),
            (404, Retry::Elsewhere),
            (405, Retry::Elsewhere),
            (408, Retry::Anywhere),
            (409, Retry::Anywhere),
            (413, Retry::Elsewhere),
            (425, Retry::Anywhere),
            (429, Retry::Anywhere),
            (500, Retry::Anywhere),
            (501, Retry::Elsewhere),
            (502, Retry::Anywhere),
            (503, Retry::Anywhere),
            (504, Retry::Anywhere),
            (505, Retry::Elsewhere),
        ] {
            let error = CallError::Status {
                address: "a:1".to_owned(),
                status: StatusCode::from_u16(status).unwrap_or_default(),
                excerpt: "x".to_owned(),
            };
            assert_eq!(error.retry(), retry, "{status}");
        }
    }
}
