//! What a person is told when something failed: the cause, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One sentence for what failed and why, one for the next step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    pub cause: String,
    pub advice: String,
}

impl Trouble {
    pub fn new(cause: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            advice: advice.into(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.advice.is_empty() {
            write!(f, "{}", self.cause)
        } else {
            write!(f, "{}; {}", self.cause, self.advice)
        }
    }
}

impl std::error::Error for Trouble {}
