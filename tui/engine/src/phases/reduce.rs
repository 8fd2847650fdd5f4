//! The reduce phase: adds the committed map outputs up, or finds out which of them have to be made again.

use mrdeck_client::ReduceRequest;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::uri::S3Uri;

use super::{gave_up, invalidate, schedule};
use crate::checkpoint::outputs;
use crate::checks;
use crate::error::RunError;
use crate::run::Run;
use crate::scheduler::PendingWork;
use crate::scheduler::request::ReduceWork;
use crate::work::{ChunkIndex, Phase, Work};

/// What one map output adds to the bytes by which a deadline grows, so that it is 30 ms: a request to S3, and a table of
/// words that other outputs have as well.
const OUTPUT: u64 = 32 << 10;

/// What came of a reduce.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reduced {
    Committed,
    /// Map outputs were invalidated: they have to be made again first.
    MapsInvalidated,
}

pub(super) async fn reduce(run: &mut Run) -> Result<Reduced, RunError> {
    let state = run.state();
    let inputs = checks::reduce_inputs(state)?;
    let sha256 = checks::reduce_hashes(state);
    let request = ReduceWork {
        request: ReduceRequest { inputs, sha256 },
    };
    let outputs = u64::try_from(state.chunks.len()).unwrap_or(u64::MAX);
    let bytes = state.input_bytes.unwrap_or_default();
    let bytes = bytes.saturating_add(outputs.saturating_mul(OUTPUT));
    let attempt = state.reduce.next_attempt();
    let work = PendingWork::new(Work::Reduce, request, bytes, attempt);
    let outcome = schedule(run, Phase::Reduce, vec![work], 1).await?;
    if outcome.answer.is_some() {
        return Ok(Reduced::Committed);
    }
    for (object, error) in &outcome.culprits {
        invalidate_map(run, object, error.into())?;
    }
    // The reducer stops at the first one, and not every reducer says which it was.
    let lost = outputs::verify_outputs(run.store.as_ref(), run.state()).await;
    for (object, what) in lost {
        let cause = format!("{object} {what}");
        invalidate_map(run, &object, Diagnostic::new(cause, ""))?;
    }
    if checks::missing_chunks(run.state()).is_empty() {
        return Err(gave_up(run, Phase::Reduce, outcome));
    }
    Ok(Reduced::MapsInvalidated)
}

/// The map output at this address is not what it should be: its commit is invalidated.
fn invalidate_map(run: &mut Run, object: &S3Uri, why: Diagnostic) -> Result<(), RunError> {
    let chunks = &run.state().chunks;
    let found = ChunkIndex::all(chunks.len())
        .zip(chunks)
        .filter(|(_, chunk)| chunk.work.out() == Some(object))
        .find_map(|(index, chunk)| Some((Work::Map(index), chunk.work.committed?)));
    match found {
        Some((work, attempt)) => invalidate(run, work, attempt, why),
        None => Ok(()),
    }
}
