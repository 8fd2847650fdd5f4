//! One run from its first event to its last: the phases in order, and what must hold between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::Store;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::claim::Claim;
use super::doubt::Doubts;
use super::event::{EventKind, Phase, RunEvent, RunStatus, Verification};
use super::job::{Beginning, Job, Kind};
use super::journal::{Journal, JournalError, OpenJournal};
use super::objects;
use super::phases::Reduced;
use super::plan;
use super::record::Record;
use super::success::Success;
use mrdeck_client::Client;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::TaskList;

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
    Failed(Diagnostic),
}

impl Stop {
    /// What is said of a check that did not come to its end.
    fn unverified(self) -> Diagnostic {
        match self {
            Self::Cancelled => Diagnostic::new("not verified: cancelled", "verify again"),
            Self::Failed(diagnostic) => Diagnostic {
                cause: format!("not verified: {}", diagnostic.cause),
                ..diagnostic
            },
        }
    }
}

impl From<Diagnostic> for Stop {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Failed(diagnostic)
    }
}

/// A run in progress. Everything it does becomes an event, and its own record is read from those.
pub(super) struct Runner {
    pub(super) record: Record,
    pub(super) tasks: watch::Receiver<TaskList>,
    pub(super) store: Arc<dyn Store>,
    pub(super) client: Client,
    pub(super) attempt_limit: Option<Duration>,
    /// Which addresses have to prove what serves there.
    pub(super) doubts: Doubts,
    /// This console's sign of life, once the run is planned.
    pub(super) claim: Option<Claim>,
    /// The success record that was there already.
    pub(super) recorded: Option<Success>,
    journal: Option<OpenJournal>,
    events: mpsc::Sender<RunEvent>,
    pub(super) cancel: CancellationToken,
}

/// Runs a job to its end and gives its record. The last event is `run_finished`, unless the run is not this console's
/// to go on with: then a notice says why.
pub async fn run(job: Job, context: Context) -> Record {
    let started = Instant::now();
    let mappers = u32::try_from(context.tasks.borrow().usable(Role::Mapper).count());
    let mappers = mappers.unwrap_or(u32::MAX);
    let mut beginning = Beginning::of(job, &context.cluster, mappers);
    let run = beginning.record.run;
    let opened = match &context.journal {
        Some(journal) => journal.open(run).await.map(Some),
        None => Ok(None),
    };
    let (journal, unrecorded) = match opened {
        Ok(journal) => (journal, None),
        // Two consoles on one machine would tear each other's record.
        Err(error @ JournalError::Locked { .. }) => {
            return refuse(beginning.record, error.diagnostic(), &context.events).await;
        }
        Err(error) => (None, Some(error.diagnostic())),
    };
    let renewed = match (&context.journal, &journal) {
        (Some(records), Some(_)) if beginning.kind == Kind::Resume => beginning.renew(records),
        _ => Ok(Vec::new()),
    };
    match renewed {
        Ok(news) => {
            for event in news {
                // It is in the record already; only the listeners have to hear of it. Nobody has to listen.
                let _ = context.events.send(event).await;
            }
        }
        Err(diagnostic) => return refuse(beginning.record, diagnostic, &context.events).await,
    }
    if beginning.is_over() {
        return beginning.record;
    }
    let Beginning {
        kind,
        record,
        before,
        first,
    } = beginning;
    let mut runner = Runner {
        record,
        tasks: context.tasks,
        store: context.store,
        client: context.client,
        attempt_limit: context.attempt_limit,
        doubts: Doubts::default(),
        claim: None,
        recorded: None,
        journal,
        events: context.events,
        cancel: context.cancel,
    };
    for event in before {
        runner.pass_on(event).await;
    }
    runner.emit(first).await;
    if let Some(diagnostic) = unrecorded {
        runner.emit(EventKind::Notice(diagnostic)).await;
    }
    let ended = match kind {
        Kind::Verify => runner.verify().await,
        Kind::New | Kind::Resume => runner.all_phases(kind).await,
    };
    let (status, diagnostic) = match ended {
        Ok(()) => (RunStatus::Done, None),
        // A result that could not be checked is still the result it was; one that is wrong is not.
        Err(stop) if kind == Kind::Verify && !runner.is_found_wrong() => {
            runner.emit(EventKind::Notice(stop.unverified())).await;
            (RunStatus::Done, None)
        }
        Err(Stop::Cancelled) => (RunStatus::Cancelled, None),
        Err(Stop::Failed(diagnostic)) => (RunStatus::Failed, Some(diagnostic)),
    };
    if let Some(claim) = runner.claim.take() {
        claim.end().await;
    }
    let wall_ms = millis(started);
    let finished = EventKind::RunFinished {
        status,
        wall_ms,
        diagnostic,
    };
    runner.emit(finished).await;
    runner.close_journal().await;
    runner.record
}

