//! Carrying a run on: whose it is, what its manifest says, and what of it is done already.

use std::time::Duration;

use jiff::Timestamp;
use mrdeck_core::api::OutputAnswer;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::digest::Digest;
use mrdeck_core::human::plural;
use mrdeck_core::layout;
use mrdeck_core::run_id::RunId;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::Store;
use tokio::join;
use tokio::time::timeout;

use super::lease::Lease;
use super::manifest::{self, Manifest};
use super::objects::{self, Written};
use super::outputs::{self, Output, Outputs};
use super::success::{self, Success};
use crate::checks;
use crate::error::RunError;
use crate::event::{AttemptAnswer, EventKind, RunEvent, Verification};
use crate::job::Job;
use crate::phases::pin::pin_input;
use crate::run::Run;
use crate::state::RunState;
use crate::work::{ChunkIndex, Phase, Work};

/// How long a look for other consoles may take.
const LEASES_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns the job that carries on a run of which this machine has no record, as its manifest in S3 tells it.
///
/// # Errors
///
/// Returns why there is no such run, or why it can't be carried on.
pub async fn from_s3(store: &dyn Store, bucket: &str, run: RunId) -> Result<Job, RunError> {
    let key = layout::plan(&run.to_string());
    let at = S3Uri::new(bucket, &key);
    let at = at.map_err(|_| RunError::UnusableBucket(bucket.to_owned()))?;
    let Some(body) = objects::read_if_there(store, &at).await? else {
        return Err(RunError::NoSuchRun { run, at });
    };
    let manifest = Manifest::read(&at.to_string(), &body, run)?;
    let at = manifest.planned_at;
    let before = [
        EventKind::RunStarted {
            run,
            input: manifest.input,
            cluster: manifest.cluster,
            mappers: 0,
            options: manifest.options,
        },
        EventKind::InputPinned {
            bytes: manifest.bytes,
            etag: manifest.etag,
            objects: manifest.objects,
        },
        EventKind::ChunksPlanned {
            chunks: manifest.chunks,
            sizes: manifest.sizes,
            etags: manifest.etags,
        },
        EventKind::PlanWritten {
            plan: Digest::of(&body).to_string(),
        },
    ];
    let before = before.map(|kind| RunEvent { at, kind });
    let Some(record) = RunState::from_events(&before) else {
        unreachable!("a record begins with `RunStarted`, which is the first");
    };
    Ok(Job::Resume {
        record: Box::new(record.stopped()),
        before: before.into(),
    })
}

/// Takes over everything that an earlier console left: afterwards only what is missing has to be done.
pub(crate) async fn adopt(run: &mut Run) -> Result<(), RunError> {
    take_lease(run, run.state().lease + 1).await?;
    if let Some(success) = recorded_success(run).await? {
        read_manifest(run).await?;
        success.check(run.state())?;
        adopt_success(run, success);
        return Ok(());
    }
    pin_input(run).await?;
    read_manifest(run).await?;
    if let Err(error) = adopt_outputs(run).await {
        let why = Diagnostic::from(&error);
        let cause = format!(
            "what an earlier console left can't be looked up, so it is done again: {}",
            why.cause
        );
        run.notice(Diagnostic { cause, ..why });
    }
    Ok(())
}

/// Says in S3 that this console works on the run.
async fn take_lease(run: &mut Run, from: u32) -> Result<(), RunError> {
    let lease = lease(run, from).await?;
    hold(run, lease).await;
    Ok(())
}

async fn lease(run: &Run, from: u32) -> Result<Lease, RunError> {
    let state = run.state();
    Lease::take(run.store.clone(), &state.input, state.run, from).await
}

async fn hold(run: &mut Run, lease: Lease) {
    let number = lease.number;
    run.emit(EventKind::LeaseTaken { lease: number });
    if number > 1
        // A courtesy, which must not take long.
        && let Ok(Some(notice)) = timeout(LEASES_TIMEOUT, lease.concurrent_holders()).await
    {
        run.notice(notice);
    }
    run.lease = Some(lease);
}

