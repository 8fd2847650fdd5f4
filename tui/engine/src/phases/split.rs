//! The split: how the input is cut into chunks, and which versions of the copies count.

use mrdeck_client::SplitRequest;
use mrdeck_core::api::SplitMode;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::uri::S3Uri;

use super::ranges::all_know_ranges;
use super::{gave_up, schedule};
use crate::checkpoint::outputs;
use crate::checks;
use crate::error::RunError;
use crate::event::{EventKind, SplitChoice};
use crate::run::Run;
use crate::scheduler::PendingWork;
use crate::scheduler::error::AttemptError;
use crate::scheduler::request::SplitWork;
use crate::work::{Phase, Work};

/// Has the splitter cut an input that is one object.
pub(super) async fn split(run: &mut Run, input: S3Uri) -> Result<(), RunError> {
    let bytes = run.state().input_bytes.unwrap_or_default();
    let asked = run.state().options.chunks;
    let mode = match run.state().options.split {
        SplitChoice::Range => SplitMode::Range,
        SplitChoice::Auto if all_know_ranges(run).await => SplitMode::Range,
        SplitChoice::Copy | SplitChoice::Auto => SplitMode::Copy,
    };
    let default = || checks::default_chunks(bytes, run.state().mappers);
    let mut chunks = asked.unwrap_or_else(default);
    let answer = loop {
        let request = SplitRequest {
            input: input.clone(),
            chunks,
            mode,
            etag: run.state().input_etag.clone(),
        };
        let request = SplitWork {
            request,
            input_bytes: bytes,
        };
        let attempt = run.state().split.next_attempt();
        let work = PendingWork::new(Work::Split, request, bytes, attempt);
        let outcome = schedule(run, Phase::Split, vec![work], 1).await?;
        let too_many = outcome
            .last_error
            .as_ref()
            .is_some_and(AttemptError::is_too_many_chunks);
        match outcome.answer {
            Some(answer) => break answer,
            // No particular number was asked for: a text of few words is one chunk.
            None if too_many && asked.is_none() && chunks > 1 => chunks = 1,
            None => return Err(gave_up(run, Phase::Split, outcome)),
        }
    };
    let count = answer.chunks.len();
    if count != chunks as usize {
        let notice = format!("asked for {chunks} chunks, the splitter made {count}");
        run.notice(Diagnostic::new(notice, ""));
    }
    let (chunks, sizes) = (answer.chunks, answer.sizes);
    let etags = outputs::versions(run.store.as_ref(), &chunks).await?;
    run.emit(EventKind::ChunksPlanned {
        chunks,
        sizes,
        etags,
    });
    Ok(())
}
