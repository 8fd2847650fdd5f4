//! What a caller is told when S3 fails, an input changes under a request, or all places or the memory are taken.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use common::{Lab, assert_refusal, config, get, send, uri};
use mrdeck_core::digest::Digest;
use mrdeck_core::role::Role;
use mrdeck_core::uri::S3Uri;
use mrdeck_services::{ServiceState, router};
use mrdeck_store::memory::{Call, MemoryStore};
use mrdeck_store::{
    BodyStream, Bucket, Entry, Object, ObjectMeta, Page, ReadOptions, Store, StoreError, Told,
    WriteOptions,
};
use tokio::sync::Notify;

const SPLIT: Role = Role::Splitter;
const MAP: Role = Role::Mapper;
const REDUCE: Role = Role::Reducer;

#[tokio::test]
async fn how_s3_failed_shows_in_status_and_code() {
    let detail = || "because".to_owned();
    let at = || uri("s3://b/k");
    for (error, status, code) in [
        (
            StoreError::Throttled { detail: detail() },
            503,
            "s3_throttled",
        ),
        (
            StoreError::Denied {
                at: (&at()).into(),
                detail: detail(),
            },
            502,
            "s3_denied",
        ),
        (
            StoreError::Credentials {
                detail: detail(),
                advice: None,
            },
            502,
            "s3_credentials",
        ),
        (
            StoreError::Unreachable { detail: detail() },
            502,
            "s3_unreachable",
        ),
        (
            StoreError::Other {
                at: (&at()).into(),
                detail: detail(),
            },
            502,
            "s3_failed",
        ),
        (
            StoreError::Truncated {
                uri: at(),
                got: 1,
                expected: 2,
            },
            502,
            "s3_truncated",
        ),
        (
            StoreError::Damaged {
                uri: at(),
                detail: detail(),
            },
            502,
            "s3_damaged",
        ),
        (StoreError::Changed { uri: at() }, 412, "input_changed"),
    ] {
        for (role, path, call) in [
            (SPLIT, "/split?s3=s3://b/k", Call::Get),
            (SPLIT, "/split?s3=s3://b/k", Call::Put),
            (MAP, "/map?s3=s3://b/k", Call::Get),
            (MAP, "/map?s3=s3://b/k", Call::Put),
            (REDUCE, "/reduce?in=s3://b/m", Call::Get),
            (REDUCE, "/reduce?in=s3://b/m", Call::Put),
        ] {
            let lab = Lab::with(&[("s3://b/k", "a"), ("s3://b/m", "{}")]).await;
            lab.store.fail_next(call, error.clone());
            let reply = lab.refused(role, path, status, code, &[]).await;
            assert_eq!(
                reply.headers.contains_key("retry-after"),
                status == 503,
                "{path}"
            );
        }
    }
}

/// What is the matter with a store.
#[derive(PartialEq)]
enum Trouble {
    /// Objects change once they have been read.
    Rewrites,
    /// A read waits until it is let go.
    HoldsReads,
    /// A write waits until it is let go.
    HoldsWrites,
}

struct Troubled {
    inner: MemoryStore,
    trouble: Trouble,
    entered: Notify,
    leave: Notify,
}

impl Troubled {
    async fn new(trouble: Trouble) -> Arc<Self> {
        Self::with(trouble, "a b c d").await
    }

    async fn with(trouble: Trouble, text: &str) -> Arc<Self> {
        let inner = MemoryStore::with_bucket("b");
        let text = Bytes::copy_from_slice(text.as_bytes());
        inner.put(&uri("s3://b/k"), text).await.unwrap();
        Arc::new(Self {
            inner,
            trouble,
            entered: Notify::new(),
            leave: Notify::new(),
        })
    }

    async fn hold(&self) {
        self.entered.notify_one();
        self.leave.notified().await;
    }
}

#[async_trait]
impl Store for Troubled {
    async fn head(&self, at: &S3Uri) -> Result<ObjectMeta, StoreError> {
        self.inner.head(at).await
    }

    async fn get(&self, at: &S3Uri, options: ReadOptions) -> Result<Object, StoreError> {
        if self.trouble == Trouble::HoldsReads {
            self.hold().await;
        }
        let object = self.inner.get(at, options).await;
        if self.trouble == Trouble::Rewrites {
            self.inner.put(at, Bytes::from_static(b"d c b a")).await?;
        }
        object
    }

    async fn write(
        &self,
        at: &S3Uri,
        body: Bytes,
        options: WriteOptions,
    ) -> Result<(), StoreError> {
        if self.trouble == Trouble::HoldsWrites {
            self.hold().await;
        }
        self.inner.write(at, body, options).await
    }

