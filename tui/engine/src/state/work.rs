//! One piece of work as a record has it: every attempt made at it, and which one counts; and the chunk it is about.

use jiff::Timestamp;
use mrdeck_core::api::ChunkRef;
use mrdeck_core::uri::S3Uri;

use crate::event::{AttemptAnswer, EventKind, RunEvent};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskId;

/// Stands for the task of an attempt whose output was found in S3, where nothing says which task made it.
const UNKNOWN_TASK: &str = "found in S3";

/// How an attempt ended, or that it hasn't.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    InFlight,
    Succeeded {
        ms: f64,
        answer: AttemptAnswer,
    },
    /// Its output was found in S3; how long it took is not known.
    Found {
        answer: AttemptAnswer,
    },
    Failed {
        ms: f64,
        diagnostic: Diagnostic,
    },
    Abandoned {
        ms: f64,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Counted from 1.
    pub number: u32,
    pub task: TaskId,
    /// `IP:PORT`
    pub address: String,
    pub started_at: Timestamp,
    /// A second attempt beside one that takes long.
    pub is_speculative: bool,
    pub outcome: Outcome,
}

impl Attempt {
    /// Milliseconds the attempt took; `None` while it is in flight.
    pub fn ms(&self) -> Option<f64> {
        match &self.outcome {
            Outcome::InFlight | Outcome::Found { .. } => None,
            Outcome::Succeeded { ms, .. }
            | Outcome::Failed { ms, .. }
            | Outcome::Abandoned { ms } => Some(*ms),
        }
    }

    /// Milliseconds so far, for an attempt in flight as well; `None` where unknown.
    pub fn elapsed_ms(&self, now: Timestamp) -> Option<f64> {
        match self.outcome {
            Outcome::InFlight => Some(millis_between(self.started_at, now)),
            _ => self.ms(),
        }
    }

    pub fn is_in_flight(&self) -> bool {
        self.outcome == Outcome::InFlight
    }
}

/// Where a piece of work stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkStatus {
    Waiting,
    InFlight,
    /// Failed, and will be tried again.
    Retrying,
    Committed,
    /// All its attempts are used up.
    Failed,
    /// The run was cancelled before it was done.
    Abandoned,
}

/// The split, one chunk, or the reduce: every attempt made at it, and which one counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WorkState {
    pub attempts: Vec<Attempt>,
    /// The number of the attempt whose output counts.
    pub committed: Option<u32>,
    pub(crate) given_up: bool,
    /// The run was cancelled before this was done.
    pub(crate) dropped: bool,
    /// How often an output that counted was found wrong, in this pass of the run.
    pub(crate) invalidations: u32,
}

impl WorkState {
    pub fn status(&self) -> WorkStatus {
        // A commit without an answer is none: there is nothing to use.
        if self.answer().is_some() {
            return WorkStatus::Committed;
        }
        let is_in_flight = self.attempts.iter().any(Attempt::is_in_flight);
        match self.attempts.last().map(|attempt| &attempt.outcome) {
            _ if self.dropped => WorkStatus::Abandoned,
            None => WorkStatus::Waiting,
            Some(_) if is_in_flight => WorkStatus::InFlight,
            // Answered, and not committed yet; or committed once and invalidated.
            Some(Outcome::InFlight | Outcome::Succeeded { .. } | Outcome::Found { .. }) => {
                if self.invalidations > 0 {
                    WorkStatus::Retrying
                } else {
                    WorkStatus::InFlight
                }
            }
            Some(Outcome::Failed { .. }) if self.given_up => WorkStatus::Failed,
            Some(Outcome::Failed { .. }) => WorkStatus::Retrying,
            Some(Outcome::Abandoned { .. }) => WorkStatus::Abandoned,
        }
    }

    pub fn committed_attempt(&self) -> Option<&Attempt> {
        let number = self.committed?;
        let mut latest_first = self.attempts.iter().rev();
        latest_first.find(|attempt| attempt.number == number)
    }

    /// What the committed attempt answered.
    pub fn answer(&self) -> Option<&AttemptAnswer> {
        match &self.committed_attempt()?.outcome {
            Outcome::Succeeded { answer, .. } | Outcome::Found { answer } => Some(answer),
            _ => None,
        }
    }