/// Nothing is done with the run: its record is another console's now, and stays as it is.
async fn refuse(
    mut record: Record,
    diagnostic: Diagnostic,
    events: &mpsc::Sender<RunEvent>,
) -> Record {
    let _ = events
        .send(event(EventKind::Notice(diagnostic.clone())))
        .await;
    record.status = RunStatus::Failed;
    record.diagnostic = Some(diagnostic);
    record
}

pub(super) fn event(kind: EventKind) -> RunEvent {
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
        self.pass_on(event).await;
    }

    async fn pass_on(&mut self, event: RunEvent) {
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.write(&event)
        {
            self.tell_unrecorded(error).await;
        }
        // Nobody listens any more: the run goes on for its record.
        let _ = self.events.send(event).await;
    }

    async fn tell_unrecorded(&mut self, error: JournalError) {
        let notice = event(EventKind::Notice(error.diagnostic()));
        self.record.apply(&notice);
        let _ = self.events.send(notice).await;
    }

    async fn close_journal(&mut self) {
        if let Some(journal) = self.journal.take()
            && let Err(error) = journal.close().await
        {
            self.tell_unrecorded(error).await;
        }
    }

    async fn all_phases(&mut self, kind: Kind) -> Result<(), Stop> {
        match kind {
            Kind::Resume => self.take_up().await?,
            _ => self.pin_input().await?,
        }
        if self.record.chunks.is_empty() {
            self.split().await?;
        }
        if self.claim.is_none() {
            self.claim(self.record.claim).await?;
        }
        if self.record.plan.is_none() {
            self.write_plan().await?;
        }
        self.count().await?;
        if self.recorded.is_some() {
            return Ok(());
        }
        self.verify_if_due().await?;
        // It must still be the one that the run began with.
        self.pin_input().await?;
        self.record_success().await
    }

    /// Recounts if that was asked for, or if nothing else shows that the counts are exact.
    async fn verify_if_due(&mut self) -> Result<(), Stop> {
        if self.is_found_exact() {
            return Ok(());
        }
        if !self.record.options.verify {
            let Some(why) = plan::unchecked(&self.record) else {
                return Ok(());
            };
            let notice = format!("{why}, so the whole input is recounted here");
            self.emit(EventKind::Notice(Diagnostic::new(notice, "")))
                .await;
        }
        self.verify().await
    }

    /// Map and reduce, until the result is what the maps counted.
    async fn count(&mut self) -> Result<(), Stop> {
        loop {
            if self.record.reduce.answer().is_none() {
                self.map().await?;
                if self.reduce().await? == Reduced::AfterMaps {
                    continue;
                }
            }
            if self.read_result().await? {
                return Ok(());
            }
        }
    }

    /// The address of an object that is kept beside the input.
    pub(super) fn beside_input(&self, at: Option<S3Uri>) -> Result<S3Uri, Stop> {
        at.ok_or_else(|| {
            let bucket = self.record.input.bucket();
            Stop::Failed(Diagnostic::new(
                format!("the bucket '{bucket}' can't keep what belongs to a run"),
                "choose another input",
            ))
        })
    }

    /// Waits for something that is not a task's answer, unless the run is cancelled.
    pub(super) async fn or_cancelled<T>(
        &self,
        step: impl Future<Output = Result<T, Diagnostic>>,
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

    pub(super) async fn pin_input(&mut self) -> Result<(), Stop> {
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
            Some(bytes) if meta.etag == self.record.input_etag && meta.size == bytes => Ok(()),
            Some(_) => Err(Stop::Failed(objects::input_changed(&input))),
        }
    }

    fn is_found_exact(&self) -> bool {
        let found = self.record.verification.as_ref();
        found.is_some_and(Verification::is_exact)
    }

    fn is_found_wrong(&self) -> bool {
        let found = self.record.verification.as_ref();
        found.is_some_and(|found| !found.is_exact())
    }
}
