//! Drives one phase's work over the tasks of a role: one request at a time each, retries, backups, cancellation.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use mrdeck_core::uri::S3Uri;
use tokio::sync::oneshot;
use tokio::time::sleep_until;

use super::concurrency::Concurrency;
use super::event::{EventKind, Work};
use super::flight::{Departure, Flight, GiveUp, Landing};
use super::liveness::Latencies;
use super::queue::{Item, Queue};
use super::recover::Expected;
use super::run::{Runner, Stop};
use crate::call::{Answer, attempt_deadline};
use mrdeck_client::AttemptName;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::{Task, TaskId, TaskList, TaskStatus};

/// How long a phase waits for a task of its role to appear.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a phase's work came to. Work whose attempts are used up is in neither list.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) commits: Vec<(Work, Answer)>,
    /// Work that was given up because of an object that has to be made again first.
    pub(super) culprits: Vec<(Work, S3Uri, Diagnostic)>,
}

/// A look at an answer before it is committed; what it refuses counts as a failed attempt.
pub(super) type Check<'a> =
    &'a (dyn Fn(Work, &AttemptName, &Answer) -> Result<(), Diagnostic> + Sync);

/// Work with an attempt in flight, or two.
pub(super) struct Active {
    pub(super) item: Item,
    pub(super) flights: Vec<Flight>,
}

/// One phase on its way.
pub(super) struct Dispatch<'a> {
    pub(super) runner: &'a mut Runner,
    role: Role,
    pub(super) check: Check<'a>,
    pub(super) queue: Queue,
    pub(super) active: HashMap<Work, Active>,
    under_way: FuturesUnordered<BoxFuture<'static, Landing>>,
    pub(super) concurrency: Concurrency,
    pub(super) latencies: Latencies,
    /// All the work of the phase, what was done before included.
    total: usize,
    backups: usize,
    pub(super) outcome: Outcome,
}

/// Does all of `items`, of a phase that has `total` pieces of work.
pub(super) async fn dispatch(
    runner: &mut Runner,
    role: Role,
    items: Vec<Item>,
    total: usize,
    check: Check<'_>,
) -> Result<Outcome, Stop> {
    let mut dispatch = Dispatch {
        runner,
        role,
        check,
        queue: Queue::new(items),
        active: HashMap::new(),
        under_way: FuturesUnordered::new(),
        concurrency: Concurrency::default(),
        latencies: Latencies::default(),
        total,
        backups: 0,
        outcome: Outcome::default(),
    };
    let ended = dispatch.drive().await;
    if ended.is_err() {
        dispatch.abandon().await;
    }
    ended.map(|()| dispatch.outcome)
}

