//! The commands that work without the dashboard; each prints what it found and gives an exit code.

mod confirm;
mod connect;
mod doctor;
mod down;
mod execute;
mod progress;
mod resume;
mod run;
mod scale;
mod serve;
mod stack;
mod tasks;
mod up;
mod upload_progress;

use std::io::{ErrorKind, Write};
use std::time::Duration;

pub use doctor::doctor;
use serde::Serialize;

pub use down::down;
pub use resume::resume;
pub use run::run;
pub use scale::scale;
pub use serve::serve;
pub use tasks::tasks;
pub use up::up;

use crate::exit::Exit;
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};

/// Between two turns of a spinner.
const TICK: Duration = Duration::from_millis(100);

/// Says what went wrong on standard error.
fn complain(diagnostic: &Diagnostic) -> Exit {
    crate::complain(&diagnostic.cause, &diagnostic.advice);
    match diagnostic.kind {
        DiagnosticKind::Credentials => Exit::Credentials,
        DiagnosticKind::Other
        | DiagnosticKind::Denied
        | DiagnosticKind::InputChanged
        | DiagnosticKind::TooManyChunks
        | DiagnosticKind::Refused => Exit::Failed,
    }
}

/// Prints on standard output. A reader that closed it (`| head`) has what it wanted; a disk that is full has not.
fn print(text: &str) -> Exit {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let cause = format!("standard output can't be written: {error}");
            crate::complain(&cause, "what was to be printed there is lost");
            Exit::Failed
        }
        _ => Exit::Done,
    }
}

/// Prints one JSON value on standard output.
fn print_json(value: &impl Serialize) -> Exit {
    match serde_json::to_string_pretty(value) {
        Ok(json) => print(&format!("{json}\n")),
        Err(error) => {
            crate::complain(&error.to_string(), "");
            Exit::Failed
        }
    }
}
