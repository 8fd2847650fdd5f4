//! What a person is told when something failed: the cause, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of failure it was, where something depends on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiagnosticKind {
    #[default]
    Other,
    /// Missing or expired credentials: nothing is wrong with the run itself.
    Credentials,
    /// The credentials are valid, and do not allow it.
    Denied,
    /// The input is no longer the one the run began with: no attempt can mend that.
    InputChanged,
    /// The input has fewer words than chunks were asked for.
    TooManyChunks,
    /// What was found contradicts itself: going on can't mend it.
    Refused,
}

/// One sentence for what failed and why, one for the next step.
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
    pub fn new(cause: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            advice: advice.into(),
            kind: DiagnosticKind::Other,
        }
    }

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

/// What to do where the answer came from something else than AWS.
pub const CHECK_ENDPOINT: &str = "check what --endpoint-url or AWS_ENDPOINT_URL leads to; \
     if something stands in for AWS there, check its version";

/// What was asked for would change something, and this console was told only to look.
pub fn read_only(what: &str) -> Diagnostic {
    Diagnostic::new(
        format!("--read-only refuses to {what}"),
        "leave --read-only (or read_only in the configuration file) away",
    )
}
