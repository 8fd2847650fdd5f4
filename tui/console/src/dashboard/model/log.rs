//! The lines of the events panel: what happened, when, and for an error the cause and what to do.

use std::collections::VecDeque;

use jiff::Timestamp;

use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::{bytes, millis, plural, thousands};
use mrdeck_engine::event::{EventKind, RunEvent, RunStatus};
use mrdeck_engine::event_text::{Weight, wording};
use mrdeck_engine::work::Phase;

/// Older lines are dropped; the run's record on disk has them all.
const KEPT: usize = 2_000;

/// Advice is not repeated within so many lines.
const REPEATS: usize = 8;

/// How a line is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Info,
    Good,
    Warning,
    Error,
}

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
}

impl EventLog {
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &LogLine> + ExactSizeIterator {
        self.lines.iter()
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
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Adds what a person wants to know of an event; many say nothing new.
    pub fn add_event(&mut self, event: &RunEvent) {
        let at = event.at;
        match &event.kind {
            EventKind::RunStarted { run, input, .. } => {
                self.add(at, Level::Info, format!("run {run} over {input}"));
            }
            EventKind::InputPinned { bytes: size, .. } => {
                self.add(at, Level::Info, format!("the input has {}", bytes(*size)));
            }
            EventKind::ChunksPlanned { chunks, .. } => {
                let chunks = plural(chunks.len() as u64, "chunk");
                self.add(at, Level::Info, format!("split into {chunks}"));
            }
            EventKind::AttemptFailed {
                work,
                attempt,
                diagnostic,
                retry_in_ms,
                ..
            } => self.add_failure(at, &format!("{work} #{attempt}"), diagnostic, *retry_in_ms),
            EventKind::PhaseFinished { phase, wall_ms } => {
                self.add(
                    at,
                    Level::Info,
                    format!("{phase} took {}", millis(*wall_ms)),
                );
            }
            EventKind::ResultRead(result) => {
                let (words, unique) = (thousands(result.words), thousands(result.unique));
                self.add(at, Level::Good, format!("{words} words, {unique} unique"));
            }
            EventKind::Verified(found) if found.is_exact() => {
                self.add(
                    at,
                    Level::Good,
                    "verified: no word missing, extra or different",
                );
            }
            EventKind::Verified(found) => {
                for sample in &found.samples {
                    self.add(at, Level::Error, sample.clone());
                }
            }
            EventKind::Notice(diagnostic) => self.add_diagnostic(at, Level::Warning, diagnostic),
            EventKind::RunFinished {
                status,
                wall_ms,
                diagnostic,
            } => match (status, diagnostic) {
                (_, Some(diagnostic)) => self.add_diagnostic(at, Level::Error, diagnostic),
                (RunStatus::Done, None) => {
                    self.add(at, Level::Good, format!("done in {}", millis(*wall_ms)));
                }
                (status, None) => {
                    let text = format!("{status} after {}", millis(*wall_ms));
                    self.add(at, Level::Warning, text);
                }
            },
            EventKind::PhaseStarted {
                phase: Phase::Verify,
            } => self.add(at, Level::Info, "recounting the whole input here"),
            other => {
                if let Some((weight, text)) = wording(other) {
                    let level = match weight {
                        Weight::Info => Level::Info,
                        Weight::Warning => Level::Warning,
                    };
                    self.add(at, level, text);
                }
            }
        }
    }

    fn add_failure(
        &mut self,
        at: Timestamp,
        what: &str,
        diagnostic: &Diagnostic,
        retry: Option<u64>,
    ) {
        let (level, text) = match retry {
            Some(0) => {
                let text = format!("{what}: {}; another is under way", diagnostic.cause);
                (Level::Warning, text)
            }
            Some(ms) => {
                let text = format!("{what}: {}; again in {ms} ms", diagnostic.cause);
                (Level::Warning, text)
            }
            None => (
                Level::Error,
                format!("{what}: {}; given up", diagnostic.cause),
            ),
        };
        self.push(LogLine {
            at,
            level,
            text,
            advice: diagnostic.advice.clone(),
        });
    }
}
