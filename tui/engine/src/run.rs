//! One run from its first event to its last: what it works with, how it begins, how it ends.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mrdeck_client::{AttemptName, Client};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::run_id::RunId;
use mrdeck_core::task::TaskList;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::Store;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info, info_span};

use crate::checkpoint::lease::Lease;
use crate::checkpoint::success::Success;
use crate::error::RunError;
use crate::event::{EventKind, RunEvent, RunStatus, Verification};
use crate::job::{Job, JobKind, Start};
use crate::journal::{Journal, JournalError, OpenJournal, ReadJournalError};
use crate::phases;
use crate::recorder::{Recorder, event};
use crate::scheduler::drive::AttemptContext;
use crate::scheduler::identity::Identities;
use crate::state::RunState;
use crate::work::Phase;

/// What a run works with.
pub struct Context {
    pub cluster: String,
    pub tasks: watch::Receiver<TaskList>,
    pub store: Arc<dyn Store>,
    pub client: Client,
    pub attempt_limit: Option<Duration>,
    /// Where the record is written; `None` keeps it in memory only.
    pub journal: Option<Journal>,
    /// Hears of every event. The run never waits for its reader.
    pub events: mpsc::UnboundedSender<RunEvent>,
    pub cancel: CancellationToken,
}

/// A run in progress. Everything it does becomes an event, and its own state is read from those.
pub(crate) struct Run {
    pub(crate) recorder: Recorder,
    pub(crate) tasks: watch::Receiver<TaskList>,
    pub(crate) store: Arc<dyn Store>,
    client: Client,
    pub(crate) attempt_limit: Option<Duration>,
    pub(crate) identities: Identities,
    /// That this console works on the run, once it is planned.
    pub(crate) lease: Option<Lease>,
    /// The success record that was there already.
    pub(crate) success: Option<Success>,
}

/// Runs a job to its end and returns its record. The last event is `run_finished`, unless the run is not this
/// console's to carry on: then a notice says why.
pub async fn run(job: Job, context: Context) -> RunState {
    let mappers = context.tasks.borrow().usable(Role::Mapper).count();
    let mappers = u32::try_from(mappers).unwrap_or(u32::MAX);
    let start = Start::of(job, &context.cluster, mappers);
    let span = info_span!("run", id = %start.record.run);
    carry_out(start, context).instrument(span).await
}

async fn carry_out(mut start: Start, context: Context) -> RunState {
    let started = Instant::now();
    let is_resumed = start.kind == JobKind::Resume;
    let opened = open(context.journal, start.record.run, is_resumed).await;
    let (journal, written, unrecorded) = match opened {
        Ok((journal, written)) => (journal, written, None),
        // Two consoles on one machine would tear each other's record.
        Err(OpenError::NotOurs(diagnostic)) => {
            return refuse(start.record, diagnostic, &context.events);
        }
        Err(OpenError::Unwritable(error)) => (None, None, Some(error)),
    };
    for event in start.renew(written) {
        // It is in the record already; only the listeners have to hear of it.
        let _ = context.events.send(event);
    }
    if start.is_over() {
        return start.record;
    }
    let mut run = Run {
        recorder: Recorder::new(start.record, journal, context.events),
        tasks: context.tasks,
        store: context.store,
        client: context.client,
        attempt_limit: context.attempt_limit,
        identities: Identities::default(),
        lease: None,
        success: None,
    };
    for event in start.before {
        run.recorder.pass_on(event);
    }
    run.emit(start.first);
    if let Some(error) = unrecorded {
        run.notice((&error).into());
    }
    let phases = async {
        match start.kind {
            JobKind::Verify => phases::verify::verify(&mut run).await,
            JobKind::New => phases::all(&mut run, false).await,
            JobKind::Resume => phases::all(&mut run, true).await,
        }
    };
    let ended = context.cancel.run_until_cancelled(phases).await;
    if ended.is_none() {
        run.end_cancelled();
    }
    // A result that could not be checked is still the result it was; one that is wrong is not.
    let stays_done = start.kind == JobKind::Verify && !run.is_found_wrong();
    let (status, diagnostic) = match ended {
        Some(Ok(())) => (RunStatus::Done, None),
        ended if stays_done => {
            run.notice(unverified(ended.and_then(Result::err)));
            (RunStatus::Done, None)
        }
        None => (RunStatus::Cancelled, None),
        Some(Err(error)) => (RunStatus::Failed, Some(Diagnostic::from(&error))),
    };
    if let Some(lease) = run.lease.take() {
        lease.end().await;
    }
    let wall_ms = millis(started);
    info!(%status, wall_ms, "finished");
    run.emit(EventKind::RunFinished {
        status,
        wall_ms,
        diagnostic,
    });
    run.recorder.close().await
}

