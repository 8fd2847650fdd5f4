//! The success record in S3: that a run is done, with what result and from which attempts. Written once, at the end.

use jiff::Timestamp;
use mrdeck_core::count::RULES;
use mrdeck_core::layout;
use mrdeck_core::uri::S3Uri;
use serde::{Deserialize, Serialize};

use super::event::{Phase, ResultSummary, Verification};
use super::record::Record;
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::run_id::RunId;

/// `mr/runs/RUN/success.json`. Times are milliseconds; what is not known is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Success {
    pub run: RunId,
    /// The SHA-256 of `plan.json`.
    pub plan: Option<String>,
    /// The version of the counting rules.
    pub rules: u32,
    pub input: S3Uri,
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
pub struct CommittedChunk {
    pub attempt: Option<u32>,
    pub attempts: usize,
    pub task: Option<String>,
    pub out: Option<S3Uri>,
    pub sha256: Option<String>,
    pub words: Option<u64>,
    pub ms: Option<f64>,
}

impl Success {
    pub fn of(record: &Record, result: &ResultSummary, now: Timestamp) -> Self {
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
                sha256: answer.and_then(|answer| answer.sha256.clone()),
                words: answer.and_then(|answer| answer.words),
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
            split_ms: record.split.result().map(|(ms, _)| ms),
            map_wall_ms: record.clock(Phase::Map).wall_ms,
            reduce_ms: record.reduce.result().map(|(ms, _)| ms),
            chunks: chunks.collect(),
        }
    }
}

pub fn read(at: &S3Uri, body: &[u8]) -> Result<Success, Diagnostic> {
    serde_json::from_slice(body).map_err(|error| {
        Diagnostic::new(
            format!("{at} is not a success record: {error}"),
            "see who else writes into this bucket, and run again from the start",
        )
        .of_kind(DiagnosticKind::Refused)
    })
}

impl Success {
    /// Refuses a success record that is not about the run that the record is about.
    pub fn check(&self, record: &Record) -> Result<(), Diagnostic> {
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
        Err(Diagnostic::new(
            "the success record in S3 is not about this run, or about another version of its input",
            "see who else writes into this bucket, and run again from the start",
        )
        .of_kind(DiagnosticKind::Refused))
    }
}

/// Where the success record of a run is, beside its input.
pub fn address(input: &S3Uri, run: RunId) -> Option<S3Uri> {
    input.sibling(&layout::success(&run.to_string())).ok()
}
