//! A run as one JSON object, for programs. Times are milliseconds; what is unknown is null.

use serde::Serialize;

use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_engine::event::{RunStatus, Verification};
use mrdeck_engine::state::RunState;
use mrdeck_engine::stats::map_stats;
use mrdeck_engine::work::Phase;

#[derive(Debug, Serialize)]
pub struct RunReport<'a> {
    run: String,
    input: String,
    status: RunStatus,
    phases: Phases<'a>,
    words: Option<u64>,
    unique: Option<u64>,
    input_bytes: Option<u64>,
    /// How many objects the input is.
    input_objects: Option<usize>,
    /// The input's bytes that are not ASCII, in which no words are counted; and their share of it, 0 to 1.
    non_ascii_bytes: Option<u64>,
    non_ascii_share: Option<f64>,
    out: Option<String>,
    /// Null if the run was not verified.
    verified: Option<bool>,
    total_ms: f64,
    top: Vec<TopWord<'a>>,
    /// Why the run failed, and what to do.
    error: Option<&'a Diagnostic>,
}

#[derive(Debug, Serialize)]
struct Phases<'a> {
    split: Single,
    map: MapPhase<'a>,
    reduce: Single,
    verify: Single,
}

#[derive(Debug, Serialize)]
struct Single {
    ms: Option<f64>,
}

#[derive(Debug, Serialize)]
struct MapPhase<'a> {
    wall_ms: Option<f64>,
    sum_ms: Option<f64>,
    parallelism: Option<f64>,
    chunks: Vec<ChunkRow<'a>>,
}

#[derive(Debug, Serialize)]
struct ChunkRow<'a> {
    chunk: usize,
    /// The task of the committed attempt, or of the last one.
    task: Option<&'a str>,
    ip: Option<&'a str>,
    attempts: usize,
    ms: Option<f64>,
    words: Option<u64>,
}

#[derive(Debug, Serialize)]
struct TopWord<'a> {
    word: &'a str,
    count: u64,
}

impl<'a> RunReport<'a> {
    pub fn new(record: &'a RunState, top: usize) -> Self {
        let stats = map_stats(record);
        // A refused result is no result.
        let is_done = record.status == RunStatus::Done;
        let result = record.result.as_ref().filter(|_| is_done);
        Self {
            run: record.run.to_string(),
            input: record.input.to_string(),
            status: record.status,
            phases: Phases {
                split: Single {
                    ms: record.split_ms(),
                },
                map: MapPhase {
                    wall_ms: record.clock(Phase::Map).wall_ms,
                    sum_ms: stats.as_ref().map(|stats| stats.sum_ms),
                    parallelism: stats.as_ref().map(|stats| stats.parallelism),
                    chunks: chunk_rows(record),
                },
                reduce: Single {
                    ms: record.reduce.result().map(|(ms, _)| ms),
                },
                verify: Single {
                    ms: record.clock(Phase::Verify).wall_ms,
                },
            },
            words: result.map(|result| result.words),
            unique: result.map(|result| result.unique),
            input_bytes: record.input_bytes,
            input_objects: record.input_bytes.map(|_| record.objects.len().max(1)),
            non_ascii_bytes: record.non_ascii(),
            non_ascii_share: non_ascii_share(record),
            out: result.map(|result| result.out.to_string()),
            verified: record.verification.as_ref().map(Verification::is_exact),
            total_ms: record.wall_ms,
            top: result
                .map(|result| result.top.iter().take(top).map(top_word).collect())
                .unwrap_or_default(),
            error: record.diagnostic.as_ref(),
        }
    }
}

fn non_ascii_share(record: &RunState) -> Option<f64> {
    let bytes = record.input_bytes.filter(|bytes| *bytes > 0)?;
    Some(record.non_ascii()? as f64 / bytes as f64)
}

fn top_word((word, count): &(String, u64)) -> TopWord<'_> {
    TopWord {
        word,
        count: *count,
    }
}

fn chunk_rows(record: &RunState) -> Vec<ChunkRow<'_>> {
    record
        .chunks
        .iter()
        .enumerate()
        .map(|(chunk, entry)| {
            let work = &entry.work;
            let shown = work.committed_attempt().or(work.attempts.last());
            ChunkRow {
                chunk,
                task: shown.map(|attempt| attempt.task.0.as_str()),
                ip: shown.map(|attempt| host(&attempt.address)),
                attempts: work.attempts.len(),
                ms: work.result().map(|(ms, _)| ms),
                words: work.answer().and_then(|answer| answer.info.words),
            }
        })
        .collect()
}

/// Returns the address without its port.
fn host(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}
