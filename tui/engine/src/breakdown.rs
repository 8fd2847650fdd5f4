//! Where the time of the map phase goes: the parts of the answers, as the services measured them, and what is none of them.

use jiff::Timestamp;

use crate::event::{RunStatus, SplitChoice};
use crate::state::{Outcome, RunState};
use crate::work::Phase;
use mrdeck_core::human::bytes;

/// A part of the mappers' time.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub kind: PartKind,
    /// Added up over all attempts, in milliseconds.
    pub ms: f64,
    /// Of all the time that the mappers had; all parts together are 1.
    pub share: f64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartKind {
    /// Reading the chunk from S3 (`s3_get`).
    Fetch,
    Count,
    /// Writing the output to S3 (`s3_put`).
    Store,
    /// What a service says beside these, under its own name.
    Named(String),
    /// What a request took beside the parts: the network, and waiting for a place.
    Request,
    /// Attempts that failed or were no longer needed.
    Lost,
    /// A mapper had no request.
    Idle,
}

impl PartKind {
    fn of(name: &str) -> Self {
        match name {
            "s3_get" => Self::Fetch,
            "count" => Self::Count,
            "s3_put" => Self::Store,
            other => Self::Named(other.to_owned()),
        }
    }

    /// Returns what it is called on screen. A service's own name is foreign text.
    pub fn name(&self) -> &str {
        match self {
            Self::Fetch => "fetch",
            Self::Count => "count",
            Self::Store => "store",
            Self::Named(name) => name,
            Self::Request => "request",
            Self::Lost => "lost",
            Self::Idle => "idle",
        }
    }
}

/// The parts that are told apart. A service chooses their names: each answer could bring another one.
const MOST_PARTS: usize = 8;

/// Returns the parts of the mappers' time in the map phase so far; none where no service said what its time was spent on.
///
/// All the time is what [`RunState::ideal_parallelism`] requests at a time have in the phase's wall time.
pub fn map_time(run: &RunState, now: Timestamp) -> Vec<Part> {
    let mut parts: Vec<(PartKind, f64)> = [PartKind::Fetch, PartKind::Count, PartKind::Store]
        .map(|kind| (kind, 0.0))
        .into();
    let (mut busy, mut request, mut lost, mut is_said) = (0.0, 0.0, 0.0, false);
    for attempt in run.chunks.iter().flat_map(|chunk| &chunk.work.attempts) {
        let ms = attempt.elapsed_ms(now).unwrap_or_default();
        busy += ms;
        match &attempt.outcome {
            Outcome::Succeeded { answer, .. } => {
                let mut rest = ms;
                for part in &answer.timing {
                    is_said = true;
                    // A part that takes longer than the whole would make the shares wrong.
                    let part_ms = part.ms.max(0.0).min(rest);
                    rest -= part_ms;
                    let kind = PartKind::of(&part.name);
                    match parts.iter().position(|(other, _)| *other == kind) {
                        Some(at) => parts[at].1 += part_ms,
                        None if parts.len() < MOST_PARTS => parts.push((kind, part_ms)),
                        None => request += part_ms,
                    }
                }
                request += rest;
            }
            Outcome::InFlight => request += ms,
            Outcome::Failed { .. } | Outcome::Abandoned { .. } => lost += ms,
            Outcome::Found { .. } => {}
        }
    }
    let wall = run.clock(Phase::Map).elapsed_ms(now).unwrap_or_default();
    let whole = (wall * f64::from(run.ideal_parallelism())).max(busy);
    if !is_said || whole <= 0.0 {
        return Vec::new();
    }
    parts.push((PartKind::Request, request));
    parts.push((PartKind::Lost, lost));
    parts.push((PartKind::Idle, whole - busy));
    let parts = parts.into_iter().map(|(kind, ms)| Part {
        kind,
        ms,
        share: ms / whole,
    });
    parts
        .filter(|part| part.kind != PartKind::Lost || part.ms > 0.0)
        .collect()
}

/// From this share of a run on, a phase or a part is what one would change first.
const DOMINANT: f64 = 0.4;
/// From this share on, failed attempts are what one would look at first.
const MUCH_LOST: f64 = 0.1;
/// Below this a chunk costs more to ask for than to count, in bytes.
const SMALL_CHUNK: u64 = 64 << 10;

