//! Decides which worker does which piece of a phase's work, and when: retries, speculation, deadlines, exclusion.
//!
//! A [`Scheduler`] is a synchronous state machine: it is told what happened, and answers with [`Action`]s. It has no
//! runtime and no clock. [`drive`](drive::drive) carries the actions out.

mod attempt;
mod concurrency;
pub(crate) mod drive;
pub(crate) mod error;
pub(crate) mod identity;
mod in_flight;
mod queue;
pub(crate) mod request;
mod slots;
mod speculation;
mod workers;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

use mrdeck_client::{AttemptName, TimedPart};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::TaskList;
use mrdeck_core::uri::S3Uri;

use self::attempt::{AttemptId, AttemptResult, AttemptSpec, GiveUp, Success};
use self::concurrency::Concurrency;
use self::error::AttemptError;
use self::identity::Identities;
use self::in_flight::{Active, Attempts, InFlight};
pub(crate) use self::queue::PendingWork;
use self::queue::Queue;
use self::request::{WorkRequest, attempt_deadline};
use self::speculation::Latencies;
use self::workers::{WorkerIndex, Workers};
use crate::event::EventKind;
use crate::work::Work;

/// How long a phase waits for a worker of its role to appear, or for all that are down until one comes back.
const NO_WORKER_TIMEOUT: Duration = Duration::from_secs(15);

/// What the scheduler has its driver do, in this order.
#[derive(Debug)]
pub(crate) enum Action<R> {
    Emit(EventKind),
    Start(AttemptSpec<R>),
    /// The attempt has to end now; its result is still wanted.
    GiveUp(AttemptId, GiveUp),
    /// The attempt has to end now; nothing depends on it any more.
    Abort(AttemptId),
}

/// What a phase's work came to. Work whose attempts are used up is neither committed nor blamed on an object.
#[derive(Debug)]
pub(crate) struct PhaseOutcome<A> {
    /// The last committed answer: the one of a phase with a single piece of work.
    pub(crate) answer: Option<A>,
    /// Objects that have to be made again before the work that was given up can go well.
    pub(crate) culprits: Vec<(S3Uri, AttemptError)>,
    /// Why work was given up, as the latest of its attempts has it.
    pub(crate) last_error: Option<AttemptError>,
}

/// What a phase is about.
#[derive(Debug)]
pub(crate) struct PhaseSpec<R> {
    pub(crate) work: Vec<PendingWork<R>>,
    /// All the work of the phase, what was done before included.
    pub(crate) total: usize,
    /// The run's part in the names of attempts.
    pub(crate) name: AttemptName,
    /// The objects of the input.
    pub(crate) inputs: HashSet<S3Uri>,
    /// A fixed limit for every attempt, instead of one by its input's size.
    pub(crate) attempt_limit: Option<Duration>,
}

/// The error of a phase that no worker serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoWorker(pub(crate) Role);

/// One phase on its way.
pub(crate) struct Scheduler<'a, R: WorkRequest> {
    identities: &'a mut Identities,
    name: AttemptName,
    inputs: HashSet<S3Uri>,
    attempt_limit: Option<Duration>,
    total: usize,
    workers: Workers,
    queue: Queue<R>,
    attempts: Attempts<R>,
    concurrency: Concurrency,
    latencies: Latencies,
    speculative: usize,
    without_worker_since: Option<Instant>,
    last_error_began: Option<Instant>,
    /// Why the last worker that was tried could not be reached.
    last_refusal: Option<AttemptError>,
    outcome: PhaseOutcome<R::Answer>,
    random: fastrand::Rng,
    actions: Vec<Action<R>>,
}

impl<'a, R: WorkRequest> Scheduler<'a, R> {
    pub(crate) fn new(spec: PhaseSpec<R>, identities: &'a mut Identities) -> Self {
        Self {
            identities,
            name: spec.name,
            inputs: spec.inputs,
            attempt_limit: spec.attempt_limit,
            total: spec.total,
            workers: Workers::default(),
            queue: Queue::new(spec.work),
            attempts: Attempts::new(),
            concurrency: Concurrency::default(),
            latencies: Latencies::default(),
            speculative: 0,
            without_worker_since: None,
            last_error_began: None,
            last_refusal: None,
            outcome: PhaseOutcome {
                answer: None,
                culprits: Vec::new(),
                last_error: None,
            },
            random: fastrand::Rng::new(),
            actions: Vec::new(),
        }
    }

