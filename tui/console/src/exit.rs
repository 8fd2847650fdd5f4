//! The exit codes, which scripts can tell apart.

use std::process::ExitCode;

use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::state::RunState;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The run failed, or something it needs is missing.
    Failed = 3,
    /// It stopped early; the command that continues was printed.
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

impl Exit {
    /// Returns the exit code of a run that has ended, before anything else can fail.
    pub fn of_run(run: &RunState) -> Self {
        let exit = match run.status {
            RunStatus::Done => Self::Done,
            RunStatus::Cancelled | RunStatus::Stopped => Self::Interrupted,
            RunStatus::Running | RunStatus::Failed => {
                run.diagnostic.as_ref().map_or(Self::Failed, Self::from)
            }
        };
        if exit == Self::Failed && run.can_resume() {
            return Self::Unfinished;
        }
        exit
    }
}

impl From<&Diagnostic> for Exit {
    fn from(diagnostic: &Diagnostic) -> Self {
        match diagnostic.kind {
            DiagnosticKind::Credentials => Self::Credentials,
            DiagnosticKind::Settings => Self::Usage,
            DiagnosticKind::Other
            | DiagnosticKind::Denied
            | DiagnosticKind::InputChanged
            | DiagnosticKind::TooManyChunks
            | DiagnosticKind::Refused => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_manual_lists_every_exit_code() {
        let manual = include_str!("../../README.md");
        for exit in [
            Exit::Done,
            Exit::Usage,
            Exit::Failed,
            Exit::Unfinished,
            Exit::Credentials,
            Exit::Interrupted,
        ] {
            assert!(manual.contains(&format!("| {} | ", exit as u8)), "{exit:?}");
        }
    }
}
