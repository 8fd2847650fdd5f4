//! Pure: the attempts in flight, indexed by what they wait for: a speculative attempt, the others' pace, the longest they may take.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::attempt::AttemptId;
use super::queue::PendingWork;
use super::workers::WorkerIndex;
use crate::work::Work;

/// An attempt in flight.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) number: u32,
    pub(super) worker: WorkerIndex,
    /// `HOST:PORT`, as it was when the attempt began.
    pub(super) address: String,
    pub(super) since: Instant,
    /// The longest it may take.
    pub(super) cap: Duration,
    /// It gets all of that, however fast the others are.
    pub(super) is_patient: bool,
}

/// Work with an attempt in flight, or two.
#[derive(Debug)]
pub(super) struct Active<R> {
    pub(super) pending: PendingWork<R>,
    pub(super) attempts: Vec<InFlight>,
}

/// Everything in flight.
#[derive(Debug)]
pub(super) struct Attempts<R> {
    active: HashMap<Work, Active<R>>,
    count: usize,
    /// Attempts that are the only one at their work, by their start.
    alone: BTreeSet<(Instant, Work)>,
    /// Attempts that must be as fast as the others, by their start.
    impatient: BTreeSet<(Instant, AttemptId)>,
    /// Attempts by the end of the longest time they may take.
    caps: BTreeSet<(Instant, AttemptId)>,
}

impl<R> Attempts<R> {
    pub(super) fn new() -> Self {
        Self {
            active: HashMap::new(),
            count: 0,
            alone: BTreeSet::new(),
            impatient: BTreeSet::new(),
            caps: BTreeSet::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// Returns how many attempts are in flight.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Returns how many pieces of work have an attempt in flight.
    pub(super) fn works(&self) -> usize {
        self.active.len()
    }

    pub(super) fn get_mut(&mut self, work: Work) -> Option<&mut Active<R>> {
        self.active.get_mut(&work)
    }

    /// Takes work in that has no attempt yet, or one in flight.
    pub(super) fn insert(&mut self, active: Active<R>) {
        self.active.insert(active.pending.work, active);
    }

    /// Takes work out whose last attempt ended. What still is in flight of it stays indexed.
    pub(super) fn remove(&mut self, work: Work) -> Option<Active<R>> {
        self.active.remove(&work)
    }

    /// Takes all work out. What is in flight of it stays indexed.
    pub(super) fn remove_all(&mut self) -> Vec<Active<R>> {
        self.active.drain().map(|(_, active)| active).collect()
    }

    /// Adds an attempt at active work. Returns whether it is a second one.
    pub(super) fn add(&mut self, work: Work, attempt: InFlight) -> bool {
        let Some(active) = self.active.get_mut(&work) else {
            return false;
        };
        let id = (work, attempt.number);
        self.caps.insert((attempt.since + attempt.cap, id));
        if !attempt.is_patient {
            self.impatient.insert((attempt.since, id));
        }
        // A second attempt at some work makes neither of them the only one.
        let is_second = match active.attempts.first() {
            None => {
                self.alone.insert((attempt.since, work));
                false
            }
            Some(other) => {
                self.alone.remove(&(other.since, work));
                true
            }
        };
        active.attempts.push(attempt);
        self.count += 1;
        is_second
    }

    /// Takes an attempt out that ended; `None` if it is not in flight any more.
    pub(super) fn take(&mut self, (work, number): AttemptId) -> Option<InFlight> {
        let active = self.active.get_mut(&work)?;
        let place = active.attempts.iter().position(|a| a.number == number)?;
        let attempt = active.attempts.swap_remove(place);
        let other = match active.attempts.as_slice() {
            [other] => Some(other.since),
            _ => None,
        };
        self.forget(work, &attempt);
        if let Some(since) = other {
            self.alone.insert((since, work));
        }
        Some(attempt)
    }

    /// Removes an attempt from every index.
    pub(super) fn forget(&mut self, work: Work, attempt: &InFlight) {
        let id = (work, attempt.number);
        self.count -= 1;
        self.alone.remove(&(attempt.since, work));
        self.impatient.remove(&(attempt.since, id));
        self.caps.remove(&(attempt.since + attempt.cap, id));
    }

    /// Notes that an attempt is told to end, and leaves it in flight. Returns whether it was not told before.
    pub(super) fn give_up(&mut self, (work, number): AttemptId) -> bool {
        let attempts = self.active.get(&work).map(|active| &active.attempts);
        let attempt = attempts.and_then(|all| all.iter().find(|a| a.number == number));
        let Some(attempt) = attempt else {
            return false;
        };
        let id = (work, number);
        self.impatient.remove(&(attempt.since, id));
        self.caps.remove(&(attempt.since + attempt.cap, id))
    }

    /// Returns the workers that have an attempt in flight.
    pub(super) fn workers(&self) -> impl Iterator<Item = WorkerIndex> {
        let attempts = self.active.values().flat_map(|active| &active.attempts);
        attempts.map(|attempt| attempt.worker)
    }

    /// Returns the attempts on some workers.
    pub(super) fn on(&self, workers: &BTreeSet<WorkerIndex>) -> Vec<AttemptId> {
        let all = self.active.iter().flat_map(|(work, active)| {
            let attempts = active.attempts.iter();
            attempts.map(|attempt| (*work, attempt))
        });
        all.filter(|(_, attempt)| workers.contains(&attempt.worker))
            .map(|(work, attempt)| (work, attempt.number))
            .collect()
    }

    /// Returns an attempt that has taken too long: longer than it may, or than `pace`, which the others set.
    pub(super) fn overdue(&self, now: Instant, pace: Option<Duration>) -> Option<AttemptId> {
        let capped = self.caps.first().filter(|(at, _)| *at <= now);
        let slow = pace.and_then(|pace| {
            let oldest = self.impatient.first();
            oldest.filter(|(since, _)| *since + pace <= now)
        });
        capped.or(slow).map(|(_, id)| *id)
    }

    /// Returns when the next attempt is overdue.
    pub(super) fn next_overdue(&self, pace: Option<Duration>) -> Option<Instant> {
        let capped = self.caps.first().map(|(at, _)| *at);
        let slow = pace.and_then(|pace| Some(self.impatient.first()?.0 + pace));
        [capped, slow].into_iter().flatten().min()
    }

    /// Returns work whose only attempt has been in flight for `after`, oldest first.
    pub(super) fn stragglers(
        &self,
        now: Instant,
        after: Duration,
    ) -> impl Iterator<Item = &PendingWork<R>> {
        let late = self
            .alone
            .iter()
            .take_while(move |(since, _)| *since + after <= now);
        late.filter_map(|(_, work)| Some(&self.active.get(work)?.pending))
    }

    /// Returns when there is a further straggler; those that are late already wait for a worker, not for the time.
    pub(super) fn next_straggler(&self, now: Instant, after: Duration) -> Option<Instant> {
        let mut at = self.alone.iter().map(|(since, _)| *since + after);
        at.find(|at| *at > now)
    }
}
