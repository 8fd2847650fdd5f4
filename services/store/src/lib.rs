//! The one seam between the services and S3: what a store can do, and how it fails.

pub mod aws;
mod call_log;
mod diagnostic;
mod listing;
pub mod memory;
pub mod refusal;
pub mod s3;
pub mod unreadable;

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use mrdeck_core::api::Provenance;
use mrdeck_core::uri::S3Uri;

pub use diagnostic::Audience;
pub use listing::{Bucket, Entry, Page, Target};

/// A body on its way: pieces in order, or the error that ended it.
pub type BodyStream = BoxStream<'static, Result<Bytes, StoreError>>;

/// Hears how many bytes of an upload are done.
pub type Told<'a> = &'a (dyn Fn(u64) + Send + Sync);

/// What `head` and `get` say of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// The whole object's size in bytes, also when only a range was asked for.
    pub size: u64,
    pub etag: Option<String>,
    /// What an output of a map or a reduce says of itself.
    pub provenance: Option<Provenance>,
}

/// What part of an object to read, and which version it must be.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Bytes, end exclusive; it must not be empty. `None` is the whole object.
    pub range: Option<Range<u64>>,
    /// Refuse with [`StoreError::Changed`] when the object's `ETag` is another.
    pub if_match: Option<String>,
}

/// How an object is written.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    /// Refuse with [`StoreError::Exists`] where there is an object already (If-None-Match). Where the client tries
    /// again by itself, it may be this very write, whose answer was lost: only reading the object tells.
    pub only_new: bool,
    pub provenance: Option<Provenance>,
}

/// An object's description and its bytes.
pub struct Object {
    pub meta: ObjectMeta,
    /// Ends with [`StoreError::Truncated`] if fewer bytes come than were announced, and with
    /// [`StoreError::Damaged`] if they don't have the checksum that S3 gave with them (it has one only for whole
    /// objects that were written in one request).
    pub body: BodyStream,
}

/// What the services and the console need of S3, and no more.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    async fn head(&self, at: &S3Uri) -> Result<ObjectMeta, StoreError>;
    async fn get(&self, at: &S3Uri, options: ReadOptions) -> Result<Object, StoreError>;
    /// Writes a whole object; readers see all of it or nothing.
    async fn write(&self, at: &S3Uri, body: Bytes, options: WriteOptions)
    -> Result<(), StoreError>;
    /// The same, over whatever is there.
    async fn put(&self, at: &S3Uri, body: Bytes) -> Result<(), StoreError> {
        self.write(at, body, WriteOptions::default()).await
    }
    /// Writes an object of unknown size in bounded memory; gives its size. A stream that fails leaves no object.
    async fn put_stream(&self, at: &S3Uri, body: BodyStream) -> Result<u64, StoreError>;
    /// Removes an object; one that is not there is no error.
    async fn delete(&self, at: &S3Uri) -> Result<(), StoreError>;
    /// The same for what one person waits for: as fast as the way to S3 allows; `told` hears how many bytes
    /// S3 has. Dropped before its end it leaves no object; see [`Store::settled`].
    async fn upload(
        &self,
        at: &S3Uri,
        body: BodyStream,
        told: Told<'_>,
    ) -> Result<u64, StoreError> {
        let size = self.put_stream(at, body).await?;
        told(size);
        Ok(size)
    }
    /// Completes when what was given up (uploads that were dropped) is cleared away.
    async fn settled(&self) {}
    /// The buckets, from where a page before said.
    async fn buckets(&self, from: Option<&str>) -> Result<Page<Bucket>, StoreError>;
    /// What is directly below a prefix, up to the next `/`; at most 1,000 entries a page.
    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        from: Option<&str>,
    ) -> Result<Page<Entry>, StoreError>;
}

/// How S3 fails, as far as callers treat it differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("there is no bucket '{bucket}'")]
    NoSuchBucket { bucket: String },
    #[error("there is no object {uri}")]
    NoSuchKey { uri: S3Uri },
    #[error("access to {at} is denied: {detail}")]
    Denied { at: Target, detail: String },
    #[error("{uri} changed while it was being read")]
    Changed { uri: S3Uri },
    #[error("there is an object {uri} already")]
    Exists { uri: S3Uri },
    /// Two writes of one object at a time; S3 has taken neither side yet.
    #[error("{uri} is being written by somebody else: {detail}")]
    Conflict { uri: S3Uri, detail: String },
    #[error("{uri} ended after {got} of {expected} bytes")]
    Truncated { uri: S3Uri, got: u64, expected: u64 },
    /// All bytes came, but they are not those that were stored.
    #[error("{uri} arrived damaged: {detail}")]
    Damaged { uri: S3Uri, detail: String },
    #[error("S3 asks to slow down: {detail}")]
    Throttled { detail: String },
    #[error("S3 refuses the time of this machine's clock: {detail}")]
    Skewed { detail: String },
    #[error("no valid AWS credentials: {detail}")]
    Credentials { detail: String },
    #[error("S3 can't be reached: {detail}")]
    Unreachable { detail: String },
    /// It answered, and what came is not S3's.
    #[error("S3's answer about {at} can't be read: {detail}")]
    Unreadable { at: Target, detail: String },
    #[error("the bucket of {at} is in another region: {detail}")]
    OtherRegion { at: Target, detail: String },
    /// What was to be written could not be had; S3 is not to blame.
    #[error("{detail}")]
    Source { detail: String },
    #[error("S3 refused {at}: {detail}")]
    Other { at: Target, detail: String },
}
