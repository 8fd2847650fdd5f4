//! What a command found, on standard output: text or one JSON value.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use crate::exit::Exit;
use crate::stderr;

/// Prints text. A reader that closed its end (`| head`) has what it wanted; on a full disk something is lost.
pub(super) fn print(text: &str) -> Exit {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let cause = format!("standard output can't be written: {error}");
            stderr::error(&cause, "what was to be printed there is lost");
            Exit::Failed
        }
        _ => Exit::Done,
    }
}

/// Prints one JSON value.
pub(super) fn print_json(value: &impl Serialize) -> Exit {
    match serde_json::to_string_pretty(value) {
        Ok(json) => print(&format!("{json}\n")),
        Err(error) => {
            stderr::error(&error.to_string(), "");
            Exit::Failed
        }
    }
}
