//! The errors of requests, each with a status, a code and a message.
//!
//! 400 is for errors of the caller, 404 for objects and paths that don't exist, 403 for a bucket outside the allow-list,
//! 409 for a map output that is not the expected one, 412 for an input that changed, 503 with Retry-After if this service
//! or S3 is overloaded, 502 if S3 failed, and 500 only for defects.

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use mrdeck_core::api::{self, ErrorAnswer, ErrorDetail};
use mrdeck_core::count::CountError;
use mrdeck_core::count::read::ReadError;
use mrdeck_core::digest::Digest;
use mrdeck_core::encoding::Unsupported;
use mrdeck_core::human::plural;
use mrdeck_core::role::Role;
use mrdeck_core::uri::{S3Uri, S3UriError};
use mrdeck_store::{Audience, StoreError};

/// The reasons why a request is refused or fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the query can't be read: {detail}; write NAME=VALUE pairs joined by &")]
    BadQuery { detail: String },
    #[error("the parameter '{name}' is given more than once; give it once")]
    DuplicateParameter { name: &'static str },
    #[error("no input is named; add s3=s3://BUCKET/KEY")]
    MissingS3,
    #[error(transparent)]
    BadS3(#[from] S3UriError),
    #[error(
        "chunks={value} is not a number from 1 to {}; leave it out for {}",
        api::MAX_CHUNKS,
        api::DEFAULT_CHUNKS
    )]
    BadChunks { value: String },
    #[error("mode={value} is unknown; write mode=copy or mode=range, or leave it out for copy")]
    BadMode { value: String },
    #[error(
        "as={value} is unknown; write as=bytes to have the bytes counted whatever they are, or leave it out"
    )]
    BadAs { value: String },
    #[error("{uri} is {what}; {}, or add as=bytes to have its bytes counted as they are", what.advice())]
    UnsupportedEncoding { uri: S3Uri, what: Unsupported },
    #[error("the byte range can't be counted: {detail}")]
    BadRange { detail: String },
    #[error("{name}={value} can't be part of a key; use 1 to 64 of A-Z, a-z, 0-9, _ and -")]
    BadAttempt { name: &'static str, value: String },
    #[error("{uri} is empty, so there is nothing to split; name an input that contains words")]
    EmptyInput { uri: S3Uri },
    #[error("{uri} has {words} {}, too few for {asked} chunks; ask for {most} at most", if *words == 1 { "word" } else { "words" })]
    TooManyChunks {
        uri: S3Uri,
        asked: u32,
        words: u64,
        most: u64,
    },
    #[error("no map output is named; add in=s3://BUCKET/KEY for each")]
    MissingIn,
    #[error("{uri} is named twice, which would count its words twice; name each map output once")]
    DuplicateIn { uri: S3Uri },
    #[error("the map output {uri} can't be added up: {source}; run its map again")]
    BadMapOutput { uri: S3Uri, source: ReadError },
    #[error(
        "the map output {uri} is not laid out as a sorted table of one count per line, and has more than {limit} bytes, too many to sort here; use more, smaller chunks"
    )]
    MapOutputTooLarge { uri: S3Uri, limit: usize },
    #[error("the map outputs can't be added up: {source}; nothing was written")]
    Unaddable { source: CountError },
    #[error(
        "the map outputs need more memory than there is here, and no temporary file can be written: {source}; give the task a writable folder for temporary files (TMPDIR), or more memory"
    )]
    NoTemporaryFile { source: std::io::Error },
    #[error(
        "the SHA-256 of the map outputs can't be used: {detail}; give one sha256=HEX for each in=, in the same order, or none"
    )]
    BadSha256 { detail: String },
    #[error(
        "the map output {uri} is not the expected one: its SHA-256 is {found:#}…, not {expected:#}…; run its map again"
    )]
    MapOutputMismatch {
        uri: S3Uri,
        expected: Digest,
        found: Digest,
    },
    #[error("the manifest {uri} can't be used: {reason}; write a JSON array of s3:// addresses")]
    BadManifest { uri: S3Uri, reason: String },
    #[error(
        "the body can't be used: {reason}; send {{\"in\":[\"s3://…\"]}} or {{\"manifest\":\"s3://…\"}}"
    )]
    BadBody { reason: String },
    #[error(
        "the body is larger than {limit} bytes; put the list into S3 and send {{\"manifest\":\"s3://…\"}}"
    )]
    BodyTooLarge { limit: usize },
    #[error("{uri} can't be counted: {source}; nothing was written")]
    Uncountable { uri: S3Uri, source: CountError },
    #[error("this service may not access the bucket of {uri}; add it to ALLOWED_BUCKETS")]
    BucketNotAllowed { uri: S3Uri },
    #[error(
        "the service is at its limit of {} at once; try again in a second, or use another task", plural(*limit as u64, "request")
    )]
    Overloaded { limit: usize },
    #[error(
        "the service is at its limit of {}; close some, or use another task", plural(*limit as u64, "connection")
    )]
    TooManyConnections { limit: usize },
    #[error(
        "the chunks that are counted here need more than {limit} bytes of memory for their words together (MAX_TABLE_BYTES); try again when one is done, or use another task"
    )]
    TooManyTables { limit: u64 },
    #[error("the service is receiving as many bodies as it can hold; try again in a second")]
    TooManyBodies,
    #[error(
        "the body did not arrive in time; send all of it, or put the list into S3 and name its manifest"
    )]
    BodyTooSlow,
    #[error("there is no {path} here; this is the {role}, which answers /health and {}", work_path(*role))]
    NoSuchPath { path: String, role: Role },
    #[error("{path} does not take {method}; use GET{}", if path == api::REDUCE { " or POST" } else { "" })]
    WrongMethod { method: Method, path: String },
    #[error("{}; {}", .0, .0.advice(Audience::Operator))]
    Store(#[from] StoreError),
    #[error("internal error: {detail}; please report this defect")]
    Defect { detail: String },
}

