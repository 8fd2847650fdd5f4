//! The HTTP interface: the paths, parameters and answers that the services and the console share.
//!
//! Only serde types live here. The console builds its requests and reads the answers with these very
//! types, so the two sides can't drift apart. Every field that the lab's own services don't send is an
//! `Option`: their answers must parse as well as ours.

use serde::{Deserialize, Serialize};

use crate::uri::S3Uri;

/// The path of the health check: answers 200 `ok`.
pub const HEALTH: &str = "/health";
/// The splitter's path: cuts an input into chunks.
pub const SPLIT: &str = "/split";
/// The mapper's path: counts the words of one chunk.
pub const MAP: &str = "/map";
/// The reducer's path: adds up map outputs.
pub const REDUCE: &str = "/reduce";

/// The parameter that says how `/split` and `/map` take their input: [`AS_BYTES`], or left out.
pub const AS: &str = "as";
/// The input's bytes are counted whatever they are: the caller has looked at them, or wants it so. Otherwise an input
/// that is not text is refused.
pub const AS_BYTES: &str = "bytes";

/// The number of chunks that `/split` makes when the request names none.
pub const DEFAULT_CHUNKS: u32 = 3;
/// The largest number of chunks that one `/split` makes.
pub const MAX_CHUNKS: u32 = 10_000;

/// The error of a text that is not a number of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give a whole number from 1 to {MAX_CHUNKS}")]
pub struct ChunkCountError;

/// Reads a number of chunks.
///
/// # Errors
///
/// Returns an error unless the text is a whole number from 1 to [`MAX_CHUNKS`].
pub fn parse_chunk_count(text: &str) -> Result<u32, ChunkCountError> {
    let count = text.parse().ok();
    let count = count.filter(|count| (1..=MAX_CHUNKS).contains(count));
    count.ok_or(ChunkCountError)
}

/// The header in which a service names itself: `mrdeck-services/VERSION ROLE`.
pub const SERVICE_HEADER: &str = "x-mrdeck-service";

/// The attempt that a request belongs to; its outputs go to keys of their own under `mr/runs/RUN/`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptParams {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    /// The plan that the run follows, as the caller names it; returned with the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// The name of the user metadata in which an output describes itself (`x-amz-meta-mrdeck`).
pub const PROVENANCE: &str = "mrdeck";
/// The name of an upload's SHA-256 in the metadata of its object.
pub const UPLOAD_SHA256: &str = "mrdeck-sha256";

/// Facts about an output, of a map or of the reduce. Services of other authors may omit them all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputInfo {
    /// The words counted, repetitions included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<u64>,
    /// The distinct words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<u64>,
    /// For a map: the bytes of the input that its chunk owns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// For a map: how many of these bytes are not ASCII. The rules count no word in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_ascii: Option<u64>,
    /// For a reduce: the number of map outputs added up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// The SHA-256 of the output's bytes, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The version of the counting rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<u32>,
}

/// The description of an output, stored as JSON in its metadata: enough to use the output without the answer to the
/// request that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    #[serde(flatten)]
    pub of: AttemptParams,
    #[serde(flatten)]
    pub info: OutputInfo,
}

impl Provenance {
    /// Reads an object's metadata. Returns `None` if it is not enough to use the output.
    pub fn from_metadata(json: &str) -> Option<Self> {
        let read: Self = serde_json::from_str(json).ok()?;
        let OutputInfo {
            words,
            unique,
            sha256,
            rules,
            ..
        } = &read.info;
        let is_enough = words.is_some() && unique.is_some() && sha256.is_some() && rules.is_some();
        is_enough.then_some(read)
    }
}

/// The way in which an input is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitMode {
    /// Each chunk is copied to an object of its own; cuts move to the ends of words.
    #[default]
    Copy,
    /// Chunks are byte ranges of the input; nothing is copied.
    Range,
}

/// A chunk in the answer of `/split`: an object, or a byte range of an object (end exclusive).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ChunkRef {
    Object(S3Uri),
    Range { s3: S3Uri, start: u64, end: u64 },
}

