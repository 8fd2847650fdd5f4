//! `mrdeck doctor`: a line for each check, with advice where something is wrong.

use std::fmt::Write;

use crossterm::style::{Color, Stylize};
use tokio_util::sync::CancellationToken;

use super::{fail, print, print_json};
use crate::cli::OutputFormat;
use crate::config::Config;
use crate::doctor::{self, CheckStatus, Finding};
use crate::exit::Exit;
use crate::signals;
use crate::tty;
use mrdeck_core::diagnostic::DiagnosticKind;
use mrdeck_core::human::printable;

/// Columns of the status and of the check's name.
const STATUS_WIDTH: usize = 9;
const CHECK_WIDTH: usize = 17;

pub async fn doctor(config: &Config) -> Exit {
    let cancel = CancellationToken::new();
    signals::cancel_on_signal(cancel.clone());
    let is_coloured = tty::takes_colours(&std::io::stdout());
    let mut findings = Vec::new();
    let mut printed = Exit::Done;
    let examined = doctor::examine(config, |finding| {
        // What can't be printed is complained of once.
        if config.output == OutputFormat::Text && printed == Exit::Done {
            printed = print(&line(&finding, is_coloured));
        }
        findings.push(finding);
    });
    let examined = tokio::select! {
        () = cancel.cancelled() => return Exit::Interrupted,
        examined = examined => examined,
    };
    if let Err(diagnostic) = examined {
        return fail(&diagnostic);
    }
    if config.output == OutputFormat::Json {
        printed = print_json(&findings);
    }
    match exit(&findings) {
        Exit::Done => printed,
        failed => failed,
    }
}

fn exit(findings: &[Finding]) -> Exit {
    let mut failed = findings
        .iter()
        .filter(|finding| finding.status == CheckStatus::Failed)
        .peekable();
    if failed.peek().is_none() {
        Exit::Done
    } else if failed.any(|finding| finding.kind == DiagnosticKind::Credentials) {
        Exit::Credentials
    } else {
        Exit::Failed
    }
}

/// Returns a finding as text: what was found, and on a line of its own what to do.
fn line(finding: &Finding, is_coloured: bool) -> String {
    let (word, colour) = match finding.status {
        CheckStatus::Ok => ("ok", Color::DarkGreen),
        CheckStatus::Warning => ("warning", Color::DarkYellow),
        CheckStatus::Failed => ("failed", Color::DarkRed),
    };
    let word = format!("{word:STATUS_WIDTH$}");
    let word = if is_coloured {
        word.with(colour).to_string()
    } else {
        word
    };
    let check = finding.check;
    let found = printable(&finding.found);
    let mut text = format!("{word}{check:CHECK_WIDTH$}{found}\n");
    if let Some(advice) = &finding.advice {
        let indent = STATUS_WIDTH + CHECK_WIDTH;
        // Writing to a String can't fail.
        let _ = writeln!(text, "{:indent$}→ {}", "", printable(advice));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use mrdeck_core::diagnostic::Diagnostic;

    fn failed(kind: DiagnosticKind) -> Finding {
        let diagnostic = Diagnostic::new("cause\x1b[0m", "advice").of_kind(kind);
        Finding::failed("clock", diagnostic)
    }

    #[test]
    fn the_exit_code_tells_what_failed() {
        let warning = Finding::warning("clock", Diagnostic::new("off", "set it"));
        let (other, credentials) = (
            failed(DiagnosticKind::Other),
            failed(DiagnosticKind::Credentials),
        );
        assert_eq!(exit(&[]), Exit::Done);
        assert_eq!(exit(std::slice::from_ref(&warning)), Exit::Done);
        assert_eq!(exit(&[warning, other.clone()]), Exit::Failed);
        assert_eq!(exit(&[other, credentials]), Exit::Credentials);
    }

    #[test]
    fn colours_mark_the_status_alone() {
        let plain = line(&failed(DiagnosticKind::Other), false);
        assert_eq!(
            plain,
            "failed   clock            cause\u{fffd}[0m\n                          → advice\n"
        );
    }
}
