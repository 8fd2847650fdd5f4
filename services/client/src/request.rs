//! The requests to the services, a type per call.

use mrdeck_core::api::{self, AttemptParams, ChunkRef, ReduceBody, SplitMode};
use mrdeck_core::run_id::RunId;
use mrdeck_core::uri::S3Uri;
use reqwest::RequestBuilder;
use url::{ParseError, Url};

/// The longest query of a reduce; a longer one is sent as a POST, since load balancers limit addresses (an ALB to 16 KiB).
const MAX_QUERY: usize = 8 << 10;

/// Says that the input was looked at before the run began: a chunk of it may have bytes that its beginning has not.
const LOOKED_AT: [(&str, &str); 1] = [(api::AS, api::AS_BYTES)];

/// `GET /split`.
#[derive(Debug, Clone)]
pub struct SplitRequest {
    pub input: S3Uri,
    pub chunks: u32,
    pub mode: SplitMode,
    /// The expected version of the input; any other is refused.
    pub etag: Option<String>,
}

/// `GET /map`.
#[derive(Debug, Clone)]
pub struct MapRequest {
    pub source: ChunkRef,
    /// The expected version of the object that holds the chunk; any other is refused.
    pub etag: Option<String>,
}

/// `GET /reduce`, or a POST if the query would be too long.
#[derive(Debug, Clone)]
pub struct ReduceRequest {
    pub inputs: Vec<S3Uri>,
    /// The expected SHA-256 of each input, in the order of the inputs; empty unless all are known.
    pub sha256: Vec<String>,
}

/// The attempt that a request belongs to.
#[derive(Debug, Clone)]
pub struct AttemptName {
    pub run: RunId,
    /// Counted from 0; `None` for a split and a reduce.
    pub chunk: Option<u32>,
    /// Counted from 1.
    pub attempt: u32,
    /// The number of the sending console's lease on the run, counted from 1.
    pub lease: u32,
    /// The SHA-256 of the run's manifest, once it is written.
    pub plan: Option<String>,
}

impl AttemptName {
    /// Returns the name as request parameters. Consoles never give two attempts the same name.
    pub fn params(&self) -> AttemptParams {
        let attempt = match self.lease {
            1 => self.attempt.to_string(),
            lease => format!("{}c{lease}", self.attempt),
        };
        AttemptParams {
            run: Some(self.run.to_string()),
            chunk: self.chunk.map(|chunk| format!("{chunk:05}")),
            attempt: Some(attempt),
            plan: self.plan.clone(),
        }
    }
}

impl SplitRequest {
    pub(crate) fn build(
        &self,
        http: &reqwest::Client,
        base: &Url,
    ) -> Result<RequestBuilder, ParseError> {
        let mode = match self.mode {
            SplitMode::Copy => None,
            SplitMode::Range => Some(("mode", "range")),
        };
        Ok(http
            .get(base.join(api::SPLIT)?)
            .query(&[
                ("s3", self.input.to_string()),
                ("chunks", self.chunks.to_string()),
            ])
            .query(&LOOKED_AT)
            .query(mode.as_slice())
            .query(pinned(self.etag.as_ref()).as_slice()))
    }
}

impl MapRequest {
    pub(crate) fn build(
        &self,
        http: &reqwest::Client,
        base: &Url,
    ) -> Result<RequestBuilder, ParseError> {
        let builder = http
            .get(base.join(api::MAP)?)
            .query(&[("s3", self.source.uri())])
            .query(&LOOKED_AT);
        let builder = match &self.source {
            ChunkRef::Object(_) => builder,
            ChunkRef::Range { start, end, .. } => builder.query(&[("start", start), ("end", end)]),
        };
        Ok(builder.query(pinned(self.etag.as_ref()).as_slice()))
    }
}

impl ReduceRequest {
    pub(crate) fn build(
        &self,
        http: &reqwest::Client,
        base: &Url,
    ) -> Result<RequestBuilder, ParseError> {
        let url = base.join(api::REDUCE)?;
        let hashes: usize = self.sha256.iter().map(|hash| hash.len() + 8).sum();
        let names: usize = self
            .inputs
            .iter()
            .map(|uri| uri.to_string().len() + 8)
            .sum();
        if names + hashes > MAX_QUERY {
            return Ok(http.post(url).json(&ReduceBody::In {
                inputs: self.inputs.clone(),
                sha256: self.sha256.clone(),
            }));
        }
        let inputs: Vec<_> = self.inputs.iter().map(|uri| ("in", uri)).collect();
        let hashes: Vec<_> = self.sha256.iter().map(|hash| ("sha256", hash)).collect();
        Ok(http.get(url).query(&inputs).query(&hashes))
    }
}

/// Returns the parameter that names a version, if there is one.
fn pinned(etag: Option<&String>) -> Option<(&'static str, &str)> {
    etag.map(|etag| ("etag", etag.as_str()))
}