/// Why a journal was not opened.
enum OpenError {
    /// The run continues without it.
    Unwritable(JournalError),
    /// The run is not this console's to carry on.
    NotOurs(Diagnostic),
}

/// Opens the run's journal, and reads what is in it if `read`.
async fn open(
    journal: Option<Journal>,
    run: RunId,
    read: bool,
) -> Result<(Option<OpenJournal>, Option<Vec<RunEvent>>), OpenError> {
    let Some(journal) = journal else {
        return Ok((None, None));
    };
    let opened = match journal.open(run).await {
        Ok(opened) => opened,
        Err(error @ JournalError::Locked { .. }) => {
            return Err(OpenError::NotOurs((&error).into()));
        }
        Err(error) => return Err(OpenError::Unwritable(error)),
    };
    if !read {
        return Ok((Some(opened), None));
    }
    let read = spawn_blocking(move || journal.read(run)).await;
    match read.unwrap_or_else(|error| Err(ReadJournalError::from(error))) {
        Ok(written) => Ok((Some(opened), written)),
        Err(error) => Err(OpenError::NotOurs((&error).into())),
    }
}

/// Does nothing with the run: its record is another console's now, and stays as it is.
fn refuse(
    mut record: RunState,
    diagnostic: Diagnostic,
    events: &mpsc::UnboundedSender<RunEvent>,
) -> RunState {
    let _ = events.send(event(EventKind::Notice(diagnostic.clone())));
    record.status = RunStatus::Failed;
    record.diagnostic = Some(diagnostic);
    record
}

/// Says that a check did not come to its end; `None` is a cancellation.
fn unverified(error: Option<RunError>) -> Diagnostic {
    match error.map(Diagnostic::from) {
        None => Diagnostic::new("not verified: cancelled", "verify again"),
        Some(why) => Diagnostic {
            cause: format!("not verified: {}", why.cause),
            ..why
        },
    }
}

pub(crate) fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

impl Run {
    pub(crate) fn state(&self) -> &RunState {
        &self.recorder.state
    }

    pub(crate) fn emit(&mut self, kind: EventKind) {
        self.recorder.emit(kind);
    }

    /// Says something that does not end the run.
    pub(crate) fn notice(&mut self, notice: Diagnostic) {
        self.emit(EventKind::Notice(notice));
    }

    /// Returns the address of an object that is kept beside the input.
    pub(crate) fn beside_input(&self, at: Option<S3Uri>) -> Result<S3Uri, RunError> {
        at.ok_or_else(|| {
            let bucket = self.state().input.bucket();
            RunError::UnusableBucket(bucket.to_owned())
        })
    }

    /// Returns the objects of the input.
    pub(crate) fn inputs(&self) -> HashSet<S3Uri> {
        let objects = self.state().counted_objects();
        objects.into_iter().map(|object| object.s3).collect()
    }

    /// Returns what every attempt works with.
    pub(crate) fn attempt_context(&self) -> AttemptContext {
        AttemptContext {
            client: self.client.clone(),
            store: self.store.clone(),
            input: self.state().input.clone(),
        }
    }

    /// Returns the run's part in the name of an attempt: the chunk and the number are still to be filled in.
    pub(crate) fn attempt_name(&self) -> AttemptName {
        let state = self.state();
        AttemptName {
            run: state.run,
            chunk: None,
            attempt: 0,
            lease: state.lease,
            plan: state.plan.clone(),
        }
    }

    /// Says of everything that a cancellation cut short that it ended.
    fn end_cancelled(&mut self) {
        let now = Timestamp::now();
        let in_flight: Vec<EventKind> = self
            .state()
            .all_work()
            .flat_map(|(work, record)| {
                let attempts = record.attempts.iter().filter(|a| a.is_in_flight());
                attempts.map(move |attempt| EventKind::AttemptAbandoned {
                    work,
                    attempt: attempt.number,
                    ms: attempt.elapsed_ms(now).unwrap_or_default(),
                })
            })
            .collect();
        let running = Phase::ALL.into_iter().filter_map(|phase| {
            let since = self.state().clock(phase).running_since?;
            let wall_ms = now.duration_since(since).as_secs_f64().max(0.0) * 1e3;
            Some(EventKind::PhaseFinished { phase, wall_ms })
        });
        let ends: Vec<EventKind> = in_flight.iter().cloned().chain(running).collect();
        for end in ends {
            self.emit(end);
        }
    }

    fn is_found_wrong(&self) -> bool {
        let found = self.state().verification.as_ref();
        found.is_some_and(|found| !found.is_exact())
    }

    pub(crate) fn is_found_exact(&self) -> bool {
        let found = self.state().verification.as_ref();
        found.is_some_and(Verification::is_exact)
    }
}
