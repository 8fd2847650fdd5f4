//! The success record in S3: that a run is done, with what result and from which attempts. Written once, at the end.

use jiff::Timestamp;
use mrdeck_core::api::OutputInfo;
use mrdeck_core::count::RULES;
use mrdeck_core::layout;
use mrdeck_core::uri::S3Uri;
use serde::{Deserialize, Serialize};

use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::run_id::RunId;

use super::objects::{self, Written};
use crate::error::RunError;
use crate::event::{AttemptAnswer, EventKind, ResultSummary, Verification};
use crate::input::Input;
use crate::run::Run;
use crate::state::RunState;
use crate::work::Phase;

/// `mr/runs/RUN/success.json`. Times are milliseconds; what is not known is null or left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Success {
    pub run: RunId,
    /// The SHA-256 of `plan.json`.
    pub plan: Option<String>,
    /// The version of the counting rules.
    pub rules: u32,
    pub input: Input,
    pub etag: Option<String>,
    pub bytes: Option<u64>,
    /// The final counts and the SHA-256 of their bytes.
    pub out: S3Uri,
    pub sha256: String,
    pub words: u64,
    pub unique: u64,
    /// The counts were compared with a recount of the whole input.
    pub verified: bool,
    pub finished_at: Timestamp,
    pub split_ms: Option<f64>,
    pub map_wall_ms: Option<f64>,
    pub reduce_ms: Option<f64>,
    /// The attempt that counts for each chunk, in the chunks' order.
    pub chunks: Vec<CommittedChunk>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CommittedChunk {
    pub attempt: Option<u32>,
    pub attempts: usize,
    pub task: Option<String>,
    pub out: Option<S3Uri>,
    #[serde(flatten)]
    pub info: OutputInfo,
    pub ms: Option<f64>,
}

impl Success {
    pub(crate) fn of(record: &RunState, result: &ResultSummary, now: Timestamp) -> Self {
        let chunks = record.chunks.iter().map(|chunk| {
            let work = &chunk.work;
            let answer = work.answer();
            CommittedChunk {
                attempt: work.committed,
                attempts: work.attempts.len(),
                task: work
                    .committed_attempt()
                    .map(|attempt| attempt.task.0.clone()),
                out: answer.and_then(|answer| answer.out.clone()),
                info: answer.map(|answer| answer.info.clone()).unwrap_or_default(),
                ms: work.result().map(|(ms, _)| ms),
            }
        });
        Self {
            run: record.run,
            plan: record.plan.clone(),
            rules: RULES,
            input: record.input.clone(),
            etag: record.input_etag.clone(),
            bytes: record.input_bytes,
            out: result.out.clone(),
            sha256: result.sha256.clone(),
            words: result.words,
            unique: result.unique,
            verified: record
                .verification
                .as_ref()
                .is_some_and(Verification::is_exact),
            finished_at: now,
            split_ms: record.split_ms(),
            map_wall_ms: record.clock(Phase::Map).wall_ms,
            reduce_ms: record.reduce.result().map(|(ms, _)| ms),
            chunks: chunks.collect(),
        }
    }
}

pub(crate) fn read(at: &S3Uri, body: &[u8]) -> Result<Success, RunError> {
    serde_json::from_slice(body).map_err(|source| RunError::NotSuccess {
        at: at.clone(),
        source,
    })
}

impl Success {
    /// Returns what the reduce answered, as far as the record has it.
    pub(crate) fn answer(&self) -> AttemptAnswer {
        AttemptAnswer {
            out: Some(self.out.clone()),
            info: OutputInfo {
                words: Some(self.words),
                unique: Some(self.unique),
                sha256: Some(self.sha256.clone()),
                ..OutputInfo::default()
            },
            timing: Vec::new(),
        }
    }

    /// Refuses a success record that is not about the run that the record is about.
    pub(crate) fn check(&self, record: &RunState) -> Result<(), RunError> {
        let is_its_plan = record.plan.is_none() || self.plan == record.plan;
        let is_all_of_it = record.chunks.is_empty() || self.chunks.len() == record.chunks.len();
        let is_its_input = self.input == record.input
            && self.etag == record.input_etag
            && self.bytes == record.input_bytes;
        if self.run == record.run
            && self.rules == RULES
            && is_its_plan
            && is_all_of_it
            && is_its_input
        {
            return Ok(());
        }
        Err(RunError::OtherSuccess)
    }
}

/// Returns where the success record of a run is, beside its input.
pub(crate) fn address(input: &Input, run: RunId) -> Option<S3Uri> {
    input.sibling(&layout::success(&run.to_string())).ok()
}

/// Records that the run is done. If another console did so before, with the same result, that is as good.
pub(crate) async fn record(run: &mut Run) -> Result<(), RunError> {
    let state = run.state();
    let (Some(result), None) = (&state.result, &run.success) else {
        return Ok(());
    };
    let at = run.beside_input(address(&state.input, state.run))?;
    let own = Success::of(state, result, Timestamp::now());
    let body = serde_json::to_vec_pretty(&own).map_err(|source| RunError::NoJson {
        what: "success record",
        source,
    })?;
    if let Written::Before(body) = objects::write_new(run.store.as_ref(), &at, &body).await? {
        let theirs = read(&at, &body)?;
        if theirs.sha256 != own.sha256 {
            return Err(RunError::OtherResult(theirs.out));
        }
        let notice = "another console finished this run first, with the same result";
        run.notice(Diagnostic::new(notice, ""));
    }
    run.emit(EventKind::SuccessRecorded);
    Ok(())
}