    /// The committed attempt's latency and answer; `None` where the latency is not known.
    pub fn result(&self) -> Option<(f64, &AttemptAnswer)> {
        match &self.committed_attempt()?.outcome {
            Outcome::Succeeded { ms, answer } => Some((*ms, answer)),
            _ => None,
        }
    }

    /// Where the committed output is.
    pub fn out(&self) -> Option<&S3Uri> {
        self.answer()?.out.as_ref()
    }

    /// Ends what was in flight; how it ended is unknown.
    pub(crate) fn abandon(&mut self, at: Timestamp) {
        for attempt in &mut self.attempts {
            if attempt.is_in_flight() {
                let ms = millis_between(attempt.started_at, at);
                attempt.outcome = Outcome::Abandoned { ms };
            }
        }
    }

    /// Takes in an event about this work.
    pub(crate) fn apply(&mut self, event: &RunEvent) {
        match &event.kind {
            EventKind::AttemptStarted {
                attempt,
                task,
                address,
                speculative,
                ..
            } => {
                // Most work has one, and there may be 10,000 pieces of work.
                self.attempts.reserve_exact(1);
                self.attempts.push(Attempt {
                    number: *attempt,
                    task: task.clone(),
                    address: address.clone(),
                    started_at: event.at,
                    is_speculative: *speculative,
                    outcome: Outcome::InFlight,
                });
            }
            EventKind::AttemptSucceeded {
                attempt,
                ms,
                answer,
                ..
            } => {
                if let Some(entry) = self.attempt_mut(*attempt) {
                    entry.outcome = Outcome::Succeeded {
                        ms: *ms,
                        answer: answer.clone(),
                    };
                }
            }
            EventKind::AttemptFound {
                attempt, answer, ..
            } => {
                let outcome = Outcome::Found {
                    answer: answer.clone(),
                };
                match self.attempt_mut(*attempt) {
                    Some(entry) => entry.outcome = outcome,
                    None => self.attempts.push(Attempt {
                        number: *attempt,
                        task: TaskId(UNKNOWN_TASK.to_owned()),
                        address: String::new(),
                        started_at: event.at,
                        is_speculative: false,
                        outcome,
                    }),
                }
            }
            EventKind::AttemptFailed {
                attempt,
                ms,
                diagnostic,
                retry_in_ms,
                ..
            } => {
                self.given_up = retry_in_ms.is_none();
                if let Some(entry) = self.attempt_mut(*attempt) {
                    entry.outcome = Outcome::Failed {
                        ms: *ms,
                        diagnostic: diagnostic.clone(),
                    };
                }
            }
            EventKind::AttemptAbandoned { attempt, ms, .. } => {
                if let Some(entry) = self.attempt_mut(*attempt) {
                    entry.outcome = Outcome::Abandoned { ms: *ms };
                }
            }
            EventKind::Committed { attempt, .. } => {
                self.committed = Some(*attempt);
            }
            EventKind::Invalidated { .. } => {
                self.committed = None;
                self.invalidations += 1;
            }
            _ => {}
        }
    }

    pub fn next_attempt(&self) -> u32 {
        let numbers = self.attempts.iter().map(|attempt| attempt.number);
        numbers.max().map_or(1, |last| last + 1)
    }

    pub fn failures(&self) -> usize {
        self.attempts
            .iter()
            .filter(|attempt| matches!(attempt.outcome, Outcome::Failed { .. }))
            .count()
    }

    pub(crate) fn attempt_mut(&mut self, number: u32) -> Option<&mut Attempt> {
        let mut latest_first = self.attempts.iter_mut().rev();
        latest_first.find(|attempt| attempt.number == number)
    }
}

/// One chunk: what it is, and its work.
#[derive(Debug, Clone, PartialEq)]
pub struct ChunkState {
    pub source: ChunkRef,
    /// Of the piece that was cut, if the splitter said it.
    pub bytes: Option<u64>,
    /// The version of the copy; `None` for a range, or where unknown.
    pub etag: Option<String>,
    pub work: WorkState,
}

/// `s3://BUCKET/KEY`, with the bytes of it where the chunk is a range.
pub fn source_text(chunk: &ChunkRef) -> String {
    match chunk {
        ChunkRef::Object(uri) => uri.to_string(),
        ChunkRef::Range { s3, start, end } => format!("{s3}, bytes {start} to {end}"),
    }
}

pub(crate) fn millis_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0) * 1e3
}
