//! Carries out what a [`Scheduler`] decides: spawns attempts, waits for what happens next, tells it.

use std::collections::HashMap;
use std::time::Instant;

use mrdeck_core::task::TaskList;
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::sleep_until;
use tracing::Instrument;

pub(crate) use super::attempt::AttemptContext;
use super::attempt::{self, AttemptId, AttemptResult, GiveUp};
use super::identity::Identities;
use super::request::WorkRequest;
use super::{Action, NoWorker, PhaseOutcome, PhaseSpec, Scheduler};
use crate::error::RunError;
use crate::recorder::Recorder;

/// An attempt in flight, as the driver can reach it.
struct Handle {
    /// Taken once it is told.
    give_up: Option<oneshot::Sender<GiveUp>>,
    abort: AbortHandle,
}

/// Does all the work of a phase. Dropped before its end, it ends every attempt in flight.
pub(crate) async fn drive<R: WorkRequest>(
    spec: PhaseSpec<R>,
    context: &AttemptContext,
    mut tasks: watch::Receiver<TaskList>,
    identities: &mut Identities,
    recorder: &mut Recorder,
) -> Result<PhaseOutcome<R::Answer>, RunError> {
    let mut scheduler = Scheduler::new(spec, identities);
    let mut attempts = Attempts {
        running: JoinSet::new(),
        handles: HashMap::new(),
    };
    tasks.mark_changed();
    loop {
        if tasks.has_changed().map_err(|_| RunError::ClusterGone)? {
            scheduler.tasks_changed(&tasks.borrow_and_update().clone());
        }
        let actions = scheduler.poll(Instant::now());
        let actions = actions.map_err(|NoWorker(role)| RunError::NoWorker(role))?;
        for action in actions {
            attempts.carry_out(action, context, recorder);
        }
        if scheduler.is_done() {
            return Ok(scheduler.into_outcome());
        }
        let wakeup = scheduler.next_wakeup(Instant::now());
        tokio::select! {
            // Results first: one that is there must not be overtaken by its deadline.
            biased;
            Some(ended) = attempts.running.join_next() => {
                let mut next = Some(ended);
                while let Some(ended) = next {
                    if let Some(result) = attempts.ended(ended) {
                        scheduler.finished(result, Instant::now());
                    }
                    next = attempts.running.try_join_next();
                }
            }
            changed = tasks.changed() => {
                changed.map_err(|_| RunError::ClusterGone)?;
                tasks.mark_changed();
            }
            () = at(wakeup) => {}
        }
    }
}

struct Attempts<A> {
    running: JoinSet<AttemptResult<A>>,
    handles: HashMap<AttemptId, Handle>,
}

impl<A: Send + 'static> Attempts<A> {
    fn carry_out<R: WorkRequest<Answer = A>>(
        &mut self,
        action: Action<R>,
        context: &AttemptContext,
        recorder: &mut Recorder,
    ) {
        match action {
            Action::Emit(event) => recorder.emit(event),
            Action::Start(spec) => {
                let id = (spec.work, spec.name.attempt);
                let (give_up, told) = oneshot::channel();
                let attempt = attempt::run(spec, context.clone(), told);
                // So that its span is within those of its run and phase.
                let abort = self.running.spawn(attempt.in_current_span());
                let give_up = Some(give_up);
                self.handles.insert(id, Handle { give_up, abort });
            }
            Action::GiveUp(id, why) => {
                let handle = self.handles.get_mut(&id);
                if let Some(give_up) = handle.and_then(|handle| handle.give_up.take()) {
                    // One that ends in this moment needs no telling.
                    let _ = give_up.send(why);
                }
            }
            Action::Abort(id) => {
                if let Some(handle) = self.handles.remove(&id) {
                    handle.abort.abort();
                }
            }
        }
    }

    /// Returns the result of an attempt that was not aborted.
    fn ended(&mut self, ended: Result<AttemptResult<A>, JoinError>) -> Option<AttemptResult<A>> {
        match ended {
            Ok(result) => {
                self.handles.remove(&result.id);
                Some(result)
            }
            Err(error) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
                None
            }
        }
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}
