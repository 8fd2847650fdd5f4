//! Pure: which piece of work goes to which task next, and when. No clocks, no I/O.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::client::Request;
use super::event::Work;
use crate::cluster::TaskId;

/// Attempts a piece of work gets before it counts as failed.
pub const MAX_ATTEMPTS: u32 = 4;
/// A task that fails so often in a row gets no work for a while.
const FAILURES_IN_A_ROW: u32 = 3;
/// That while. Only a preference: with nobody else left, the task is used all the same.
const SET_ASIDE: Duration = Duration::from_secs(10);
/// The pause before the second attempt; it doubles each time, up to the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A piece of work on its way to a commit.
#[derive(Debug, Clone)]
pub struct Item {
    pub work: Work,
    pub request: Request,
    /// For the attempt's deadline.
    pub input_bytes: u64,
    /// The number the next attempt gets.
    pub attempt: u32,
    attempts_left: u32,
    not_before: Option<Instant>,
    failed_on: Vec<TaskId>,
}

impl Item {
    pub fn new(work: Work, request: Request, input_bytes: u64, attempt: u32) -> Self {
        Self {
            work,
            request,
            input_bytes,
            attempt,
            attempts_left: MAX_ATTEMPTS,
            not_before: None,
            failed_on: Vec::new(),
        }
    }

    fn failures_on(&self, task: &TaskId) -> usize {
        self.failed_on.iter().filter(|id| *id == task).count()
    }
}

#[derive(Debug, Clone, Default)]
struct Conduct {
    failures_in_a_row: u32,
    set_aside_until: Option<Instant>,
}

/// The work of one phase.
#[derive(Debug)]
pub struct Queue {
    waiting: VecDeque<Item>,
    conduct: HashMap<TaskId, Conduct>,
}

