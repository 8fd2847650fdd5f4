//! One run from its first event to its last: the phases in order, and what must hold between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mrdeck_services::store::Store;
use mrdeck_services::uri::S3Uri;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::event::{EventKind, Phase, RunEvent, RunId, RunOptions, RunStatus};
use super::journal::Journal;
use super::objects;
use super::record::Record;
use crate::cluster::{Role, TaskList};
use crate::trouble::Trouble;

/// What is to be done: a new run, or what is missing of an earlier one.
#[derive(Debug, Clone)]
pub enum Job {
    New {
        input: S3Uri,
        options: RunOptions,
    },
    Continue(Box<Record>),
    /// Only recount the input of a finished run and compare.
    Verify(Box<Record>),
}

/// What a run works with.
pub struct Context {
    pub cluster: String,
    pub tasks: watch::Receiver<TaskList>,
    pub store: Arc<dyn Store>,
    pub client: Client,
    pub attempt_limit: Option<Duration>,
    /// Where the record is written; `None` keeps it in memory only.
    pub journal: Option<Journal>,
    pub events: mpsc::Sender<RunEvent>,
    pub cancel: CancellationToken,
}

/// Why a run ended before its end.
#[derive(Debug)]
pub(super) enum Stop {
    Cancelled,
    Failed(Trouble),
}

impl Stop {
    /// What is said of a check that did not come to its end.
    fn unverified(self) -> Trouble {
        match self {
            Self::Cancelled => Trouble::new("not verified: cancelled", "verify again"),
            Self::Failed(trouble) => Trouble {
                cause: format!("not verified: {}", trouble.cause),
                ..trouble
            },
        }
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Failed(trouble)
    }
}

/// A run in progress. Everything it does becomes an event, and its own record is read from those.
pub(super) struct Runner {
    pub(super) record: Record,
    pub(super) tasks: watch::Receiver<TaskList>,
    pub(super) store: Arc<dyn Store>,
    pub(super) client: Client,
    pub(super) attempt_limit: Option<Duration>,
    journal: Option<Journal>,
    events: mpsc::Sender<RunEvent>,
    pub(super) cancel: CancellationToken,
}

/// Runs a job to its end and gives its record. Whatever happens, the last event is `run_finished`.
pub async fn run(job: Job, context: Context) -> Record {
    let started = Instant::now();
    let mappers = u32::try_from(context.tasks.borrow().usable(Role::Mapper).count());
    let mappers = mappers.unwrap_or(u32::MAX);
    let (record, first, only_verify) = match job {
        Job::New { input, options } => {
            let first = event(EventKind::RunStarted {
                run: RunId::generate(),
                input: input.clone(),
                cluster: context.cluster.clone(),
                mappers,
                options: options.clone(),
            });
            (Record::begin(&first), first, false)
        }
        Job::Continue(record) => {
            let first = event(EventKind::RunContinued { mappers });
            (Some(*record), first, false)
        }
        Job::Verify(record) => {
            let mappers = record.mappers;
            let first = event(EventKind::RunContinued { mappers });
            (Some(*record), first, true)
        }
    };
    let Some(record) = record else {
        unreachable!("a record begins with `RunStarted`, which was made above");
    };
    let mut runner = Runner {
        record,
        tasks: context.tasks,
        store: context.store,
        client: context.client,
        attempt_limit: context.attempt_limit,
        journal: context.journal,
        events: context.events,
        cancel: context.cancel,
    };
    runner.tell(first).await;
    let ended = if only_verify {
        runner.verify().await
    } else {
        runner.all_phases().await
    };
    let (status, trouble) = match ended {
        Ok(()) => (RunStatus::Done, None),
        // A result that could not be checked is still the result it was; one that is wrong is not.
        Err(stop) if only_verify && !runner.is_found_wrong() => {
            runner.emit(EventKind::Notice(stop.unverified())).await;
            (RunStatus::Done, None)
        }
        Err(Stop::Cancelled) => (RunStatus::Cancelled, None),
        Err(Stop::Failed(trouble)) => (RunStatus::Failed, Some(trouble)),
    };
    let wall_ms = millis(started);
    let finished = EventKind::RunFinished {
        status,
        wall_ms,
        trouble,
    };
    runner.emit(finished).await;
    if let Some(journal) = runner.journal.take() {
        journal.close().await;
    }
    runner.record
}

fn event(kind: EventKind) -> RunEvent {
    RunEvent {
        at: Timestamp::now(),
        kind,
    }
}

pub(super) fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

impl Runner {
    pub(super) async fn emit(&mut self, kind: EventKind) {
        self.tell(event(kind)).await;
    }

    /// Record, journal, listeners: in this order, so that nobody hears of what is not recorded.
    async fn tell(&mut self, event: RunEvent) {
        self.record.apply(&event);
        if let Some(journal) = &mut self.journal
            && let Err(trouble) = journal.write(self.record.run, &event).await
        {
            self.journal = None;
            let notice = self::event(EventKind::Notice(trouble));
            self.record.apply(&notice);
            // Nobody listens any more: the run goes on for its record.
            let _ = self.events.send(notice).await;
        }
        let _ = self.events.send(event).await;
    }

    async fn all_phases(&mut self) -> Result<(), Stop> {
        self.pin_input().await?;
        if self.record.chunks.is_empty() {
            self.split().await?;
        }
        self.map().await?;
        if self.record.reduce.committed.is_none() {
            self.reduce().await?;
        }
        self.read_result().await?;
        if self.record.options.verify {
            self.verify().await?;
        }
        // It must still be the one that the run began with.
        self.pin_input().await
    }

    /// Waits for something that is not a task's answer, unless the run is cancelled.
    pub(super) async fn or_cancelled<T>(
        &self,
        step: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Stop> {
        tokio::select! {
            () = self.cancel.cancelled() => Err(Stop::Cancelled),
            result = step => result.map_err(Stop::Failed),
        }
    }

    pub(super) async fn phase<T>(
        &mut self,
        phase: Phase,
        started: Instant,
        result: Result<T, Stop>,
    ) -> Result<T, Stop> {
        let wall_ms = millis(started);
        self.emit(EventKind::PhaseFinished { phase, wall_ms }).await;
        result
    }

    async fn pin_input(&mut self) -> Result<(), Stop> {
        let input = self.record.input.clone();
        let store = self.store.clone();
        let meta = self
            .or_cancelled(objects::pin(store.as_ref(), &input))
            .await?;
        match self.record.input_bytes {
            None => {
                let (bytes, etag) = (meta.size, meta.etag);
                self.emit(EventKind::InputPinned { bytes, etag }).await;
                Ok(())
            }
            Some(_) if meta.etag == self.record.input_etag => Ok(()),
            Some(_) => Err(Stop::Failed(objects::input_changed(&input))),
        }
    }

    fn is_found_wrong(&self) -> bool {
        let found = self.record.verification.as_ref();
        found.is_some_and(|found| !found.is_exact())
    }
}
