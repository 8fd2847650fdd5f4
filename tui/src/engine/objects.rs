//! What the engine itself reads from S3: the input's version, the final counts, and the input again to verify them.

use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use mrdeck_services::count::table::{Counts, compare};
use mrdeck_services::count::tokens::WordCounter;
use mrdeck_services::digest::Digest;
use mrdeck_services::store::{
    BodyStream, ObjectMeta, ReadOptions, Store, StoreError, WriteOptions,
};
use mrdeck_services::uri::S3Uri;

use super::event::{ResultSummary, Verification};
use crate::trouble::{CHECK_ENDPOINT, Trouble, TroubleKind};

/// Words kept in the record for the results panel.
const TOP_WORDS: usize = 100;
/// Differences shown of a result that is wrong.
const SAMPLES: usize = 10;
/// A write that meets another one is tried so often, with pauses that double.
const CONFLICTS: usize = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A body is read so often, at most.
const READS: usize = 3;

/// What a person is told about a failure of S3.
pub fn store_trouble(error: &StoreError) -> Trouble {
    let advice = match error {
        StoreError::NoSuchBucket { .. } => "check the bucket's name and the region",
        StoreError::NoSuchKey { .. } => "check the key: it is case-sensitive",
        StoreError::Denied { .. } => "check that your credentials may read and write this bucket",
        StoreError::Changed { .. } => "start again when nobody writes it any more",
        StoreError::Credentials { .. } => {
            "renew them, for instance with 'aws sso login', or choose another --profile"
        }
        StoreError::Unreachable { .. } => "check the network, the region and --endpoint-url",
        StoreError::Unreadable { .. } => CHECK_ENDPOINT,
        StoreError::OtherRegion { .. } => "name that region with --region",
        StoreError::Skewed { .. } => {
            "set this machine's clock by NTP, for instance with 'timedatectl set-ntp true'"
        }
        StoreError::Exists { .. } => "choose another name",
        StoreError::Source { .. } => "check the file, and try again when nobody writes it any more",
        StoreError::Throttled { .. }
        | StoreError::Truncated { .. }
        | StoreError::Damaged { .. }
        | StoreError::Conflict { .. }
        | StoreError::Other { .. } => "try again in a moment",
    };
    let kind = match error {
        StoreError::Credentials { .. } => TroubleKind::Credentials,
        _ => TroubleKind::Other,
    };
    Trouble::new(error.to_string(), advice).of_kind(kind)
}

pub(super) fn input_changed(input: &S3Uri) -> Trouble {
    Trouble::new(
        format!("the input {input} was changed while the run was under way"),
        "no result is given: run again from the start when nobody writes it any more",
    )
    .of_kind(TroubleKind::InputChanged)
}

/// The input as it is now. An empty one is refused: there is nothing to count.
pub(super) async fn pin(store: &dyn Store, input: &S3Uri) -> Result<ObjectMeta, Trouble> {
    let meta = store.head(input).await.map_err(|e| store_trouble(&e))?;
    if meta.size == 0 {
        return Err(Trouble::new(
            format!("the input {input} has 0 bytes: there is nothing to count"),
            "choose another input",
        ));
    }
    Ok(meta)
}

pub(super) fn parse_counts(at: &S3Uri, body: &[u8]) -> Result<Counts, Trouble> {
    Counts::from_json(body).map_err(|error| {
        Trouble::new(
            format!("{at} does not hold counts: {error}"),
            "check the reducer's version and its logs",
        )
        .of_kind(TroubleKind::Refused)
    })
}

/// A whole object in memory: for results, whose size is bounded by the vocabulary.
pub async fn read_all(store: &dyn Store, at: &S3Uri) -> Result<Vec<u8>, Trouble> {
    read(store, at).await.map_err(|error| store_trouble(&error))
}

/// Reads again a body that broke off or came damaged: no layer below does.
async fn read(store: &dyn Store, at: &S3Uri) -> Result<Vec<u8>, StoreError> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..READS {
        let object = store.get(at, ReadOptions::default()).await?;
        if let Ok(body) = collect(object.body).await {
            return Ok(body);
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    collect(store.get(at, ReadOptions::default()).await?.body).await
}

async fn collect(body: BodyStream) -> Result<Vec<u8>, StoreError> {
    body.try_fold(Vec::new(), async |mut body, piece| {
        body.extend_from_slice(&piece);
        Ok(body)
    })
    .await
}

/// What is found where a small object should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Body(Vec<u8>),
    Nothing,
    /// It is there, and not what was written: S3 says so itself.
    Damaged,
}

