//! `GET` and `POST /reduce`: adds map outputs up.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::mpsc::channel;
use tokio::task::spawn_blocking;

use super::adding_up::AddingUp;
use super::answer::Answer;
use super::arriving::Stop;
use super::error::Error;
use super::map_outputs::{MapOutput, named};
use super::params::{Attempt, Params, object};
use super::timing::{Part, Timings};
use super::{MAX_LIST, ServiceState, keys, streamed};
use mrdeck_core::api::ReduceAnswer;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::ReadOptions;

/// The memory for a table where no limit is known, in bytes; beyond it, a table goes to disk.
const DEFAULT_TABLE: u64 = 256 << 20;
/// The memory for a table, however little there is, in bytes: each time it is full is one more file.
const SMALLEST_TABLE: u64 = 4 << 20;
/// The pieces of the final counts that wait to be written.
const PIECES: usize = 4;

/// The body as received; it is checked here which of the two it has, for a better message than serde's.
#[derive(Deserialize)]
struct Body {
    #[serde(rename = "in")]
    inputs: Option<Vec<String>>,
    manifest: Option<String>,
    /// The expected SHA-256 of each map output, in either form of the body.
    #[serde(default)]
    sha256: Vec<String>,
}

pub async fn by_query(
    State(state): State<ServiceState>,
    params: Params,
) -> Result<Answer<ReduceAnswer>, Error> {
    let inputs = named(params.all("in"), params.all("sha256"), &state.config)?;
    reduce(&state, &params, inputs, &Arc::default()).await
}

pub async fn by_body(
    State(state): State<ServiceState>,
    params: Params,
    body: Result<Bytes, BytesRejection>,
) -> Result<Answer<ReduceAnswer>, Error> {
    let refused = |reason: String| Error::BadBody { reason };
    for name in ["in", "sha256"] {
        if params.first(name).is_some() {
            return Err(refused(format!("'{name}' is given in the query as well")));
        }
    }
    let body: Body = serde_json::from_slice(&body?).map_err(|e| refused(e.to_string()))?;
    let timings = Arc::<Timings>::default();
    let texts = match (body.inputs, body.manifest) {
        (Some(texts), None) => texts,
        (None, Some(manifest)) => {
            list(&state, &object(&manifest, &state.config)?, &timings).await?
        }
        (None, None) => return Err(Error::MissingIn),
        (Some(_), Some(_)) => {
            return Err(refused("'in' and 'manifest' exclude each other".to_owned()));
        }
    };
    let (addresses, digests) = (texts.iter(), body.sha256.iter());
    let inputs = named(
        addresses.map(String::as_str),
        digests.map(String::as_str),
        &state.config,
    )?;
    reduce(&state, &params, inputs, &timings).await
}

/// Returns the addresses in a manifest.
async fn list(
    state: &ServiceState,
    manifest: &S3Uri,
    timings: &Arc<Timings>,
) -> Result<Vec<String>, Error> {
    let refused = |reason: String| Error::BadManifest {
        uri: manifest.clone(),
        reason,
    };
    let limit = MAX_LIST as u64;
    let json = fetch(state, manifest, limit, timings, |size| {
        refused(format!(
            "it has {size} bytes, more than the limit of {limit}"
        ))
    });
    serde_json::from_slice(&json.await?).map_err(|e| refused(e.to_string()))
}

async fn reduce(
    state: &ServiceState,
    params: &Params,
    inputs: Vec<MapOutput>,
    timings: &Arc<Timings>,
) -> Result<Answer<ReduceAnswer>, Error> {
    let attempt = params.attempt()?;
    let Some(first) = inputs.first() else {
        return Err(Error::MissingIn);
    };
    let key = keys::reduce(
        &state.config.out_prefix,
        attempt.as_ref(),
        &keys::stamp(Timestamp::now()),
    );
    let out = first.uri.sibling(&key)?;

    let memory = state.config.max_table_bytes.unwrap_or(DEFAULT_TABLE);
    let memory = memory.max(SMALLEST_TABLE);
    let adding = AddingUp {
        runtime: Handle::current(),
        store: state.store.clone(),
        inputs,
        memory,
        timings: timings.clone(),
    };
    // Ours are sorted, and need no table; what else there is shows on the way.
    let stopped = match add_up(state, out.clone(), attempt.as_ref(), adding.clone(), true).await {
        Err(Stop::OtherLayout) => add_up(state, out, attempt.as_ref(), adding, false).await,
        ended => ended,
    };
    match stopped {
        Ok(answer) => Ok(Answer::new(answer, timings)),
        Err(Stop::Failed(error)) => Err(*error),
        Err(Stop::OtherLayout) => Err(Error::Defect {
            detail: "a layout does not matter here".to_owned(),
        }),
    }
}

async fn add_up(
    state: &ServiceState,
    out: S3Uri,
    attempt: Option<&Attempt>,
    adding: AddingUp,
    is_ours: bool,
) -> Result<ReduceAnswer, Stop> {
    let timings = adding.timings.clone();
    let (sender, pieces) = channel(PIECES);
    let making = spawn_blocking(move || adding.run(&sender, is_ours));
    streamed::write(state, out, attempt, pieces, making, &timings).await
}

/// Reads a whole object, unless it is larger than `limit` bytes.
async fn fetch(
    state: &ServiceState,
    uri: &S3Uri,
    limit: u64,
    timings: &Arc<Timings>,
    too_large: impl Fn(u64) -> Error,
) -> Result<BytesMut, Error> {
    let mut found = timings
        .wait(Part::Get, state.store.get(uri, ReadOptions::default()))
        .await?;
    if found.meta.size > limit {
        return Err(too_large(found.meta.size));
    }
    let mut bytes = BytesMut::new();
    while let Some(piece) = timings
        .wait(Part::Get, found.body.next())
        .await
        .transpose()?
    {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}
