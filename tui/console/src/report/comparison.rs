//! Two runs beside each other: their settings, their phases, and whether they counted the same.

use mrdeck_core::human::{bytes, duration, elide, length, printable, thousands};
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::state::RunState;
use mrdeck_engine::stats::{MapStats, map_stats};
use mrdeck_engine::work::Phase;
use serde::Serialize;

use super::list::started;
use super::{RunReport, text_table};

/// The most characters of an input's name.
const NAME: usize = 40;

/// Two runs as one JSON object.
#[derive(Debug, Serialize)]
pub struct Comparison<'a> {
    base: RunReport<'a>,
    other: RunReport<'a>,
    /// The same object, or objects, in the same version.
    is_same_input: bool,
    /// Null unless both runs are done, on the same input.
    are_counts_the_same: Option<bool>,
    /// The other run's time ÷ the base's; null where one of them is unknown.
    ratios: Ratios,
}

#[derive(Debug, Serialize)]
struct Ratios {
    split: Option<f64>,
    map: Option<f64>,
    reduce: Option<f64>,
    verify: Option<f64>,
    total: Option<f64>,
}

impl<'a> Comparison<'a> {
    pub fn new(base: &'a RunState, other: &'a RunState) -> Self {
        let ratio = |of: fn(&RunState) -> Option<f64>| ratio(of(base), of(other));
        Self {
            base: RunReport::new(base, 0),
            other: RunReport::new(other, 0),
            is_same_input: is_same_input(base, other),
            are_counts_the_same: are_counts_the_same(base, other),
            ratios: Ratios {
                split: ratio(RunState::split_ms),
                map: ratio(map_ms),
                reduce: ratio(reduce_ms),
                verify: ratio(verify_ms),
                total: ratio(total_ms),
            },
        }
    }
}

/// Returns whether both runs counted the same bytes: the same version of the same object, or copies of one size and `ETag`.
pub fn is_same_input(base: &RunState, other: &RunState) -> bool {
    base.input_bytes.is_some()
        && base.input_bytes == other.input_bytes
        && base.input_etag == other.input_etag
        && (base.input_etag.is_some() || base.input == other.input)
}

/// Returns whether two runs that are done on the same input found the same; `None` of any others.
pub fn are_counts_the_same(base: &RunState, other: &RunState) -> Option<bool> {
    let are_done = [base, other]
        .iter()
        .all(|run| run.status == RunStatus::Done);
    if !are_done || !is_same_input(base, other) {
        return None;
    }
    let (base, other) = (base.result.as_ref()?, other.result.as_ref()?);
    let are_hashed = !base.sha256.is_empty() && !other.sha256.is_empty();
    are_hashed.then(|| base.sha256 == other.sha256)
}

/// Returns the comparison as text; it ends with a newline.
pub fn render(base: &RunState, other: &RunState) -> String {
    let runs = [base, other];
    let row = |name: &str, of: &dyn Fn(&RunState) -> Option<String>| {
        let cells = runs.map(|run| of(run).unwrap_or_else(|| "-".to_owned()));
        let [base, other] = cells;
        vec![name.to_owned(), base, other, String::new()]
    };
    let timed = |name: &str, of: &dyn Fn(&RunState) -> Option<f64>| {
        let mut row = row(name, &|run| of(run).map(duration));
        let ratio = ratio(of(base), of(other));
        row[3] = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}×"));
        row
    };
    let stat = |name: &str, of: fn(&MapStats) -> f64| {
        timed(name, &move |run| map_stats(run).as_ref().map(of))
    };
    let rows = [
        row("", &|run| Some(run.run.to_string())),
        row("started (UTC)", &|run| Some(started(run.started_at))),
        row("status", &|run| Some(run.status.to_string())),
        row("cluster", &|run| Some(short(&run.cluster))),
        row("input", &|run| Some(short(&run.input.name()))),
        row("size", &|run| run.input_bytes.map(bytes)),
        row("mappers", &|run| Some(thousands(run.mappers.into()))),
        row("chunks", &|run| Some(thousands(run.chunks.len() as u64))),
        row("cut", &|run| Some(cut(run).to_owned())),
        timed("split", &RunState::split_ms),
        timed("map", &map_ms),
        stat("  median of the chunks", |stats| stats.p50_ms),
        stat("  95 % of them within", |stats| stats.p95_ms),
        stat("  slowest", |stats| stats.max_ms),
        row("  parallelism", &|run| {
            let stats = map_stats(run)?;
            Some(format!("{:.2} of {}", stats.parallelism, stats.ideal))
        }),
        row("  attempts", &|run| Some(thousands(attempts(run)))),
        timed("reduce", &reduce_ms),
        timed("verify", &verify_ms),
        timed("total", &total_ms),
        row("words", &|run| Some(thousands(run.result.as_ref()?.words))),
    ];
    let mut text = text_table::render(&rows);
    text.push('\n');
    text.push_str(verdict(base, other));
    text.push('\n');
    text
}

fn verdict(base: &RunState, other: &RunState) -> &'static str {
    match (is_same_input(base, other), are_counts_the_same(base, other)) {
        (false, _) => "The inputs differ, so the times say little about each other.",
        (true, Some(true)) => "The same input, and the same counts.",
        (true, Some(false)) => "The same input, and other counts.",
        (true, None) => "The same input; not both have a result.",
    }
}

fn short(name: &str) -> String {
    elide(&printable(name), NAME, length)
}

/// Returns how the input was cut.
fn cut(run: &RunState) -> &'static str {
    let first = run.chunks.first().map(|chunk| &chunk.source);
    match first {
        None => "-",
        Some(mrdeck_core::api::ChunkRef::Range { .. }) => "ranges",
        Some(mrdeck_core::api::ChunkRef::Object(_)) if run.objects.is_empty() => "copies",
        Some(mrdeck_core::api::ChunkRef::Object(_)) => "whole objects",
    }
}

fn attempts(run: &RunState) -> u64 {
    let attempts = run
        .chunks
        .iter()
        .map(|chunk| chunk.work.attempts.len() as u64);
    attempts.sum()
}

fn map_ms(run: &RunState) -> Option<f64> {
    run.clock(Phase::Map).wall_ms
}

fn reduce_ms(run: &RunState) -> Option<f64> {
    run.reduce.result().map(|(ms, _)| ms)
}

fn verify_ms(run: &RunState) -> Option<f64> {
    run.clock(Phase::Verify).wall_ms
}

// The others are unknown at times.
#[allow(clippy::unnecessary_wraps)]
fn total_ms(run: &RunState) -> Option<f64> {
    Some(run.wall_ms)
}

fn ratio(base: Option<f64>, other: Option<f64>) -> Option<f64> {
    let base = base.filter(|base| *base > 0.0)?;
    Some(other? / base)
}
