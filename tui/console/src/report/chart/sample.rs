//! Runs for the tests, made from real events.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use jiff::{SignedDuration, Timestamp};
use mrdeck_core::api::ChunkRef;
use ulid::Ulid;

use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::run_id::RunId;
use mrdeck_core::task::TaskId;
use mrdeck_engine::event::{
    AttemptAnswer, EventKind, RunEvent, RunOptions, RunStatus, SplitChoice,
};
use mrdeck_engine::state::RunState;
use mrdeck_engine::work::{Phase, Work};

/// How one attempt ends.
#[derive(Debug, Clone, Copy)]
pub enum End {
    Ok(f64),
    Fails(f64),
    /// Fails, and there is no further attempt.
    FailsForGood(f64),
    Abandoned(f64),
    /// Succeeds after another attempt's output was taken.
    TooLate(f64),
}

pub struct Sample {
    events: Vec<RunEvent>,
    at: Timestamp,
}

impl Sample {
    pub fn new(mappers: u32) -> Self {
        Self::named(
            mappers,
            "s3://shakespeare/input/hamlet.txt",
            "mapreduce-lab",
        )
    }

    pub fn named(mappers: u32, input: &str, cluster: &str) -> Self {
        let mut sample = Self {
            events: Vec::new(),
            at: "2026-03-14T09:26:53Z".parse().unwrap(),
        };
        let options = RunOptions {
            chunks: None,
            split: SplitChoice::Range,
            verify: false,
            as_bytes: false,
        };
        sample.push(EventKind::RunStarted {
            run: RunId(Ulid::from_parts(1_773_480_413_000, 0x1234_5678_9abc_def0)),
            input: input.parse().unwrap(),
            cluster: cluster.to_owned(),
            mappers,
            options,
        });
        sample.push(EventKind::InputPinned {
            bytes: 182_567,
            etag: None,
            objects: Vec::new(),
        });
        sample
    }

    /// Returns a whole run: every chunk done by its first attempt, as many mappers as chunks.
    pub fn ordinary(split: f64, maps: &[f64], reduce: f64) -> RunState {
        let chunks = u32::try_from(maps.len()).unwrap();
        let mut sample = Self::new(chunks).split(split, chunks);
        for (chunk, ms) in (0..).zip(maps) {
            sample = sample.map(chunk, &[End::Ok(*ms)]);
        }
        let slowest = maps.iter().copied().fold(0.0, f64::max);
        sample.map_wall(slowest * 1.04).reduce(reduce).done()
    }

    fn push(&mut self, kind: EventKind) {
        self.at += SignedDuration::from_millis(5);
        self.events.push(RunEvent { at: self.at, kind });
    }

    pub fn attempts(mut self, work: Work, ends: &[End]) -> Self {
        for (attempt, end) in (1..).zip(ends.iter().copied()) {
            let task = TaskId(format!("task-{attempt}"));
            let address = "10.0.0.1:8080".to_owned();
            self.push(EventKind::AttemptStarted {
                work,
                attempt,
                task,
                address,
                speculative: false,
            });
            let diagnostic = Diagnostic::new("the task stopped", "look at its log");
            let answer = AttemptAnswer::default();
            self.push(match end {
                End::Ok(ms) | End::TooLate(ms) => EventKind::AttemptSucceeded {
                    work,
                    attempt,
                    ms,
                    answer,
                    recovered: None,
                },
                End::Fails(ms) => EventKind::AttemptFailed {
                    work,
                    attempt,
                    ms,
                    diagnostic,
                    retry_in_ms: Some(100),
                },
                End::FailsForGood(ms) => EventKind::AttemptFailed {
                    work,
                    attempt,
                    ms,
                    diagnostic,
                    retry_in_ms: None,
                },
                End::Abandoned(ms) => EventKind::AttemptAbandoned { work, attempt, ms },
            });
            if matches!(end, End::Ok(_)) {
                self.push(EventKind::Committed { work, attempt });
            }
        }
        self
    }

    pub fn split(self, ms: f64, chunks: u32) -> Self {
        let mut sample = self.attempts(Work::Split, &[End::Ok(ms)]);
        let s3 = |chunk| format!("s3://shakespeare/mr/chunk{chunk}").parse().unwrap();
        let chunks = (0..chunks)
            .map(|chunk| ChunkRef::Object(s3(chunk)))
            .collect();
        sample.push(EventKind::ChunksPlanned {
            chunks,
            sizes: None,
            etags: Vec::new(),
        });
        sample.push(EventKind::PhaseStarted { phase: Phase::Map });
        sample
    }

    pub fn map(self, chunk: u32, ends: &[End]) -> Self {
        self.attempts(Work::map(chunk), ends)
    }

    pub fn map_wall(mut self, wall_ms: f64) -> Self {
        self.push(EventKind::PhaseFinished {
            phase: Phase::Map,
            wall_ms,
        });
        self
    }

    pub fn reduce(self, ms: f64) -> Self {
        self.attempts(Work::Reduce, &[End::Ok(ms)])
    }

    pub fn done(self) -> RunState {
        self.finish(RunStatus::Done, None)
    }

    pub fn failed(self, cause: &str) -> RunState {
        self.finish(RunStatus::Failed, Some(Diagnostic::new(cause, "")))
    }

    pub fn finish(mut self, status: RunStatus, diagnostic: Option<Diagnostic>) -> RunState {
        let wall_ms = self.so_far().clock(Phase::Map).wall_ms.unwrap_or(1000.0) * 1.8;
        self.push(EventKind::RunFinished {
            status,
            wall_ms,
            diagnostic,
        });
        self.so_far()
    }

    pub fn so_far(&self) -> RunState {
        RunState::from_events(&self.events).unwrap()
    }
}

/// Latencies that look measured: most near `typical`, a few much slower; the same every time.
pub fn spread(count: u32, typical: f64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(u64::from(count));
    (0..count)
        .map(|_| {
            let sum: f64 = (0..6).map(|_| random.f64()).sum();
            let tail = if random.u8(..) < 12 {
                0.6 + random.f64()
            } else {
                0.0
            };
            typical * (0.7 + sum / 10.0 + tail)
        })
        .collect()
}
