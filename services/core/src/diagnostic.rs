//! The message about a failure: its cause, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::encoding::Unsupported;

/// The kind of a failure, where the caller acts on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiagnosticKind {
    #[default]
    Other,
    /// A setting of this machine that can't be used, in the environment or in a file.
    Settings,
    /// Missing or expired credentials: nothing is wrong with the run itself.
    Credentials,
    /// The credentials are valid but do not permit the operation.
    Denied,
    /// The input changed since the run began; another attempt can't help.
    InputChanged,
    /// The input has fewer words than the requested number of chunks.
    TooManyChunks,
    /// The state found contradicts itself; a resume can't help.
    Refused,
}

/// What failed and why, and the next step: a clause for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub cause: String,
    pub advice: String,
    #[serde(default, skip_serializing_if = "is_other")]
    pub kind: DiagnosticKind,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn is_other(kind: &DiagnosticKind) -> bool {
    *kind == DiagnosticKind::Other
}

impl Diagnostic {
    /// Creates a diagnostic of the kind [`DiagnosticKind::Other`].
    pub fn new(cause: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            advice: advice.into(),
            kind: DiagnosticKind::Other,
        }
    }

    /// Returns the diagnostic with another kind.
    #[must_use]
    pub fn of_kind(self, kind: DiagnosticKind) -> Self {
        Self { kind, ..self }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.advice.is_empty() {
            write!(f, "{}", self.cause)
        } else {
            write!(f, "{}; {}", self.cause, self.advice)
        }
    }
}

impl std::error::Error for Diagnostic {}

/// The advice for a service of AWS that does not answer.
pub const CHECK_NETWORK: &str = "check the network, the region and --endpoint-url";

/// The advice for credentials that AWS refuses, whichever source they have.
pub const RENEW_CREDENTIALS: &str =
    "renew them where they come from ('mrdeck doctor' says where), or choose another --profile";

/// The advice for an answer that does not come from AWS.
pub const CHECK_ENDPOINT: &str = "check what --endpoint-url or AWS_ENDPOINT_URL leads to; \
     if something stands in for AWS there, check its version";

/// Returns the refusal of an input that is not text; `subject` names it.
pub fn not_text(subject: &str, what: &Unsupported) -> Diagnostic {
    Diagnostic::new(
        format!("{subject} is {what}"),
        format!(
            "{}, or count its bytes as they are: --as-bytes, in the dashboard ':as-bytes on'",
            what.advice()
        ),
    )
}

/// Returns the refusal of a change by a console that runs with `--read-only`.
pub fn read_only(what: &str) -> Diagnostic {
    Diagnostic::new(
        format!("--read-only refuses to {what}"),
        "leave --read-only (or read_only in the configuration file) away",
    )
}
