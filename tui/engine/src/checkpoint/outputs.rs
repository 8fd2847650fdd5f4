//! What attempts left in S3: found when a run is resumed, and looked for when it was lost.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use mrdeck_core::api::{ChunkRef, Provenance};
use mrdeck_core::count::RULES;
use mrdeck_core::digest::Digest;
use mrdeck_core::layout;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{Entry, Store, StoreError};
use tokio::time::timeout;

use super::objects::{self, Found};
use crate::event::AttemptAnswer;
use crate::state::RunState;
use crate::work::{ChunkIndex, Phase};

/// How long a look for one object may take.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// Outputs that are looked at at the same time.
const LOOKUPS: usize = 16;
/// Outputs that are read at the same time.
const READS: usize = 4;

/// An output that belongs to the run's manifest.
#[derive(Debug)]
pub(crate) struct Output {
    /// `None` for a reduce.
    pub(crate) chunk: Option<ChunkIndex>,
    /// As the attempt was named in the request.
    pub(crate) attempt: String,
    pub(crate) answer: AttemptAnswer,
}

/// What was found of a phase's outputs.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    pub(crate) found: Vec<Output>,
    /// How many are there that could not be looked at, and why.
    pub(crate) unseen: Option<(usize, StoreError)>,
}

/// Returns every output of the run's maps, or of its reduce, that says of itself that it belongs to its manifest.
pub(crate) async fn outputs(
    store: &dyn Store,
    record: &RunState,
    phase: Phase,
) -> Result<Outputs, StoreError> {
    let run = record.run.to_string();
    let folder = match phase {
        Phase::Reduce => layout::reduce_outputs(&run),
        _ => layout::map_outputs(&run),
    };
    let keys = list(store, record.input.bucket(), &folder).await?;
    let looks = keys.into_iter().map(|key| async move {
        let Ok(at) = record.input.sibling(&key) else {
            return Ok(None);
        };
        match store.head(&at).await {
            Ok(meta) => Ok(meta.provenance.and_then(|own| found(record, at, own))),
            Err(StoreError::NoSuchKey { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    });
    let looked: Vec<Result<Option<Output>, StoreError>> = stream::iter(looks)
        .buffer_unordered(LOOKUPS)
        .collect()
        .await;
    let mut outputs = Outputs::default();
    for look in looked {
        match look {
            Ok(found) => outputs.found.extend(found),
            Err(error) => {
                let count = outputs.unseen.map_or(0, |(count, _)| count);
                outputs.unseen = Some((count + 1, error));
            }
        }
    }
    outputs
        .found
        .sort_by(|a, b| (a.chunk, &a.attempt).cmp(&(b.chunk, &b.attempt)));
    Ok(outputs)
}

/// Returns the versions of the copies that a split made: what is mapped later must be these. `None` for a range, and
/// for a copy that is gone already.
pub(crate) async fn versions(
    store: &dyn Store,
    chunks: &[ChunkRef],
) -> Result<Vec<Option<String>>, StoreError> {
    let looks = chunks.iter().map(|chunk| async move {
        match chunk {
            ChunkRef::Range { .. } => Ok(None),
            ChunkRef::Object(copy) => match store.head(copy).await {
                Ok(meta) => Ok(meta.etag),
                Err(StoreError::NoSuchKey { .. }) => Ok(None),
                Err(error) => Err(error),
            },
        }
    });
    // Collected first: the compiler can't prove a stream with the borrowing closure in it Send.
    let looks: Vec<_> = looks.collect();
    stream::iter(looks).buffered(LOOKUPS).try_collect().await
}

/// Returns whether the object is certainly absent.
pub(crate) async fn is_gone(store: &dyn Store, at: &S3Uri) -> bool {
    matches!(
        timeout(LOOKUP_TIMEOUT, store.head(at)).await,
        Ok(Err(StoreError::NoSuchKey { .. }))
    )
}

/// Returns the committed map outputs that are gone, or not what their mappers wrote, and in what way. All of them are read once
/// here, so that not each of them costs a reduce.
pub(crate) async fn verify_outputs(
    store: &dyn Store,
    record: &RunState,
) -> Vec<(S3Uri, &'static str)> {
    let answers = record.chunks.iter().filter_map(|chunk| chunk.work.answer());
    let outputs: Vec<(S3Uri, Option<String>)> = answers
        .filter_map(|answer| Some((answer.out.clone()?, answer.info.sha256.clone())))
        .collect();
    let looks = outputs.into_iter().map(|(out, sha256)| async move {
        let Some(sha256) = sha256 else {
            let is_gone = is_gone(store, &out).await;
            return is_gone.then_some((out, "is gone"));
        };
        match objects::find(store, &out).await {
            Ok(Found::Nothing) => Some((out, "is gone")),
            Ok(Found::Damaged) => Some((out, "is damaged")),
            Ok(Found::Body(body)) if !is_hash(&body, &sha256) => Some((out, "was written over")),
            // What can't be seen now is seen by the reducer.
            Ok(Found::Body(_)) | Err(_) => None,
        }
    });
    let looked: Vec<Option<(S3Uri, &'static str)>> =
        stream::iter(looks).buffer_unordered(READS).collect().await;
    looked.into_iter().flatten().collect()
}

fn is_hash(body: &[u8], sha256: &str) -> bool {
    Digest::of(body).to_string().eq_ignore_ascii_case(sha256)
}

async fn list(store: &dyn Store, bucket: &str, folder: &str) -> Result<Vec<String>, StoreError> {
    let (mut keys, mut from) = (Vec::new(), None);
    loop {
        let page = store.list(bucket, folder, from.as_deref()).await?;
        keys.extend(page.items.into_iter().filter_map(|entry| match entry {
            Entry::Object { key, .. } => Some(key),
            Entry::Prefix(_) => None,
        }));
        match page.next {
            Some(next) => from = Some(next),
            None => return Ok(keys),
        }
    }
}

fn found(record: &RunState, out: S3Uri, Provenance { of, info }: Provenance) -> Option<Output> {
    let is_ours = of.run == Some(record.run.to_string()) && of.plan == record.plan;
    if info.rules != Some(RULES) || !is_ours || of.plan.is_none() {
        return None;
    }
    let chunk = match &of.chunk {
        Some(chunk) => Some(ChunkIndex(chunk.parse().ok()?)),
        None => None,
    };
    Some(Output {
        chunk,
        attempt: of.attempt?,
        answer: AttemptAnswer {
            out: Some(out),
            info,
            timing: Vec::new(),
        },
    })
}
