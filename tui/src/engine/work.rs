//! One piece of work as a record has it: every attempt made at it, and which one counts.

use jiff::Timestamp;
use mrdeck_services::uri::S3Uri;

use super::event::AttemptAnswer;
use crate::cluster::TaskId;
use crate::trouble::Trouble;

/// How an attempt ended, or that it hasn't.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    InFlight,
    Succeeded { ms: f64, answer: AttemptAnswer },
    Failed { ms: f64, trouble: Trouble },
    Abandoned { ms: f64 },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Counted from 1.
    pub number: u32,
    pub task: TaskId,
    /// `IP:PORT`
    pub address: String,
    pub started_at: Timestamp,
    pub outcome: Outcome,
}

impl Attempt {
    /// Milliseconds the attempt took; `None` while it is in flight.
    pub fn ms(&self) -> Option<f64> {
        match &self.outcome {
            Outcome::InFlight => None,
            Outcome::Succeeded { ms, .. }
            | Outcome::Failed { ms, .. }
            | Outcome::Abandoned { ms } => Some(*ms),
        }
    }

    /// Milliseconds so far, for an attempt in flight as well.
    pub fn elapsed_ms(&self, now: Timestamp) -> f64 {
        self.ms()
            .unwrap_or_else(|| millis_between(self.started_at, now))
    }
}

/// Where a piece of work stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkState {
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
pub struct WorkRecord {
    pub attempts: Vec<Attempt>,
    /// The number of the attempt whose output counts.
    pub committed: Option<u32>,
    pub(super) given_up: bool,
    /// The run was cancelled before this was done.
    pub(super) dropped: bool,
}

impl WorkRecord {
    pub fn state(&self) -> WorkState {
        if self.committed.is_some() {
            return WorkState::Committed;
        }
        match self.attempts.last().map(|attempt| &attempt.outcome) {
            _ if self.dropped => WorkState::Abandoned,
            None => WorkState::Waiting,
            Some(Outcome::InFlight | Outcome::Succeeded { .. }) => WorkState::InFlight,
            Some(Outcome::Failed { .. }) if self.given_up => WorkState::Failed,
            Some(Outcome::Failed { .. }) => WorkState::Retrying,
            Some(Outcome::Abandoned { .. }) => WorkState::Abandoned,
        }
    }

    pub fn committed_attempt(&self) -> Option<&Attempt> {
        let number = self.committed?;
        self.attempts
            .iter()
            .find(|attempt| attempt.number == number)
    }

    /// The committed attempt's latency and answer.
    pub fn result(&self) -> Option<(f64, &AttemptAnswer)> {
        match &self.committed_attempt()?.outcome {
            Outcome::Succeeded { ms, answer } => Some((*ms, answer)),
            _ => None,
        }
    }

    /// Where the committed output is.
    pub fn out(&self) -> Option<&S3Uri> {
        self.result()?.1.out.as_ref()
    }

    pub fn next_attempt(&self) -> u32 {
        self.attempts.last().map_or(1, |attempt| attempt.number + 1)
    }

    pub fn failures(&self) -> usize {
        self.attempts
            .iter()
            .filter(|attempt| matches!(attempt.outcome, Outcome::Failed { .. }))
            .count()
    }

    pub(super) fn attempt_mut(&mut self, number: u32) -> Option<&mut Attempt> {
        self.attempts
            .iter_mut()
            .find(|attempt| attempt.number == number)
    }
}

pub(super) fn millis_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0) * 1e3
}
