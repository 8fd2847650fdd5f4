//! Pure: which piece of work goes to which task next, and when. No clocks, no I/O.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use mrdeck_client::MapRequest;
use mrdeck_core::api::ChunkRef;
use mrdeck_core::uri::S3Uri;

use super::event::Work;
use crate::call::Request;
use mrdeck_core::task::TaskId;

/// Attempts a piece of work gets before it counts as failed.
pub const MAX_ATTEMPTS: u32 = 4;
/// A task that fails so often in a row gets no work for a while.
const FAILURES_IN_A_ROW: u32 = 3;
/// That while. Only a preference: with nobody else left, the task is used all the same.
const SET_ASIDE: Duration = Duration::from_secs(10);
/// The pause before the second attempt; it doubles each time, up to the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A piece of work is put off so often because S3 or a service asks to slow down; that costs none of its attempts.
/// With the pauses it is a minute at least.
const MAX_THROTTLED: u32 = 12;
const LONGEST_THROTTLED_PAUSE: Duration = Duration::from_secs(10);

/// A piece of work on its way to a commit.
#[derive(Debug, Clone)]
pub struct Item {
    pub work: Work,
    pub request: Request,
    /// For the attempt's deadline.
    pub input_bytes: u64,
    /// The number the next attempt gets.
    pub attempt: u32,
    /// An attempt at it took too long, as long as the others took: it may just be more than they.
    pub was_late: bool,
    attempts_left: u32,
    throttled: u32,
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
            was_late: false,
            attempts_left: MAX_ATTEMPTS,
            throttled: 0,
            not_before: None,
            failed_on: Vec::new(),
        }
    }

    /// The copy of a chunk that it reads, if it does.
    pub fn copy(&self) -> Option<&S3Uri> {
        match &self.request {
            Request::Map(MapRequest {
                source: ChunkRef::Object(uri),
                ..
            }) => Some(uri),
            _ => None,
        }
    }

    /// An attempt at it failed on this task.
    pub fn note_failure(&mut self, task: &TaskId) {
        self.attempts_left = self.attempts_left.saturating_sub(1);
        self.failed_on.push(task.clone());
    }

    /// An attempt at it begins; gives its number.
    pub fn begin(&mut self) -> u32 {
        self.attempt += 1;
        self.attempt - 1
    }

    pub fn failures_on(&self, task: &TaskId) -> usize {
        self.failed_on.iter().filter(|id| *id == task).count()
    }
}

#[derive(Debug, Clone, Default)]
struct Conduct {
    failures_in_a_row: u32,
    set_aside_until: Option<Instant>,
    /// How long its last successful attempt took.
    latency: Option<Duration>,
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

