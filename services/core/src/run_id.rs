//! The id of a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// A run's id: a ULID, so that ids sort by the time they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub Ulid);

impl RunId {
    /// Returns a new id, of now.
    pub fn generate() -> Self {
        Self(Ulid::generate())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RunId {
    type Err = ulid::DecodeError;

    /// Reads the 26 characters of a ULID, in either case.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with a text of another length or with other characters.
    fn from_str(text: &str) -> Result<Self, ulid::DecodeError> {
        text.parse().map(Self)
    }
}