fn work_path(role: Role) -> &'static str {
    match role {
        Role::Splitter => api::SPLIT,
        Role::Mapper => api::MAP,
        Role::Reducer => api::REDUCE,
    }
}

impl Error {
    /// Returns the HTTP status and the code for programs.
    fn class(&self) -> (StatusCode, &'static str) {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            Self::BadQuery { .. } => (BAD, "bad_query"),
            Self::DuplicateParameter { .. } => (BAD, "duplicate_parameter"),
            Self::MissingS3 => (BAD, "missing_s3"),
            Self::BadS3(_) => (BAD, "bad_s3"),
            Self::BadChunks { .. } => (BAD, "bad_chunks"),
            Self::BadMode { .. } => (BAD, "bad_mode"),
            Self::BadAs { .. } => (BAD, "bad_as"),
            Self::UnsupportedEncoding { .. } => (BAD, api::code::UNSUPPORTED_ENCODING),
            Self::BadRange { .. } => (BAD, "bad_range"),
            Self::BadAttempt { .. } => (BAD, "bad_attempt"),
            Self::EmptyInput { .. } => (BAD, "empty_input"),
            Self::TooManyChunks { .. } => (BAD, api::code::TOO_MANY_CHUNKS),
            Self::MissingIn => (BAD, "missing_in"),
            Self::DuplicateIn { .. } => (BAD, "duplicate_in"),
            Self::BadMapOutput {
                source: ReadError::Count(CountError::Overflow),
                ..
            }
            | Self::Unaddable { .. }
            | Self::Uncountable {
                source: CountError::Overflow,
                ..
            } => (BAD, "overflow"),
            Self::BadMapOutput { .. } => (BAD, api::code::BAD_MAP_OUTPUT),
            Self::MapOutputTooLarge { .. } => (BAD, "map_output_too_large"),
            Self::BadSha256 { .. } => (BAD, "bad_sha256"),
            Self::MapOutputMismatch { .. } => {
                (StatusCode::CONFLICT, api::code::MAP_OUTPUT_MISMATCH)
            }
            Self::BadManifest { .. } => (BAD, "bad_manifest"),
            Self::BadBody { .. } => (BAD, "bad_body"),
            Self::BodyTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::Uncountable {
                source: CountError::WordTooLong { .. },
                ..
            } => (BAD, "word_too_long"),
            Self::Uncountable {
                source: CountError::TableTooLarge { .. },
                ..
            } => (BAD, "chunk_too_large"),
            Self::BucketNotAllowed { .. } => (StatusCode::FORBIDDEN, "bucket_not_allowed"),
            Self::Overloaded { .. }
            | Self::TooManyConnections { .. }
            | Self::TooManyTables { .. }
            | Self::TooManyBodies => (StatusCode::SERVICE_UNAVAILABLE, api::code::OVERLOADED),
            Self::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "body_too_slow"),
            Self::NoSuchPath { .. } => (StatusCode::NOT_FOUND, "not_found"),
            Self::WrongMethod { .. } => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Store(error) => store_class(error),
            Self::NoTemporaryFile { .. } => {
                (StatusCode::INTERNAL_SERVER_ERROR, "no_temporary_file")
            }
            Self::Defect { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "defect"),
        }
    }
}

