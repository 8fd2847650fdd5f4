//! What attempts left in S3: found after a lost answer, and when a run is taken up again.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use mrdeck_core::api::{AttemptParams, ChunkRef, MapAnswer, Provenance, ReduceAnswer};
use mrdeck_core::count::RULES;
use mrdeck_core::digest::Digest;
use mrdeck_core::layout;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{Entry, Store, StoreError};
use tokio::time::timeout;

use super::event::{AttemptAnswer, Phase};
use super::landing::summary;
use super::objects::{self, Found};
use super::record::Record;
use crate::call::Answer;
use mrdeck_client::AttemptName;
use mrdeck_core::diagnostic::Diagnostic;

/// How long a look after a lost answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Outputs that are looked at at the same time.
const LOOKS: usize = 16;
/// Outputs that are read at the same time.
const READS: usize = 4;

/// Where our services would have put an attempt's output.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    phase: Phase,
    at: S3Uri,
    of: AttemptParams,
}

impl Expected {
    /// `None` for a split, whose outputs say nothing of themselves.
    pub(super) fn of(phase: Phase, input: &S3Uri, name: &AttemptName) -> Option<Self> {
        let of = name.params();
        let (run, attempt) = (of.run.as_deref()?, of.attempt.as_deref()?);
        let key = match phase {
            Phase::Map => layout::map_output(run, of.chunk.as_deref()?, attempt),
            Phase::Reduce => layout::reduce_output(run, attempt),
            Phase::Split | Phase::Verify => return None,
        };
        Some(Self {
            phase,
            at: input.sibling(&key).ok()?,
            of,
        })
    }

    /// The answer that was lost, from what the output says of itself; `None` if the work was not done.
    pub(super) async fn look(&self, store: &dyn Store) -> Option<Answer> {
        let head = timeout(PATIENCE, store.head(&self.at)).await.ok()?;
        let provenance = head.ok()?.provenance?;
        (provenance.of == self.of).then(|| answer(self.phase, self.at.clone(), provenance))
    }
}

fn answer(phase: Phase, out: S3Uri, provenance: Provenance) -> Answer {
    let Provenance {
        of,
        rules,
        sha256,
        words,
        unique,
        bytes,
        files,
    } = provenance;
    let (words, unique, sha256, of) = (Some(words), Some(unique), Some(sha256), Some(of));
    let rules = Some(rules);
    match phase {
        Phase::Reduce => Answer::Reduce(ReduceAnswer {
            out,
            files,
            words,
            unique,
            sha256,
            of,
            rules,
        }),
        _ => Answer::Map(MapAnswer {
            out,
            words,
            unique,
            bytes,
            sha256,
            of,
            rules,
        }),
    }
}

/// An output that belongs to the run's plan.
#[derive(Debug)]
pub(super) struct Output {
    /// `None` for a reduce.
    pub(super) chunk: Option<u32>,
    /// As the attempt was named in the request.
    pub(super) attempt: String,
    pub(super) files: Option<u64>,
    pub(super) answer: AttemptAnswer,
}

/// What was found of a phase's outputs.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    pub(super) found: Vec<Output>,
    /// How many are there that could not be looked at, and why.
    pub(super) unseen: Option<(usize, Diagnostic)>,
}

/// Every output of the run's maps, or of its reduce, that says of itself that it belongs to its plan.
pub(super) async fn outputs(
    store: &dyn Store,
    record: &Record,
    phase: Phase,
) -> Result<Outputs, Diagnostic> {
    let run = record.run.to_string();
    let folder = match phase {
        Phase::Reduce => layout::reduce_outputs(&run),
        _ => layout::map_outputs(&run),
    };
    let keys = list(store, record.input.bucket(), &folder)
        .await
        .map_err(Diagnostic::from)?;
    let looks = keys.into_iter().map(|key| async move {
        let Ok(at) = record.input.sibling(&key) else {
            return Ok(None);
        };
        match store.head(&at).await {
            Ok(meta) => Ok(meta
                .provenance
                .and_then(|own| found(record, phase, at, own))),
            Err(StoreError::NoSuchKey { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    });
    let looked: Vec<Result<Option<Output>, StoreError>> =
        stream::iter(looks).buffer_unordered(LOOKS).collect().await;
    let mut outputs = Outputs::default();
    for look in looked {
        match look {
            Ok(found) => outputs.found.extend(found),
            Err(error) => {
                let (count, _) = outputs
                    .unseen
                    .take()
                    .unwrap_or((0, Diagnostic::new("", "")));
                outputs.unseen = Some((count + 1, Diagnostic::from(&error)));
            }
        }
    }
    outputs
        .found
        .sort_by(|a, b| (a.chunk, &a.attempt).cmp(&(b.chunk, &b.attempt)));
    Ok(outputs)
}

/// The versions of the copies that a split made: what is mapped later must be these. `None` for a range, and for a copy
/// that is gone already.
pub(super) async fn versions(
    store: &dyn Store,
    chunks: &[ChunkRef],
) -> Result<Vec<Option<String>>, Diagnostic> {
    let looks = chunks.iter().map(|chunk| async move {
        match chunk {
            ChunkRef::Range { .. } => Ok(None),
            ChunkRef::Object(copy) => match store.head(copy).await {
                Ok(meta) => Ok(meta.etag),
                Err(StoreError::NoSuchKey { .. }) => Ok(None),
                Err(error) => Err(Diagnostic::from(&error)),
            },
        }
    });
    // Collected first: the compiler can't prove a stream with the borrowing closure in it Send.
    let looks: Vec<_> = looks.collect();
    stream::iter(looks).buffered(LOOKS).try_collect().await
}

/// Is it certain that there is no such object?
pub(super) async fn is_gone(store: &dyn Store, at: &S3Uri) -> bool {
    matches!(
        timeout(PATIENCE, store.head(at)).await,
        Ok(Err(StoreError::NoSuchKey { .. }))
    )
}

/// The committed map outputs that are gone, or not what their mappers wrote, and in what way. All of them are read once
/// here, so that not each of them costs a reduce.
pub(super) async fn lost_outputs(store: &dyn Store, record: &Record) -> Vec<(S3Uri, &'static str)> {
    let answers = record.chunks.iter().filter_map(|chunk| chunk.work.answer());
    let outputs: Vec<(S3Uri, Option<String>)> = answers
        .filter_map(|answer| Some((answer.out.clone()?, answer.sha256.clone())))
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

fn found(record: &Record, phase: Phase, out: S3Uri, provenance: Provenance) -> Option<Output> {
    let of = &provenance.of;
    let is_ours = of.run == Some(record.run.to_string()) && of.plan == record.plan;
    if provenance.rules != RULES || !is_ours || of.plan.is_none() {
        return None;
    }
    let chunk = match &of.chunk {
        Some(chunk) => Some(chunk.parse().ok()?),
        None => None,
    };
    Some(Output {
        chunk,
        attempt: of.attempt.clone()?,
        files: provenance.files,
        answer: summary(&answer(phase, out, provenance), Vec::new()),
    })
}
