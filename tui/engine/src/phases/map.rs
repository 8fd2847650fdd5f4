//! The map phase: every chunk that has no output yet, and chunks whose copies are gone read from the input.

use mrdeck_client::MapRequest;
use mrdeck_core::api::ChunkRef;
use mrdeck_core::uri::S3Uri;

use super::{gave_up, schedule};
use crate::checkpoint::outputs;
use crate::checks;
use crate::error::RunError;
use crate::event::EventKind;
use crate::run::Run;
use crate::scheduler::PendingWork;
use crate::scheduler::error::AttemptError;
use crate::scheduler::request::MapWork;
use crate::state::RunState;
use crate::work::{ChunkIndex, Phase, Work};

pub(super) async fn map(run: &mut Run) -> Result<(), RunError> {
    loop {
        let missing = checks::missing_chunks(run.state());
        if missing.is_empty() {
            return Ok(());
        }
        let state = run.state();
        let work = missing.iter().filter_map(|index| pending(state, *index));
        let (work, total) = (work.collect(), state.chunks.len());
        let outcome = schedule(run, Phase::Map, work, total).await?;
        let failed = checks::missing_chunks(run.state());
        let is_mended = replace_lost(run, &outcome.culprits, &failed).await?;
        if !failed.is_empty() && !is_mended {
            let chunks = run.state().chunks.len();
            return Err(match gave_up(run, Phase::Map, outcome) {
                RunError::Attempt(source) => RunError::Unmapped {
                    failed: failed.len(),
                    chunks,
                    source,
                },
                error => error,
            });
        }
    }
}

fn pending(state: &RunState, index: ChunkIndex) -> Option<PendingWork<MapWork>> {
    let chunk = state.chunk(index)?;
    let chunks = u64::try_from(state.chunks.len()).unwrap_or(u64::MAX).max(1);
    let average = state.input_bytes.unwrap_or_default() / chunks;
    let source = chunk.source.clone();
    let is_many = state.input.as_object().is_none();
    let (bytes, etag) = match &source {
        ChunkRef::Range { start, end, .. } if !is_many => {
            (end.saturating_sub(*start), state.input_etag.clone())
        }
        _ => (chunk.bytes.unwrap_or(average), chunk.etag.clone()),
    };
    let request = MapWork {
        request: MapRequest { source, etag },
        cut_bytes: chunk.bytes,
        is_copy: !is_many,
    };
    let attempt = chunk.work.next_attempt();
    Some(PendingWork::new(Work::Map(index), request, bytes, attempt))
}

/// Has chunks whose copies are gone, or not what was cut, read from the input instead. Returns whether there was one.
async fn replace_lost(
    run: &mut Run,
    culprits: &[(S3Uri, AttemptError)],
    failed: &[ChunkIndex],
) -> Result<bool, RunError> {
    let mut any = false;
    if run.state().input.as_object().is_none() {
        // There are no copies.
        return Ok(false);
    }
    for &chunk in failed {
        let source = run.state().chunk(chunk).map(|chunk| &chunk.source);
        let Some(ChunkRef::Object(copy)) = source.cloned() else {
            continue;
        };
        let is_named = culprits.iter().any(|(object, _)| *object == copy);
        if !is_named && !outputs::is_gone(run.store.as_ref(), &copy).await {
            continue;
        }
        let Some(source) = checks::range_of(run.state(), chunk) else {
            if is_named {
                // It may only be what the services make of it.
                continue;
            }
            return Err(RunError::CopyGone { copy, chunk });
        };
        run.emit(EventKind::ChunkReplaced { chunk, source });
        any = true;
    }
    Ok(any)
}
