//! The rows of the latency panel: the phases that began, then each mapper with all the time its attempts took.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::dashboard::model::{Model, Panel};
use mrdeck_engine::state::{Outcome, RunState};
use mrdeck_engine::work::Phase;

/// One bar of the latency panel.
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyRow {
    pub label: String,
    pub ms: f64,
    pub is_in_flight: bool,
    /// A phase, as against one mapper's share of the map phase.
    pub is_phase: bool,
    /// Chunks this mapper committed, and attempts that failed on it.
    pub chunks: u64,
    pub failures: u64,
}

pub(super) fn rows(model: &Model) -> Vec<LatencyRow> {
    let Some(run) = model.run.record() else {
        return Vec::new();
    };
    let mut rows = phases(run, model.now());
    rows.extend(mappers(run, model.now()));
    let filter = model.panels.filter(Panel::Latency).to_lowercase();
    rows.retain(|row| filter.is_empty() || row.label.to_lowercase().contains(&filter));
    rows
}

fn phases(run: &RunState, now: Timestamp) -> Vec<LatencyRow> {
    let row = |phase: Phase| {
        let clock = run.clock(phase);
        Some(LatencyRow {
            label: phase.to_string(),
            ms: clock.elapsed_ms(now)?,
            is_in_flight: clock.running_since.is_some(),
            is_phase: true,
            chunks: 0,
            failures: 0,
        })
    };
    Phase::ALL.into_iter().filter_map(row).collect()
}

fn mappers(run: &RunState, now: Timestamp) -> impl Iterator<Item = LatencyRow> {
    let mut mappers = BTreeMap::new();
    let attempts = run.chunks.iter().flat_map(|chunk| &chunk.work.attempts);
    for attempt in attempts {
        let row = mappers.entry(&attempt.task).or_insert_with(|| LatencyRow {
            label: attempt.task.to_string(),
            ms: 0.0,
            is_in_flight: false,
            is_phase: false,
            chunks: 0,
            failures: 0,
        });
        row.ms += attempt.elapsed_ms(now).unwrap_or_default();
        match &attempt.outcome {
            Outcome::InFlight => row.is_in_flight = true,
            Outcome::Succeeded { .. } | Outcome::Found { .. } => row.chunks += 1,
            Outcome::Failed { .. } => row.failures += 1,
            Outcome::Abandoned { .. } => {}
        }
    }
    mappers.into_values()
}