    /// Takes in a new list of the cluster's tasks. Attempts on those that are gone are not waited for.
    pub(crate) fn tasks_changed(&mut self, list: &TaskList) {
        let gone: BTreeSet<WorkerIndex> = self.workers.update(list, R::ROLE).into_iter().collect();
        if gone.is_empty() {
            return;
        }
        for id in self.attempts.on(&gone) {
            self.give_up(id, GiveUp::TaskGone);
        }
    }

    /// Decides what is to be done now, after everything that has happened was told.
    ///
    /// # Errors
    ///
    /// Returns an error when no worker of the role has been there for [`NO_WORKER_TIMEOUT`].
    pub(crate) fn poll(&mut self, now: Instant) -> Result<Vec<Action<R>>, NoWorker> {
        self.workers.advance(now);
        self.queue.advance(now);
        self.assign(now);
        self.speculate(now);
        self.enforce_deadlines(now);
        if self.is_served() || self.is_done() {
            self.without_worker_since = None;
        } else {
            let since = *self.without_worker_since.get_or_insert(now);
            if now >= since + NO_WORKER_TIMEOUT {
                if !self.workers.are_all_down() {
                    return Err(NoWorker(R::ROLE));
                }
                self.give_up_all(now);
            }
        }
        Ok(std::mem::take(&mut self.actions))
    }

