//! Pure: the work of a phase that waits: fresh, to be tried again, or pausing until it may be. No clocks, no I/O.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use mrdeck_client::Retry;
use mrdeck_core::backoff::Backoff;

use super::workers::WorkerIndex;
use crate::work::Work;

/// Attempts a piece of work gets before it counts as failed.
pub(crate) const MAX_ATTEMPTS: u32 = 4;
/// The pauses between attempts.
const RETRY: Backoff = Backoff {
    first: Duration::from_millis(200),
    longest: Duration::from_secs(5),
};
/// A piece of work is put off so often because S3 or a service asks to slow down; that costs none of its attempts.
/// With the pauses it is a minute at least.
pub(super) const MAX_THROTTLED: u32 = 12;
const THROTTLED: Backoff = Backoff {
    first: Duration::from_millis(200),
    longest: Duration::from_secs(10),
};

/// The pause before work that was not sent goes to another worker: that one is at fault, and it gets none.
const UNSENT: Duration = Duration::from_millis(1);

/// A piece of work on its way to a commit.
#[derive(Debug, Clone)]
pub(crate) struct PendingWork<R> {
    pub(crate) work: Work,
    pub(crate) request: R,
    /// For the attempt's deadline.
    pub(crate) input_bytes: u64,
    /// The number that the next attempt gets.
    next_attempt: u32,
    /// An attempt took too long, as long as the others took: it may just be more work than they had.
    pub(super) was_late: bool,
    attempts_left: u32,
    throttled: u32,
    /// How many workers refused it in a way that they would repeat.
    refusals: u32,
    /// The workers on which it failed or was throttled, as often as it was.
    pub(super) failed_on: Vec<WorkerIndex>,
}

impl<R> PendingWork<R> {
    pub(crate) fn new(work: Work, request: R, input_bytes: u64, next_attempt: u32) -> Self {
        Self {
            work,
            request,
            input_bytes,
            next_attempt,
            was_late: false,
            attempts_left: MAX_ATTEMPTS,
            throttled: 0,
            refusals: 0,
            failed_on: Vec::new(),
        }
    }

    /// An attempt begins; returns its number.
    pub(super) fn begin(&mut self) -> u32 {
        self.next_attempt += 1;
        self.next_attempt - 1
    }

    /// Returns whether another attempt may succeed, with so many workers in all. Those that would answer the same again
    /// are not asked again; one other is, since the first may be another service than it should be.
    pub(super) fn may_succeed(&mut self, retry: Retry, workers: usize) -> bool {
        match retry {
            Retry::Anywhere => true,
            Retry::Never => false,
            Retry::Elsewhere => {
                self.refusals += 1;
                self.refusals == 1 && workers > 1
            }
        }
    }

    /// An attempt failed on this worker.
    pub(super) fn note_failure(&mut self, worker: WorkerIndex) {
        self.attempts_left = self.attempts_left.saturating_sub(1);
        self.failed_on.push(worker);
    }
}

/// Everything that waits.
#[derive(Debug)]
pub(super) struct Queue<R> {
    fresh: VecDeque<PendingWork<R>>,
    /// What failed and may be tried again, in the order in which it was put back.
    retries: BTreeMap<u64, PendingWork<R>>,
    /// What pauses, by the end of the pause.
    paused: BTreeMap<(Instant, u64), PendingWork<R>>,
    put_back: u64,
}

