//! The engine's only output. A run's record is its events, one JSON object a line.

use std::fmt;

use jiff::Timestamp;
use mrdeck_client::TimedPart;
use mrdeck_core::api::{ChunkRef, OutputInfo};
use mrdeck_core::run_id::RunId;
use mrdeck_core::uri::S3Uri;
use serde::{Deserialize, Serialize};

use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskId;

use crate::input::Input;
use crate::work::{ChunkIndex, Phase, Work};

/// How an input is to be cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitChoice {
    /// By byte ranges if every mapper is known to read them, else by copies.
    #[default]
    Auto,
    Copy,
    Range,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOptions {
    /// How many chunks; `None` lets the engine choose.
    pub chunks: Option<u32>,
    pub split: SplitChoice,
    pub verify: bool,
    /// Whether the input's bytes are counted whatever they are. Otherwise an input that is not text is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_bytes: bool,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    Running,
    Done,
    Failed,
    Cancelled,
    /// Its console ended before it did, and no other has resumed it.
    Stopped,
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Stopped => "stopped",
        })
    }
}

/// What a successful attempt reported. Only `out` is certain, and only for maps and the reduce.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AttemptAnswer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out: Option<S3Uri>,
    #[serde(flatten)]
    pub info: OutputInfo,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timing: Vec<TimedPart>,
}

/// The final counts, summed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultSummary {
    pub out: S3Uri,
    pub words: u64,
    pub unique: u64,
    /// Of the output's bytes, in hexadecimal digits.
    #[serde(default)]
    pub sha256: String,
    /// The bytes of the input that are not ASCII, where every mapper said how many it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_ascii: Option<u64>,
    /// The most frequent words, most frequent first.
    pub top: Vec<(String, u64)>,
}

/// What a recount of the whole input in one process found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Words of the input that the result lacks.
    pub missing: u64,
    /// Words of the result that the input lacks.
    pub extra: u64,
    /// Words whose counts differ.
    pub different: u64,
    /// A few of the above, as sentences.
    pub samples: Vec<String>,
    /// The bytes of the input that are not ASCII.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_ascii: Option<u64>,
}

