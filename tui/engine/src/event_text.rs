//! What a person is told of the events that are neither a phase's nor a failure's: the same on screen and in reports.

use crate::event::EventKind;
use crate::state::source_text;
use mrdeck_core::human::{plural, thousands};

/// Says what a failed attempt leads to: the next one, one that is running already, or none.
pub fn after_failure(retry_in_ms: Option<u64>) -> String {
    match retry_in_ms {
        Some(0) => "another attempt is running".to_owned(),
        Some(ms) => format!("retrying in {} ms", thousands(ms)),
        None => "given up".to_owned(),
    }
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Info,
    Warning,
}

/// A sentence for the event; `None` where there is nothing to say, or others say it.
pub fn wording(event: &EventKind) -> Option<(Weight, String)> {
    let info = |text: String| Some((Weight::Info, text));
    let warning = |text: String| Some((Weight::Warning, text));
    match event {
        EventKind::RunContinued { .. } => info("the run goes on".to_owned()),
        EventKind::ChunkReplaced { chunk, source } => warning(format!(
            "the copy of chunk {chunk} is gone: its bytes come from the input, {}",
            source_text(source)
        )),
        EventKind::AttemptStarted {
            work,
            attempt,
            task,
            backup: true,
            ..
        } => info(format!(
            "{work} is slow: {task} is given it too (attempt {attempt})"
        )),
        EventKind::AttemptSucceeded {
            work,
            attempt,
            recovered: Some(why),
            ..
        } => warning(format!(
            "{work}, attempt {attempt}: {}; but what it did is in S3, so it counts",
            why.cause
        )),
        EventKind::Withdrawn {
            work,
            attempt,
            diagnostic,
        } => warning(format!(
            "{work}, attempt {attempt} does not count any more: {}",
            diagnostic.cause
        )),
        EventKind::SetAside { task, for_ms } => warning(format!(
            "{task} failed too often in a row: no work for {} s, then one request",
            for_ms / 1_000
        )),
        EventKind::Concurrency { limit } => warning(format!(
            "at most {} in flight from now on",
            plural(u64::from(*limit), "request")
        )),
        _ => None,
    }
}
