//! The phases of a run in their order, and what must hold between them.

mod cut_objects;
mod map;
pub(crate) mod pin;
mod ranges;
mod reduce;
mod result;
mod split;
pub(crate) mod verify;

use std::time::Instant;

use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::{percent, thousands};
use tokio::join;
use tracing::{Instrument, info_span};

use self::pin::pin_input;
use self::reduce::Reduced;
use crate::checkpoint::{resume, success};
use crate::checks;
use crate::error::RunError;
use crate::event::EventKind;
use crate::run::{Run, millis};
use crate::scheduler::drive::drive;
use crate::scheduler::request::WorkRequest;
use crate::scheduler::{PendingWork, PhaseOutcome, PhaseSpec};
use crate::work::{Phase, Work};

/// An output that was found wrong is made again so often.
const MAX_INVALIDATIONS: u32 = 3;

/// Does everything that is missing of a run.
pub(crate) async fn all(run: &mut Run, is_resumed: bool) -> Result<(), RunError> {
    if is_resumed {
        resume::adopt(run).await?;
    } else {
        pin_input(run).await?;
    }
    if run.state().chunks.is_empty() {
        match run.state().input.as_object().cloned() {
            Some(input) => split::split(run, input).await?,
            None => cut_objects::cut(run).await,
        }
    }
    resume::begin(run).await?;
    count(run).await?;
    if run.success.is_some() {
        return Ok(());
    }
    if verify_if_due(run).await? {
        // It must still be the one that the run began with, after this reading too.
        pin::check_unchanged(run).await?;
    }
    let lease = run.lease.take();
    let farewell = async {
        if let Some(lease) = lease {
            lease.end().await;
        }
    };
    let (recorded, ()) = join!(success::record(run), farewell);
    recorded
}

/// Maps and reduces until the result is what the maps counted.
async fn count(run: &mut Run) -> Result<(), RunError> {
    loop {
        if run.state().reduce.answer().is_none() {
            map::map(run).await?;
            if reduce::reduce(run).await? == Reduced::MapsInvalidated {
                continue;
            }
        }
        if result::read(run).await? {
            return Ok(());
        }
    }
}

/// Recounts if that was asked for, or if nothing else shows that the counts are exact. Returns whether it did.
async fn verify_if_due(run: &mut Run) -> Result<bool, RunError> {
    if run.is_found_exact() {
        return Ok(false);
    }
    if !run.state().options.verify {
        let Some(why) = checks::unchecked(run.state()) else {
            return Ok(false);
        };
        let notice = format!("{why}, so the whole input is recounted here");
        run.notice(Diagnostic::new(notice, ""));
    }
    verify::verify(run).await?;
    Ok(true)
}

/// Says what share of the input is text in which the rules count no word, if that is known and not said yet.
fn tell_non_ascii(run: &mut Run, before: Option<u64>) {
    let state = run.state();
    let (Some(bytes), Some(non_ascii)) = (state.input_bytes, state.non_ascii()) else {
        return;
    };
    if non_ascii == 0 || before.is_some() {
        return;
    }
    let notice = format!(
        "{} of the input is not ASCII ({} of {} bytes): no words are counted there",
        percent(non_ascii, bytes),
        thousands(non_ascii),
        thousands(bytes)
    );
    run.notice(Diagnostic::new(notice, ""));
}

/// Runs the scheduler over a phase's work.
async fn schedule<R: WorkRequest>(
    run: &mut Run,
    phase: Phase,
    work: Vec<PendingWork<R>>,
    total: usize,
) -> Result<PhaseOutcome<R::Answer>, RunError> {
    run.emit(EventKind::PhaseStarted { phase });
    let started = Instant::now();
    let spec = PhaseSpec {
        work,
        total,
        name: run.attempt_name(),
        inputs: run.inputs(),
        attempt_limit: run.attempt_limit,
    };
    let context = run.attempt_context();
    let tasks = run.tasks.clone();
    let driven = drive(
        spec,
        &context,
        tasks,
        &mut run.identities,
        &mut run.recorder,
    );
    let outcome = driven.instrument(info_span!("phase", %phase)).await;
    finish(run, phase, started);
    outcome
}

fn finish(run: &mut Run, phase: Phase, started: Instant) {
    let wall_ms = millis(started);
    run.emit(EventKind::PhaseFinished { phase, wall_ms });
}

/// Invalidates a commit whose output proved wrong or gone.
fn invalidate(run: &mut Run, work: Work, attempt: u32, why: Diagnostic) -> Result<(), RunError> {
    let before = run.state().invalidations(work);
    let reason = why.cause.clone();
    run.emit(EventKind::Invalidated {
        work,
        attempt,
        diagnostic: why,
    });
    if before < MAX_INVALIDATIONS {
        return Ok(());
    }
    let times = before + 1;
    Err(RunError::WrongAgain {
        work,
        times,
        reason,
    })
}

/// Returns what to say of a phase whose work was given up.
fn gave_up<A>(run: &Run, phase: Phase, outcome: PhaseOutcome<A>) -> RunError {
    match outcome.last_error {
        Some(error) if error.is_input_changed() => {
            let whole = || run.state().input.clone();
            RunError::InputChanged(error.culprit().map_or_else(whole, |at| at.clone().into()))
        }
        Some(error) => error.into(),
        None => RunError::Unfinished(phase),
    }
}