impl Verification {
    pub fn is_exact(&self) -> bool {
        self.missing == 0 && self.extra == 0 && self.different == 0
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn is_false(flag: &bool) -> bool {
    !flag
}

/// One object of an input, in the version that is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedObject {
    pub s3: S3Uri,
    pub bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// Something that happened in a run, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEvent {
    pub at: Timestamp,
    #[serde(flatten)]
    pub kind: EventKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    RunStarted {
        run: RunId,
        input: Input,
        cluster: String,
        /// Mappers that could be sent work when the run began.
        mappers: u32,
        #[serde(flatten)]
        options: RunOptions,
    },
    /// The run was resumed: only what is missing is done.
    #[serde(rename = "run_continued")]
    RunResumed {
        mappers: u32,
    },
    /// Which console this is among those that took up the run, counted from 1; later ones name their attempts
    /// after it.
    #[serde(rename = "claimed")]
    LeaseTaken {
        #[serde(rename = "claim")]
        lease: u32,
    },
    /// The input, pinned: a run over another version of it would be another run.
    InputPinned {
        /// Of all objects together.
        bytes: u64,
        /// Of many objects, the SHA-256 of the list: it stands for their versions as an `ETag` does for one's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        etag: Option<String>,
        /// Every object of an input of many, in the order in which they are counted; else none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        objects: Vec<PinnedObject>,
    },
    PhaseStarted {
        phase: Phase,
    },
    PhaseFinished {
        phase: Phase,
        /// From the phase's start to its last commit.
        wall_ms: f64,
    },
    ChunksPlanned {
        chunks: Vec<ChunkRef>,
        /// Each chunk's size in bytes, where the splitter said it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sizes: Option<Vec<u64>>,
        /// The version of each object that is a chunk, or that has one in it; what is mapped must be this one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        etags: Vec<Option<String>>,
    },
    /// The plan is in S3; its id is the SHA-256 of its bytes.
    PlanWritten {
        plan: String,
    },
    /// The copy of a chunk is gone: from now on its bytes come from the input.
    ChunkReplaced {
        chunk: ChunkIndex,
        source: ChunkRef,
    },
    AttemptStarted {
        #[serde(flatten)]
        work: Work,
        attempt: u32,
        task: TaskId,
        /// `IP:PORT`
        address: String,
        /// Another attempt at the same work is still in flight, and slow.
        #[serde(default, skip_serializing_if = "is_false", rename = "backup")]
        speculative: bool,
    },
    AttemptSucceeded {
        #[serde(flatten)]
        work: Work,
        attempt: u32,
        /// From sending the request to the last byte of the answer.
        ms: f64,
        answer: AttemptAnswer,
        /// Its answer was lost for this reason; what it did was found in S3.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recovered: Option<Diagnostic>,
    },
    /// The output of an attempt of which nothing else is known, found in S3.
    AttemptFound {
        #[serde(flatten)]
        work: Work,
        attempt: u32,
        answer: AttemptAnswer,
    },
    AttemptFailed {
        #[serde(flatten)]
        work: Work,
        attempt: u32,
        ms: f64,
        #[serde(rename = "trouble")]
        diagnostic: Diagnostic,
        /// When the next attempt may start, 0 while another one is in flight; `None` when there will be none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_in_ms: Option<u64>,
    },
    /// The run was cancelled while the attempt was in flight, or another attempt at the same work was faster.
    AttemptAbandoned {
        #[serde(flatten)]
        work: Work,
        attempt: u32,
        ms: f64,
    },
    /// This attempt's output is the one that counts.
    Committed {
        #[serde(flatten)]
        work: Work,
        attempt: u32,
    },
    /// A commit no longer counts: its output proved wrong or is gone.
    #[serde(rename = "withdrawn")]
    Invalidated {
        #[serde(flatten)]
        work: Work,
        attempt: u32,
        #[serde(rename = "trouble")]
        diagnostic: Diagnostic,
    },
    /// A task that failed too often in a row gets no work for a while, then one request.
    #[serde(rename = "set_aside")]
    WorkerExcluded {
        task: TaskId,
        for_ms: u64,
    },
    /// A task can't be reached. It is probed now and then, and gets no work before it answers.
    WorkerDown {
        task: TaskId,
    },
    /// How many requests may be in flight at once from now on, because S3 or a service asked to slow down, or
    /// does so no more.
    Concurrency {
        limit: u32,
    },
    ResultRead(ResultSummary),
    Verified(Verification),
    /// The success record is in S3: the run is done, for every console.
    SuccessRecorded,
    /// A problem that doesn't end the run.
    Notice(Diagnostic),
    RunFinished {
        status: RunStatus,
        wall_ms: f64,
        #[serde(default, skip_serializing_if = "Option::is_none", rename = "trouble")]
        diagnostic: Option<Diagnostic>,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// One line of each kind as the first journals have it: the names are a format, whatever the code calls them.
    const LINES: &[&str] = &[
        r#"{"event":"run_started","run":"01M8C278XTGPMSW6JWEW2K7GZB","input":"s3://b/k","cluster":"local","mappers":3,"chunks":null,"split":"copy","verify":true}"#,
        r#"{"event":"run_continued","mappers":2}"#,
        r#"{"event":"claimed","claim":2}"#,
        r#"{"event":"input_pinned","bytes":6,"etag":"\"e\""}"#,
        r#"{"event":"phase_started","phase":"map"}"#,
        r#"{"event":"phase_finished","phase":"map","wall_ms":1.5}"#,
        r#"{"event":"plan_written","plan":"abc"}"#,
        r#"{"event":"attempt_started","phase":"map","chunk":3,"attempt":2,"task":"mapper-1","address":"10.0.0.1:80","backup":true}"#,
        r#"{"event":"attempt_succeeded","phase":"reduce","attempt":1,"ms":2.5,"answer":{"out":"s3://b/o"}}"#,
        r#"{"event":"attempt_found","phase":"map","chunk":0,"attempt":1,"answer":{}}"#,
        r#"{"event":"attempt_failed","phase":"split","attempt":1,"ms":1.0,"trouble":{"cause":"c","advice":"a"},"retry_in_ms":7}"#,
        r#"{"event":"attempt_abandoned","phase":"map","chunk":0,"attempt":1,"ms":1.0}"#,
        r#"{"event":"committed","phase":"split","attempt":1}"#,
        r#"{"event":"withdrawn","phase":"map","chunk":1,"attempt":1,"trouble":{"cause":"c","advice":"a"}}"#,
        r#"{"event":"set_aside","task":"mapper-1","for_ms":1000}"#,
        r#"{"event":"concurrency","limit":2}"#,
        r#"{"event":"verified","missing":0,"extra":0,"different":0,"samples":[]}"#,
        r#"{"event":"success_recorded"}"#,
        r#"{"event":"run_finished","status":"done","wall_ms":9.0}"#,
    ];

    #[test]
    fn a_time_is_read_back_as_it_was_written() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..10_000 {
            let event = EventKind::PhaseFinished {
                phase: Phase::Map,
                wall_ms: random.f64() * 1e5,
            };
            let line = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<EventKind>(&line).unwrap(), event);
        }
    }

    #[test]
    fn the_journals_names_stay() {
        for line in LINES {
            let before: serde_json::Value = serde_json::from_str(line).unwrap();
            let kind: EventKind = serde_json::from_str(line).unwrap();
            assert_eq!(serde_json::to_value(&kind).unwrap(), before);
        }
    }
}
