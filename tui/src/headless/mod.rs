//! The commands that work without the dashboard; each prints what it found and gives an exit code.

mod doctor;
mod progress;
mod run;
mod serve;
mod tasks;
mod uploading;

use std::io::Write;
use std::time::Duration;

pub use doctor::doctor;
pub use run::run;
pub use serve::serve;
pub use tasks::tasks;

use crate::exit::Exit;
use crate::trouble::{Trouble, TroubleKind};

/// Between two turns of a spinner.
const TICK: Duration = Duration::from_millis(100);

/// Says what went wrong on standard error.
fn complain(trouble: &Trouble) -> Exit {
    crate::complain(&trouble.cause, &trouble.advice);
    match trouble.kind {
        TroubleKind::Credentials => Exit::Credentials,
        TroubleKind::Other | TroubleKind::Denied | TroubleKind::InputChanged => Exit::Failed,
    }
}

/// Prints on standard output. A reader that closed it (`| head`) has what it wanted.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
