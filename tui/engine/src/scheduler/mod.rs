//! Decides which worker does which piece of a phase's work, and when: retries, backups, deadlines, exclusion.
//!
//! A [`Scheduler`] is a synchronous state machine: it is told what happened, and answers with [`Action`]s. It has no
//! runtime and no clock. [`drive`](drive::drive) carries the actions out.

mod attempt;
mod concurrency;
pub(crate) mod drive;
pub(crate) mod error;
pub(crate) mod identity;
mod queue;
pub(crate) mod request;
mod speculation;
mod workers;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use mrdeck_client::AttemptName;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::TaskList;
use mrdeck_core::uri::S3Uri;

use self::attempt::{AttemptId, AttemptResult, AttemptSpec, GiveUp, Success};
use self::concurrency::Concurrency;
use self::error::AttemptError;
use self::identity::Identities;
pub(crate) use self::queue::PendingWork;
use self::queue::Queue;
use self::request::{WorkRequest, attempt_deadline};
use self::speculation::Latencies;
use self::workers::{WorkerIndex, Workers};
use crate::event::EventKind;
use crate::work::Work;

/// How long a phase waits for a worker of its role to appear.
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
    pub(crate) input: S3Uri,
    /// A fixed limit for every attempt, instead of one by its input's size.
    pub(crate) attempt_limit: Option<Duration>,
}

/// The error of a phase that no worker serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoWorker(pub(crate) Role);

/// Work with an attempt in flight, or two.
#[derive(Debug)]
struct Active<R> {
    pending: PendingWork<R>,
    attempts: Vec<InFlight>,
}

/// An attempt in flight.
#[derive(Debug)]
struct InFlight {
    number: u32,
    worker: WorkerIndex,
    /// As it was when the attempt began.
    address: String,
    since: Instant,
    /// The longest it may take.
    cap: Duration,
    /// It gets all of that, however fast the others are.
    is_patient: bool,
}

/// One phase on its way.
pub(crate) struct Scheduler<'a, R: WorkRequest> {
    identities: &'a mut Identities,
    name: AttemptName,
    input: S3Uri,
    attempt_limit: Option<Duration>,
    total: usize,
    workers: Workers,
    queue: Queue<R>,
    active: HashMap<Work, Active<R>>,
    in_flight: usize,
    /// Attempts that are the only one at their work, by their start.
    alone: BTreeSet<(Instant, Work)>,
    /// Attempts that must be as fast as the others, by their start.
    impatient: BTreeSet<(Instant, AttemptId)>,
    /// Attempts by the end of the longest time they may take.
    caps: BTreeSet<(Instant, AttemptId)>,
    concurrency: Concurrency,
    latencies: Latencies,
    backups: usize,
    without_worker_since: Option<Instant>,
    last_error_began: Option<Instant>,
    outcome: PhaseOutcome<R::Answer>,
    random: fastrand::Rng,
    actions: Vec<Action<R>>,
}

