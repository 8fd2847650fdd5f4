//! What is said of an event: the same in the dashboard's log and on standard error.

use crate::event::{EventKind, RunStatus};
use crate::state::source_text;
use crate::work::{Phase, Work};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::{bytes, duration, plural, thousands};

/// How good or bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Info,
    Good,
    Warning,
    Error,
}

/// One sentence, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventText {
    pub level: Level,
    pub text: String,
    /// Empty where there is nothing to do.
    pub advice: String,
}

impl EventText {
    fn new(level: Level, text: impl Into<String>) -> Self {
        Self {
            level,
            text: text.into(),
            advice: String::new(),
        }
    }

    fn of(level: Level, diagnostic: &Diagnostic) -> Self {
        Self {
            level,
            text: diagnostic.cause.clone(),
            advice: diagnostic.advice.clone(),
        }
    }
}

/// Returns what is said of an event; nothing of one that tells nothing new.
pub fn texts(event: &EventKind) -> Vec<EventText> {
    if let EventKind::Verified(found) = event
        && !found.is_exact()
    {
        let samples = found.samples.iter();
        return samples
            .map(|sample| EventText::new(Level::Error, sample))
            .collect();
    }
    text(event).into_iter().collect()
}

fn pinned_text(size: u64, objects: usize) -> String {
    match objects {
        0 => format!("input: {}", bytes(size)),
        count => format!("input: {}, {}", plural(count as u64, "object"), bytes(size)),
    }
}

fn text(event: &EventKind) -> Option<EventText> {
    let info = |text: String| Some(EventText::new(Level::Info, text));
    let good = |text: String| Some(EventText::new(Level::Good, text));
    let warning = |text: String| Some(EventText::new(Level::Warning, text));
    match event {
        EventKind::RunStarted { run, input, .. } => info(format!("run {run} over {input}")),
        EventKind::RunResumed { .. } => info("resumed".to_owned()),
        EventKind::InputPinned { bytes, objects, .. } => info(pinned_text(*bytes, objects.len())),
        EventKind::PhaseStarted {
            phase: Phase::Verify,
        } => info("verifying: recounting the whole input here".to_owned()),
        EventKind::PhaseFinished { phase, wall_ms } => {
            info(format!("{phase} took {}", duration(*wall_ms)))
        }
        EventKind::ChunksPlanned { chunks, .. } => {
            let chunks = plural(chunks.len() as u64, "chunk");
            info(format!("split into {chunks}"))
        }
        EventKind::ChunkReplaced { chunk, source } => warning(format!(
            "the copy of chunk {chunk} is gone; reading its bytes from the input, {}",
            source_text(source)
        )),
        EventKind::AttemptStarted {
            work,
            task,
            speculative: true,
            ..
        } => info(format!("{work} is slow: backup attempt on {task}")),
        EventKind::AttemptSucceeded {
            work,
            attempt,
            recovered: Some(why),
            ..
        } => warning(format!(
            "{}: {}; its output is in S3 and counts",
            named(*work, *attempt),
            why.cause
        )),
        EventKind::AttemptFailed {
            work,
            attempt,
            diagnostic,
            retry_in_ms,
            ..
        } => Some(failure(*work, *attempt, diagnostic, *retry_in_ms)),
        EventKind::Invalidated {
            work,
            attempt,
            diagnostic,
        } => warning(format!(
            "{} no longer counts: {}",
            named(*work, *attempt),
            diagnostic.cause
        )),
        EventKind::WorkerExcluded { task, for_ms } => warning(format!(
            "{task} failed several times in a row: no work for {} s, then one request",
            for_ms / 1_000
        )),
        EventKind::WorkerDown { task } => warning(format!(
            "{task} can't be reached: no work for it until it answers"
        )),
        EventKind::Concurrency { limit } => warning(format!(
            "at most {} in flight from now on",
            plural(u64::from(*limit), "request")
        )),
        EventKind::ResultRead(result) => {
            let words = plural(result.words, "word");
            good(format!("{words}, {} unique", thousands(result.unique)))
        }
        // One that is not exact has a sentence for each sample.
        EventKind::Verified(_) => {
            good("verified: no word is missing, extra or counted differently".to_owned())
        }
        EventKind::Notice(diagnostic) => Some(EventText::of(Level::Warning, diagnostic)),
        EventKind::RunFinished {
            status,
            wall_ms,
            diagnostic,
        } => match (diagnostic, status) {
            (Some(diagnostic), _) => Some(EventText::of(Level::Error, diagnostic)),
            (None, RunStatus::Done) => good(format!("done in {}", duration(*wall_ms))),
            (None, status) => warning(format!("{status} after {}", duration(*wall_ms))),
        },
        EventKind::LeaseTaken { .. }
        | EventKind::PhaseStarted { .. }
        | EventKind::PlanWritten { .. }
        | EventKind::AttemptStarted { .. }
        | EventKind::AttemptSucceeded { .. }
        | EventKind::AttemptFound { .. }
        | EventKind::AttemptAbandoned { .. }
        | EventKind::Committed { .. }
        | EventKind::SuccessRecorded => None,
    }
}

/// `chunk 3, attempt 2`
fn named(work: Work, attempt: u32) -> String {
    format!("{work}, attempt {attempt}")
}

/// Says why an attempt failed and what that leads to: the next one, one that is running already, or none.
fn failure(
    work: Work,
    attempt: u32,
    diagnostic: &Diagnostic,
    retry_in_ms: Option<u64>,
) -> EventText {
    let (level, next) = match retry_in_ms {
        Some(0) => (Level::Warning, "another attempt is running".to_owned()),
        Some(ms) => (Level::Warning, format!("retrying in {} ms", thousands(ms))),
        None => (Level::Error, "given up".to_owned()),
    };
    EventText {
        text: format!("{}: {}; {next}", named(work, attempt), diagnostic.cause),
        ..EventText::of(level, diagnostic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Verification;

    #[test]
    fn a_failure_says_what_comes_next() {
        let said = |retry_in_ms| {
            let event = EventKind::AttemptFailed {
                work: Work::Reduce,
                attempt: 2,
                ms: 1.0,
                diagnostic: Diagnostic::new("no route", "look there"),
                retry_in_ms,
            };
            texts(&event).remove(0)
        };
        let again = said(Some(1_240));
        assert_eq!(
            again.text,
            "reduce, attempt 2: no route; retrying in 1,240 ms"
        );
        assert_eq!(
            (again.level, again.advice.as_str()),
            (Level::Warning, "look there")
        );
        assert!(said(Some(0)).text.ends_with("another attempt is running"));
        let last = said(None);
        assert!(last.text.ends_with("; given up"));
        assert_eq!(last.level, Level::Error);
    }

    #[test]
    fn each_difference_of_a_wrong_result_is_said() {
        let found = Verification {
            missing: 1,
            extra: 1,
            different: 0,
            samples: vec!["'a' is missing".to_owned(), "'b' is extra".to_owned()],
            non_ascii: None,
        };
        let said = texts(&EventKind::Verified(found));
        let said: Vec<&str> = said.iter().map(|said| said.text.as_str()).collect();
        assert_eq!(said, ["'a' is missing", "'b' is extra"]);
    }
}
