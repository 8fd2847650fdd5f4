//! Pure: the tasks of a role as the scheduler sees them: who has a free slot, is excluded, down, slow. No clocks, no I/O.
//!
//! Everything is indexed, so that what an event costs does not grow with the number of workers.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use mrdeck_core::backoff::Backoff;
use mrdeck_core::role::Role;
use mrdeck_core::task::{TaskId, TaskList, TaskStatus};
use url::Url;

use super::slots::Slots;

/// A worker that fails so often in a row is excluded for a while.
pub(super) const MAX_FAILURES_IN_A_ROW: u32 = 3;
/// That while. Only a preference: where every worker is excluded, all are used all the same.
pub(super) const EXCLUSION: Duration = Duration::from_secs(10);
/// The pauses between the probes of a worker that is down.
pub(super) const PROBES: Backoff = Backoff {
    first: Duration::from_millis(250),
    longest: Duration::from_secs(5),
};

/// A worker's place in the list of all that this phase has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct WorkerIndex(usize);

/// A task that was seen serving the role.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) id: TaskId,
    /// Where its requests go; `None` while it can't be sent any.
    pub(super) base: Option<Url>,
    /// `HOST:PORT`
    pub(super) address: String,
    attempts: u32,
    failures_in_a_row: u32,
    /// It is down while it has any: it can't be reached, and gets one attempt at a time and with pauses.
    refusals_in_a_row: u32,
    /// It gets no work until then; for a worker that is down, this is its next probe.
    excluded_until: Option<Instant>,
    /// How long its last successful attempt took.
    latency: Option<Duration>,
    slots: Slots,
}

/// Fewest failures first, then those with the fewest attempts, then the fastest; a worker of which nothing is known yet
/// counts as fast.
type IdleKey = (u32, u32, Duration, WorkerIndex);

#[derive(Debug, Default)]
pub(super) struct Workers {
    all: Vec<Worker>,
    by_id: HashMap<TaskId, WorkerIndex>,
    /// Those that can be sent work: how many are healthy, excluded, and down.
    healthy: usize,
    excluded: usize,
    down: usize,
    idle_healthy: BTreeSet<IdleKey>,
    idle_excluded: BTreeSet<IdleKey>,
    /// Those that are down and whose pause is over.
    due_for_probe: BTreeSet<IdleKey>,
    /// When exclusions end.
    returns: BTreeSet<(Instant, WorkerIndex)>,
    /// The latencies of healthy workers whose last attempt succeeded, and their sum as work per 10^18 ns.
    latencies: BTreeSet<(Duration, WorkerIndex)>,
    rate: u128,
}

impl Workers {
    pub(super) fn get(&self, index: WorkerIndex) -> &Worker {
        // An index is only ever given out for an entry, and entries are never removed.
        &self.all[index.0]
    }

    /// Takes in a new list of tasks. Returns those that are no longer there: their answers are not waited for.
    pub(super) fn update(&mut self, list: &TaskList, role: Role) -> Vec<WorkerIndex> {
        let present: HashMap<&TaskId, _> = list.tasks.iter().map(|task| (&task.id, task)).collect();
        for task in list.usable(role) {
            if !self.by_id.contains_key(&task.id) {
                let index = WorkerIndex(self.all.len());
                self.by_id.insert(task.id.clone(), index);
                self.all.push(Worker {
                    id: task.id.clone(),
                    base: None,
                    address: String::new(),
                    attempts: 0,
                    failures_in_a_row: 0,
                    refusals_in_a_row: 0,
                    excluded_until: None,
                    latency: None,
                    slots: Slots::default(),
                });
            }
        }
        let mut gone = Vec::new();
        for index in (0..self.all.len()).map(WorkerIndex) {
            let task = present.get(&self.get(index).id).copied();
            let usable = task.filter(|task| {
                task.role == Some(role)
                    && task.is_usable()
                    && task.desired_status != Some(TaskStatus::Stopped)
            });
            let base = usable.and_then(|task| task.base.clone());
            let address = usable.and_then(mrdeck_core::task::Task::address);
            if self.get(index).base != base {
                self.change(index, |worker| {
                    worker.base = base;
                    worker.address = address.unwrap_or_default();
                });
            }
            if task.is_none_or(|task| task.last_status == TaskStatus::Stopped) {
                gone.push(index);
            }
        }
        gone
    }

