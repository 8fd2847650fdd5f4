//! What attempts left in S3: found after a lost answer, and when a run is taken up again.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use mrdeck_services::api::{AttemptParams, MapAnswer, Provenance, ReduceAnswer};
use mrdeck_services::layout;
use mrdeck_services::store::{Entry, Store, StoreError};
use mrdeck_services::uri::S3Uri;
use tokio::time::timeout;

use super::client::{Answer, AttemptName};
use super::event::{AttemptAnswer, Phase};
use super::objects::store_trouble;
use super::record::Record;
use crate::trouble::Trouble;

/// How long a look after a lost answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Outputs that are looked at at the same time.
const LOOKS: usize = 16;

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
        sha256,
        words,
        unique,
        bytes,
        files,
    } = provenance;
    let (words, unique, sha256, of) = (Some(words), Some(unique), Some(sha256), Some(of));
    match phase {
        Phase::Reduce => Answer::Reduce(ReduceAnswer {
            out,
            files,
            words,
            unique,
            sha256,
            of,
        }),
        _ => Answer::Map(MapAnswer {
            out,
            words,
            unique,
            bytes,
            sha256,
            of,
        }),
    }
}

/// An output that belongs to the run's plan.
#[derive(Debug)]
pub(super) struct Found {
    /// `None` for a reduce.
    pub(super) chunk: Option<u32>,
    /// As the attempt was named in the request.
    pub(super) attempt: String,
    pub(super) files: Option<u64>,
    pub(super) answer: AttemptAnswer,
}

/// Every output of the run's maps, or of its reduce, that says of itself that it belongs to its plan.
pub(super) async fn outputs(
    store: &dyn Store,
    record: &Record,
    phase: Phase,
) -> Result<Vec<Found>, Trouble> {
    let run = record.run.to_string();
    let folder = match phase {
        Phase::Reduce => layout::reduce_outputs(&run),
        _ => layout::map_outputs(&run),
    };
    let keys = list(store, record.input.bucket(), &folder)
        .await
        .map_err(|error| store_trouble(&error))?;
    let looks = keys.into_iter().map(|key| async move {
        let at = record.input.sibling(&key).ok()?;
        let provenance = store.head(&at).await.ok()?.provenance?;
        found(record, at, provenance)
    });
    let looked: Vec<Option<Found>> = stream::iter(looks).buffer_unordered(LOOKS).collect().await;
    let mut found: Vec<Found> = looked.into_iter().flatten().collect();
    found.sort_by(|a, b| (a.chunk, &a.attempt).cmp(&(b.chunk, &b.attempt)));
    Ok(found)
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

fn found(record: &Record, out: S3Uri, provenance: Provenance) -> Option<Found> {
    let Provenance {
        of,
        sha256,
        words,
        unique,
        bytes,
        files,
    } = provenance;
    let is_ours = of.run == Some(record.run.to_string()) && of.plan == record.plan;
    if !is_ours || of.plan.is_none() {
        return None;
    }
    let chunk = match of.chunk {
        Some(chunk) => Some(chunk.parse().ok()?),
        None => None,
    };
    let answer = AttemptAnswer {
        out: Some(out),
        words: Some(words),
        unique: Some(unique),
        bytes,
        sha256: Some(sha256),
        timing: Vec::new(),
    };
    Some(Found {
        chunk,
        attempt: of.attempt?,
        files,
        answer,
    })
}
