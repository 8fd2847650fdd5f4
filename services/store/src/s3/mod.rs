//! The store over S3, through the AWS SDK.

mod body;
mod failure;
mod list;
mod upload;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use bytes::Bytes;

use tokio_util::task::TaskTracker;

use self::failure::{Failure, HttpResponse, classify};
use super::{
    BodyStream, Bucket, Entry, Object, ObjectMeta, Page, ReadOptions, Store, StoreError, Told,
    WriteOptions,
};
use crate::aws::payload::KnownDigest;
use mrdeck_core::api::{PROVENANCE, UPLOAD_SHA256};
use mrdeck_core::digest::Digest;
use mrdeck_core::uri::S3Uri;

/// A store over S3 or a compatible server; see [`super::aws`] for the client.
#[derive(Debug, Clone)]
pub struct S3Store {
    client: Client,
    /// The multipart uploads that are being aborted.
    given_up: TaskTracker,
}

impl S3Store {
    /// Returns the region that is called.
    pub(crate) fn region(&self) -> Option<&str> {
        self.client.config().region().map(AsRef::as_ref)
    }

    /// Creates a store over a client.
    pub fn new(client: Client) -> Self {
        let given_up = TaskTracker::new();
        // Closing only lets `wait` return: more tasks can still be tracked.
        given_up.close();
        Self { client, given_up }
    }

    /// Returns the meaning of an error; asks S3 once more if its answer leaves it open.
    async fn explain<E>(&self, at: &S3Uri, error: SdkError<E, HttpResponse>) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        match classify(&at.into(), &error) {
            Failure::Known(error) => error,
            Failure::Missing => self.missing(at).await,
            Failure::Bare(error) => self.why_bare(at, error).await,
        }
    }

    /// Finds out whether a 404 means the key or the bucket: the answer to a HEAD has no body, and some servers answer
    /// `NoSuchKey` for both.
    async fn missing(&self, at: &S3Uri) -> StoreError {
        let answer = self.client.head_bucket().bucket(at.bucket()).send().await;
        match answer.map_err(|error| classify(&at.into(), &error)) {
            Err(Failure::Missing) => StoreError::NoSuchBucket {
                bucket: at.bucket().to_owned(),
            },
            Err(Failure::Known(error @ StoreError::NoSuchBucket { .. })) => error,
            _ => StoreError::NoSuchKey { uri: at.clone() },
        }
    }

    /// Finds out why a HEAD was refused: its answer names no reason, but that of a GET does.
    async fn why_bare(&self, at: &S3Uri, bare: StoreError) -> StoreError {
        let get = self
            .client
            .get_object()
            .bucket(at.bucket())
            .key(at.key())
            .range("bytes=0-0");
        match get
            .send()
            .await
            .map_err(|error| classify(&at.into(), &error))
        {
            Err(Failure::Known(error)) => error,
            Err(Failure::Missing) => self.missing(at).await,
            Ok(_) | Err(Failure::Bare(_)) => bare,
        }
    }
}

#[async_trait]
impl Store for S3Store {
    async fn head(&self, at: &S3Uri) -> Result<ObjectMeta, StoreError> {
        match self
            .client
            .head_object()
            .bucket(at.bucket())
            .key(at.key())
            .send()
            .await
        {
            Ok(answer) => {
                let size = body::length(at, answer.content_length())?;
                Ok(ObjectMeta {
                    size,
                    etag: answer.e_tag().map(str::to_owned),
                    content_encoding: answer.content_encoding().map(str::to_owned),
                    provenance: body::provenance(answer.metadata()),
                    sha256: body::sha256(answer.metadata()),
                })
            }
            Err(error) => Err(self.explain(at, error).await),
        }
    }

    async fn get(&self, at: &S3Uri, options: ReadOptions) -> Result<Object, StoreError> {
        let mut request = self.client.get_object().bucket(at.bucket()).key(at.key());
        if let Some(range) = &options.range {
            if range.is_empty() {
                let detail = "the requested range is empty".to_owned();
                return Err(StoreError::Other {
                    at: at.into(),
                    detail,
                });
            }
            request = request.range(format!("bytes={}-{}", range.start, range.end - 1));
        }
        if let Some(etag) = &options.if_match {
            request = request.if_match(etag);
        }
        match request.send().await {
            Ok(answer) => body::object(at, &options, answer),
            Err(error) => Err(self.explain(at, error).await),
        }
    }

    async fn write(
        &self,
        at: &S3Uri,
        body: Bytes,
        options: WriteOptions,
    ) -> Result<(), StoreError> {
        let mut request = self
            .client
            .put_object()
            .bucket(at.bucket())
            .key(at.key())
            .body(body.into());
        if options.only_new {
            request = request.if_none_match("*");
        }
        if let Some(provenance) = &options.provenance {
            let text = serde_json::to_string(provenance).map_err(|error| StoreError::Other {
                at: at.into(),
                detail: error.to_string(),
            })?;
            request = request.metadata(PROVENANCE, text);
        }
        if let Some(sha256) = options.sha256 {
            request = request.metadata(UPLOAD_SHA256, sha256.to_string());
        }
        let written = match options.body_sha256() {
            Some(sha256) => {
                let known = KnownDigest(sha256);
                request.customize().interceptor(known).send().await
            }
            None => request.send().await,
        };
        match written {
            Ok(_) => Ok(()),
            Err(error) => match self.explain(at, error).await {
                // The only condition of the request is the one that failed.
                StoreError::Changed { uri } if options.only_new => Err(StoreError::Exists { uri }),
                error => Err(error),
            },
        }
    }

    async fn put_stream(&self, at: &S3Uri, body: BodyStream) -> Result<u64, StoreError> {
        upload::put_stream(self, at, body).await
    }

    async fn delete(&self, at: &S3Uri) -> Result<(), StoreError> {
        let request = self
            .client
            .delete_object()
            .bucket(at.bucket())
            .key(at.key());
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.explain(at, error).await),
        }
    }

    async fn upload(
        &self,
        at: &S3Uri,
        body: BodyStream,
        sha256: Digest,
        told: Told<'_>,
    ) -> Result<u64, StoreError> {
        upload::upload(self, at, body, sha256, told).await
    }

    async fn settled(&self) {
        self.given_up.wait().await;
    }

    async fn buckets(&self, from: Option<&str>) -> Result<Page<Bucket>, StoreError> {
        list::buckets(&self.client, from).await
    }

    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        from: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        list::keys(&self.client, bucket, prefix, Some(list::DELIMITER), from).await
    }

    async fn list_all(
        &self,
        bucket: &str,
        prefix: &str,
        from: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        list::keys(&self.client, bucket, prefix, None, from).await
    }
}