    /// Lets workers back whose exclusion is over.
    pub(super) fn advance(&mut self, now: Instant) {
        while let Some(&(until, index)) = self.returns.first()
            && until <= now
        {
            self.change(index, |worker| worker.excluded_until = None);
        }
    }

    /// Returns when waiting alone brings a worker back.
    pub(super) fn next_return(&self) -> Option<Instant> {
        self.returns.first().map(|(until, _)| *until)
    }

    /// Returns how many can be sent work and are not down.
    pub(super) fn usable(&self) -> usize {
        self.healthy + self.excluded
    }

    /// Returns whether there are workers, and all are down.
    pub(super) fn are_all_down(&self) -> bool {
        self.usable() == 0 && self.down > 0
    }

    pub(super) fn is_down(&self, index: WorkerIndex) -> bool {
        self.get(index).refusals_in_a_row > 0
    }

    fn idle(&self) -> &BTreeSet<IdleKey> {
        if self.healthy > 0 {
            &self.idle_healthy
        } else {
            &self.idle_excluded
        }
    }

    /// Returns a worker with a free slot for work that failed nowhere yet, with `waiting` pieces of work to be done in all.
    ///
    /// A slow worker gets nothing that the others would be through with first.
    pub(super) fn pick(&self, waiting: usize) -> Option<WorkerIndex> {
        let idle = self.idle();
        let mut next = idle.first();
        while let Some(&(failures, attempts, _, index)) = next {
            // The fastest of those with as many failures and attempts: if it is too slow, so are they.
            if !self.is_slow(index, waiting) {
                return Some(index);
            }
            let more_attempts = (failures, attempts + 1, Duration::ZERO, WorkerIndex(0));
            next = idle.range(more_attempts..).next();
        }
        self.pick_for_probe(&[])
    }

    /// Returns a worker that is down and may be probed. Its attempt costs the work nothing if it fails.
    fn pick_for_probe(&self, failed_on: &[WorkerIndex]) -> Option<WorkerIndex> {
        let mut due = self.due_for_probe.iter().map(|(_, _, _, index)| *index);
        due.find(|index| !failed_on.contains(index) || self.usable() == 0)
    }

    /// Returns a worker with a free slot for work that failed before: one of those on which it failed least among all that could
    /// do it, even if that means to wait for one.
    pub(super) fn pick_for(&self, failed_on: &[WorkerIndex]) -> Option<WorkerIndex> {
        let failures = |index: WorkerIndex| failed_on.iter().filter(|on| **on == index).count();
        let candidates = if self.healthy > 0 {
            self.healthy
        } else {
            self.excluded
        };
        let tried: BTreeSet<WorkerIndex> = failed_on
            .iter()
            .copied()
            .filter(|index| self.is_candidate(*index))
            .collect();
        let fewest = if candidates > tried.len() {
            Some(0)
        } else {
            tried.iter().map(|index| failures(*index)).min()
        };
        let mut idle = self.idle().iter().map(|(_, _, _, index)| *index);
        idle.find(|index| Some(failures(*index)) == fewest)
            .or_else(|| self.pick_for_probe(failed_on))
    }

    /// Returns a worker with nothing to do for a second attempt at work that failed on none of them.
    pub(super) fn pick_for_speculation(&self, failed_on: &[WorkerIndex]) -> Option<WorkerIndex> {
        let idle = self.idle();
        let mut next = idle.first();
        while let Some(&(failures, ..)) = next {
            let from = |failures, attempts| (failures, attempts, Duration::ZERO, WorkerIndex(0));
            // Those that have work and a free slot are passed over, however many they are.
            let mut with_none = idle.range(from(failures, 0)..from(failures, 1));
            if let Some((.., index)) = with_none.find(|(.., index)| !failed_on.contains(index)) {
                return Some(*index);
            }
            next = idle.range(from(failures + 1, 0)..).next();
        }
        None
    }

