//! Why an attempt failed: no answer, or one that can't be trusted.

use std::collections::HashSet;

use mrdeck_client::{CallError, Retry};
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::uri::S3Uri;

use crate::checks::CheckError;

#[derive(Debug, Clone, thiserror::Error)]
pub enum AttemptError {
    #[error(transparent)]
    Call(Box<CallError>),
    /// It is the copy of a chunk that is another version, and not the input.
    #[error("{0}")]
    CopyChanged(#[source] Box<CallError>),
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl From<CallError> for AttemptError {
    fn from(error: CallError) -> Self {
        Self::Call(Box::new(error))
    }
}

impl AttemptError {
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Call(error) | Self::CopyChanged(error) => error.retry(),
            Self::Check(_) => Retry::Anywhere,
        }
    }

    /// Returns whether the worker could not be reached, so that the work was never sent.
    pub(crate) fn is_unsent(&self) -> bool {
        matches!(self, Self::Call(error) if matches!(**error, CallError::Connect { .. }))
    }

    pub(crate) fn is_throttled(&self) -> bool {
        matches!(self, Self::Call(error) if error.is_throttled())
    }

    pub(crate) fn is_deadline(&self) -> bool {
        matches!(self, Self::Call(error) if matches!(**error, CallError::Deadline { .. }))
    }

    pub(crate) fn breaks_trust(&self) -> bool {
        matches!(self, Self::Call(error) if error.breaks_trust())
    }

    /// Returns the object that has to be made again before this can go well.
    pub(crate) fn culprit(&self) -> Option<&S3Uri> {
        match self {
            Self::Call(error) | Self::CopyChanged(error) => error.culprit(),
            Self::Check(_) => None,
        }
    }

    /// Returns the same error, told apart where it is about a copy of a chunk and not about one of `inputs`.
    pub(crate) fn about(self, inputs: &HashSet<S3Uri>) -> Self {
        match self {
            Self::Call(error)
                if error.is_input_changed()
                    && error.culprit().is_some_and(|at| !inputs.contains(at)) =>
            {
                Self::CopyChanged(error)
            }
            other => other,
        }
    }

    /// Returns whether the input is no longer the version that was asked for.
    pub(crate) fn is_input_changed(&self) -> bool {
        matches!(self, Self::Call(error) if error.is_input_changed())
    }

    pub(crate) fn is_too_many_chunks(&self) -> bool {
        matches!(self, Self::Call(error) if error.is_too_many_chunks())
    }
}

impl From<&AttemptError> for Diagnostic {
    fn from(error: &AttemptError) -> Self {
        match error {
            AttemptError::Call(error) => error.diagnostic(),
            AttemptError::CopyChanged(error) => Self {
                kind: DiagnosticKind::Other,
                ..error.diagnostic()
            },
            AttemptError::Check(error) => error.into(),
        }
    }
}
