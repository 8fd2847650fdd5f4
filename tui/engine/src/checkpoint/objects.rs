//! Small objects in S3: read whole, and written where none is yet.

use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use mrdeck_core::backoff::Backoff;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{BodyStream, ReadOptions, Store, StoreError, WriteOptions};

use crate::error::RunError;

/// A write that meets another one is tried so often.
const WRITES: u32 = 6;
/// A body is read so often, at most.
const READS: u32 = 3;
const PAUSES: Backoff = Backoff {
    first: Duration::from_millis(100),
    longest: Duration::from_secs(5),
};

/// Reads a whole object into memory: for results, whose size is bounded by the vocabulary.
///
/// # Errors
///
/// Returns why S3 does not give it.
pub async fn read_all(store: &dyn Store, at: &S3Uri) -> Result<Vec<u8>, StoreError> {
    // No layer below reads a body again that broke off or came damaged.
    for read in 1..READS {
        let object = store.get(at, ReadOptions::default()).await?;
        if let Ok(body) = collect(object.body).await {
            return Ok(body);
        }
        tokio::time::sleep(PAUSES.pause(read - 1, fastrand::f64())).await;
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
pub(crate) enum Found {
    Body(Vec<u8>),
    Nothing,
    /// It is there, and not what was written: S3 says so itself.
    Damaged,
}

pub(crate) async fn find(store: &dyn Store, at: &S3Uri) -> Result<Found, StoreError> {
    match read_all(store, at).await {
        Ok(body) => Ok(Found::Body(body)),
        Err(StoreError::NoSuchKey { .. }) => Ok(Found::Nothing),
        Err(StoreError::Damaged { .. } | StoreError::Truncated { .. }) => Ok(Found::Damaged),
        Err(error) => Err(error),
    }
}

/// Reads a small object; `None` if it is not there.
pub(crate) async fn read_if_there(
    store: &dyn Store,
    at: &S3Uri,
) -> Result<Option<Vec<u8>>, RunError> {
    match find(store, at).await? {
        Found::Body(body) => Ok(Some(body)),
        Found::Nothing => Ok(None),
        Found::Damaged => Err(RunError::Damaged(at.clone())),
    }
}

/// What came of writing an object that must not be there yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Now,
    /// Another one is there; this is it.
    Before(Vec<u8>),
}

/// Writes an object if there is none (If-None-Match). A write whose answer was lost is recognised by its bytes.
pub(crate) async fn write_new(
    store: &dyn Store,
    at: &S3Uri,
    body: &[u8],
) -> Result<Written, RunError> {
    for write in 0..WRITES {
        let options = WriteOptions {
            only_new: true,
            ..WriteOptions::default()
        };
        match store.write(at, Bytes::copy_from_slice(body), options).await {
            Ok(()) => return Ok(Written::Now),
            Err(StoreError::Exists { .. }) => {
                let there = read_all(store, at).await?;
                return Ok(if there == body {
                    Written::Now
                } else {
                    Written::Before(there)
                });
            }
            // Two writes at a time: one of them will be there in a moment.
            Err(StoreError::Conflict { .. }) => {
                tokio::time::sleep(PAUSES.pause(write, fastrand::f64())).await;
            }
            Err(error) => {
                // It may have been written, and only the answer lost.
                return match read_all(store, at).await {
                    Ok(there) if there == body => Ok(Written::Now),
                    _ => Err(error.into()),
                };
            }
        }
    }
    Err(RunError::Contended(at.clone()))
}