    /// The tasks that are not set aside; all of them if that leaves none.
    pub fn trusted<'a>(&self, now: Instant, usable: &'a [TaskId]) -> Vec<&'a TaskId> {
        let trusted: Vec<&TaskId> = usable
            .iter()
            .filter(|task| !self.is_set_aside(task, now))
            .collect();
        if trusted.is_empty() {
            usable.iter().collect()
        } else {
            trusted
        }
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
        if idle.is_empty() || self.waiting.is_empty() {
            return None;
        }
        let candidates = self.trusted(now, usable);
        let idle: HashSet<&TaskId> = idle.iter().collect();
        let idle: Vec<&TaskId> = candidates
            .iter()
            .copied()
            .filter(|task| idle.contains(task))
            .collect();
        if idle.is_empty() {
            return None;
        }
        let slow = self.slow(&idle, &candidates);
        let found = self.waiting.iter().enumerate().find_map(|(index, item)| {
            if item.not_before.is_some_and(|at| at > now) {
                return None;
            }
            // What failed before goes where it failed least, however slow that is.
            let may_be_slow = !item.failed_on.is_empty();
            let fewest = if may_be_slow {
                candidates.iter().map(|task| item.failures_on(task)).min()?
            } else {
                0
            };
            let task = idle
                .iter()
                .filter(|task| item.failures_on(task) == fewest)
                .filter(|task| may_be_slow || !slow.contains(*task))
                .min_by_key(|task| self.failures_in_a_row(task))?;
            Some((index, (*task).clone()))
        });
        let (index, task) = found?;
        Some((self.waiting.remove(index)?, task))
    }

    /// The idle tasks that the others would be through with all that waits before they have done one piece of it.
    ///
    /// Measured by each task's last latency. A task of which nothing is known yet is given the benefit of the doubt.
    fn slow<'a>(&self, idle: &[&'a TaskId], candidates: &[&TaskId]) -> HashSet<&'a TaskId> {
        let latency = |task: &TaskId| {
            let conduct = self.conduct.get(task)?;
            let known = conduct.latency.filter(|_| conduct.failures_in_a_row == 0)?;
            Some(known.as_secs_f64().max(1e-6))
        };
        let known = candidates.iter().filter_map(|task| latency(task));
        let (mut rate, mut slowest, mut second, mut count) = (0.0, 0.0_f64, 0.0_f64, 0);
        for seconds in known {
            rate += 1.0 / seconds;
            count += 1;
            second = second.max(seconds.min(slowest));
            slowest = slowest.max(seconds);
        }
        let waiting = self.waiting.len() as f64;
        idle.iter()
            .copied()
            .filter(|task| {
                let Some(own) = latency(task).filter(|_| count > 1) else {
                    return false;
                };
                // What the others have in hands now takes them a round at most.
                let round = if own < slowest { slowest } else { second };
                waiting / (rate - 1.0 / own) + round < own
            })
            .collect()
    }

    pub fn succeeded(&mut self, task: &TaskId, latency: Duration) {
        let conduct = Conduct {
            latency: Some(latency),
            ..Conduct::default()
        };
        self.conduct.insert(task.clone(), conduct);
    }

    /// Notes a failure that is the task's; gives for how long it is set aside, if this was one too many.
    pub fn blame(&mut self, task: &TaskId, now: Instant) -> Option<Duration> {
        let conduct = self.conduct.entry(task.clone()).or_default();
        conduct.failures_in_a_row += 1;
        let is_aside = conduct.set_aside_until.is_some_and(|until| until > now);
        // While it is set aside it only fails because nobody else is left.
        if is_aside || conduct.failures_in_a_row < FAILURES_IN_A_ROW {
            return None;
        }
        conduct.set_aside_until = Some(now + SET_ASIDE);
        Some(SET_ASIDE)
    }

    /// Puts work back that was refused because there was too much of it; gives the pause. Another task, where there
    /// is one, may have room.
    pub fn throttled(
        &mut self,
        mut item: Item,
        task: &TaskId,
        now: Instant,
        jitter: f64,
    ) -> Option<Duration> {
        item.throttled += 1;
        item.failed_on.push(task.clone());
        if item.throttled > MAX_THROTTLED {
            return None;
        }
        let doublings = (item.throttled - 1).min(16);
        let pause = (FIRST_PAUSE * 2u32.pow(doublings)).min(LONGEST_THROTTLED_PAUSE);
        Some(self.put_back(item, pause, now, jitter))
    }

    /// Puts failed work back, unless its attempts are used up; gives the pause before it is tried again.
    ///
    /// `jitter` between 0 and 1 spreads the pauses, so that what failed together does not return together.
    pub fn failed(
        &mut self,
        item: Item,
        worth_retrying: bool,
        now: Instant,
        jitter: f64,
    ) -> Option<Duration> {
        if item.attempts_left == 0 || !worth_retrying {
            return None;
        }
        let doublings = MAX_ATTEMPTS - item.attempts_left - 1;
        let pause = (FIRST_PAUSE * 2u32.pow(doublings)).min(LONGEST_PAUSE);
        Some(self.put_back(item, pause, now, jitter))
    }

    fn put_back(&mut self, mut item: Item, pause: Duration, now: Instant, jitter: f64) -> Duration {
        let pause = pause.mul_f64(0.5 + jitter.clamp(0.0, 1.0));
        item.not_before = Some(now + pause);
        self.waiting.push_back(item);
        pause
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

    /// A failure that is the task's too.
    fn fail(queue: &mut Queue, mut item: Item, task: &TaskId, now: Instant) -> Option<Duration> {
        item.note_failure(task);
        queue.failed(item, true, now, 0.5)
    }

    fn queue(chunks: u32) -> Queue {
        Queue::new((0..chunks).map(|chunk| {
            let source = ChunkRef::Object(format!("s3://b/{chunk}").parse().unwrap());
            Item::new(
                Work::map(chunk),
                Request::Map(MapRequest { source, etag: None }),
                0,
                1,
            )
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
        let pause = fail(&mut queue, item, &task, now).unwrap();
        assert!(queue.take(now, &tasks, &tasks).is_none(), "it pauses first");
        let later = now + pause;
        assert_eq!(queue.next_change(now), Some(later));
        assert!(
            queue.take(later, &tasks, &tasks[..1]).is_none(),
            "not on the task where it failed"
        );
        let (mut item, other) = queue.take(later, &tasks, &tasks).unwrap();
        assert_eq!((item.begin(), &other), (1, &tasks[1]));
        assert_eq!(item.begin(), 2);
    }

    #[test]
    fn alone_a_task_gets_every_attempt_and_then_it_is_over() {
        let (mut queue, tasks, mut now) = (queue(1), tasks(1), Instant::now());
        for attempt in 1..=MAX_ATTEMPTS {
            let (mut item, task) = queue.take(now, &tasks, &tasks).unwrap();
            assert_eq!(item.begin(), attempt);
            match fail(&mut queue, item, &task, now) {
                Some(pause) => now += pause,
                None => assert_eq!(attempt, MAX_ATTEMPTS),
            }
        }
        assert!(queue.is_empty());
    }

    #[test]
    fn what_would_fail_again_is_not_tried_again() {
        let (mut queue, tasks, now) = (queue(1), tasks(1), Instant::now());
        let (item, _) = queue.take(now, &tasks, &tasks).unwrap();
        assert_eq!(queue.failed(item, false, now, 0.0), None);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_task_that_keeps_failing_is_set_aside_and_comes_back() {
        let (mut queue, tasks, now) = (queue(8), tasks(2), Instant::now());
        for failure in 1..=FAILURES_IN_A_ROW {
            let (item, task) = queue.take(now, &tasks, &tasks[..1]).unwrap();
            let set_aside = queue.blame(&task, now);
            fail(&mut queue, item, &task, now);
            assert_eq!(set_aside.is_some(), failure == FAILURES_IN_A_ROW);
        }
        assert!(queue.take(now, &tasks, &tasks[..1]).is_none(), "set aside");
        assert!(
            queue.take(now, &tasks[..1], &tasks[..1]).is_some(),
            "but used when it is the only one"
        );
        let later = now + SET_ASIDE;
        let (_, task) = queue.take(later, &tasks, &tasks[..1]).unwrap();
        assert!(queue.blame(&task, later).is_some(), "one request, no more");
    }

    #[test]
    fn to_be_asked_to_slow_down_costs_no_attempt_and_is_not_the_task_s_fault() {
        let (mut queue, tasks, mut now) = (queue(1), tasks(1), Instant::now());
        for _ in 0..MAX_THROTTLED {
            let (item, task) = queue.take(now, &tasks, &tasks).unwrap();
            now += queue.throttled(item, &task, now, 0.0).unwrap();
        }
        let (item, task) = queue.take(now, &tasks, &tasks).unwrap();
        assert_eq!(queue.blame(&task, now), None);
        assert!(fail(&mut queue, item, &task, now).is_some());
        let (item, task) = queue.take(now + LONGEST_PAUSE, &tasks, &tasks).unwrap();
        let again = queue.throttled(item, &task, now, 0.0);
        assert_eq!(again, None, "but not for ever");
        assert!(queue.is_empty());
    }

    #[test]
    fn a_slow_task_gets_nothing_that_the_others_are_done_with_first() {
        let (mut queue, tasks, now) = (queue(10), tasks(3), Instant::now());
        let second = Duration::from_secs(1);
        queue.succeeded(&tasks[0], 10 * second);
        queue.succeeded(&tasks[1], second);
        let slow = &tasks[..1];
        assert!(
            queue.take(now, &tasks, slow).is_some(),
            "one other known: it needs 9 more seconds, and one for what it has"
        );
        queue.succeeded(&tasks[2], second);
        assert!(queue.take(now, &tasks, slow).is_none());
        assert!(queue.take(now, &tasks, &tasks[1..]).is_some());
        assert!(queue.take(now, slow, slow).is_some(), "alone it is used");
    }
}