impl<R> Queue<R> {
    pub(super) fn new(work: impl IntoIterator<Item = PendingWork<R>>) -> Self {
        Self {
            fresh: work.into_iter().collect(),
            retries: BTreeMap::new(),
            paused: BTreeMap::new(),
            put_back: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.fresh.len() + self.retries.len() + self.paused.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends the pauses that are over.
    pub(super) fn advance(&mut self, now: Instant) {
        while let Some(entry) = self.paused.first_entry()
            && entry.key().0 <= now
        {
            let ((_, number), work) = entry.remove_entry();
            self.retries.insert(number, work);
        }
    }

    /// Returns when waiting alone makes more work ready.
    pub(super) fn next_ready(&self) -> Option<Instant> {
        self.paused.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the next fresh piece of work.
    pub(super) fn take_fresh(
        &mut self,
        worker: impl FnOnce() -> Option<WorkerIndex>,
    ) -> Option<(PendingWork<R>, WorkerIndex)> {
        if self.fresh.is_empty() {
            return None;
        }
        let worker = worker()?;
        Some((self.fresh.pop_front()?, worker))
    }

    /// Takes the next piece of work to be tried again for which there is a worker.
    pub(super) fn take_retry(
        &mut self,
        worker: impl Fn(&PendingWork<R>) -> Option<WorkerIndex>,
    ) -> Option<(PendingWork<R>, WorkerIndex)> {
        let mut ready = self.retries.iter();
        let (number, worker) = ready.find_map(|(number, work)| Some((*number, worker(work)?)))?;
        Some((self.retries.remove(&number)?, worker))
    }

    /// Puts work back that was refused because there was too much of it. Returns the pause; `None` if it was put off
    /// too often. Another worker, where there is one, may have room.
    pub(super) fn throttled(
        &mut self,
        mut work: PendingWork<R>,
        worker: WorkerIndex,
        now: Instant,
        jitter: f64,
    ) -> Option<Duration> {
        work.failed_on.push(worker);
        work.throttled += 1;
        if work.throttled > MAX_THROTTLED {
            return None;
        }
        let pause = THROTTLED.pause(work.throttled - 1, jitter);
        Some(self.put_back(work, pause, now))
    }

    /// Puts failed work back, unless its attempts are used up. Returns the pause before it is tried again.
    pub(super) fn failed(
        &mut self,
        work: PendingWork<R>,
        worth_retrying: bool,
        now: Instant,
        jitter: f64,
    ) -> Option<Duration> {
        if work.attempts_left == 0 || !worth_retrying {
            return None;
        }
        let retry = MAX_ATTEMPTS - work.attempts_left - 1;
        Some(self.put_back(work, RETRY.pause(retry, jitter), now))
    }

    /// Puts work back whose worker could not be reached. That costs none of its attempts.
    pub(super) fn unsent(&mut self, work: PendingWork<R>, now: Instant) -> Duration {
        self.put_back(work, UNSENT, now)
    }

    fn put_back(&mut self, work: PendingWork<R>, pause: Duration, now: Instant) -> Duration {
        self.paused.insert((now + pause, self.put_back), work);
        self.put_back += 1;
        pause
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use mrdeck_core::role::Role;

    use super::*;
    use crate::scheduler::workers::Workers;
    use crate::scheduler::workers::tests::mappers;

    fn worker() -> WorkerIndex {
        let mut workers = Workers::default();
        workers.update(&mappers(1), Role::Mapper);
        workers.pick(1).unwrap()
    }

    fn queue(chunks: u32) -> Queue<()> {
        Queue::new((0..chunks).map(|chunk| PendingWork::new(Work::map(chunk), (), 0, 1)))
    }

    #[test]
    fn fresh_work_is_taken_in_order_and_only_with_a_worker() {
        let (mut queue, worker) = (queue(2), worker());
        assert!(queue.take_fresh(|| None).is_none());
        let taken = [(); 2].map(|()| queue.take_fresh(|| Some(worker)).unwrap().0.work);
        assert_eq!(taken, [Work::map(0), Work::map(1)]);
        assert!(queue.is_empty() && queue.take_fresh(|| Some(worker)).is_none());
    }

    #[test]
    fn failed_work_pauses_and_then_waits_for_its_worker() {
        let (mut queue, worker, now) = (queue(1), worker(), Instant::now());
        let (mut work, _) = queue.take_fresh(|| Some(worker)).unwrap();
        assert_eq!((work.begin(), work.begin()), (1, 2));
        work.note_failure(worker);
        let pause = queue.failed(work, true, now, 0.5).unwrap();
        assert_eq!(queue.next_ready(), Some(now + pause));
        queue.advance(now);
        assert!(queue.take_retry(|_| Some(worker)).is_none(), "it pauses");
        queue.advance(now + pause);
        assert!(queue.take_retry(|_| None).is_none());
        let (work, _) = queue.take_retry(|_| Some(worker)).unwrap();
        assert_eq!(work.failed_on, [worker]);
        assert!(queue.is_empty());
    }

    #[test]
    fn attempts_are_used_up_and_what_would_fail_again_is_not_tried_again() {
        let (mut queue, worker, mut now) = (queue(2), worker(), Instant::now());
        let (work, _) = queue.take_fresh(|| Some(worker)).unwrap();
        assert_eq!(queue.failed(work, false, now, 0.0), None);
        let (mut work, _) = queue.take_fresh(|| Some(worker)).unwrap();
        for attempt in 1..=MAX_ATTEMPTS {
            work.note_failure(worker);
            let Some(pause) = queue.failed(work.clone(), true, now, 0.5) else {
                assert_eq!(attempt, MAX_ATTEMPTS);
                break;
            };
            now += pause;
            queue.advance(now);
            (work, _) = queue.take_retry(|_| Some(worker)).unwrap();
        }
        assert!(queue.is_empty());
    }

    #[test]
    fn to_be_asked_to_slow_down_costs_no_attempt_but_does_not_go_on_for_ever() {
        let (mut queue, worker, mut now) = (queue(1), worker(), Instant::now());
        let (mut work, _) = queue.take_fresh(|| Some(worker)).unwrap();
        for _ in 0..MAX_THROTTLED {
            now += queue.throttled(work, worker, now, 0.0).unwrap();
            queue.advance(now);
            (work, _) = queue.take_retry(|_| Some(worker)).unwrap();
        }
        let mut failed = work.clone();
        failed.note_failure(worker);
        assert!(queue.failed(failed, true, now, 0.0).is_some());
        assert_eq!(queue.throttled(work, worker, now, 0.0), None);
    }
}
