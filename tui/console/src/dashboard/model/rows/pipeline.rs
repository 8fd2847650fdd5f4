//! The rows of the pipeline panel: what fails or runs first, then the phases, and between them each chunk.

use crate::dashboard::model::filter::Filter;
use crate::dashboard::model::{Model, Panel};
use mrdeck_engine::state::{RunState, WorkStatus};
use mrdeck_engine::work::Phase;

/// One line of the pipeline panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PipelineRow {
    Split,
    Map,
    Chunk(usize),
    Reduce,
    Verify,
}

/// The phases stay whatever the filter is.
pub(super) fn rows(model: &Model) -> Vec<PipelineRow> {
    let Some(run) = model.run.record() else {
        return Vec::new();
    };
    let filter = Filter::parse(
        model.panels.filter(Panel::Pipeline),
        &["chunk", "status", "task"],
    );
    let mut rows = vec![PipelineRow::Split, PipelineRow::Map];
    rows.extend(
        (0..run.chunks.len())
            .filter(|index| is_shown(run, *index, &filter))
            .map(PipelineRow::Chunk),
    );
    rows.push(PipelineRow::Reduce);
    let verify = run.clock(Phase::Verify).elapsed_ms(model.now());
    if run.options.verify || verify.is_some() {
        rows.push(PipelineRow::Verify);
    }
    // Of a thousand chunks, these few are what one looks for.
    rows.sort_by_cached_key(|row| urgency(run, *row));
    rows
}

/// What comes first has the lowest number.
fn urgency(run: &RunState, row: PipelineRow) -> u8 {
    let work = match row {
        PipelineRow::Split => &run.split,
        PipelineRow::Reduce => &run.reduce,
        PipelineRow::Chunk(index) => match run.chunks.get(index) {
            Some(chunk) => &chunk.work,
            None => return u8::MAX,
        },
        PipelineRow::Map | PipelineRow::Verify => return u8::MAX,
    };
    match work.status() {
        WorkStatus::Failed => 0,
        WorkStatus::Retrying => 1,
        WorkStatus::InFlight => 2,
        WorkStatus::Waiting | WorkStatus::Committed | WorkStatus::Abandoned => u8::MAX,
    }
}

fn is_shown(run: &RunState, index: usize, filter: &Filter) -> bool {
    let Some(chunk) = run.chunks.get(index) else {
        return false;
    };
    let task = chunk
        .work
        .attempts
        .last()
        .map(|attempt| attempt.task.0.as_str());
    filter.shows(&[
        ("chunk", &format!("chunk {index}")),
        ("status", status_word(chunk.work.status())),
        ("task", task.unwrap_or_default()),
    ])
}

/// Returns what a status is called on screen.
pub fn status_word(status: WorkStatus) -> &'static str {
    match status {
        WorkStatus::Waiting => "waiting",
        WorkStatus::InFlight => "running",
        WorkStatus::Retrying => "retrying",
        WorkStatus::Committed => "done",
        WorkStatus::Failed => "failed",
        WorkStatus::Abandoned => "cancelled",
    }
}
