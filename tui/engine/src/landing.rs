//! What becomes of attempts that end: committed, tried again, put off, given up.

use std::time::{Duration, Instant};

use mrdeck_core::uri::S3Uri;

use super::dispatch::{Active, Dispatch, tell};
use super::event::{AttemptAnswer, EventKind, Work};
use super::flight::{Flight, GiveUp, Landed, Landing};
use crate::call::Answer;
use mrdeck_client::CallError;
use mrdeck_client::TimedPart;
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::task::TaskId;

/// Why an attempt failed, and what follows from it.
struct Failure {
    diagnostic: Diagnostic,
    is_worth_retrying: bool,
    /// The task is to blame, rather than what it was to work on.
    is_the_tasks: bool,
    /// The object that has to be made again if no attempt does better.
    culprit: Option<S3Uri>,
}

impl Dispatch<'_> {
    pub(super) async fn landed(&mut self, landing: Landing, tasks: usize) {
        let (work, attempt) = (landing.work, landing.attempt);
        // Answers of attempts that were given up are late, whatever they say.
        let Some(active) = self.active.get_mut(&work) else {
            return;
        };
        let Some(index) = active.flights.iter().position(|f| f.attempt == attempt) else {
            return;
        };
        let in_flight = self.in_flight();
        let Some(mut active) = self.active.remove(&work) else {
            return;
        };
        let flight = active.flights.swap_remove(index);
        let ms = landing.latency.as_secs_f64() * 1e3;
        match landing.result {
            Ok(landed) => match self.examine(work, attempt, &landed) {
                Ok(()) => {
                    self.note_success(&landing.task, &landing.address, landing.latency, &landed);
                    self.commit(work, attempt, ms, landed).await;
                    if let Some(limit) = self.concurrency.succeeded(tasks) {
                        self.runner.emit(EventKind::Concurrency { limit }).await;
                    }
                    self.abandon_others(work, active).await;
                }
                Err(diagnostic) => {
                    // It may be the copy that is at fault, whatever the mapper says.
                    let culprit = active.item.copy().cloned();
                    let failure = Failure {
                        diagnostic,
                        is_worth_retrying: true,
                        is_the_tasks: true,
                        culprit,
                    };
                    self.failed(active, &flight, ms, failure).await;
                }
            },
            Err(error) => {
                if error.breaks_trust() {
                    self.runner.doubts.failed(&landing.address);
                }
                if error.is_throttled() {
                    self.throttled(active, &flight, in_flight, ms, &error).await;
                    return;
                }
                if matches!(error, CallError::Deadline { .. }) {
                    active.item.was_late = true;
                }
                let culprit = error.culprit().cloned();
                let mut diagnostic = error.diagnostic();
                if culprit
                    .as_ref()
                    .is_some_and(|object| *object != self.runner.record.input)
                {
                    // It is a copy that changed, not the input.
                    diagnostic.kind = DiagnosticKind::Other;
                }
                let failure = Failure {
                    diagnostic,
                    is_worth_retrying: error.is_worth_retrying(),
                    is_the_tasks: culprit.is_none(),
                    culprit,
                };
                self.failed(active, &flight, ms, failure).await;
            }
        }
    }

    fn examine(&self, work: Work, attempt: u32, landed: &Landed) -> Result<(), Diagnostic> {
        let answer = match landed {
            Landed::Answered(timed) => &timed.answer,
            Landed::Recovered(answer, _) => answer,
        };
        let name = crate::call::attempt_name(&self.runner.record, work, attempt);
        (self.check)(work, &name, answer)
    }

    fn note_success(&mut self, task: &TaskId, address: &str, latency: Duration, landed: &Landed) {
        if let Landed::Answered(timed) = landed {
            self.runner
                .doubts
                .answered(address, timed.service.is_some());
            self.latencies.add(latency);
            self.queue.succeeded(task, latency);
        }
    }

    async fn commit(&mut self, work: Work, attempt: u32, ms: f64, landed: Landed) {
        let (answer, timing, recovered) = match landed {
            Landed::Answered(timed) => (timed.answer, timed.timing, None),
            Landed::Recovered(answer, why) => (answer, Vec::new(), Some(why)),
        };
        let succeeded = EventKind::AttemptSucceeded {
            work,
            attempt,
            ms,
            answer: summary(&answer, timing),
            recovered,
        };
        self.runner.emit(succeeded).await;
        self.runner
            .emit(EventKind::Committed { work, attempt })
            .await;
        self.outcome.commits.push((work, answer));
    }

    /// The attempts that were not the first to finish.
    pub(super) async fn abandon_others(&mut self, work: Work, active: Active) {
        for mut flight in active.flights {
            tell(&mut flight, GiveUp::Superfluous);
            let abandoned = EventKind::AttemptAbandoned {
                work,
                attempt: flight.attempt,
                ms: flight.since.elapsed().as_secs_f64() * 1e3,
            };
            self.runner.emit(abandoned).await;
        }
    }

    /// An attempt failed: its work goes back, unless another attempt at it is still in flight.
    async fn failed(&mut self, mut active: Active, flight: &Flight, ms: f64, failure: Failure) {
        let (work, now) = (active.item.work, Instant::now());
        let set_aside = failure
            .is_the_tasks
            .then(|| self.queue.blame(&flight.task, now))
            .flatten();
        active.item.note_failure(&flight.task);
        let pause = if active.flights.is_empty() {
            let jitter = fastrand::f64();
            self.queue
                .failed(active.item, failure.is_worth_retrying, now, jitter)
        } else {
            self.active.insert(work, active);
            Some(Duration::ZERO)
        };
        let diagnostic = failure.diagnostic;
        if let (None, Some(object)) = (pause, failure.culprit) {
            let culprit = (work, object, diagnostic.clone());
            self.outcome.culprits.push(culprit);
        }
        self.tell_failure(work, flight.attempt, ms, diagnostic, pause)
            .await;
        if let Some(pause) = set_aside {
            let set_aside = EventKind::SetAside {
                task: flight.task.clone(),
                for_ms: millis(pause),
            };
            self.runner.emit(set_aside).await;
        }
    }

    async fn throttled(
        &mut self,
        active: Active,
        flight: &Flight,
        in_flight: usize,
        ms: f64,
        error: &CallError,
    ) {
        let (work, now) = (active.item.work, Instant::now());
        let pause = if active.flights.is_empty() {
            self.queue
                .throttled(active.item, &flight.task, now, fastrand::f64())
        } else {
            self.active.insert(work, active);
            Some(Duration::ZERO)
        };
        self.tell_failure(work, flight.attempt, ms, error.diagnostic(), pause)
            .await;
        if let Some(limit) = self.concurrency.throttled(in_flight, flight.since, now) {
            self.runner.emit(EventKind::Concurrency { limit }).await;
        }
    }

    async fn tell_failure(
        &mut self,
        work: Work,
        attempt: u32,
        ms: f64,
        diagnostic: Diagnostic,
        pause: Option<Duration>,
    ) {
        let failed = EventKind::AttemptFailed {
            work,
            attempt,
            ms,
            diagnostic,
            retry_in_ms: pause.map(millis),
        };
        self.runner.emit(failed).await;
    }
}

fn millis(pause: Duration) -> u64 {
    u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)
}

/// What a record keeps of an answer.
pub(super) fn summary(answer: &Answer, timing: Vec<TimedPart>) -> AttemptAnswer {
    match answer {
        Answer::Split(answer) => AttemptAnswer {
            bytes: answer.bytes,
            timing,
            ..AttemptAnswer::default()
        },
        Answer::Map(answer) => AttemptAnswer {
            out: Some(answer.out.clone()),
            words: answer.words,
            unique: answer.unique,
            bytes: answer.bytes,
            sha256: answer.sha256.clone(),
            rules: answer.rules,
            timing,
        },
        Answer::Reduce(answer) => AttemptAnswer {
            out: Some(answer.out.clone()),
            words: answer.words,
            unique: answer.unique,
            bytes: None,
            sha256: answer.sha256.clone(),
            rules: answer.rules,
            timing,
        },
    }
}