    /// Returns when time alone is a reason to poll again.
    pub(crate) fn next_wakeup(&self, now: Instant) -> Option<Instant> {
        let straggler = self
            .straggler_after()
            .filter(|_| self.workers.usable() > 1)
            .and_then(|after| self.attempts.next_straggler(now, after));
        let no_worker = self
            .without_worker_since
            .map(|since| since + NO_WORKER_TIMEOUT);
        [
            self.attempts.next_overdue(self.latencies.deadline()),
            straggler,
            no_worker,
            self.queue.next_ready(),
            self.workers.next_return(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Returns whether a worker is there, or has work, that is not down.
    fn is_served(&self) -> bool {
        let is_up = |worker| !self.workers.is_down(worker);
        self.workers.usable() > 0 || self.attempts.workers().any(is_up)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.attempts.is_empty() && self.queue.is_empty()
    }

    pub(crate) fn into_outcome(self) -> PhaseOutcome<R::Answer> {
        self.outcome
    }

    /// Gives a piece of work to every worker that has a free slot, as long as there is some.
    fn assign(&mut self, now: Instant) {
        while self.concurrency.allows(self.attempts.count()) {
            let (waiting, workers) = (self.queue.len(), &self.workers);
            let taken = self.queue.take_fresh(|| workers.pick(waiting)).or_else(|| {
                self.queue
                    .take_retry(|work| workers.pick_for(&work.failed_on))
            });
            let Some((pending, worker)) = taken else {
                return;
            };
            let work = pending.work;
            let attempts = Vec::new();
            self.attempts.insert(Active { pending, attempts });
            self.start(work, worker, now);
        }
    }

    /// Starts one attempt at work that is active.
    fn start(&mut self, work: Work, index: WorkerIndex, now: Instant) {
        let worker = self.workers.get(index);
        let (Some(active), Some(base)) = (self.attempts.get_mut(work), worker.base.clone()) else {
            return;
        };
        let (task, address) = (worker.id.clone(), worker.address.clone());
        let number = active.pending.begin();
        let request = active.pending.request.clone();
        let attempt = InFlight {
            number,
            worker: index,
            address: address.clone(),
            since: now,
            cap: attempt_deadline(self.attempt_limit, active.pending.input_bytes),
            is_patient: active.pending.was_late,
        };
        let is_speculative = self.attempts.add(work, attempt);
        self.workers.started(index);
        let is_in_doubt = self.identities.needs_verification(&address, &task);
        let proof = is_in_doubt.then(|| self.identities.must_be_named(&address));
        let name = AttemptName {
            chunk: work.chunk().map(|chunk| chunk.0),
            attempt: number,
            ..self.name.clone()
        };
        self.emit(EventKind::AttemptStarted {
            work,
            attempt: number,
            task,
            address: address.clone(),
            speculative: is_speculative,
        });
        self.actions.push(Action::Start(AttemptSpec {
            work,
            name,
            address,
            base,
            request,
            proof,
        }));
    }

    /// Returns how long an attempt is in flight before a speculative one is made; `None` while none is.
    fn straggler_after(&self) -> Option<Duration> {
        if R::ROLE != Role::Mapper || !self.queue.is_empty() {
            return None;
        }
        let done = self.total.saturating_sub(self.attempts.works());
        self.latencies
            .straggler_after(done, self.total, self.speculative)
    }

    /// Gives stragglers a second attempt on a worker that has nothing to do; the first to finish is committed.
    fn speculate(&mut self, now: Instant) {
        while let Some(after) = self.straggler_after()
            && self.concurrency.allows(self.attempts.count())
        {
            let choice = self.attempts.stragglers(now, after).find_map(|pending| {
                let worker = self.workers.pick_for_speculation(&pending.failed_on)?;
                Some((pending.work, worker))
            });
            let Some((work, worker)) = choice else {
                return;
            };
            self.speculative += 1;
            self.start(work, worker, now);
        }
    }

    fn enforce_deadlines(&mut self, now: Instant) {
        let pace = self.latencies.deadline();
        while let Some(id) = self.attempts.overdue(now, pace) {
            self.give_up(id, GiveUp::Deadline);
        }
    }

    /// Ends the phase with what it has: no worker can be reached.
    fn give_up_all(&mut self, now: Instant) {
        self.queue = Queue::new([]);
        for active in self.attempts.remove_all() {
            self.abandon(active.pending.work, &active.attempts, now);
        }
        self.outcome.last_error = self.last_refusal.take();
    }

    /// Tells an attempt to end, once.
    fn give_up(&mut self, id: AttemptId, why: GiveUp) {
        if self.attempts.give_up(id) {
            self.actions.push(Action::GiveUp(id, why));
        }
    }

    /// Takes in how an attempt ended. Attempts that nothing depends on any more are late, whatever they say.
    pub(crate) fn finished(&mut self, result: AttemptResult<R::Answer>, now: Instant) {
        let (work, in_flight) = (result.id.0, self.attempts.count());
        let Some(attempt) = self.attempts.take(result.id) else {
            return;
        };
        self.workers.ended(attempt.worker);
        let Some(active) = self.attempts.remove(work) else {
            return;
        };
        let ms = result.latency.as_secs_f64() * 1e3;
        match result.result {
            Ok(success) => {
                self.note_success(&attempt, result.latency, &success);
                self.commit(result.id, ms, success);
                if let Some(limit) = self.concurrency.succeeded(self.workers.usable()) {
                    self.emit(EventKind::Concurrency { limit });
                }
                self.abandon(work, &active.attempts, now);
            }
            Err(error) => {
                let error = error.about(&self.inputs);
                if error.breaks_trust() {
                    self.identities.failed(&attempt.address);
                }
                if error.is_unsent() {
                    self.unsent(active, &attempt, ms, error, now);
                    return;
                }
                self.workers.reached(attempt.worker);
                if error.is_throttled() {
                    self.throttled(active, &attempt, in_flight, ms, &error, now);
                } else {
                    self.failed(active, &attempt, ms, error, now);
                }
            }
        }
    }

    fn note_success(
        &mut self,
        attempt: &InFlight,
        latency: Duration,
        success: &Success<R::Answer>,
    ) {
        if let Success::Answered(timed) = success {
            let is_named = timed.service.is_some();
            self.identities.answered(&attempt.address, is_named);
            self.latencies.add(latency);
            let busy = busy_time(&timed.timing);
            self.workers.answered(attempt.worker, latency, busy);
        }
    }

    fn commit(&mut self, (work, attempt): AttemptId, ms: f64, success: Success<R::Answer>) {
        let (answer, timing, recovered) = match success {
            Success::Answered(timed) => (timed.answer, timed.timing, None),
            Success::Recovered(answer, why) => (answer, Vec::new(), Some(why)),
        };
        self.emit(EventKind::AttemptSucceeded {
            work,
            attempt,
            ms,
            answer: R::summary(&answer, timing),
            recovered,
        });
        self.emit(EventKind::Committed { work, attempt });
        self.outcome.answer = Some(answer);
    }

    /// Ends the attempts that were not the first to finish.
    fn abandon(&mut self, work: Work, attempts: &[InFlight], now: Instant) {
        for attempt in attempts {
            self.attempts.forget(work, attempt);
            self.workers.ended(attempt.worker);
            self.actions.push(Action::Abort((work, attempt.number)));
            self.emit(EventKind::AttemptAbandoned {
                work,
                attempt: attempt.number,
                ms: now.duration_since(attempt.since).as_secs_f64() * 1e3,
            });
        }
    }

    /// An attempt failed: its work goes back, unless another attempt at it is still in flight.
    fn failed(
        &mut self,
        mut active: Active<R>,
        attempt: &InFlight,
        ms: f64,
        error: AttemptError,
        now: Instant,
    ) {
        let work = active.pending.work;
        active.pending.was_late |= error.is_deadline();
        active.pending.note_failure(attempt.worker);
        let culprit = match &error {
            // It may be the copy that is at fault, whatever the mapper says.
            AttemptError::Check(_) => active.pending.request.copy(),
            AttemptError::Call(_) | AttemptError::CopyChanged(_) => error.culprit(),
        };
        let culprit = culprit.cloned();
        let is_the_workers = matches!(error, AttemptError::Check(_)) || culprit.is_none();
        let excluded = is_the_workers
            .then(|| self.workers.failed(attempt.worker, now))
            .flatten();
        let diagnostic = Diagnostic::from(&error);
        let pause = if active.attempts.is_empty() {
            let jitter = self.random.f64();
            let workers = self.workers.usable();
            let worth_retrying = active.pending.may_succeed(error.retry(), workers);
            self.queue
                .failed(active.pending, worth_retrying, now, jitter)
        } else {
            self.attempts.insert(active);
            Some(Duration::ZERO)
        };
        self.emit_failure(work, attempt, ms, diagnostic, pause);
        if pause.is_none() {
            self.given_up(attempt, error, culprit);
        }
        if let Some(pause) = excluded {
            let task = self.workers.get(attempt.worker).id.clone();
            let for_ms = millis(pause);
            self.emit(EventKind::WorkerExcluded { task, for_ms });
        }
    }

    /// The worker could not be reached: the work goes to another, and this one is probed until it is back.
    fn unsent(
        &mut self,
        active: Active<R>,
        attempt: &InFlight,
        ms: f64,
        error: AttemptError,
        now: Instant,
    ) {
        let work = active.pending.work;
        let pause = if active.attempts.is_empty() {
            self.queue.unsent(active.pending, now)
        } else {
            self.attempts.insert(active);
            Duration::ZERO
        };
        self.emit_failure(work, attempt, ms, (&error).into(), Some(pause));
        if self.workers.refused(attempt.worker, now) {
            let task = self.workers.get(attempt.worker).id.clone();
            self.emit(EventKind::WorkerDown { task });
        }
        self.last_refusal = Some(error);
    }

    fn throttled(
        &mut self,
        active: Active<R>,
        attempt: &InFlight,
        in_flight: usize,
        ms: f64,
        error: &AttemptError,
        now: Instant,
    ) {
        let work = active.pending.work;
        self.workers.throttled(attempt.worker);
        let pause = if active.attempts.is_empty() {
            let jitter = self.random.f64();
            self.queue
                .throttled(active.pending, attempt.worker, now, jitter)
        } else {
            self.attempts.insert(active);
            Some(Duration::ZERO)
        };
        self.emit_failure(work, attempt, ms, error.into(), pause);
        if pause.is_none() {
            self.given_up(attempt, error.clone(), None);
        }
        if let Some(limit) = self.concurrency.throttled(in_flight, attempt.since, now) {
            self.emit(EventKind::Concurrency { limit });
        }
    }

    fn given_up(&mut self, attempt: &InFlight, error: AttemptError, culprit: Option<S3Uri>) {
        if let Some(object) = culprit {
            self.outcome.culprits.push((object, error.clone()));
        }
        if self
            .last_error_began
            .is_none_or(|began| began <= attempt.since)
        {
            self.last_error_began = Some(attempt.since);
            self.outcome.last_error = Some(error);
        }
    }

    fn emit_failure(
        &mut self,
        work: Work,
        attempt: &InFlight,
        ms: f64,
        diagnostic: Diagnostic,
        pause: Option<Duration>,
    ) {
        self.emit(EventKind::AttemptFailed {
            work,
            attempt: attempt.number,
            ms,
            diagnostic,
            retry_in_ms: pause.map(millis),
        });
    }

    fn emit(&mut self, event: EventKind) {
        self.actions.push(Action::Emit(event));
    }
}

/// Returns for how long a worker says that it was busy; `None` if it says nothing.
fn busy_time(timing: &[TimedPart]) -> Option<Duration> {
    let ms: f64 = timing.iter().map(|part| part.ms).sum();
    Duration::try_from_secs_f64(ms / 1e3)
        .ok()
        .filter(|_| !timing.is_empty())
}

fn millis(pause: Duration) -> u64 {
    u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)
}