/// Returns one sentence on what would make the run shorter, where its figures say so; none for a run that ended without a
/// result.
pub fn advice(run: &RunState, parts: &[Part], now: Timestamp) -> Option<String> {
    if !matches!(run.status, RunStatus::Running | RunStatus::Done) {
        return None;
    }
    let elapsed = |phase| run.clock(phase).elapsed_ms(now).unwrap_or_default();
    let total: f64 = Phase::ALL.into_iter().map(elapsed).sum();
    let share = |kind: PartKind| {
        let part = parts.iter().find(|part| part.kind == kind);
        part.map_or(0.0, |part| part.share)
    };
    let split = elapsed(Phase::Split);
    if run.options.split == SplitChoice::Copy && split > DOMINANT * total {
        let share = share_text(split / total);
        return Some(format!(
            "the split takes {share} of the run: try :split range"
        ));
    }
    let chunks = run.chunks.len() as u64;
    let chunk_bytes = run.input_bytes?.checked_div(chunks)?;
    if share(PartKind::Lost) > MUCH_LOST {
        let share = share_text(share(PartKind::Lost));
        return Some(format!(
            "attempts that failed or were given up took {share} of the time: d on a chunk says why"
        ));
    }
    if chunk_bytes < SMALL_CHUNK && chunks > 4 * u64::from(run.mappers) {
        let size = bytes(chunk_bytes);
        return Some(format!(
            "a chunk has {size} only: fewer (:chunks N) cost less time"
        ));
    }
    if share(PartKind::Idle) > DOMINANT && chunks < 4 * u64::from(run.mappers) {
        let share = share_text(share(PartKind::Idle));
        return Some(format!(
            "mappers had nothing to do for {share} of the time: try more :chunks"
        ));
    }
    if share(PartKind::Fetch) + share(PartKind::Store) > DOMINANT {
        let share = share_text(share(PartKind::Fetch) + share(PartKind::Store));
        return Some(format!("S3 takes {share} of the mappers' time"));
    }
    None
}

/// Formats a share, which is between 0 and 1: `<1 %`, `18 %`; 0 only for nothing, 100 only for all.
pub fn share_text(share: f64) -> String {
    match share {
        share if share <= 0.0 => "0 %".to_owned(),
        share if share < 0.01 => "<1 %".to_owned(),
        share if share >= 1.0 => "100 %".to_owned(),
        share => format!("{:.0} %", (share * 1e2).min(99.0)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::event::{AttemptAnswer, EventKind, RunEvent, RunOptions};
    use crate::work::Work;
    use mrdeck_client::TimedPart;
    use mrdeck_core::api::ChunkRef;
    use mrdeck_core::task::TaskId;
    use mrdeck_core::uri::S3Uri;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    /// A run that maps, each chunk of which took 10 ms, with the parts given.
    fn mapped(answers: Vec<Vec<(String, f64)>>) -> RunState {
        let event = |ms, kind| RunEvent { at: at(ms), kind };
        let input: S3Uri = "s3://lab/a.txt".parse().unwrap();
        let source = ChunkRef::Object(input.clone());
        let mut events = vec![
            event(
                0,
                EventKind::RunStarted {
                    run: "01KKP4R4XJ8Z3V9Q2T6W5M7C1D".parse().unwrap(),
                    input: input.into(),
                    cluster: "lab".to_owned(),
                    mappers: 1,
                    options: RunOptions {
                        chunks: None,
                        split: SplitChoice::Auto,
                        verify: false,
                        as_bytes: false,
                    },
                },
            ),
            event(
                0,
                EventKind::ChunksPlanned {
                    chunks: vec![source; answers.len()],
                    sizes: None,
                    etags: Vec::new(),
                },
            ),
            event(0, EventKind::PhaseStarted { phase: Phase::Map }),
        ];
        for (chunk, timing) in (0..).zip(answers) {
            let (work, attempt) = (Work::map(chunk), 1);
            let timing = timing.into_iter();
            let answer = AttemptAnswer {
                timing: timing.map(|(name, ms)| TimedPart { name, ms }).collect(),
                ..AttemptAnswer::default()
            };
            let began = EventKind::AttemptStarted {
                work,
                attempt,
                task: TaskId("mapper-1".to_owned()),
                address: String::new(),
                speculative: false,
            };
            let succeeded = EventKind::AttemptSucceeded {
                work,
                attempt,
                ms: 10.0,
                answer,
                recovered: None,
            };
            events.extend([event(0, began), event(10, succeeded)]);
        }
        RunState::from_events(&events).unwrap()
    }

    #[test]
    fn all_parts_together_are_all_the_time_whatever_a_service_says() {
        let named = |n: usize| vec![(format!("part-{n}"), 1.0), ("count".to_owned(), 2.0)];
        let hostile = [f64::NAN, f64::INFINITY, -5.0, 1e300];
        let hostile = hostile.map(|ms| vec![("s3_get".to_owned(), ms)]);
        for answers in [(0..100).map(named).collect(), Vec::from(hostile)] {
            let run = mapped(answers);
            let parts = map_time(&run, at(5_000));
            assert!(parts.len() <= MOST_PARTS + 3, "{}", parts.len());
            let whole: f64 = parts.iter().map(|part| part.share).sum();
            assert!((whole - 1.0).abs() < 1e-9, "{whole}");
            assert!(parts.iter().all(|part| part.share >= 0.0), "{parts:?}");
        }
        assert_eq!(map_time(&mapped(vec![Vec::new()]), at(20)), []);
    }

    #[test]
    fn a_share_is_nothing_or_all_only_if_it_is() {
        let texts = [0.0, 1e-9, 0.004, 0.0149, 0.5, 0.999, 1.0, 1.0 + 1e-12].map(share_text);
        assert_eq!(
            texts,
            [
                "0 %", "<1 %", "<1 %", "1 %", "50 %", "99 %", "100 %", "100 %"
            ]
        );
    }
}
