//! The HTTP interface: paths, parameters and answers, shared by the services and the console.
//!
//! Only serde types live here. The console builds its requests and reads the answers with these very
//! types, so the two sides can't drift apart. Every field that the lab's own services don't send is an
//! `Option`: their answers must parse as well as ours.

use serde::{Deserialize, Serialize};

use crate::uri::S3Uri;

/// Liveness: answers 200 `ok`.
pub const HEALTH: &str = "/health";
/// Cuts an input into chunks.
pub const SPLIT: &str = "/split";
/// Counts the words of one chunk.
pub const MAP: &str = "/map";
/// Adds map outputs up.
pub const REDUCE: &str = "/reduce";

/// The number of chunks `/split` makes when the caller names none.
pub const DEFAULT_CHUNKS: u32 = 3;
/// The largest number of chunks one `/split` makes.
pub const MAX_CHUNKS: u32 = 10_000;
/// The header in which a service names itself: `mrdeck-services/VERSION ROLE`.
pub const SERVICE_HEADER: &str = "x-mrdeck-service";

/// Names the attempt a request belongs to; with it, outputs go under `mr/runs/RUN/` to keys of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptParams {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
}

/// How an input is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitMode {
    /// Each chunk is copied to an object of its own; cuts are moved to word ends.
    #[default]
    Copy,
    /// Chunks are byte ranges of the input and nothing is copied.
    Range,
}

/// One chunk as `/split` answers it: an object, or a byte range of one (end exclusive).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ChunkRef {
    Object(S3Uri),
    Range { s3: S3Uri, start: u64, end: u64 },
}

impl ChunkRef {
    /// The object that holds the chunk.
    pub fn uri(&self) -> &S3Uri {
        match self {
            Self::Object(s3) | Self::Range { s3, .. } => s3,
        }
    }
}

/// The answer of `/split`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitAnswer {
    pub chunks: Vec<ChunkRef>,
    /// The input's size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Each chunk's size in bytes, in the order of `chunks`; they add up to `bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sizes: Option<Vec<u64>>,
}

/// The answer of `/map`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapAnswer {
    pub out: S3Uri,
    /// Words counted, repetitions included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<u64>,
    /// Different words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<u64>,
    /// Bytes of the input that this chunk owns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// The answer of `/reduce`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReduceAnswer {
    pub out: S3Uri,
    /// Map outputs added up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<u64>,
}

/// The body of `POST /reduce`: the inputs themselves, or an object that lists them as a JSON array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ReduceBody {
    In {
        #[serde(rename = "in")]
        inputs: Vec<S3Uri>,
    },
    Manifest {
        manifest: S3Uri,
    },
}

/// Every error of ours: `{"error":{"code":"…","message":"…"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorAnswer {
    pub error: ErrorDetail,
}

/// Codes of our errors that callers treat in a way of their own.
pub mod code {
    /// The input is not the version that was asked for; another attempt changes nothing.
    pub const INPUT_CHANGED: &str = "input_changed";
    /// The service has no valid credentials for S3; another attempt changes nothing.
    pub const S3_CREDENTIALS: &str = "s3_credentials";
    /// The service's credentials may not do what was asked for; another attempt changes nothing.
    pub const S3_DENIED: &str = "s3_denied";
}

/// What went wrong: a stable code for programs, a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    pub code: String,
    pub message: String,
}