    fn is_candidate(&self, index: WorkerIndex) -> bool {
        let worker = self.get(index);
        worker.base.is_some()
            && !self.is_down(index)
            && (worker.excluded_until.is_none() || self.healthy == 0)
    }

    /// Returns whether the others would be through with all that waits before this one has done one piece of it, by
    /// each worker's last latency.
    fn is_slow(&self, index: WorkerIndex, waiting: usize) -> bool {
        let worker = self.get(index);
        let Some(own) = worker.latency.filter(|_| self.is_known(index)) else {
            return false;
        };
        if self.latencies.len() < 2 {
            return false;
        }
        let mut slowest = self.latencies.iter().rev().map(|(latency, _)| *latency);
        let (first, second) = (slowest.next(), slowest.next());
        // What the others have in hand now takes them a round at most.
        let round = if Some(own) < first { first } else { second };
        let round = round.unwrap_or_default().as_secs_f64();
        let others = (self.rate - rate(own)) as f64 / 1e9;
        waiting as f64 / others + round < own.as_secs_f64()
    }

    fn is_known(&self, index: WorkerIndex) -> bool {
        let latency = self.get(index).latency;
        latency.is_some_and(|latency| self.latencies.contains(&(latency, index)))
    }

    /// An attempt on it begins.
    pub(super) fn started(&mut self, index: WorkerIndex) {
        self.change(index, |worker| worker.attempts += 1);
    }

    /// An attempt on it is over, or not waited for.
    pub(super) fn ended(&mut self, index: WorkerIndex) {
        self.change(index, |worker| {
            worker.attempts = worker.attempts.saturating_sub(1);
        });
    }

    /// An attempt on it is over, and was answered well after `latency`, of which it was `busy` if it says so.
    pub(super) fn answered(
        &mut self,
        index: WorkerIndex,
        latency: Duration,
        busy: Option<Duration>,
    ) {
        self.change(index, |worker| {
            // `ended` was told before.
            worker.slots.answered(latency, busy, worker.attempts + 1);
            worker.latency = Some(latency);
            worker.failures_in_a_row = 0;
            worker.refusals_in_a_row = 0;
            worker.excluded_until = None;
        });
    }

    /// It asked to slow down; its attempt is over.
    pub(super) fn throttled(&mut self, index: WorkerIndex) {
        self.change(index, |worker| worker.slots.throttled(worker.attempts + 1));
    }

    /// It could not be reached. Returns whether it was up before.
    pub(super) fn refused(&mut self, index: WorkerIndex, now: Instant) -> bool {
        let refusals = self.get(index).refusals_in_a_row;
        let pause = PROBES.pause(refusals, 0.5);
        self.change(index, |worker| {
            worker.refusals_in_a_row += 1;
            worker.slots.reset();
            worker.excluded_until = Some(now + pause);
        });
        refusals == 0
    }

    /// It answered, whatever it said: it is not down any more.
    pub(super) fn reached(&mut self, index: WorkerIndex) {
        if self.is_down(index) {
            self.change(index, |worker| {
                worker.refusals_in_a_row = 0;
                worker.excluded_until = None;
            });
        }
    }

    /// Counts a failure that is the worker's. Returns for how long it is excluded, if this was one too many.
    pub(super) fn failed(&mut self, index: WorkerIndex, now: Instant) -> Option<Duration> {
        let mut excluded_for = None;
        self.change(index, |worker| {
            worker.failures_in_a_row += 1;
            worker.slots.reset();
            // While it is excluded it only fails because no other is left.
            let is_excluded = worker.excluded_until.is_some_and(|until| until > now);
            if !is_excluded && worker.failures_in_a_row >= MAX_FAILURES_IN_A_ROW {
                worker.excluded_until = Some(now + EXCLUSION);
                excluded_for = Some(EXCLUSION);
            }
        });
        excluded_for
    }

