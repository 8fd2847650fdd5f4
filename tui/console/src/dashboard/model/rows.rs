//! Pure: which lines each panel has, after its filter. Drawing and the cursor both read them here.

use super::log::LogLine;
use super::overlay::PipelineRow;
use super::{Panel, State};
use mrdeck_core::task::Task;
use mrdeck_engine::state::{Outcome, Record, WorkState};
use mrdeck_engine::work::Phase;

/// How many lines a panel has.
pub fn count(state: &State, panel: Panel) -> usize {
    match panel {
        Panel::Tasks => tasks(state).count(),
        Panel::Pipeline => pipeline(state).len(),
        Panel::Latency => latency(state).len(),
        Panel::Results => top_words(state).count(),
        Panel::Events => events(state).count(),
    }
}

pub fn tasks(state: &State) -> impl Iterator<Item = &Task> {
    let filter = state.filter(Panel::Tasks).to_lowercase();
    state.tasks.tasks.iter().filter(move |task| {
        filter.is_empty()
            || [
                Some(task.id.0.clone()),
                Some(task.role_name().to_owned()),
                Some(task.status()),
                task.definition(),
                task.az.clone(),
            ]
            .iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(&filter))
            || [task.private_ip, task.public_ip]
                .iter()
                .flatten()
                .any(|ip| ip.to_string().contains(&filter))
    })
}

pub fn pipeline(state: &State) -> Vec<PipelineRow> {
    let Some(run) = &state.run else {
        return Vec::new();
    };
    let filter = state.filter(Panel::Pipeline).to_lowercase();
    let mut rows = vec![PipelineRow::Split, PipelineRow::Map];
    rows.extend(
        (0..run.chunks.len())
            .filter(|index| filter.is_empty() || chunk_matches(run, *index, &filter))
            .map(PipelineRow::Chunk),
    );
    rows.push(PipelineRow::Reduce);
    let is_verified =
        run.options.verify || run.clock(Phase::Verify).elapsed_ms(state.now).is_some();
    if is_verified {
        rows.push(PipelineRow::Verify);
    }
    rows
}

fn chunk_matches(run: &Record, index: usize, filter: &str) -> bool {
    let Some(chunk) = run.chunks.get(index) else {
        return false;
    };
    let on_task = chunk
        .work
        .attempts
        .last()
        .is_some_and(|attempt| attempt.task.0.to_lowercase().contains(filter));
    on_task
        || state_word(chunk.work.state()).contains(filter)
        || format!("chunk {index}").contains(filter)
}

/// How a state is called on screen.
pub fn state_word(state: WorkState) -> &'static str {
    match state {
        WorkState::Waiting => "waiting",
        WorkState::InFlight => "running",
        WorkState::Retrying => "retrying",
        WorkState::Committed => "done",
        WorkState::Failed => "failed",
        WorkState::Abandoned => "cancelled",
    }
}

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

/// The phases that began, then each mapper with all the time its attempts took.
pub fn latency(state: &State) -> Vec<LatencyRow> {
    let Some(run) = &state.run else {
        return Vec::new();
    };
    let mut rows: Vec<LatencyRow> = Phase::ALL
        .into_iter()
        .filter_map(|phase| {
            let clock = run.clock(phase);
            Some(LatencyRow {
                label: phase.to_string(),
                ms: clock.elapsed_ms(state.now)?,
                is_in_flight: clock.running_since.is_some(),
                is_phase: true,
                chunks: 0,
                failures: 0,
            })
        })
        .collect();
    rows.extend(mappers(run, state));
    let filter = state.filter(Panel::Latency).to_lowercase();
    rows.retain(|row| filter.is_empty() || row.label.to_lowercase().contains(&filter));
    rows
}

fn mappers(run: &Record, state: &State) -> impl Iterator<Item = LatencyRow> {
    let mut mappers = std::collections::BTreeMap::new();
    for chunk in &run.chunks {
        for attempt in &chunk.work.attempts {
            let row = mappers
                .entry(attempt.task.clone())
                .or_insert_with(|| LatencyRow {
                    label: attempt.task.to_string(),
                    ms: 0.0,
                    is_in_flight: false,
                    is_phase: false,
                    chunks: 0,
                    failures: 0,
                });
            row.ms += attempt.elapsed_ms(state.now).unwrap_or_default();
            match &attempt.outcome {
                Outcome::InFlight => row.is_in_flight = true,
                Outcome::Succeeded { .. } | Outcome::Found { .. } => row.chunks += 1,
                Outcome::Failed { .. } => row.failures += 1,
                Outcome::Abandoned { .. } => {}
            }
        }
    }
    mappers.into_values()
}

pub fn top_words(state: &State) -> impl Iterator<Item = &(String, u64)> {
    let filter = state.filter(Panel::Results).to_lowercase();
    let result = state.run.as_ref().and_then(|run| run.result.as_ref());
    result
        .map_or(&[][..], |result| &result.top)
        .iter()
        .filter(move |(word, _)| filter.is_empty() || word.contains(&filter))
}

pub fn events(state: &State) -> impl Iterator<Item = &LogLine> {
    let filter = state.filter(Panel::Events).to_lowercase();
    state.log.lines().filter(move |line| {
        filter.is_empty()
            || line.text.to_lowercase().contains(&filter)
            || line.advice.to_lowercase().contains(&filter)
    })
}
