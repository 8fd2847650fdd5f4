//! Drives one phase's work over the tasks of a role: one request at a time each, retries, cancellation.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::sleep_until;

use super::call_error::CallError;
use super::client::{Answer, AttemptName, TimedAnswer, attempt_deadline};
use super::event::{AttemptAnswer, EventKind, Work};
use super::queue::{Item, Queue};
use super::run::{Runner, Stop};
use crate::cluster::{Role, Task, TaskId};
use crate::trouble::Trouble;

/// How long a phase waits for a task of its role to appear.
const PATIENCE: Duration = Duration::from_secs(15);

/// Work that was committed.
pub(super) type Commits = Vec<(Work, Answer)>;

/// A look at an answer before it is committed; what it refuses counts as a failed attempt.
pub(super) type Check<'a> = &'a (dyn Fn(&Answer) -> Result<(), Trouble> + Sync);

struct Finished {
    item: Item,
    task: TaskId,
    ms: f64,
    result: Result<TimedAnswer, CallError>,
}

struct Flight {
    attempt: u32,
    task: TaskId,
    since: Instant,
}

/// One phase on its way.
struct Dispatch<'a> {
    runner: &'a mut Runner,
    role: Role,
    check: Check<'a>,
    queue: Queue,
    under_way: FuturesUnordered<BoxFuture<'static, Finished>>,
    flights: HashMap<Work, Flight>,
    commits: Commits,
}

/// Does all of `items`; work whose attempts are used up is missing from the answer.
pub(super) async fn dispatch(
    runner: &mut Runner,
    role: Role,
    items: Vec<Item>,
    check: Check<'_>,
) -> Result<Commits, Stop> {
    let mut dispatch = Dispatch {
        runner,
        role,
        check,
        queue: Queue::new(items),
        under_way: FuturesUnordered::new(),
        flights: HashMap::new(),
        commits: Vec::new(),
    };
    let ended = dispatch.drive().await;
    if ended.is_err() {
        dispatch.abandon().await;
    }
    ended.map(|()| dispatch.commits)
}

impl Dispatch<'_> {
    async fn drive(&mut self) -> Result<(), Stop> {
        let mut tasks = self.runner.tasks.clone();
        let cancel = self.runner.cancel.clone();
        // Since when nobody could be sent work. News of other tasks must not start it anew.
        let mut deserted_since = None;
        loop {
            let usable: Vec<Task> = tasks
                .borrow_and_update()
                .usable(self.role)
                .cloned()
                .collect();
            self.assign(&usable).await;
            if self.under_way.is_empty() && self.queue.is_empty() {
                return Ok(());
            }
            let is_idle = self.under_way.is_empty();
            let next_change = self.queue.next_change(Instant::now());
            if !usable.is_empty() || !is_idle {
                deserted_since = None;
            } else if deserted_since.is_none() {
                deserted_since = Some(Instant::now());
            }
            let patience_over = async {
                match deserted_since {
                    Some(since) => sleep_until((since + PATIENCE).into()).await,
                    None => std::future::pending().await,
                }
            };
            let pause_over = async {
                match next_change {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = cancel.cancelled() => return Err(Stop::Cancelled),
                Some(finished) = self.under_way.next(), if !is_idle => self.finished(finished).await,
                changed = tasks.changed() => if changed.is_err() {
                    return Err(Stop::Failed(Trouble::new(
                        "the cluster went away during the run",
                        "start mrdeck again",
                    )));
                },
                () = pause_over => {}
                () = patience_over => {
                    return Err(Stop::Failed(Trouble::new(
                        format!("no {} is running", self.role),
                        "start one, and look at the tasks' status",
                    )));
                }
            }
        }
    }

    /// Gives every idle task a piece of work, as long as there is some.
    async fn assign(&mut self, usable: &[Task]) {
        let ids: Vec<TaskId> = usable.iter().map(|task| task.id.clone()).collect();
        loop {
            let idle: Vec<TaskId> = ids
                .iter()
                .filter(|id| self.flights.values().all(|flight| flight.task != **id))
                .cloned()
                .collect();
            let Some((item, id)) = self.queue.take(Instant::now(), &ids, &idle) else {
                return;
            };
            let Some(task) = usable.iter().find(|task| task.id == id) else {
                return;
            };
            self.start(item, task).await;
        }
    }

    async fn start(&mut self, item: Item, task: &Task) {
        let Some(base) = task.base.clone() else {
            return;
        };
        let started = EventKind::AttemptStarted {
            work: item.work,
            attempt: item.attempt,
            task: task.id.clone(),
            address: task.address().unwrap_or_default(),
        };
        self.runner.emit(started).await;
        let since = Instant::now();
        let flight = Flight {
            attempt: item.attempt,
            task: task.id.clone(),
            since,
        };
        self.flights.insert(item.work, flight);

        let client = self.runner.client.clone();
        let deadline = attempt_deadline(self.runner.attempt_limit, item.input_bytes);
        let name = AttemptName {
            run: self.runner.record.run,
            chunk: item.work.chunk,
            attempt: item.attempt,
        };
        let task = task.id.clone();
        self.under_way.push(Box::pin(async move {
            let result = client.call(&base, &item.request, name, deadline).await;
            let ms = since.elapsed().as_secs_f64() * 1e3;
            Finished {
                item,
                task,
                ms,
                result,
            }
        }));
    }

    async fn finished(&mut self, finished: Finished) {
        let Finished {
            item,
            task,
            ms,
            result,
        } = finished;
        self.flights.remove(&item.work);
        let checked = match result {
            Ok(timed) => match (self.check)(&timed.answer) {
                Ok(()) => Ok(timed),
                Err(trouble) => Err((trouble, true)),
            },
            Err(error) => Err((error.trouble(), error.is_worth_retrying())),
        };
        let (work, attempt) = (item.work, item.attempt);
        match checked {
            Ok(timed) => {
                self.queue.succeeded(&task);
                let succeeded = EventKind::AttemptSucceeded {
                    work,
                    attempt,
                    ms,
                    answer: summary(&timed),
                };
                self.runner.emit(succeeded).await;
                self.runner
                    .emit(EventKind::Committed { work, attempt })
                    .await;
                self.commits.push((work, timed.answer));
            }
            Err((trouble, worth_retrying)) => {
                let pause =
                    self.queue
                        .failed(item, &task, worth_retrying, Instant::now(), fastrand::f64());
                let failed = EventKind::AttemptFailed {
                    work,
                    attempt,
                    ms,
                    trouble,
                    retry_in_ms: pause.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(0)),
                };
                self.runner.emit(failed).await;
            }
        }
    }

    /// Ends every request in flight and says so.
    async fn abandon(&mut self) {
        self.under_way.clear();
        for (work, flight) in std::mem::take(&mut self.flights) {
            let abandoned = EventKind::AttemptAbandoned {
                work,
                attempt: flight.attempt,
                ms: flight.since.elapsed().as_secs_f64() * 1e3,
            };
            self.runner.emit(abandoned).await;
        }
    }
}

fn summary(timed: &TimedAnswer) -> AttemptAnswer {
    let timing = timed.timing.clone();
    match &timed.answer {
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
            timing,
        },
        Answer::Reduce(answer) => AttemptAnswer {
            out: Some(answer.out.clone()),
            words: answer.words,
            unique: answer.unique,
            bytes: None,
            timing,
        },
    }
}