impl Dispatch<'_> {
    async fn drive(&mut self) -> Result<(), Stop> {
        let mut tasks = self.runner.tasks.clone();
        let cancel = self.runner.cancel.clone();
        // Since when nobody could be sent work. News of other tasks must not start it anew.
        let mut deserted_since = None;
        let mut usable = self.look_at(&tasks.borrow_and_update().clone());
        loop {
            self.assign(&usable).await;
            self.back_up(&usable).await;
            self.enforce_deadlines();
            if self.active.is_empty() && self.queue.is_empty() {
                return Ok(());
            }
            if !usable.is_empty() || !self.active.is_empty() {
                deserted_since = None;
            } else if deserted_since.is_none() {
                deserted_since = Some(Instant::now());
            }
            let patience_over = deserted_since.map(|since| since + PATIENCE);
            let next_change = self.next_change(Instant::now(), &usable);
            tokio::select! {
                () = cancel.cancelled() => return Err(Stop::Cancelled),
                Some(landing) = self.under_way.next() => self.landed(landing, usable.len()).await,
                changed = tasks.changed() => {
                    if changed.is_err() {
                        return Err(Stop::Failed(Diagnostic::new(
                            "the cluster went away during the run",
                            "start mrdeck again",
                        )));
                    }
                    usable = self.look_at(&tasks.borrow_and_update().clone());
                }
                () = at(next_change) => {}
                () = at(patience_over) => {
                    return Err(Stop::Failed(Diagnostic::new(
                        format!("no {} is running", self.role),
                        "start one, and look at the tasks' status",
                    )));
                }
            }
        }
    }

    /// Those of a new list that can be sent work. Who is not in it any more is not waited for.
    fn look_at(&mut self, list: &TaskList) -> Vec<Task> {
        self.give_up_on_the_gone(list);
        let usable = list.usable(self.role);
        usable
            .filter(|task| task.desired_status != Some(TaskStatus::Stopped))
            .cloned()
            .collect()
    }

    /// When time alone is a reason to look again.
    fn next_change(&self, now: Instant, usable: &[Task]) -> Option<Instant> {
        let flights = self.active.values().flat_map(|active| &active.flights);
        let deadlines = flights
            .filter(|flight| flight.give_up.is_some())
            .map(|flight| flight.since + deadline(&self.latencies, flight));
        let backups = self
            .backup_after()
            .filter(|_| usable.len() > 1)
            .into_iter()
            .flat_map(|after| self.lone_flights().map(move |flight| flight.since + after));
        let later = backups.filter(|at| *at > now);
        deadlines
            .chain(later)
            .chain(self.queue.next_change(now))
            .min()
    }

    /// Gives every idle task a piece of work, as long as there is some.
    async fn assign(&mut self, usable: &[Task]) {
        if self.queue.is_empty() {
            return;
        }
        let ids: Vec<TaskId> = usable.iter().map(|task| task.id.clone()).collect();
        let mut idle = self.idle(ids.iter());
        while self.concurrency.allows(self.in_flight()) {
            let Some((item, id)) = self.queue.take(Instant::now(), &ids, &idle) else {
                return;
            };
            let Some(task) = usable.iter().find(|task| task.id == id) else {
                return;
            };
            idle.retain(|other| *other != id);
            self.start(item, task).await;
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.active
            .values()
            .map(|active| active.flights.len())
            .sum()
    }

    /// Those of the tasks that have nothing in hands.
    fn idle<'a>(&self, ids: impl Iterator<Item = &'a TaskId>) -> Vec<TaskId> {
        let flights = self.active.values().flat_map(|active| &active.flights);
        let busy: HashSet<&TaskId> = flights.map(|flight| &flight.task).collect();
        ids.filter(|id| !busy.contains(id)).cloned().collect()
    }

    async fn start(&mut self, item: Item, task: &Task) {
        let work = item.work;
        let flights = Vec::new();
        self.active.insert(work, Active { item, flights });
        self.send(work, task, false).await;
    }

    /// Sends one attempt at work that is active.
    async fn send(&mut self, work: Work, task: &Task, backup: bool) {
        let (Some(active), Some(base)) = (self.active.get_mut(&work), task.base.clone()) else {
            return;
        };
        let attempt = active.item.begin();
        let cap = attempt_deadline(self.runner.attempt_limit, active.item.input_bytes);
        let request = active.item.request.clone();
        let address = task.address().unwrap_or_default();
        let name = crate::call::attempt_name(&self.runner.record, work, attempt);
        let is_in_doubt = self.runner.doubts.meets(&address, &task.id);
        let proof = is_in_doubt.then(|| self.runner.doubts.must_be_named(&address));
        let (give_up, told) = oneshot::channel();
        active.flights.push(Flight {
            attempt,
            task: task.id.clone(),
            since: Instant::now(),
            cap,
            is_patient: active.item.was_late,
            give_up: Some(give_up),
        });
        let departure = Departure {
            work,
            task: task.id.clone(),
            address: address.clone(),
            base,
            request,
            expected: Expected::of(work.phase, &self.runner.record.input, &name),
            name,
            cap,
            proof,
            client: self.runner.client.clone(),
            store: self.runner.store.clone(),
            told,
        };
        let started = EventKind::AttemptStarted {
            work,
            attempt,
            task: task.id.clone(),
            address,
            backup,
        };
        self.runner.emit(started).await;
        self.under_way.push(Box::pin(departure.fly()));
    }

    /// How long an attempt is in flight before it gets a backup; `None` while none is made.
    fn backup_after(&self) -> Option<Duration> {
        if self.role != Role::Mapper || !self.queue.is_empty() {
            return None;
        }
        let done = self.total.saturating_sub(self.active.len());
        self.latencies.backup_after(done, self.total, self.backups)
    }

    fn lone_flights(&self) -> impl Iterator<Item = &Flight> {
        self.active
            .values()
            .filter_map(|active| match active.flights.as_slice() {
                [flight] => Some(flight),
                _ => None,
            })
    }

    /// Gives stragglers a second attempt on a task that has nothing to do; the first to finish counts.
    async fn back_up(&mut self, usable: &[Task]) {
        let ids: Vec<TaskId> = usable.iter().map(|task| task.id.clone()).collect();
        while let Some(after) = self.backup_after()
            && self.concurrency.allows(self.in_flight())
        {
            let now = Instant::now();
            let idle = self.idle(self.queue.trusted(now, &ids).into_iter());
            let mut stragglers: Vec<(Instant, Work)> = self
                .active
                .iter()
                .filter_map(|(work, active)| match active.flights.as_slice() {
                    [flight] if flight.since + after <= now => Some((flight.since, *work)),
                    _ => None,
                })
                .collect();
            stragglers.sort_by_key(|(since, work)| (*since, work.chunk));
            let choice = stragglers.into_iter().find_map(|(_, work)| {
                let item = &self.active.get(&work)?.item;
                let task = idle.iter().min_by_key(|task| item.failures_on(task))?;
                let task = usable.iter().find(|known| known.id == *task)?;
                (item.failures_on(&task.id) == 0).then_some((work, task))
            });
            let Some((work, task)) = choice else {
                return;
            };
            self.backups += 1;
            self.send(work, task, true).await;
        }
    }

    fn enforce_deadlines(&mut self) {
        let now = Instant::now();
        let latencies = &self.latencies;
        for flight in self.active.values_mut().flat_map(|a| &mut a.flights) {
            if now >= flight.since + deadline(latencies, flight) {
                tell(flight, GiveUp::Deadline);
            }
        }
    }

    /// An answer of a task that the cluster no longer has is not waited for.
    fn give_up_on_the_gone(&mut self, list: &TaskList) {
        let is_there = |id: &TaskId| {
            let mut tasks = list.tasks.iter();
            tasks.any(|task| task.id == *id && task.last_status != TaskStatus::Stopped)
        };
        for flight in self.active.values_mut().flat_map(|a| &mut a.flights) {
            if !is_there(&flight.task) {
                tell(flight, GiveUp::TaskGone);
            }
        }
    }

    /// Ends every request in flight and says so.
    async fn abandon(&mut self) {
        self.under_way.clear();
        for (work, active) in std::mem::take(&mut self.active) {
            self.abandon_others(work, active).await;
        }
    }
}

/// How long this attempt may take. What was too late once may simply be more work than the rest.
fn deadline(latencies: &Latencies, flight: &Flight) -> Duration {
    if flight.is_patient {
        flight.cap
    } else {
        latencies.deadline(flight.cap)
    }
}

pub(super) fn tell(flight: &mut Flight, why: GiveUp) {
    if let Some(give_up) = flight.give_up.take() {
        // One that has landed in this moment needs no telling.
        let _ = give_up.send(why);
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_late_once_gets_its_whole_time() {
        let mut latencies = Latencies::default();
        for _ in 0..3 {
            latencies.add(Duration::from_millis(10));
        }
        let cap = Duration::from_secs(90);
        let flight = |is_patient| Flight {
            attempt: 1,
            task: TaskId("mapper-1".to_owned()),
            since: Instant::now(),
            cap,
            is_patient,
            give_up: None,
        };
        assert!(deadline(&latencies, &flight(false)) < cap);
        assert_eq!(deadline(&latencies, &flight(true)), cap);
    }
}