    /// The one way to change a worker: the indices follow.
    fn change(&mut self, index: WorkerIndex, change: impl FnOnce(&mut Worker)) {
        self.index(index, false);
        change(&mut self.all[index.0]);
        self.index(index, true);
    }

    /// Adds a worker to every index that it belongs to, or removes it from them.
    fn index(&mut self, index: WorkerIndex, add: bool) {
        let worker = &self.all[index.0];
        if let Some(until) = worker.excluded_until {
            enter(&mut self.returns, (until, index), add);
        }
        if worker.base.is_none() {
            return;
        }
        let is_down = worker.refusals_in_a_row > 0;
        let is_out = worker.excluded_until.is_some();
        let is_healthy = !is_down && !is_out;
        let (count, idle) = match (is_down, is_out) {
            (false, false) => (&mut self.healthy, Some(&mut self.idle_healthy)),
            (false, true) => (&mut self.excluded, Some(&mut self.idle_excluded)),
            (true, false) => (&mut self.down, Some(&mut self.due_for_probe)),
            (true, true) => (&mut self.down, None),
        };
        *count = if add { *count + 1 } else { *count - 1 };
        let slots = if is_healthy {
            worker.slots.allowed()
        } else {
            1
        };
        if worker.attempts < slots
            && let Some(idle) = idle
        {
            let latency = worker.latency.unwrap_or_default();
            let key = (worker.failures_in_a_row, worker.attempts, latency, index);
            enter(idle, key, add);
        }
        if let Some(latency) = worker.latency
            && is_healthy
            && worker.failures_in_a_row == 0
        {
            enter(&mut self.latencies, (latency, index), add);
            self.rate = if add {
                self.rate + rate(latency)
            } else {
                self.rate - rate(latency)
            };
        }
    }
}

fn enter<T: Ord>(set: &mut BTreeSet<T>, item: T, add: bool) {
    if add {
        set.insert(item);
    } else {
        set.remove(&item);
    }
}