/// Takes the lease and writes the manifest, whichever is missing. Where both are, of a new run of which no other console
/// knows, at the same time.
pub(crate) async fn begin(run: &mut Run) -> Result<(), RunError> {
    let (needs_lease, needs_manifest) = (run.lease.is_none(), run.state().plan.is_none());
    if needs_lease && needs_manifest {
        let own = own_manifest(run)?;
        let (lease, written) = join!(lease(run, run.state().lease), own.write(run));
        hold(run, lease?).await;
        return settle(run, &own, written?);
    }
    if needs_lease {
        take_lease(run, run.state().lease).await?;
    }
    if needs_manifest {
        let own = own_manifest(run)?;
        let written = own.write(run).await?;
        settle(run, &own, written)?;
    }
    Ok(())
}

fn manifest_address(run: &Run) -> Result<S3Uri, RunError> {
    let state = run.state();
    run.beside_input(manifest::address(&state.input, state.run))
}

/// This console's manifest on its way to S3.
struct OwnManifest {
    at: S3Uri,
    body: Vec<u8>,
}

fn own_manifest(run: &Run) -> Result<OwnManifest, RunError> {
    let manifest = Manifest::of(run.state(), Timestamp::now());
    let body = serde_json::to_vec_pretty(&manifest).map_err(|source| RunError::NoJson {
        what: "manifest",
        source,
    })?;
    let at = manifest_address(run)?;
    Ok(OwnManifest { at, body })
}

impl OwnManifest {
    /// Writes it, unless another console was faster.
    async fn write(&self, run: &Run) -> Result<Written, RunError> {
        objects::write_new(run.store.as_ref(), &self.at, &self.body).await
    }
}

/// Follows this console's manifest, or another's that was there before.
fn settle(run: &mut Run, own: &OwnManifest, written: Written) -> Result<(), RunError> {
    match written {
        Written::Now => {
            let plan = Digest::of(&own.body).to_string();
            run.emit(EventKind::PlanWritten { plan });
            Ok(())
        }
        Written::Before(body) => follow(run, &own.at, &body),
    }
}

/// Reads the manifest as it is in S3, if it is there.
async fn read_manifest(run: &mut Run) -> Result<(), RunError> {
    let at = manifest_address(run)?;
    let body = objects::read_if_there(run.store.as_ref(), &at).await?;
    match (body, &run.state().plan) {
        (None, None) => Ok(()),
        (Some(body), None) => follow(run, &at, &body),
        (Some(body), Some(plan)) if Digest::of(&body).to_string() == *plan => Ok(()),
        (Some(_), Some(_)) => Err(RunError::OtherManifest(at)),
        (None, Some(_)) => {
            let notice =
                format!("the manifest {at} is gone; this machine's record of the run is followed");
            run.notice(Diagnostic::new(notice, ""));
            Ok(())
        }
    }
}

/// Follows a manifest that is in S3, whatever this console had in mind.
fn follow(run: &mut Run, at: &S3Uri, body: &[u8]) -> Result<(), RunError> {
    let state = run.state();
    let there = Manifest::read(&at.to_string(), body, state.run)?;
    let is_same_input = there.input == state.input
        && there.etag == state.input_etag
        && Some(there.bytes) == state.input_bytes
        && there.objects == state.objects;
    if !is_same_input {
        return Err(RunError::InputChanged(state.input.clone()));
    }
    let is_new =
        state.chunks.is_empty() || !there.agrees_with(&Manifest::of(state, Timestamp::now()));
    if is_new {
        run.emit(EventKind::ChunksPlanned {
            chunks: there.chunks,
            sizes: there.sizes,
            etags: there.etags,
        });
    }
    let plan = Digest::of(body).to_string();
    run.emit(EventKind::PlanWritten { plan });
    Ok(())
}

