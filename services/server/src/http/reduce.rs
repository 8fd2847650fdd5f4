//! `GET` and `POST /reduce`: adds map outputs up.

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::task::spawn_blocking;

use super::answer::Answer;
use super::error::Error;
use super::map_outputs::{MapOutput, named};
use super::output::Output;
use super::params::{Params, object};
use super::timing::{Part, Timings};
use super::{MAX_LIST, ServiceState, keys};
use mrdeck_core::api::ReduceAnswer;
use mrdeck_core::count::CountError;
use mrdeck_core::count::table::Counts;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::ReadOptions;

/// The map outputs that are read at the same time; each is held whole while it is added up.
const READS: usize = 4;
/// The largest map output that is read, in bytes.
const MAX_MAP_OUTPUT: u64 = 512 << 20;

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
    reduce(&state, &params, inputs, &Timings::default()).await
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
    let timings = Timings::default();
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
    timings: &Timings,
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
    timings: &Timings,
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

    // Collected first: the compiler can't prove that a stream with the borrowing closure is Send.
    let files = inputs.len() as u64;
    let reads: Vec<_> = inputs
        .into_iter()
        .map(|input| table(state, input, timings))
        .collect();
    let mut tables = stream::iter(reads).buffered(READS);
    let mut total = Counts::new();
    while let Some((uri, table)) = tables.try_next().await? {
        let merged = busy(timings, move || total.merge(&table).map(|()| total)).await?;
        total = merged.map_err(|source: CountError| Error::Uncountable { uri, source })?;
    }
    let mut output = busy(timings, move || Output::of(&total)).await?;
    output.info.files = Some(files);
    let answer = output.write(state, out, attempt.as_ref(), timings).await?;
    Ok(Answer::new(answer, timings))
}

/// Reads a map output as a table, if it is the one that the caller expects.
async fn table(
    state: &ServiceState,
    input: MapOutput,
    timings: &Timings,
) -> Result<(S3Uri, Counts), Error> {
    let limit = MAX_MAP_OUTPUT;
    let too_large = |size| Error::MapOutputTooLarge {
        uri: input.uri.clone(),
        size,
        limit,
    };
    let json = fetch(state, &input.uri, limit, timings, too_large).await?;
    let read = move || {
        // Checked first: errors in another object than the expected one are of no interest.
        input.check(&json)?;
        let uri = input.uri;
        match Counts::from_json(&json) {
            Ok(counts) => Ok((uri, counts)),
            Err(source) => Err(Error::BadMapOutput { uri, source }),
        }
    };
    busy(timings, read).await?
}

/// Reads a whole object, unless it is larger than `limit` bytes.
async fn fetch(
    state: &ServiceState,
    uri: &S3Uri,
    limit: u64,
    timings: &Timings,
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

/// Runs work on a whole table away from the threads that serve requests.
async fn busy<T: Send + 'static>(
    timings: &Timings,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let done = timings.wait(Part::Count, spawn_blocking(work)).await;
    done.map_err(|e| Error::Defect {
        detail: e.to_string(),
    })
}