    async fn put_stream(&self, at: &S3Uri, body: BodyStream) -> Result<u64, StoreError> {
        self.inner.put_stream(at, body).await
    }

    async fn delete(&self, at: &S3Uri) -> Result<(), StoreError> {
        self.inner.delete(at).await
    }

    async fn buckets(&self, from: Option<&str>) -> Result<Page<Bucket>, StoreError> {
        self.inner.buckets(from).await
    }

    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        from: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        self.inner.list(bucket, prefix, from).await
    }

    async fn list_all(
        &self,
        bucket: &str,
        prefix: &str,
        from: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        self.inner.list_all(bucket, prefix, from).await
    }

    async fn upload(
        &self,
        at: &S3Uri,
        body: BodyStream,
        sha256: Digest,
        told: Told<'_>,
    ) -> Result<u64, StoreError> {
        self.inner.upload(at, body, sha256, told).await
    }
}

#[tokio::test]
async fn an_input_that_changes_under_a_request_is_412() {
    for (role, path) in [
        (SPLIT, "/split?s3=s3://b/k"),
        (MAP, "/map?s3=s3://b/k&start=0&end=3"),
    ] {
        let store = Troubled::new(Trouble::Rewrites).await;
        let reply = get(store.clone(), role, path).await;
        assert_refusal(&reply, path, 412, "input_changed", &["s3://b/k"]);
        assert_eq!(store.inner.keys("b"), ["k"]);
    }
}

#[tokio::test]
async fn more_requests_than_places_are_503_but_health_answers() {
    let store = Troubled::new(Trouble::HoldsReads).await;
    let state = ServiceState::new(store.clone(), config(MAP, &[("MAX_IN_FLIGHT", "1")]));
    let service = router(MAP, state);
    let path = "/map?s3=s3://b/k";
    let first = tokio::spawn(send(service.clone(), "GET", path, ""));
    store.entered.notified().await;

    // A request that is not refused would wait like the first one.
    let second = send(service.clone(), "GET", path, "");
    let second = tokio::time::timeout(Duration::from_secs(30), second)
        .await
        .unwrap();
    assert_refusal(&second, path, 503, "overloaded", &["1 request at once"]);
    assert_eq!(second.header("retry-after"), "1");
    assert_eq!(
        send(service.clone(), "GET", "/health", "").await.status,
        200
    );

    store.leave.notify_one();
    assert_eq!(first.await.unwrap().status, 200);
    store.leave.notify_one();
    assert_eq!(send(service, "GET", path, "").await.status, 200);
}

/// Two chunks that each fit are counted one after the other, where both together don't.
#[tokio::test]
async fn chunks_that_are_counted_at_the_same_time_share_the_memory() {
    let words: Vec<_> = (0..10_000).map(|n| format!("w{n}")).collect();
    let environment = [("MAX_TABLE_BYTES", "1500000")];
    let store = Troubled::with(Trouble::HoldsWrites, &words.join(" ")).await;
    let state = ServiceState::new(store.clone(), config(MAP, &environment));
    let mapper = router(MAP, state);
    let path = "/map?s3=s3://b/k";
    let map = || send(mapper.clone(), "GET", path, "");
    let first = tokio::spawn(map());
    store.entered.notified().await;
    let words = ["1500000", "MAX_TABLE_BYTES", "another task"];
    assert_refusal(&map().await, path, 503, "overloaded", &words);
    store.leave.notify_one();
    assert_eq!(first.await.unwrap().json()["unique"], 10_000);
    store.leave.notify_one();
    assert_eq!(map().await.json()["unique"], 10_000);
}

#[tokio::test]
async fn more_different_words_than_the_memory_holds_are_refused_and_the_same_ones_are_not() {
    let many: Vec<_> = (0..10_000).map(|n| format!("w{n}")).collect();
    let many = many.join(" ");
    let lab = Lab::with(&[
        ("s3://b/many", &many),
        ("s3://b/few", &"w1 w2 ".repeat(10_000)),
    ])
    .await;
    let map = async |at: &str| {
        let environment = [("MAX_TABLE_BYTES", "500000")];
        let state = ServiceState::new(lab.store.clone(), config(MAP, &environment));
        send(router(MAP, state), "GET", &format!("/map?s3={at}"), "").await
    };
    let before = lab.store.keys("b");
    let words = ["s3://b/many", "500000", "more, smaller chunks"];
    let reply = map("s3://b/many").await;
    assert_refusal(&reply, "many", 400, "chunk_too_large", &words);
    assert_eq!(lab.store.keys("b"), before);
    assert_eq!(map("s3://b/few").await.json()["words"], 20_000);
    // Without a limit it is counted.
    let all = lab.ok(MAP, "/map?s3=s3://b/many").await;
    assert_eq!(all["unique"], 10_000);
}
