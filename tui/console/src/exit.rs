//! The exit codes: what a script can tell apart.

use std::process::ExitCode;

use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The run failed, or what it needs could not be had.
    Failed = 3,
    /// It stopped before its end; the command to go on with was printed.
    Unfinished = 4,
    /// Credentials are missing or expired.
    Credentials = 5,
    /// Ended by ctrl-c or a signal.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<&Diagnostic> for Exit {
    fn from(diagnostic: &Diagnostic) -> Self {
        match diagnostic.kind {
            DiagnosticKind::Credentials => Self::Credentials,
            DiagnosticKind::Other
            | DiagnosticKind::Denied
            | DiagnosticKind::InputChanged
            | DiagnosticKind::TooManyChunks
            | DiagnosticKind::Refused => Self::Failed,
        }
    }
}
