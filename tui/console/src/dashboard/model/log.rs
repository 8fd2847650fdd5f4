//! The lines of the events panel: what happened, when, and for an error the cause and what to do.

use std::collections::VecDeque;

use jiff::Timestamp;

use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_engine::event::{EventKind, RunEvent};
use mrdeck_engine::event_text;

pub use mrdeck_engine::event_text::Level;

/// Older lines are dropped; the run's record on disk has them all.
const KEPT: usize = 2_000;

/// Advice is not repeated within so many lines.
const REPEATS: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub at: Timestamp,
    pub level: Level,
    pub text: String,
    /// What to do about it; empty when there is nothing to do.
    pub advice: String,
}

#[derive(Debug, Clone, Default)]
pub struct EventLog {
    lines: VecDeque<LogLine>,
    errors: usize,
}

impl EventLog {
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &LogLine> + ExactSizeIterator {
        self.lines.iter()
    }

    /// Returns how many errors there were since the last run began.
    pub fn errors(&self) -> usize {
        self.errors
    }

    pub fn add(&mut self, at: Timestamp, level: Level, text: impl Into<String>) {
        self.push(LogLine {
            at,
            level,
            text: text.into(),
            advice: String::new(),
        });
    }

    pub fn add_diagnostic(&mut self, at: Timestamp, level: Level, diagnostic: &Diagnostic) {
        self.push(LogLine {
            at,
            level,
            text: diagnostic.cause.clone(),
            advice: diagnostic.advice.clone(),
        });
    }

    fn push(&mut self, mut line: LogLine) {
        // The same advice again and again would crowd out what happened.
        let advised = |before: &LogLine| !before.advice.is_empty() && before.advice == line.advice;
        if self.lines.iter().rev().take(REPEATS).any(advised) {
            line.advice.clear();
        }
        self.errors += usize::from(line.level == Level::Error);
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Adds what is said of an event.
    pub fn add_event(&mut self, event: &RunEvent) {
        if let EventKind::RunStarted { .. } | EventKind::RunResumed { .. } = event.kind {
            self.errors = 0;
        }
        for said in event_text::texts(&event.kind) {
            self.push(LogLine {
                at: event.at,
                level: said.level,
                text: said.text,
                advice: said.advice,
            });
        }
    }
}
