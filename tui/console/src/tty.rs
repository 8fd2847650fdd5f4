//! What a terminal takes: the one place that decides whether escape sequences and colours may be written.

use std::env::var_os;
use std::io::IsTerminal;

/// Returns whether the terminal is one that shows escape sequences as they are, as in an editor's shell.
pub fn is_dumb() -> bool {
    var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Returns whether escape sequences written to `stream` do what they are to do.
pub fn takes_escapes(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && !is_dumb()
}

/// Returns whether what is written to `stream` may be coloured.
pub fn takes_colours(stream: &impl IsTerminal) -> bool {
    takes_escapes(stream) && var_os("NO_COLOR").is_none()
}
