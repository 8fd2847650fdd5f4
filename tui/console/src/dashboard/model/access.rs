//! `--read-only`: the one place where the dashboard refuses a change.

use mrdeck_core::diagnostic::{Diagnostic, read_only};

/// What this console may do beyond looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Full,
    ReadOnly,
}

impl Access {
    pub fn new(is_read_only: bool) -> Self {
        if is_read_only {
            Self::ReadOnly
        } else {
            Self::Full
        }
    }

    pub fn is_read_only(self) -> bool {
        self == Self::ReadOnly
    }

    /// Checks that something beyond this console may be changed.
    ///
    /// # Errors
    ///
    /// Returns the refusal, which says what `change` would do.
    pub fn permit(self, change: &str) -> Result<(), Diagnostic> {
        match self {
            Self::Full => Ok(()),
            Self::ReadOnly => Err(read_only(change)),
        }
    }
}