impl<'a, R: WorkRequest> Scheduler<'a, R> {
    pub(crate) fn new(spec: PhaseSpec<R>, identities: &'a mut Identities) -> Self {
        Self {
            identities,
            name: spec.name,
            input: spec.input,
            attempt_limit: spec.attempt_limit,
            total: spec.total,
            workers: Workers::default(),
            queue: Queue::new(spec.work),
            active: HashMap::new(),
            in_flight: 0,
            alone: BTreeSet::new(),
            impatient: BTreeSet::new(),
            caps: BTreeSet::new(),
            concurrency: Concurrency::default(),
            latencies: Latencies::default(),
            backups: 0,
            without_worker_since: None,
            last_error_began: None,
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
        let cut_off: Vec<AttemptId> = self
            .active
            .iter()
            .flat_map(|(work, active)| active.attempts.iter().map(|attempt| (*work, attempt)))
            .filter(|(_, attempt)| gone.contains(&attempt.worker))
            .map(|(work, attempt)| (work, attempt.number))
            .collect();
        for id in cut_off {
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
        self.back_up(now);
        self.enforce_deadlines(now);
        if !self.workers.is_empty() || !self.active.is_empty() || self.is_done() {
            self.without_worker_since = None;
        } else {
            let since = *self.without_worker_since.get_or_insert(now);
            if now >= since + NO_WORKER_TIMEOUT {
                return Err(NoWorker(R::ROLE));
            }
        }
        Ok(std::mem::take(&mut self.actions))
    }

    /// Returns when time alone is a reason to poll again.
    pub(crate) fn next_wakeup(&self, now: Instant) -> Option<Instant> {
        let first = |set: &BTreeSet<(Instant, AttemptId)>| set.first().map(|(at, _)| *at);
        let by_the_others = self.latencies.deadline();
        let impatient = by_the_others.and_then(|after| Some(first(&self.impatient)? + after));
        let backup = self
            .backup_after()
            .filter(|_| self.workers.usable() > 1)
            .and_then(|after| {
                // Those that are late already wait for a worker, not for the time.
                let mut alone = self.alone.iter().map(|(since, _)| *since + after);
                alone.find(|at| *at > now)
            });
        let no_worker = self
            .without_worker_since
            .map(|since| since + NO_WORKER_TIMEOUT);
        [
            impatient,
            first(&self.caps),
            backup,
            no_worker,
            self.queue.next_ready(),
            self.workers.next_return(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.active.is_empty() && self.queue.is_empty()
    }

    pub(crate) fn into_outcome(self) -> PhaseOutcome<R::Answer> {
        self.outcome
    }

    /// Gives every idle worker a piece of work, as long as there is some.
    fn assign(&mut self, now: Instant) {
        while self.concurrency.allows(self.in_flight) {
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
            self.active.insert(work, Active { pending, attempts });
            self.start(work, worker, now);
        }
    }

    /// Starts one attempt at work that is active.
    fn start(&mut self, work: Work, index: WorkerIndex, now: Instant) {
        let worker = self.workers.get(index);
        let (Some(active), Some(base)) = (self.active.get_mut(&work), worker.base.clone()) else {
            return;
        };
        let (task, address) = (worker.id.clone(), worker.address.clone());
        let number = active.pending.begin();
        let attempt = InFlight {
            number,
            worker: index,
            address: address.clone(),
            since: now,
            cap: attempt_deadline(self.attempt_limit, active.pending.input_bytes),
            is_patient: active.pending.was_late,
        };
        let id = (work, number);
        self.caps.insert((now + attempt.cap, id));
        if !attempt.is_patient {
            self.impatient.insert((now, id));
        }
        // The second attempt at some work makes neither of them the only one.
        let is_backup = match active.attempts.as_slice() {
            [] => {
                self.alone.insert((now, work));
                false
            }
            [other, ..] => {
                self.alone.remove(&(other.since, work));
                true
            }
        };
        active.attempts.push(attempt);
        let request = active.pending.request.clone();
        self.in_flight += 1;
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
            backup: is_backup,
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

    /// Returns how long an attempt is in flight before it gets a backup; `None` while none is made.
    fn backup_after(&self) -> Option<Duration> {
        if R::ROLE != Role::Mapper || !self.queue.is_empty() {
            return None;
        }
        let done = self.total.saturating_sub(self.active.len());
        self.latencies.backup_after(done, self.total, self.backups)
    }

    /// Gives stragglers a second attempt on a worker that has nothing to do; the first to finish is committed.
    fn back_up(&mut self, now: Instant) {
        while let Some(after) = self.backup_after()
            && self.concurrency.allows(self.in_flight)
        {
            let late = self
                .alone
                .iter()
                .take_while(|(since, _)| *since + after <= now);
            let choice = late.map(|(_, work)| *work).find_map(|work| {
                let failed_on = &self.active.get(&work)?.pending.failed_on;
                Some((work, self.workers.pick_for_backup(failed_on)?))
            });
            let Some((work, worker)) = choice else {
                return;
            };
            self.backups += 1;
            self.start(work, worker, now);
        }
    }

    fn enforce_deadlines(&mut self, now: Instant) {
        while let Some(&(at, id)) = self.caps.first()
            && at <= now
        {
            self.give_up(id, GiveUp::Deadline);
        }
        let Some(after) = self.latencies.deadline() else {
            return;
        };
        while let Some(&(since, id)) = self.impatient.first()
            && since + after <= now
        {
            self.give_up(id, GiveUp::Deadline);
        }
    }

    /// Tells an attempt to end, once.
    fn give_up(&mut self, id: AttemptId, why: GiveUp) {
        let (work, number) = id;
        let active = self.active.get(&work);
        let attempt = active.and_then(|active| {
            let mut attempts = active.attempts.iter();
            attempts.find(|attempt| attempt.number == number)
        });
        let Some(attempt) = attempt else {
            return;
        };
        let was_told = !self.caps.remove(&(attempt.since + attempt.cap, id));
        self.impatient.remove(&(attempt.since, id));
        if !was_told {
            self.actions.push(Action::GiveUp(id, why));
        }
    }

    /// Takes in how an attempt ended. Attempts that nothing depends on any more are late, whatever they say.
    pub(crate) fn finished(&mut self, result: AttemptResult<R::Answer>, now: Instant) {
        let (work, number) = result.id;
        let Some(mut active) = self.active.remove(&work) else {
            return;
        };
        let place = active.attempts.iter().position(|a| a.number == number);
        let Some(place) = place else {
            self.active.insert(work, active);
            return;
        };
        let in_flight = self.in_flight;
        let attempt = active.attempts.swap_remove(place);
        self.forget(work, &attempt);
        if let [other] = active.attempts.as_slice() {
            self.alone.insert((other.since, work));
        }
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
                let error = error.about(&self.input);
                if error.breaks_trust() {
                    self.identities.failed(&attempt.address);
                }
                if error.is_throttled() {
                    self.throttled(active, &attempt, in_flight, ms, &error, now);
                } else {
                    self.failed(active, &attempt, ms, error, now);
                }
            }
        }
    }

    /// Removes an attempt from every index.
    fn forget(&mut self, work: Work, attempt: &InFlight) {
        let id = (work, attempt.number);
        self.in_flight -= 1;
        self.workers.ended(attempt.worker);
        self.alone.remove(&(attempt.since, work));
        self.impatient.remove(&(attempt.since, id));
        self.caps.remove(&(attempt.since + attempt.cap, id));
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
            self.workers.succeeded(attempt.worker, latency);
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
            self.forget(work, attempt);
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
            let worth_retrying = error.is_worth_retrying();
            self.queue
                .failed(active.pending, worth_retrying, now, jitter)
        } else {
            self.active.insert(work, active);
            Some(Duration::ZERO)
        };
        self.emit_failure(work, attempt, ms, diagnostic, pause);
        if pause.is_none() {
            self.given_up(attempt, error, culprit);
        }
        if let Some(pause) = excluded {
            let task = self.workers.get(attempt.worker).id.clone();
            let for_ms = millis(pause);
            self.emit(EventKind::SetAside { task, for_ms });
        }
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
        let pause = if active.attempts.is_empty() {
            let jitter = self.random.f64();
            self.queue
                .throttled(active.pending, attempt.worker, now, jitter)
        } else {
            self.active.insert(work, active);
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

fn millis(pause: Duration) -> u64 {
    u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)
}