pub(super) async fn find(store: &dyn Store, at: &S3Uri) -> Result<Found, Trouble> {
    match read(store, at).await {
        Ok(body) => Ok(Found::Body(body)),
        Err(StoreError::NoSuchKey { .. }) => Ok(Found::Nothing),
        Err(StoreError::Damaged { .. } | StoreError::Truncated { .. }) => Ok(Found::Damaged),
        Err(error) => Err(store_trouble(&error)),
    }
}

/// A small object; `None` if it is not there.
pub(super) async fn read_if_there(
    store: &dyn Store,
    at: &S3Uri,
) -> Result<Option<Vec<u8>>, Trouble> {
    match find(store, at).await? {
        Found::Body(body) => Ok(Some(body)),
        Found::Nothing => Ok(None),
        Found::Damaged => Err(Trouble::new(
            format!("{at} is damaged: what S3 gives is not what was written there"),
            "see who else writes into this bucket",
        )),
    }
}

/// What came of writing an object that must not be there yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    Now,
    /// Somebody else's is there; this is it.
    Before(Vec<u8>),
}

/// Writes an object if there is none (If-None-Match). A write whose answer was lost is recognised by its bytes.
pub(super) async fn write_new(
    store: &dyn Store,
    at: &S3Uri,
    body: &[u8],
) -> Result<Written, Trouble> {
    let mut pause = FIRST_PAUSE;
    for _ in 0..CONFLICTS {
        let options = WriteOptions {
            only_new: true,
            ..WriteOptions::default()
        };
        match store.write(at, Bytes::copy_from_slice(body), options).await {
            Ok(()) => return Ok(Written::Now),
            Err(StoreError::Exists { .. }) => {
                let there = read(store, at)
                    .await
                    .map_err(|error| store_trouble(&error))?;
                return Ok(if there == body {
                    Written::Now
                } else {
                    Written::Before(there)
                });
            }
            // Two writes at a time: one of them will be there in a moment.
            Err(StoreError::Conflict { .. }) => tokio::time::sleep(pause).await,
            Err(error) => {
                // It may have been written, and only the answer lost.
                return match read(store, at).await {
                    Ok(there) if there == body => Ok(Written::Now),
                    _ => Err(store_trouble(&error)),
                };
            }
        }
        pause *= 2;
    }
    Err(Trouble::new(
        format!("{at} can't be written: somebody else keeps writing it"),
        "see which other console works on this run, and try again in a moment",
    ))
}

pub(super) fn summarise(out: S3Uri, body: &[u8], counts: &Counts) -> ResultSummary {
    let top = counts.top(TOP_WORDS);
    ResultSummary {
        out,
        words: counts.words(),
        unique: counts.unique(),
        sha256: Digest::of(body).to_string(),
        top: top
            .into_iter()
            .map(|(word, count)| (word.to_owned(), count))
            .collect(),
    }
}

/// Counts the whole input in this process and compares it with the result, both ways.
pub(super) async fn recount(
    store: &dyn Store,
    input: &S3Uri,
    options: ReadOptions,
    result: &ResultSummary,
) -> Result<Verification, Trouble> {
    let out = &result.out;
    let mut body = store
        .get(input, options)
        .await
        .map_err(|error| store_trouble(&error))?
        .body;
    let uncountable = |error: mrdeck_services::count::CountError| {
        Trouble::new(
            format!("the input {input} can't be recounted: {error}"),
            "choose another input",
        )
    };
    let mut counter = WordCounter::new();
    while let Some(piece) = body
        .try_next()
        .await
        .map_err(|error| store_trouble(&error))?
    {
        counter.feed(&piece).map_err(uncountable)?;
    }
    let expected = counter.finish().map_err(uncountable)?;
    let body = read_all(store, out).await?;
    // Records of earlier versions say no hash.
    if !result.sha256.is_empty() && Digest::of(&body).to_string() != result.sha256 {
        return Err(Trouble::new(
            format!("the final counts {out} were changed since the run read them"),
            "run again from the start, and see who else writes into this bucket",
        )
        .of_kind(TroubleKind::Refused));
    }
    let actual = parse_counts(out, &body)?;
    let found = compare(&expected, &actual);
    let samples = found
        .missing
        .iter()
        .map(|(word, count)| format!("'{word}' is missing ({count} in the input)"))
        .chain(
            found
                .extra
                .iter()
                .map(|(word, count)| format!("'{word}' is extra ({count} in the result)")),
        )
        .chain(found.different.iter().map(|(word, expected, actual)| {
            format!("'{word}' is {expected} in the input, {actual} in the result")
        }))
        .take(SAMPLES)
        .collect();
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    Ok(Verification {
        missing: count(found.missing.len()),
        extra: count(found.extra.len()),
        different: count(found.different.len()),
        samples,
    })
}