fn store_class(error: &StoreError) -> (StatusCode, &'static str) {
    match error {
        StoreError::NoSuchBucket { .. } => (StatusCode::NOT_FOUND, "no_such_bucket"),
        StoreError::NoSuchKey { .. } => (StatusCode::NOT_FOUND, api::code::NO_SUCH_KEY),
        StoreError::Changed { .. } | StoreError::NoSuchRange { .. } => {
            (StatusCode::PRECONDITION_FAILED, api::code::INPUT_CHANGED)
        }
        StoreError::Throttled { .. } => (StatusCode::SERVICE_UNAVAILABLE, api::code::S3_THROTTLED),
        StoreError::Denied { .. } => (StatusCode::BAD_GATEWAY, api::code::S3_DENIED),
        StoreError::Truncated { .. } => (StatusCode::BAD_GATEWAY, api::code::S3_TRUNCATED),
        StoreError::Damaged { .. } => (StatusCode::BAD_GATEWAY, api::code::S3_DAMAGED),
        StoreError::Credentials { .. } => (StatusCode::BAD_GATEWAY, api::code::S3_CREDENTIALS),
        StoreError::Unreachable { .. } => (StatusCode::BAD_GATEWAY, "s3_unreachable"),
        StoreError::Unreadable { .. } => (StatusCode::BAD_GATEWAY, "s3_unreadable"),
        StoreError::Exists { .. } | StoreError::Conflict { .. } => {
            (StatusCode::BAD_GATEWAY, "s3_conflict")
        }
        StoreError::Skewed { .. } => (StatusCode::BAD_GATEWAY, "s3_clock"),
        StoreError::OtherRegion { .. } | StoreError::Source { .. } | StoreError::Other { .. } => {
            (StatusCode::BAD_GATEWAY, "s3_failed")
        }
    }
}

impl Error {
    /// Returns the object at fault, if any.
    fn object(&self) -> Option<&S3Uri> {
        match self {
            Self::BadMapOutput { uri, .. }
            | Self::UnsupportedEncoding { uri, .. }
            | Self::MapOutputTooLarge { uri, .. }
            | Self::MapOutputMismatch { uri, .. }
            | Self::Store(
                StoreError::NoSuchKey { uri }
                | StoreError::Changed { uri }
                | StoreError::NoSuchRange { uri }
                | StoreError::Truncated { uri, .. }
                | StoreError::Damaged { uri, .. },
            ) => Some(uri),
            _ => None,
        }
    }
}

impl From<BytesRejection> for Error {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::BodyTooLarge {
                limit: super::MAX_LIST,
            };
        }
        Self::BadBody {
            reason: rejection.body_text(),
        }
    }
}

/// The cause of a failure, in the extensions of its response, for the log.
#[derive(Debug, Clone)]
pub struct Cause {
    pub code: &'static str,
    pub text: String,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code) = self.class();
        let text = self.to_string();
        let error = ErrorDetail {
            code: code.to_owned(),
            message: text.clone(),
            object: self.object().cloned(),
        };
        let mut response = (status, Json(ErrorAnswer { error })).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response.extensions_mut().insert(Cause { code, text });
        response
    }
}