/// Commits outputs that attempts left in S3 and that this console has not heard of.
async fn adopt_outputs(run: &mut Run) -> Result<(), RunError> {
    if run.state().plan.is_none() {
        return Ok(());
    }
    let missing = checks::missing_chunks(run.state()).len();
    if missing > 0 {
        for found in outputs(run, Phase::Map).await? {
            let Some(chunk) = found.chunk.filter(|chunk| fits(run, *chunk, &found)) else {
                continue;
            };
            let work = Work::Map(chunk);
            let number = number(run, work, &found.attempt);
            commit_found(run, work, number, found.answer);
        }
    }
    let adopted = missing - checks::missing_chunks(run.state()).len();
    if adopted > 0 {
        let outputs = plural(adopted as u64, "map output");
        let notice = format!("{outputs} of an earlier console found in S3: not mapped again");
        run.notice(Diagnostic::new(notice, ""));
    }
    let is_mapped = checks::missing_chunks(run.state()).is_empty();
    if is_mapped && run.state().reduce.answer().is_none() {
        let files = u64::try_from(run.state().chunks.len()).ok();
        let outputs = outputs(run, Phase::Reduce).await?;
        let whole = |found: &Output| found.answer.info.files == files;
        if let Some(found) = outputs.into_iter().find(whole) {
            let number = number(run, Work::Reduce, &found.attempt);
            commit_found(run, Work::Reduce, number, found.answer);
        }
    }
    Ok(())
}

async fn outputs(run: &mut Run, phase: Phase) -> Result<Vec<Output>, RunError> {
    let looked = outputs::outputs(run.store.as_ref(), run.state(), phase).await?;
    let Outputs { found, unseen } = looked;
    if let Some((count, error)) = unseen {
        let why = Diagnostic::from(&error);
        let outputs = plural(count as u64, "output");
        let cause = format!(
            "{outputs} of an earlier console can't be looked at, and may be made again: {}",
            why.cause
        );
        run.notice(Diagnostic { cause, ..why });
    }
    Ok(found)
}

/// Returns whether this is an output of a chunk that has none yet, and all of it.
fn fits(run: &Run, chunk: ChunkIndex, found: &Output) -> bool {
    let Some(known) = run.state().chunk(chunk) else {
        return false;
    };
    let Some(out) = found.answer.out.clone() else {
        return false;
    };
    let answer = OutputAnswer {
        out,
        info: found.answer.info.clone(),
        of: None,
    };
    known.work.answer().is_none()
        && checks::check_map(&known.source, known.bytes, &run.attempt_name(), &answer).is_ok()
}

/// Returns the number of an attempt by its name in S3: its own if this record knows it, else a new one.
fn number(run: &Run, work: Work, attempt: &str) -> u32 {
    let Some(known) = run.state().work(work) else {
        return 1;
    };
    let mut numbers = known.attempts.iter().map(|attempt| attempt.number);
    numbers
        .find(|number| number.to_string() == attempt)
        .unwrap_or_else(|| known.next_attempt())
}

fn commit_found(run: &mut Run, work: Work, attempt: u32, answer: AttemptAnswer) {
    run.emit(EventKind::AttemptFound {
        work,
        attempt,
        answer,
    });
    run.emit(EventKind::Committed { work, attempt });
}

async fn recorded_success(run: &Run) -> Result<Option<Success>, RunError> {
    let state = run.state();
    let at = run.beside_input(success::address(&state.input, state.run))?;
    let body = objects::read_if_there(run.store.as_ref(), &at).await?;
    body.map(|body| success::read(&at, &body)).transpose()
}

/// The run is done: everything that counts is what its success record says.
fn adopt_success(run: &mut Run, success: Success) {
    let notice = format!(
        "the run was done at {}",
        success.finished_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    );
    run.notice(Diagnostic::new(notice, ""));
    for (index, chunk) in ChunkIndex::all(success.chunks.len()).zip(&success.chunks) {
        let work = Work::Map(index);
        let known = run.state().work(work);
        let is_missing = known.is_some_and(|work| work.answer().is_none());
        if is_missing && chunk.out.is_some() {
            let answer = AttemptAnswer {
                out: chunk.out.clone(),
                info: chunk.info.clone(),
                timing: Vec::new(),
            };
            let number = number(run, work, "");
            commit_found(run, work, number, answer);
        }
    }
    if run.state().reduce.out() != Some(&success.out) {
        let number = number(run, Work::Reduce, "");
        commit_found(run, Work::Reduce, number, success.answer());
    }
    if success.verified && run.state().verification.is_none() {
        run.emit(EventKind::Verified(Verification::default()));
    }
    run.success = Some(success);
}
