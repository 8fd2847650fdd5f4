//! The words above and below the chart: what ran, where, how it ended, what it gained.

use jiff::Timestamp;

use super::number::{ms_text, times_text};
use super::text::{clean, elide};
use mrdeck_core::human::{plural, thousands};
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::state::RunState;
use mrdeck_engine::stats::map_stats;

/// How the status should strike the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Good,
    Bad,
    Neutral,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub status: String,
    pub mood: Mood,
    pub lines: Vec<String>,
    /// Why the run has no result.
    pub diagnostic: Option<String>,
    pub footer: String,
}

impl Header {
    pub fn of(record: &RunState) -> Self {
        let took = ms_text(record.wall_ms);
        let (mood, status) = match record.status {
            RunStatus::Running => (Mood::Neutral, "running".to_owned()),
            RunStatus::Done => (Mood::Good, format!("done in {took} ms")),
            RunStatus::Failed => (Mood::Bad, format!("failed after {took} ms")),
            RunStatus::Cancelled => (Mood::Neutral, format!("cancelled after {took} ms")),
            RunStatus::Stopped => (Mood::Neutral, format!("stopped after {took} ms")),
        };
        Self {
            status,
            mood,
            lines: vec![what_ran(record), parallelism(record)],
            diagnostic: record
                .diagnostic
                .as_ref()
                .map(|diagnostic| elide(&clean(&diagnostic.cause), 200)),
            footer: format!(
                "run {} · {} · mrdeck {}",
                record.run,
                minute(record.started_at),
                env!("CARGO_PKG_VERSION")
            ),
        }
    }
}

fn what_ran(record: &RunState) -> String {
    let mut parts = vec![elide(&clean(&record.input.to_string()), 72)];
    if !record.objects.is_empty() {
        parts.push(plural(record.objects.len() as u64, "object"));
    }
    if let Some(bytes) = record.input_bytes {
        parts.push(plural(bytes, "byte"));
    }
    let chunks = record.chunks.len();
    if chunks > 0 {
        let done = record
            .chunks
            .iter()
            .filter(|chunk| chunk.work.committed.is_some())
            .count();
        let text = plural(chunks as u64, "chunk");
        parts.push(if done < chunks {
            format!("{text}, {} mapped", thousands(done as u64))
        } else {
            text
        });
    }
    parts.push(plural(record.mappers.into(), "mapper"));
    parts.push(format!("cluster {}", elide(&clean(&record.cluster), 32)));
    parts.join("  ·  ")
}

fn parallelism(record: &RunState) -> String {
    let Some(stats) = map_stats(record) else {
        return "the map phase has not finished".to_owned();
    };
    format!(
        "map: {} ms added up ÷ {} ms wall = parallelism {} of {}",
        ms_text(stats.sum_ms),
        ms_text(stats.wall_ms),
        times_text(stats.parallelism),
        thousands(stats.ideal.into()),
    )
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
