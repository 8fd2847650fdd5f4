//! One run from its first event to its last: the phases in order, and what must hold between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mrdeck_services::api::ChunkRef;
use mrdeck_services::store::{ReadOptions, Store};
use mrdeck_services::uri::S3Uri;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::client::{Answer, Client, Request};
use super::dispatch::{Check, dispatch};
use super::event::{EventKind, Phase, RunEvent, RunId, RunOptions, RunStatus, Work};
use super::journal::Journal;
use super::queue::Item;
use super::record::Record;
use super::{objects, plan};
use crate::cluster::{Role, TaskList};
use crate::figures::{plural, thousands};
use crate::trouble::{Trouble, TroubleKind};

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
    store: Arc<dyn Store>,
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

fn millis(since: Instant) -> f64 {
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
        self.check_pin().await
    }

    /// Waits for something that is not a task's answer, unless the run is cancelled.
    async fn or_cancelled<T>(
        &self,
        step: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Stop> {
        tokio::select! {
            () = self.cancel.cancelled() => Err(Stop::Cancelled),
            result = step => result.map_err(Stop::Failed),
        }
    }

    async fn phase<T>(
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

    /// The input must still be the one that was pinned.
    async fn check_pin(&mut self) -> Result<(), Stop> {
        self.pin_input().await
    }

    async fn split(&mut self) -> Result<(), Stop> {
        let input = self.record.input.clone();
        let bytes = self.record.input_bytes.unwrap_or_default();
        let chunks = self
            .record
            .options
            .chunks
            .unwrap_or_else(|| plan::default_chunks(bytes, self.record.mappers));
        let request = Request::Split {
            input: input.clone(),
            chunks,
            mode: self.record.options.split,
            etag: self.record.input_etag.clone(),
        };
        let attempt = self.record.split.next_attempt();
        let item = Item::new(Work::SPLIT, request, bytes, attempt);
        let check = move |answer: &Answer| match answer {
            Answer::Split(answer) => plan::check_split(answer, &input, bytes),
            _ => Ok(()),
        };
        let commits = self
            .dispatch_phase(Phase::Split, Role::Splitter, vec![item], &check)
            .await?;
        let Some((_, Answer::Split(answer))) = commits.into_iter().next() else {
            return Err(Stop::Failed(self.last_failure(Phase::Split)));
        };
        let made = answer.chunks.len();
        if made != chunks as usize {
            let notice = Trouble::new(
                format!("asked for {chunks} chunks, the splitter made {made}"),
                "",
            );
            self.emit(EventKind::Notice(notice)).await;
        }
        let chunks = answer.chunks;
        self.emit(EventKind::ChunksPlanned { chunks }).await;
        Ok(())
    }

    async fn map(&mut self) -> Result<(), Stop> {
        let missing = plan::missing_chunks(&self.record);
        if missing.is_empty() {
            return Ok(());
        }
        let chunks = u64::try_from(self.record.chunks.len()).unwrap_or(1).max(1);
        let average = self.record.input_bytes.unwrap_or_default() / chunks;
        let items = missing
            .iter()
            .filter_map(|&index| {
                let chunk = self.record.chunks.get(usize::try_from(index).ok()?)?;
                let bytes = match &chunk.source {
                    ChunkRef::Object(_) => average,
                    ChunkRef::Range { start, end, .. } => end - start,
                };
                let source = chunk.source.clone();
                let attempt = chunk.work.next_attempt();
                let etag = self.record.input_etag.clone();
                let request = Request::Map { source, etag };
                Some(Item::new(Work::map(index), request, bytes, attempt))
            })
            .collect();
        self.dispatch_phase(Phase::Map, Role::Mapper, items, &|_| Ok(()))
            .await?;
        let failed = plan::missing_chunks(&self.record);
        if failed.is_empty() {
            return Ok(());
        }
        let why = self.last_failure(Phase::Map);
        if why.kind == TroubleKind::InputChanged {
            return Err(Stop::Failed(why));
        }
        Err(Stop::Failed(
            Trouble::new(
                format!(
                    "{} of {chunks} chunks could not be mapped; the last reason: {}",
                    failed.len(),
                    why.cause
                ),
                "what was counted is kept: only the failed mappers need to run again",
            )
            .of_kind(why.kind),
        ))
    }

    async fn reduce(&mut self) -> Result<(), Stop> {
        let inputs = plan::reduce_inputs(&self.record)?;
        let files = u64::try_from(inputs.len()).unwrap_or(u64::MAX);
        let attempt = self.record.reduce.next_attempt();
        let bytes = self.record.input_bytes.unwrap_or_default();
        let item = Item::new(Work::REDUCE, Request::Reduce { inputs }, bytes, attempt);
        let check = move |answer: &Answer| match answer {
            Answer::Reduce(answer) if answer.files.is_some_and(|given| given != files) => {
                Err(Trouble::new(
                    format!(
                        "the reducer added up {} map outputs instead of {files}",
                        answer.files.unwrap_or_default()
                    ),
                    "check the reducer's version and its logs",
                ))
            }
            _ => Ok(()),
        };
        let commits = self
            .dispatch_phase(Phase::Reduce, Role::Reducer, vec![item], &check)
            .await?;
        if commits.is_empty() {
            return Err(Stop::Failed(self.last_failure(Phase::Reduce)));
        }
        Ok(())
    }

    async fn dispatch_phase(
        &mut self,
        phase: Phase,
        role: Role,
        items: Vec<Item>,
        check: Check<'_>,
    ) -> Result<Vec<(Work, Answer)>, Stop> {
        self.emit(EventKind::PhaseStarted { phase }).await;
        let started = Instant::now();
        let result = dispatch(self, role, items, check).await;
        self.phase(phase, started, result).await
    }

    /// Reads the final counts back, and refuses them if they don't add up.
    async fn read_result(&mut self) -> Result<(), Stop> {
        let Some(out) = self.record.reduce.out().cloned() else {
            return Err(Stop::Failed(self.last_failure(Phase::Reduce)));
        };
        let store = self.store.clone();
        let counts = self
            .or_cancelled(objects::read_counts(store.as_ref(), &out))
            .await?;
        plan::check_conservation(&self.record, counts.words())?;
        let summary = objects::summarise(out, &counts);
        self.emit(EventKind::ResultRead(summary)).await;
        Ok(())
    }

    async fn verify(&mut self) -> Result<(), Stop> {
        let phase = Phase::Verify;
        self.emit(EventKind::PhaseStarted { phase }).await;
        let started = Instant::now();
        let result = self.recount().await;
        let verification = self.phase(phase, started, result).await?;
        let is_exact = verification.is_exact();
        let cause = format!(
            "the result is wrong: {} missing, {} extra, {} counted differently",
            plural(verification.missing, "word"),
            thousands(verification.extra),
            thousands(verification.different)
        );
        self.emit(EventKind::Verified(verification)).await;
        if is_exact {
            Ok(())
        } else {
            Err(Stop::Failed(Trouble::new(
                cause,
                "don't use it: run again from the start, and check the services' versions",
            )))
        }
    }

    async fn recount(&mut self) -> Result<super::event::Verification, Stop> {
        let Some(out) = self.record.reduce.out().cloned() else {
            return Err(Stop::Failed(Trouble::new(
                "there is no result to verify",
                "start a run first",
            )));
        };
        let input = self.record.input.clone();
        let options = ReadOptions {
            if_match: self.record.input_etag.clone(),
            ..ReadOptions::default()
        };
        let store = self.store.clone();
        self.or_cancelled(objects::recount(store.as_ref(), &input, options, &out))
            .await
    }

    fn is_found_wrong(&self) -> bool {
        let found = self.record.verification.as_ref();
        found.is_some_and(|found| !found.is_exact())
    }

    /// Why the phase's work failed, from its last failed attempt.
    fn last_failure(&self, phase: Phase) -> Trouble {
        match self.record.last_failure(phase) {
            Some(trouble) if trouble.kind == TroubleKind::InputChanged => {
                objects::input_changed(&self.record.input)
            }
            Some(trouble) => trouble,
            None => Trouble::new(
                format!("the {phase} phase did not finish"),
                "run again from the start",
            ),
        }
    }
}
