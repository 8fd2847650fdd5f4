//! A store that follows each bucket to the region where it is.
//!
//! The cluster's region is the cluster's business: only the calls to S3 go elsewhere. S3 says where a bucket is when it is
//! asked in the wrong region, so each bucket costs one refused call.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Region;
use bytes::Bytes;

use super::s3::S3Store;
use super::{
    BodyStream, Bucket, Entry, Object, ObjectMeta, Page, ReadOptions, Store, StoreError, Told,
    WriteOptions,
};
use mrdeck_core::digest::Digest;
use mrdeck_core::uri::S3Uri;

/// S3, in whichever regions its buckets are.
#[derive(Debug)]
pub struct RegionalStore {
    client: Client,
    home: S3Store,
    /// The stores of the buckets that were reached, by the buckets' names.
    known: Mutex<HashMap<String, S3Store>>,
}

impl RegionalStore {
    /// Creates a store over a client, whose region is tried first.
    pub fn new(client: Client) -> Self {
        Self {
            home: S3Store::new(client.clone()),
            client,
            known: Mutex::default(),
        }
    }

    /// Calls the store of a bucket, and once more if the bucket is elsewhere.
    async fn call<T, F>(
        &self,
        bucket: &str,
        call: impl Fn(S3Store) -> F + Send,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let known = self.known(bucket);
        let is_known = known.is_some();
        let store = known.unwrap_or_else(|| self.home.clone());
        let error = match call(store.clone()).await {
            Ok(answer) => {
                if !is_known {
                    self.learn(bucket, store);
                }
                return Ok(answer);
            }
            Err(error) => error,
        };
        if matches!(error, StoreError::NoSuchKey { .. }) {
            self.learn(bucket, store);
        }
        let StoreError::OtherRegion {
            region: Some(region),
            ..
        } = &error
        else {
            return Err(error);
        };
        if self.home.region() == Some(region.as_str()) {
            return Err(error);
        }
        tracing::info!(bucket, region, "the bucket is in another region");
        let config = self.client.config().to_builder();
        let config = config.region(Region::new(region.clone())).build();
        let store = S3Store::new(Client::from_conf(config));
        let answer = call(store.clone()).await;
        if !matches!(answer, Err(StoreError::OtherRegion { .. })) {
            self.learn(bucket, store);
        }
        answer
    }

    /// Returns the store for a body that can be sent once only: which one it is must be known before.
    async fn reached(&self, at: &S3Uri) -> S3Store {
        if self.known(at.bucket()).is_none() {
            // Whatever else is wrong shows when the body is sent.
            let _ = self
                .call(at.bucket(), |store| async move { store.head(at).await })
                .await;
        }
        self.known(at.bucket()).unwrap_or_else(|| self.home.clone())
    }

    fn known(&self, bucket: &str) -> Option<S3Store> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(bucket).cloned()
    }

    fn learn(&self, bucket: &str, store: S3Store) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(bucket.to_owned(), store);
    }
}

#[async_trait]
impl Store for RegionalStore {
    async fn head(&self, at: &S3Uri) -> Result<ObjectMeta, StoreError> {
        self.call(at.bucket(), |store| async move { store.head(at).await })
            .await
    }

    async fn get(&self, at: &S3Uri, options: ReadOptions) -> Result<Object, StoreError> {
        let options = &options;
        self.call(at.bucket(), |store| async move {
            store.get(at, options.clone()).await
        })
        .await
    }

    async fn write(
        &self,
        at: &S3Uri,
        body: Bytes,
        options: WriteOptions,
    ) -> Result<(), StoreError> {
        let (body, options) = (&body, &options);
        self.call(at.bucket(), |store| async move {
            store.write(at, body.clone(), options.clone()).await
        })
        .await
    }

    async fn put_stream(&self, at: &S3Uri, body: BodyStream) -> Result<u64, StoreError> {
        let store = self.reached(at).await;
        let size = store.put_stream(at, body).await?;
        self.learn(at.bucket(), store);
        Ok(size)
    }

    async fn delete(&self, at: &S3Uri) -> Result<(), StoreError> {
        self.call(at.bucket(), |store| async move { store.delete(at).await })
            .await
    }

    async fn upload(
        &self,
        at: &S3Uri,
        body: BodyStream,
        sha256: Digest,
        told: Told<'_>,
    ) -> Result<u64, StoreError> {
        self.reached(at).await.upload(at, body, sha256, told).await
    }

    async fn settled(&self) {
        self.home.settled().await;
        let stores: Vec<S3Store> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.values().cloned().collect()
        };
        for store in stores {
            store.settled().await;
        }
    }

    fn other_region(&self, bucket: &str) -> Option<String> {
        let known = self.known(bucket)?;
        let region = known
            .region()
            .filter(|region| self.home.region() != Some(*region))?;
        Some(region.to_owned())
    }

    async fn buckets(&self, from: Option<&str>) -> Result<Page<Bucket>, StoreError> {
        self.home.buckets(from).await
    }

    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        from: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        self.call(bucket, |store| async move {
            store.list(bucket, prefix, from).await
        })
        .await
    }

    async fn list_all(
        &self,
        bucket: &str,
        prefix: &str,
        from: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        self.call(bucket, |store| async move {
            store.list_all(bucket, prefix, from).await
        })
        .await
    }
}
