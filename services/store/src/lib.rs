//! The seam between mrdeck and S3: the operations of a store, and its errors.

pub mod aws;
mod call_log;
mod diagnostic;
mod listing;
mod look;
pub mod memory;
pub mod refusal;
pub mod regional;
pub mod s3;
pub mod settings;
pub mod unreadable;

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use mrdeck_core::api::Provenance;
use mrdeck_core::digest::Digest;
use mrdeck_core::uri::S3Uri;

pub use diagnostic::Audience;
pub use listing::{Bucket, Entry, Page, Target};
pub use look::{Look, look};

/// A body as it arrives: its pieces in order, or the error that ended it.
pub type BodyStream = BoxStream<'static, Result<Bytes, StoreError>>;

/// Receives the number of bytes of an upload that S3 has.
pub type Told<'a> = &'a (dyn Fn(u64) + Send + Sync);

/// The description of an object, from `head` and `get`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// The size of the whole object in bytes, even if only a range was requested.
    pub size: u64,
    pub etag: Option<String>,
    /// The `Content-Encoding` that the object is stored with; its bytes are read as they are stored.
    pub content_encoding: Option<String>,
    /// The description that an output of a map or a reduce carries.
    pub provenance: Option<Provenance>,
    /// The SHA-256 that the object was written with, as its writer said.
    pub sha256: Option<Digest>,
}

/// The part of an object to read, and its expected version.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The bytes, end exclusive, not empty; `None` reads the whole object.
    pub range: Option<Range<u64>>,
    /// Fails with [`StoreError::Changed`] if the object has another `ETag`.
    pub if_match: Option<String>,
}

/// The conditions and metadata of a write.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    /// Fails with [`StoreError::Exists`] if the object exists (If-None-Match). If the client retries by itself, the
    /// object may stem from this very write, whose answer was lost: only reading the object tells.
    pub only_new: bool,
    pub provenance: Option<Provenance>,
    /// The SHA-256 of the body, kept with the object.
    pub sha256: Option<Digest>,
}

impl WriteOptions {
    /// Returns the SHA-256 of the body, if something of what is kept with the object says it.
    pub fn body_sha256(&self) -> Option<Digest> {
        let said = || self.provenance.as_ref()?.info.sha256.as_ref()?.parse().ok();
        self.sha256.or_else(said)
    }
}

/// The description of an object and its bytes.
pub struct Object {
    pub meta: ObjectMeta,
    /// Ends with [`StoreError::Truncated`] if fewer bytes come than announced, and with [`StoreError::Damaged`] if they
    /// don't match the checksum that S3 sent (S3 has one only for whole objects written in one request).
    pub body: BodyStream,
}

/// The operations on S3 that the services and the console need.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Describes an object.
    async fn head(&self, at: &S3Uri) -> Result<ObjectMeta, StoreError>;
    /// Reads an object, or a range of it.
    async fn get(&self, at: &S3Uri, options: ReadOptions) -> Result<Object, StoreError>;
    /// Writes a whole object; readers see all of it or none.
    async fn write(&self, at: &S3Uri, body: Bytes, options: WriteOptions)
    -> Result<(), StoreError>;
    /// Writes a whole object, replacing any that exists.
    async fn put(&self, at: &S3Uri, body: Bytes) -> Result<(), StoreError> {
        self.write(at, body, WriteOptions::default()).await
    }
    /// Writes an object of unknown size in bounded memory; returns its size. A stream that fails leaves no object.
    async fn put_stream(&self, at: &S3Uri, body: BodyStream) -> Result<u64, StoreError>;
    /// Removes an object; succeeds if there is none.
    async fn delete(&self, at: &S3Uri) -> Result<(), StoreError>;
    /// Writes an object of unknown size like [`Self::put_stream`], as fast as the connection to S3 allows, and reports
    /// progress to `told`. The body has this `sha256`, which is kept with the object. If the future is dropped early, no
    /// object remains; see [`Store::settled`].
    async fn upload(
        &self,
        at: &S3Uri,
        body: BodyStream,
        sha256: Digest,
        told: Told<'_>,
    ) -> Result<u64, StoreError>;
    /// Waits until the remains of dropped uploads are removed.
    async fn settled(&self) {}
    /// Returns the region of a bucket that was reached in another region than the store's own.
    fn other_region(&self, _bucket: &str) -> Option<String> {
        None
    }
    /// Lists the buckets, one page at a time; `from` is [`Page::next`] of the page before.
    async fn buckets(&self, from: Option<&str>) -> Result<Page<Bucket>, StoreError>;
    /// Lists what is directly below a prefix, up to the next `/`, at most 1,000 entries per page.
    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        from: Option<&str>,
    ) -> Result<Page<Entry>, StoreError>;
    /// Lists every object below a prefix, at most 1,000 per page.
    async fn list_all(
        &self,
        bucket: &str,
        prefix: &str,
        from: Option<&str>,
    ) -> Result<Page<Entry>, StoreError>;
}

/// The failures of S3 that callers tell apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("there is no bucket '{bucket}'")]
    NoSuchBucket { bucket: String },
    #[error("there is no object {uri}")]
    NoSuchKey { uri: S3Uri },
    #[error("access to {at} is denied: {detail}")]
    Denied { at: Target, detail: String },
    #[error("{uri} has none of the bytes that were asked for")]
    NoSuchRange { uri: S3Uri },
    #[error("{uri} changed while it was being read")]
    Changed { uri: S3Uri },
    #[error("there is an object {uri} already")]
    Exists { uri: S3Uri },
    /// Two writes of one object conflict; S3 has decided for neither yet.
    #[error("{uri} is being written by another client: {detail}")]
    Conflict { uri: S3Uri, detail: String },
    #[error("{uri} ended after {got} of {expected} bytes")]
    Truncated { uri: S3Uri, got: u64, expected: u64 },
    /// All bytes came, but they differ from the stored ones.
    #[error("{uri} arrived damaged: {detail}")]
    Damaged { uri: S3Uri, detail: String },
    #[error("S3 asks to slow down: {detail}")]
    Throttled { detail: String },
    #[error("S3 refuses the time of this machine's clock: {detail}")]
    Skewed { detail: String },
    #[error("no valid AWS credentials: {detail}")]
    Credentials {
        detail: String,
        /// What to do about it, where it is known which source of credentials failed.
        advice: Option<String>,
    },
    #[error("S3 can't be reached: {detail}")]
    Unreachable { detail: String },
    /// An answer came that is not S3's.
    #[error("S3's answer about {at} can't be read: {detail}")]
    Unreadable { at: Target, detail: String },
    #[error("the bucket of {at} is in {}: {detail}", named(region.as_deref()))]
    OtherRegion {
        at: Target,
        detail: String,
        /// Which one, if S3 says it.
        region: Option<String>,
    },
    /// The source of an upload could not be read; S3 is not at fault.
    #[error("{detail}")]
    Source { detail: String },
    #[error("S3 refused {at}: {detail}")]
    Other { at: Target, detail: String },
}

fn named(region: Option<&str>) -> String {
    region.map_or("another region".to_owned(), |name| {
        format!("the region {name}")
    })
}
