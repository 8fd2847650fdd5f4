//! What is written to standard error: errors with their next step, which go to the log as well, and plain lines.

use std::io::Write;

use mrdeck_core::human::printable;

/// Writes what failed and, on a second line, what to do about it; `advice` may be empty.
pub fn error(cause: &str, advice: &str) {
    tracing::error!(advice, "{cause}");
    let cause = printable(cause);
    if advice.is_empty() {
        line(&format!("mrdeck: {cause}"));
    } else {
        line(&format!("mrdeck: {cause}\n  {}", printable(advice)));
    }
}

/// Writes one line. A reader that closed its end is no reason to panic, so errors are dropped.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes the start of a line, to be continued by an answer.
pub fn prompt(text: &str) {
    let mut err = std::io::stderr();
    let _ = write!(err, "{text}").and_then(|()| err.flush());
}
