//! What the dashboard says: in its event log, in the status line, or in both.

use jiff::Timestamp;

use super::log::{EventLog, Level};
use super::message::Clipboard;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_engine::event::RunEvent;

/// What the status line says about the last thing that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusLine {
    pub level: Level,
    pub text: String,
}

#[derive(Debug, Clone)]
pub struct Feedback {
    now: Timestamp,
    log: EventLog,
    status: Option<StatusLine>,
}

impl Feedback {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            log: EventLog::default(),
            status: None,
        }
    }

    pub fn log(&self) -> &EventLog {
        &self.log
    }

    pub fn status(&self) -> Option<&StatusLine> {
        self.status.as_ref()
    }

    /// Sets the time of what is logged from now on.
    pub(super) fn set_time(&mut self, now: Timestamp) {
        self.now = now;
    }

    pub(super) fn clear_status(&mut self) {
        self.status = None;
    }

    /// Says it in the status line only.
    pub(super) fn show(&mut self, level: Level, text: impl Into<String>) {
        self.status = Some(StatusLine {
            level,
            text: text.into(),
        });
    }

    /// Says in the status line where a copied text is, as far as that is known.
    pub(super) fn copied(&mut self, text: &str, clipboard: &Clipboard) {
        let (level, said) = match clipboard {
            Clipboard::Terminal => (
                Level::Good,
                format!("sent to the terminal's clipboard: {text}"),
            ),
            Clipboard::TerminalFor { refused, setting } => (
                Level::Warning,
                format!(
                    "tmux has not taken {text}: {refused}; sent to the terminal, which '{setting}' lets through"
                ),
            ),
            Clipboard::Tmux { missing: None } => {
                (Level::Good, format!("copied {text} to tmux's buffer"))
            }
            Clipboard::Tmux {
                missing: Some(missing),
            } => (
                Level::Good,
                format!(
                    "copied {text} to tmux's buffer; for the system's clipboard too: {missing}"
                ),
            ),
        };
        self.show(level, said);
    }

    /// Says it in the log only.
    pub(super) fn log_text(&mut self, level: Level, text: impl Into<String>) {
        self.log.add(self.now, level, text);
    }

    /// Says it in the log only, with what to do about it.
    pub(super) fn log_diagnostic(&mut self, level: Level, diagnostic: &Diagnostic) {
        self.log.add_diagnostic(self.now, level, diagnostic);
    }

    /// Adds what is said of a run's event.
    pub(super) fn log_event(&mut self, event: &RunEvent) {
        self.log.add_event(event);
    }

    /// Says it in the log and in the status line.
    pub(super) fn announce(&mut self, level: Level, text: impl Into<String>) {
        let text = text.into();
        self.log_text(level, text.clone());
        self.show(level, text);
    }

    /// Says it in the log and in the status line, with what to do about it.
    pub(super) fn announce_diagnostic(&mut self, level: Level, diagnostic: &Diagnostic) {
        self.log_diagnostic(level, diagnostic);
        self.show(level, diagnostic.to_string());
    }
}