/// Pieces of work in 10^9 seconds: whole numbers, so that sums stay exact.
fn rate(latency: Duration) -> u128 {
    1_000_000_000_000_000_000 / latency.as_nanos().max(1)
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use mrdeck_core::task::Task;

    use super::*;

    /// `mapper-1` to `mapper-COUNT`, all running.
    pub(in crate::scheduler) fn mappers(count: u16) -> TaskList {
        TaskList::new((1..=count).map(mapper).collect())
    }

    pub(in crate::scheduler) fn mapper(number: u16) -> Task {
        let id = TaskId(format!("mapper-{number}"));
        Task {
            desired_status: Some(TaskStatus::Running),
            base: Some(format!("http://127.0.0.1:{number}").parse().unwrap()),
            ..Task::new(id, Role::Mapper, TaskStatus::Running)
        }
    }

    fn workers(count: u16) -> (Workers, Vec<WorkerIndex>) {
        let mut workers = Workers::default();
        assert_eq!(workers.update(&mappers(count), Role::Mapper), []);
        let all = (0..usize::from(count)).map(WorkerIndex).collect();
        (workers, all)
    }

    #[test]
    fn idle_workers_are_picked_in_order_and_busy_ones_are_not() {
        let (mut workers, all) = workers(2);
        assert_eq!(workers.pick(9), Some(all[0]));
        workers.started(all[0]);
        assert_eq!(workers.pick(9), Some(all[1]));
        workers.started(all[1]);
        assert_eq!(workers.pick(9), None);
        workers.ended(all[0]);
        assert_eq!(workers.pick(9), Some(all[0]));
    }

    #[test]
    fn a_worker_with_slots_gets_more_once_all_have_work() {
        let (mut workers, all) = workers(2);
        let (latency, busy) = (Duration::from_millis(100), Duration::from_millis(50));
        for _ in 0..2 {
            workers.started(all[0]);
            workers.ended(all[0]);
            workers.answered(all[0], latency, Some(busy));
        }
        workers.started(all[0]);
        assert_eq!(workers.pick(99), Some(all[1]), "it has none yet");
        workers.started(all[1]);
        assert_eq!(workers.pick(99), Some(all[0]), "its second slot");
        let other = workers.pick_for_speculation(&[]);
        assert_eq!(other, None, "which a second attempt would only wait in");
        workers.started(all[0]);
        assert_eq!(workers.pick(99), None);
        workers.ended(all[0]);
        assert_eq!(workers.pick(99), Some(all[0]));
        workers.failed(all[0], Instant::now());
        assert_eq!(workers.pick(99), None, "one at a time after a failure");
    }

    #[test]
    fn a_worker_that_keeps_failing_is_excluded_and_comes_back() {
        let (mut workers, all) = workers(2);
        let now = Instant::now();
        for failure in 1..=MAX_FAILURES_IN_A_ROW {
            let excluded = workers.failed(all[0], now);
            assert_eq!(excluded.is_some(), failure == MAX_FAILURES_IN_A_ROW);
        }
        workers.started(all[1]);
        assert_eq!(workers.pick(9), None, "excluded");
        workers.update(&mappers(1), Role::Mapper);
        assert_eq!(workers.pick(9), Some(all[0]), "but used when it is alone");
        workers.update(&mappers(2), Role::Mapper);
        assert_eq!(workers.pick(9), None);
        assert_eq!(workers.next_return(), Some(now + EXCLUSION));
        workers.advance(now + EXCLUSION);
        assert_eq!(workers.pick(9), Some(all[0]));
        let again = workers.failed(all[0], now + EXCLUSION);
        assert!(again.is_some(), "one request, no more");
    }

    #[test]
    fn work_that_failed_waits_for_a_worker_on_which_it_failed_less() {
        let (mut workers, all) = workers(2);
        workers.started(all[1]);
        assert_eq!(workers.pick_for(&[all[0]]), None, "the other is busy");
        workers.ended(all[1]);
        assert_eq!(workers.pick_for(&[all[0]]), Some(all[1]));
        assert_eq!(workers.pick_for(&[all[0], all[1], all[1]]), Some(all[0]));
        workers.update(&mappers(1), Role::Mapper);
        let alone = workers.pick_for(&[all[0], all[0]]);
        assert_eq!(alone, Some(all[0]), "alone it gets every attempt");
        assert_eq!(workers.pick_for_speculation(&[all[0]]), None);
    }

    #[test]
    fn a_slow_worker_gets_nothing_that_the_others_are_done_with_first() {
        let (mut workers, all) = workers(3);
        let second = Duration::from_secs(1);
        workers.answered(all[0], 10 * second, None);
        workers.answered(all[1], second, None);
        workers.started(all[1]);
        workers.started(all[2]);
        assert_eq!(
            workers.pick(10),
            Some(all[0]),
            "one other known: it needs 9 more seconds, and one for what it has"
        );
        workers.answered(all[2], second, None);
        assert_eq!(workers.pick(10), None);
        workers.ended(all[2]);
        assert_eq!(workers.pick(10), Some(all[2]));
        workers.update(&mappers(1), Role::Mapper);
        assert_eq!(workers.pick(10), Some(all[0]), "alone it is used");
    }

    #[test]
    fn those_that_are_gone_are_told_and_those_that_stop_get_nothing() {
        let (mut workers, all) = workers(2);
        let mut list = mappers(2).tasks.to_vec();
        list[0].desired_status = Some(TaskStatus::Stopped);
        assert_eq!(
            workers.update(&TaskList::new(list.clone()), Role::Mapper),
            []
        );
        assert_eq!((workers.usable(), workers.pick(1)), (1, Some(all[1])));
        list[0].last_status = TaskStatus::Stopped;
        assert_eq!(workers.update(&TaskList::new(list), Role::Mapper), [all[0]]);
        assert_eq!(workers.update(&TaskList::default(), Role::Mapper), all);
        assert_eq!(workers.usable(), 0);
        workers.update(&mappers(2), Role::Mapper);
        assert_eq!(workers.usable(), 2, "they may come back");
    }
}
