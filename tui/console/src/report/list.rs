//! Past runs as a table, and as JSON.

use jiff::Timestamp;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::{bytes, duration, elide, printable, thousands};
use mrdeck_core::run_id::RunId;
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::state::RunState;
use mrdeck_engine::work::Phase;
use serde::Serialize;

use super::text_table;

/// The most characters of an input's name.
const NAME: usize = 40;

/// A run that is recorded, or why its record can't be read.
pub type Recorded = (RunId, Result<RunState, Diagnostic>);

/// A run in a line. Times are milliseconds; what is unknown is null.
#[derive(Debug, Serialize)]
pub struct RunRow {
    run: String,
    started_at: Option<Timestamp>,
    /// Null where the record can't be read.
    status: Option<RunStatus>,
    input: Option<String>,
    input_bytes: Option<u64>,
    chunks: Option<usize>,
    mappers: Option<u32>,
    split_ms: Option<f64>,
    map_ms: Option<f64>,
    reduce_ms: Option<f64>,
    total_ms: Option<f64>,
    words: Option<u64>,
    verified: Option<bool>,
    /// Why the run failed, or why its record can't be read.
    error: Option<Diagnostic>,
}

impl RunRow {
    pub fn new((run, recorded): &Recorded) -> Self {
        let state = recorded.as_ref();
        let known = state.ok();
        let is_done = known.is_some_and(|state| state.status == RunStatus::Done);
        let result = known.and_then(|state| state.result.as_ref());
        Self {
            run: run.to_string(),
            started_at: known.map(|state| state.started_at),
            status: known.map(|state| state.status),
            input: known.map(|state| state.input.to_string()),
            input_bytes: known.and_then(|state| state.input_bytes),
            chunks: known.map(|state| state.chunks.len()),
            mappers: known.map(|state| state.mappers),
            split_ms: known.and_then(RunState::split_ms),
            map_ms: known.and_then(|state| state.clock(Phase::Map).wall_ms),
            reduce_ms: known.and_then(|state| Some(state.reduce.result()?.0)),
            total_ms: known.map(|state| state.wall_ms),
            words: result.filter(|_| is_done).map(|result| result.words),
            verified: known.and_then(|state| Some(state.verification.as_ref()?.is_exact())),
            error: match state {
                Ok(state) => state.diagnostic.clone(),
                Err(unreadable) => Some(unreadable.clone()),
            },
        }
    }
}

/// Returns the table of some runs; it ends with a newline.
pub fn table(runs: &[Recorded]) -> String {
    let titles = [
        "RUN",
        "STARTED (UTC)",
        "STATUS",
        "INPUT",
        "SIZE",
        "CHUNKS",
        "MAPPERS",
        "SPLIT",
        "MAP",
        "REDUCE",
        "TOTAL",
        "WORDS",
    ];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    rows.extend(runs.iter().map(cells));
    text_table::render(&rows)
}

fn cells(recorded: &Recorded) -> Vec<String> {
    let row = RunRow::new(recorded);
    let name = recorded.1.as_ref().ok().map(|state| state.input.name());
    let name = name.map(|name| {
        let name = printable(&name).into_owned();
        elide(&name, NAME, mrdeck_core::human::length)
    });
    let count = |count: Option<u64>| count.map(thousands);
    [
        Some(row.run),
        row.started_at.map(started),
        Some(
            row.status
                .map_or_else(|| "unreadable".to_owned(), |status| status.to_string()),
        ),
        name,
        row.input_bytes.map(bytes),
        count(row.chunks.map(|chunks| chunks as u64)),
        count(row.mappers.map(u64::from)),
        row.split_ms.map(duration),
        row.map_ms.map(duration),
        row.reduce_ms.map(duration),
        row.total_ms.map(duration),
        count(row.words),
    ]
    .map(|cell| cell.unwrap_or_else(|| "-".to_owned()))
    .to_vec()
}

/// Formats when a run began, in UTC.
pub fn started(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