impl Queue {
    pub fn new(items: impl IntoIterator<Item = Item>) -> Self {
        Self {
            waiting: items.into_iter().collect(),
            conduct: HashMap::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the next piece of work that one of the `idle` tasks may do now.
    ///
    /// An attempt goes to a task on which the work failed least among all the `usable` ones, so a second
    /// attempt goes to another task where there is one, even if it has to wait for it.
    pub fn take(
        &mut self,
        now: Instant,
        usable: &[TaskId],
        idle: &[TaskId],
    ) -> Option<(Item, TaskId)> {
        let trusted: Vec<&TaskId> = usable
            .iter()
            .filter(|task| !self.is_set_aside(task, now))
            .collect();
        let candidates = if trusted.is_empty() {
            usable.iter().collect()
        } else {
            trusted
        };
        let idle: Vec<&TaskId> = candidates
            .iter()
            .copied()
            .filter(|task| idle.contains(task))
            .collect();
        if idle.is_empty() {
            return None;
        }
        let found = self.waiting.iter().enumerate().find_map(|(index, item)| {
            if item.not_before.is_some_and(|at| at > now) {
                return None;
            }
            let fewest = candidates.iter().map(|task| item.failures_on(task)).min()?;
            let task = idle
                .iter()
                .filter(|task| item.failures_on(task) == fewest)
                .min_by_key(|task| self.failures_in_a_row(task))?;
            Some((index, (*task).clone()))
        });
        let (index, task) = found?;
        Some((self.waiting.remove(index)?, task))
    }

    pub fn succeeded(&mut self, task: &TaskId) {
        self.conduct.remove(task);
    }

    /// Puts failed work back, unless its attempts are used up; gives the pause before it is tried again.
    ///
    /// `jitter` between 0 and 1 spreads the pauses, so that what failed together does not return together.
    pub fn failed(
        &mut self,
        mut item: Item,
        task: &TaskId,
        worth_retrying: bool,
        now: Instant,
        jitter: f64,
    ) -> Option<Duration> {
        let conduct = self.conduct.entry(task.clone()).or_default();
        conduct.failures_in_a_row += 1;
        if conduct.failures_in_a_row >= FAILURES_IN_A_ROW {
            conduct.set_aside_until = Some(now + SET_ASIDE);
        }
        item.attempts_left -= 1;
        if item.attempts_left == 0 || !worth_retrying {
            return None;
        }
        let doublings = MAX_ATTEMPTS - item.attempts_left - 1;
        let pause = (FIRST_PAUSE * 2u32.pow(doublings)).min(LONGEST_PAUSE);
        let pause = pause.mul_f64(0.5 + jitter.clamp(0.0, 1.0));
        item.attempt += 1;
        item.failed_on.push(task.clone());
        item.not_before = Some(now + pause);
        self.waiting.push_back(item);
        Some(pause)
    }

    /// When waiting alone changes what [`Queue::take`] gives.
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        let pauses = self.waiting.iter().filter_map(|item| item.not_before);
        let returns = self.conduct.values().filter_map(|c| c.set_aside_until);
        pauses.chain(returns).filter(|at| *at > now).min()
    }

    fn is_set_aside(&self, task: &TaskId, now: Instant) -> bool {
        self.conduct
            .get(task)
            .and_then(|conduct| conduct.set_aside_until)
            .is_some_and(|until| until > now)
    }

    fn failures_in_a_row(&self, task: &TaskId) -> u32 {
        self.conduct
            .get(task)
            .map_or(0, |conduct| conduct.failures_in_a_row)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn tasks(count: usize) -> Vec<TaskId> {
        (1..=count).map(|n| TaskId(format!("mapper-{n}"))).collect()
    }

    fn queue(chunks: u32) -> Queue {
        Queue::new((0..chunks).map(|chunk| {
            let source =
                mrdeck_services::api::ChunkRef::Object(format!("s3://b/{chunk}").parse().unwrap());
            Item::new(Work::map(chunk), Request::Map { source, etag: None }, 0, 1)
        }))
    }

    #[test]
    fn every_idle_task_gets_work_in_order() {
        let (mut queue, tasks, now) = (queue(3), tasks(2), Instant::now());
        let (first, on_first) = queue.take(now, &tasks, &tasks).unwrap();
        let idle: Vec<_> = tasks.iter().filter(|t| **t != on_first).cloned().collect();
        let (second, on_second) = queue.take(now, &tasks, &idle).unwrap();
        assert_eq!((first.work, second.work), (Work::map(0), Work::map(1)));
        assert_ne!(on_first, on_second);
        assert!(queue.take(now, &tasks, &[]).is_none(), "nobody is idle");
    }

    #[test]
    fn a_second_attempt_waits_for_another_task() {
        let (mut queue, tasks, now) = (queue(1), tasks(2), Instant::now());
        let (item, task) = queue.take(now, &tasks, &tasks[..1]).unwrap();
        let pause = queue.failed(item, &task, true, now, 0.5).unwrap();
        assert!(queue.take(now, &tasks, &tasks).is_none(), "it pauses first");
        let later = now + pause;
        assert_eq!(queue.next_change(now), Some(later));
        assert!(
            queue.take(later, &tasks, &tasks[..1]).is_none(),
            "not on the task where it failed"
        );
        let (item, other) = queue.take(later, &tasks, &tasks).unwrap();
        assert_eq!((item.attempt, &other), (2, &tasks[1]));
    }

    #[test]
    fn alone_a_task_gets_every_attempt_and_then_it_is_over() {
        let (mut queue, tasks, mut now) = (queue(1), tasks(1), Instant::now());
        for attempt in 1..=MAX_ATTEMPTS {
            let (item, task) = queue.take(now, &tasks, &tasks).unwrap();
            assert_eq!(item.attempt, attempt);
            match queue.failed(item, &task, true, now, 1.0) {
                Some(pause) => now += pause,
                None => assert_eq!(attempt, MAX_ATTEMPTS),
            }
        }
        assert!(queue.is_empty());
    }

    #[test]
    fn what_would_fail_again_is_not_tried_again() {
        let (mut queue, tasks, now) = (queue(1), tasks(1), Instant::now());
        let (item, task) = queue.take(now, &tasks, &tasks).unwrap();
        assert_eq!(queue.failed(item, &task, false, now, 0.0), None);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_task_that_keeps_failing_is_set_aside_and_comes_back() {
        let (mut queue, tasks, now) = (queue(8), tasks(2), Instant::now());
        for _ in 0..FAILURES_IN_A_ROW {
            let (item, task) = queue.take(now, &tasks, &tasks[..1]).unwrap();
            queue.failed(item, &task, true, now, 0.0);
        }
        assert!(queue.take(now, &tasks, &tasks[..1]).is_none(), "set aside");
        assert!(
            queue.take(now, &tasks[..1], &tasks[..1]).is_some(),
            "but used when it is the only one"
        );
        let later = now + SET_ASIDE;
        assert!(queue.take(later, &tasks, &tasks[..1]).is_some());
    }
}
