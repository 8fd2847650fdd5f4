//! How a command ends when it can't do what was asked: the reason on standard error, and an exit code.

use mrdeck_core::diagnostic::Diagnostic;

use crate::exit::Exit;
use crate::stderr;

/// Writes what went wrong, and returns the exit code for its kind.
pub(super) fn fail(diagnostic: &Diagnostic) -> Exit {
    stderr::error(&diagnostic.cause, &diagnostic.advice);
    diagnostic.into()
}

/// Writes why what was asked for is refused, and returns the exit code for wrong usage.
pub(crate) fn refuse(diagnostic: &Diagnostic) -> Exit {
    stderr::error(&diagnostic.cause, &diagnostic.advice);
    Exit::Usage
}
