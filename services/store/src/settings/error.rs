//! Why a setting can't be used: which one, where it stands, and what would be right.

use std::fmt;
use std::path::PathBuf;

use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::human::{elide_end, excerpt, length, printable};

/// The most characters of a value that are quoted.
const QUOTED: usize = 60;
/// The most characters of what a library says.
const MAX_DETAIL: usize = 160;

/// Where a setting stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag, a setting of mrdeck's own, or a command of the dashboard: `--region`.
    Option(&'static str),
    /// An environment variable.
    Variable(String),
    /// A line of one of AWS's shared files.
    Line {
        key: String,
        file: PathBuf,
        line: usize,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => f.write_str(name),
            Self::Variable(name) => f.write_str(name),
            Self::Line { key, file, line } => {
                write!(f, "{key} (line {line} of {})", file.display())
            }
        }
    }
}

/// Where a profile was looked for in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The files.
    pub places: String,
    /// What in them may be meant.
    pub hint: Option<String>,
}

/// The error of a setting that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("{0} is not UTF-8 text")]
    NotText(Origin),
    /// Only where the program could not be started without it; see [`super::environment`].
    #[error("{0} is set, but empty")]
    Empty(Origin),
    /// The value is not shown: it may be a secret, and what is wrong can't be seen.
    #[error("{origin} {fault}")]
    Characters { origin: Origin, fault: &'static str },
    #[error("{origin} is {}, but must be {wanted}", quote(value))]
    Wrong {
        origin: Origin,
        value: String,
        wanted: &'static str,
    },
    #[error("{origin} must be {wanted}")]
    WrongSecret {
        origin: Origin,
        wanted: &'static str,
    },
    #[error("{origin} goes on in line {next}, which begins with a blank")]
    Continued { origin: Origin, next: usize },
    #[error("{present} is set, but {missing} is not")]
    Missing {
        present: Origin,
        missing: &'static str,
    },
    #[error("the file {} can't be read: {detail}", quote(&.file.to_string_lossy()))]
    Unreadable { file: PathBuf, detail: String },
    #[error("{origin} names the file {}, which can't be read: {detail}", quote(&.file.to_string_lossy()))]
    UnreadableAs {
        origin: Origin,
        file: PathBuf,
        detail: String,
    },
    #[error("line {line} of {} {fault}", .file.display())]
    Syntax {
        file: PathBuf,
        line: usize,
        fault: &'static str,
    },
    #[error("{origin} names the profile {}, which is not in {}", quote(name), .search.places)]
    NoProfile {
        origin: Origin,
        name: String,
        search: Box<Search>,
    },
    #[error(
        "no certificate of an authority can be read, as {origin} is {}: {}",
        quote(value),
        excerpt(detail, MAX_DETAIL)
    )]
    NoAuthorities {
        origin: Origin,
        value: String,
        detail: String,
    },
}

/// Returns a value in quotation marks, safe to show and not too long.
fn quote(value: &str) -> String {
    let shown = elide_end(&printable(value), QUOTED, length);
    format!("'{shown}'")
}

impl SettingsError {
    /// Returns what to do about it.
    pub fn advice(&self) -> String {
        match self {
            Self::NotText(_) | Self::Wrong { .. } | Self::WrongSecret { .. } => {
                "correct or remove it".to_owned()
            }
            Self::Empty(_) => "give it a value, or unset it".to_owned(),
            Self::Characters { .. } => "remove what is not to be seen there; if it comes from a file with Windows line ends \
                 (CR LF), convert that, for instance with dos2unix"
                .to_owned(),
            Self::Continued { .. } => "remove the blanks before the second line".to_owned(),
            Self::Missing { missing, .. } => format!("set {missing} too, or unset the other"),
            Self::Unreadable { .. } | Self::UnreadableAs { .. } => {
                "correct the file, or name another with AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE"
                    .to_owned()
            }
            Self::Syntax { .. } => {
                "correct it: the file has lines [profile NAME], and below them NAME = VALUE"
                    .to_owned()
            }
            Self::NoProfile { search, .. } => search.hint.clone().unwrap_or_else(|| {
                "correct the name ('aws configure list-profiles' lists those that exist)".to_owned()
            }),
            Self::NoAuthorities { .. } => {
                "name a file with certificates in PEM format, or unset it to use the system's"
                    .to_owned()
            }
        }
    }
}

impl From<&SettingsError> for Diagnostic {
    fn from(error: &SettingsError) -> Self {
        Self::new(error.to_string(), error.advice()).of_kind(DiagnosticKind::Settings)
    }
}

impl From<SettingsError> for Diagnostic {
    fn from(error: SettingsError) -> Self {
        Self::from(&error)
    }
}
