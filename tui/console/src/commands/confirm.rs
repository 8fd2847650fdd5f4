//! Asks before something is changed in AWS; the default is No.

use std::io::{BufRead, IsTerminal};

use crate::stderr;

/// The answer to what is about to be done, given at the terminal or by `--yes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    Given,
    Refused,
    /// There is no terminal to ask at, and no `--yes`.
    NoTerminal,
}

/// Asks the question; only `y` or `yes` gives consent.
pub async fn confirm(question: &str, is_yes: bool) -> Consent {
    if is_yes {
        return Consent::Given;
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Consent::NoTerminal;
    }
    stderr::prompt(&format!("{question} [y/N] "));
    // A thread of its own: a read can't be cancelled, and ctrl-c must not wait for it.
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        let _ = std::io::stdin().lock().read_line(&mut line);
        line
    });
    match answer.await.unwrap_or_default().trim() {
        "y" | "Y" | "yes" => Consent::Given,
        _ => Consent::Refused,
    }
}
