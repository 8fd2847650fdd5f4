//! The three roles that a run needs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The part of a service in a run. A task that serves none of these roles is listed as `other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Splitter,
    Mapper,
    Reducer,
}

impl Role {
    /// All roles, in the order of a run's phases.
    pub const ALL: [Self; 3] = [Self::Splitter, Self::Mapper, Self::Reducer];

    /// Returns the name, as written on the command line, in tags and in the services' header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Splitter => "splitter",
            Self::Mapper => "mapper",
            Self::Reducer => "reducer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The error of a text that is not the name of a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no role '{0}'; choose splitter, mapper or reducer")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let known = Self::ALL.into_iter().find(|role| role.as_str() == text);
        known.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        let unknown = "Mapper".parse::<Role>();
        assert_eq!(unknown, Err(UnknownRole("Mapper".to_owned())));
    }
}
