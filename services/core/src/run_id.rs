//! The id of a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// The id of a run: a ULID, so that ids sort by their time of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub Ulid);

impl RunId {
    /// Creates an id from the current time.
    pub fn generate() -> Self {
        Self(Ulid::generate())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The error of a text that is not the id of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("give the 26 letters and digits that the run printed when it began")]
pub struct RunIdError(#[source] ulid::DecodeError);

impl FromStr for RunId {
    type Err = RunIdError;

    /// Reads the 26 characters of a ULID, in either case.
    ///
    /// # Errors
    ///
    /// Returns an error for a text of another length or with other characters.
    fn from_str(text: &str) -> Result<Self, RunIdError> {
        text.parse().map(Self).map_err(RunIdError)
    }
}