impl ChunkRef {
    /// Returns the object that holds the chunk.
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

/// The answer of `/map` and of `/reduce`: the location of the counts, and facts about them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputAnswer {
    pub out: S3Uri,
    #[serde(flatten)]
    pub info: OutputInfo,
    /// The attempt, as the request named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<AttemptParams>,
}

/// The answer of `/map`.
pub type MapAnswer = OutputAnswer;
/// The answer of `/reduce`.
pub type ReduceAnswer = OutputAnswer;

/// The body of `POST /reduce`: the inputs themselves, or an object that lists them as a JSON array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ReduceBody {
    In {
        #[serde(rename = "in")]
        inputs: Vec<S3Uri>,
        /// The expected SHA-256 of each input, in the order of the inputs; empty if unknown.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sha256: Vec<String>,
    },
    Manifest {
        manifest: S3Uri,
    },
}

/// The body of every error: `{"error":{"code":"…","message":"…"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorAnswer {
    pub error: ErrorDetail,
}

/// The error codes that callers handle specially.
pub mod code {
    /// A map output is unreadable; its chunk has to be mapped again.
    pub const BAD_MAP_OUTPUT: &str = "bad_map_output";
    /// The request asks for more chunks than the input has words.
    pub const TOO_MANY_CHUNKS: &str = "too_many_chunks";
    /// The input is compressed, in a wide encoding, or no text; another attempt changes nothing.
    pub const UNSUPPORTED_ENCODING: &str = "unsupported_encoding";
    /// The input is not the requested version; another attempt changes nothing.
    pub const INPUT_CHANGED: &str = "input_changed";
    /// A map output is not the expected one; its chunk has to be mapped again.
    pub const MAP_OUTPUT_MISMATCH: &str = "map_output_mismatch";
    pub const NO_SUCH_KEY: &str = "no_such_key";
    /// The service is at its limit of requests; a later attempt may succeed.
    pub const OVERLOADED: &str = "overloaded";
    /// The service has no valid credentials for S3; another attempt changes nothing.
    pub const S3_CREDENTIALS: &str = "s3_credentials";
    /// The service's credentials do not permit the operation; another attempt changes nothing.
    pub const S3_DENIED: &str = "s3_denied";
    /// The bytes that S3 sent differ from the stored ones.
    pub const S3_DAMAGED: &str = "s3_damaged";
    /// S3 sent fewer bytes than the object has.
    pub const S3_TRUNCATED: &str = "s3_truncated";
    /// S3 asks for fewer requests.
    pub const S3_THROTTLED: &str = "s3_throttled";
}

/// An error: a stable code for programs, a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    pub code: String,
    pub message: String,
    /// The object at fault, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<S3Uri>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn an_answer_of_the_lab_is_an_answer() {
        let answer: ReduceAnswer =
            serde_json::from_str(r#"{"out":"s3://b/mr/reduce/final_1.json","files":3}"#).unwrap();
        assert_eq!(answer.info.files, Some(3));
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(text, r#"{"out":"s3://b/mr/reduce/final_1.json","files":3}"#);
    }

    #[test]
    fn an_output_that_says_too_little_of_itself_is_not_used() {
        let whole = r#"{"run":"R","rules":1,"sha256":"00","words":3,"unique":2}"#;
        let read = Provenance::from_metadata(whole).unwrap();
        assert_eq!(read.of.run.as_deref(), Some("R"));
        assert_eq!(serde_json::to_value(&read).unwrap()["words"], 3);
        for missing in ["rules", "sha256", "words", "unique"] {
            let mut json: serde_json::Value = serde_json::from_str(whole).unwrap();
            json.as_object_mut().unwrap().remove(missing);
            assert_eq!(
                Provenance::from_metadata(&json.to_string()),
                None,
                "{missing}"
            );
        }
        assert_eq!(Provenance::from_metadata("not JSON"), None);
    }
}
