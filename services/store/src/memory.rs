//! A store in memory, for tests and demonstrations: it follows S3's rules and fails on demand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    BodyStream, Bucket, Entry, Object, ObjectMeta, Page, ReadOptions, Store, StoreError, Told,
    WriteOptions,
};
use mrdeck_core::api::Provenance;
use mrdeck_core::digest::Digest;
use mrdeck_core::uri::S3Uri;

/// The bytes per piece of a body, unless set by [`MemoryStore::with_piece_size`].
const PIECE: usize = 64 << 10;
/// The entries per page of a list, as in S3.
const PAGE: usize = 1_000;

/// The calls that [`MemoryStore::fail_next`] can make fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Head,
    Get,
    /// Both `put` and `put_stream`.
    Put,
    Delete,
    /// Both `buckets` and `list`.
    List,
}

/// Buckets in memory. Buckets must be created first; other names fail with [`StoreError::NoSuchBucket`].
#[derive(Debug)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
    piece: usize,
}

#[derive(Debug, Default)]
struct Inner {
    buckets: BTreeMap<String, BTreeMap<String, Stored>>,
    /// The number of writes, so that each version of an object gets its own `ETag`.
    writes: u64,
    faults: VecDeque<(Call, StoreError)>,
}

#[derive(Debug, Clone)]
struct Stored {
    bytes: Bytes,
    etag: String,
    content_encoding: Option<String>,
    provenance: Option<Provenance>,
    sha256: Option<Digest>,
}

impl MemoryStore {
    /// Creates a store with one empty bucket.
    pub fn with_bucket(name: &str) -> Self {
        let store = Self {
            inner: Mutex::default(),
            piece: PIECE,
        };
        store.create_bucket(name);
        store
    }

    /// Creates a bucket; keeps an existing one.
    pub fn create_bucket(&self, name: &str) {
        self.lock().buckets.entry(name.to_owned()).or_default();
    }

    /// Returns the store with bodies in pieces of `bytes`, at least 1.
    #[must_use]
    pub fn with_piece_size(mut self, bytes: usize) -> Self {
        self.piece = bytes.max(1);
        self
    }

    /// Makes the next call of this kind fail; several failures queue up.
    pub fn fail_next(&self, call: Call, error: StoreError) {
        self.lock().faults.push_back((call, error));
    }

    /// Returns the keys in a bucket, in order.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.lock()
            .buckets
            .get(bucket)
            .map(|b| b.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// Returns the bytes of an object, if it exists, regardless of injected failures.
    pub fn read(&self, at: &S3Uri) -> Option<Bytes> {
        self.lock()
            .buckets
            .get(at.bucket())?
            .get(at.key())
            .map(|stored| stored.bytes.clone())
    }

    /// Has an object say that it is stored with this `Content-Encoding`, as other writers can.
    pub fn set_content_encoding(&self, at: &S3Uri, value: &str) {
        let mut inner = self.lock();
        let bucket = inner.buckets.get_mut(at.bucket());
        if let Some(stored) = bucket.and_then(|bucket| bucket.get_mut(at.key())) {
            stored.content_encoding = Some(value.to_owned());
        }
    }

    /// Locks the data. No method panics while it holds the lock, so even a poisoned lock guards sound data.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn fault(&mut self, call: Call) -> Result<(), StoreError> {
        let found = self.faults.iter().position(|(kind, _)| *kind == call);
        found
            .and_then(|index| self.faults.remove(index))
            .map_or(Ok(()), |(_, error)| Err(error))
    }

    fn find(&self, at: &S3Uri) -> Result<Stored, StoreError> {
        let no_bucket = || StoreError::NoSuchBucket {
            bucket: at.bucket().to_owned(),
        };
        let bucket = self.buckets.get(at.bucket()).ok_or_else(no_bucket)?;
        bucket
            .get(at.key())
            .cloned()
            .ok_or_else(|| StoreError::NoSuchKey { uri: at.clone() })
    }

    fn write(&mut self, at: &S3Uri, bytes: Bytes, options: WriteOptions) -> Result<(), StoreError> {
        self.writes += 1;
        let etag = format!("\"{}\"", self.writes);
        let no_bucket = || StoreError::NoSuchBucket {
            bucket: at.bucket().to_owned(),
        };
        let bucket = self.buckets.get_mut(at.bucket()).ok_or_else(no_bucket)?;
        if options.only_new && bucket.contains_key(at.key()) {
            return Err(StoreError::Exists { uri: at.clone() });
        }
        let provenance = options.provenance;
        let stored = Stored {
            bytes,
            etag,
            content_encoding: None,
            provenance,
            sha256: options.sha256,
        };
        bucket.insert(at.key().to_owned(), stored);
        Ok(())
    }

    fn list(
        &mut self,
        bucket: &str,
        prefix: &str,
        delimiter: Option<char>,
        from: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        self.fault(Call::List)?;
        let objects = self.buckets.get(bucket).ok_or(StoreError::NoSuchBucket {
            bucket: bucket.to_owned(),
        })?;
        let below = objects
            .range(prefix.to_owned()..)
            .take_while(|(key, _)| key.starts_with(prefix));
        let mut entries: Vec<Entry> = below
            .map(|(key, stored)| {
                match delimiter.and_then(|delimiter| key[prefix.len()..].find(delimiter)) {
                    Some(end) => Entry::Prefix(key[..=prefix.len() + end].to_owned()),
                    None => Entry::Object {
                        key: key.clone(),
                        size: stored.bytes.len() as u64,
                        modified: None,
                    },
                }
            })
            .filter(|entry| is_after(entry.key(), from))
            .collect();
        // Keys below the same prefix are adjacent.
        entries.dedup();
        Ok(page(entries.into_iter(), Entry::key))
    }
}

impl Stored {
    fn meta(&self) -> ObjectMeta {
        ObjectMeta {
            size: self.bytes.len() as u64,
            etag: Some(self.etag.clone()),
            content_encoding: self.content_encoding.clone(),
            provenance: self.provenance.clone(),
            sha256: self.sha256,
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn head(&self, at: &S3Uri) -> Result<ObjectMeta, StoreError> {
        let mut inner = self.lock();
        inner.fault(Call::Head)?;
        Ok(inner.find(at)?.meta())
    }

    async fn get(&self, at: &S3Uri, options: ReadOptions) -> Result<Object, StoreError> {
        let stored = {
            let mut inner = self.lock();
            inner.fault(Call::Get)?;
            inner.find(at)?
        };
        if options.if_match.is_some_and(|etag| etag != stored.etag) {
            return Err(StoreError::Changed { uri: at.clone() });
        }
        let bytes = match options.range {
            None => stored.bytes.clone(),
            Some(range) => {
                let size = stored.bytes.len();
                let bound =
                    |offset: u64| usize::try_from(offset).map_or(size, |offset| offset.min(size));
                if range.is_empty() || bound(range.start) == size {
                    return Err(StoreError::NoSuchRange { uri: at.clone() });
                }
                stored.bytes.slice(bound(range.start)..bound(range.end))
            }
        };
        Ok(Object {
            meta: stored.meta(),
            body: pieces(bytes, self.piece),
        })
    }

    async fn write(
        &self,
        at: &S3Uri,
        body: Bytes,
        options: WriteOptions,
    ) -> Result<(), StoreError> {
        let mut inner = self.lock();
        inner.fault(Call::Put)?;
        inner.write(at, body, options)
    }

    async fn upload(
        &self,
        at: &S3Uri,
        body: BodyStream,
        sha256: Digest,
        told: Told<'_>,
    ) -> Result<u64, StoreError> {
        let bytes = collected(body).await?;
        let size = bytes.len() as u64;
        let options = WriteOptions {
            sha256: Some(sha256),
            ..WriteOptions::default()
        };
        self.write(at, bytes, options).await?;
        told(size);
        Ok(size)
    }

    async fn put_stream(&self, at: &S3Uri, body: BodyStream) -> Result<u64, StoreError> {
        let bytes = collected(body).await?;
        let size = bytes.len() as u64;
        self.put(at, bytes).await?;
        Ok(size)
    }

    async fn delete(&self, at: &S3Uri) -> Result<(), StoreError> {
        let mut inner = self.lock();
        inner.fault(Call::Delete)?;
        let bucket = inner.buckets.get_mut(at.bucket());
        let bucket = bucket.ok_or_else(|| StoreError::NoSuchBucket {
            bucket: at.bucket().to_owned(),
        })?;
        bucket.remove(at.key());
        Ok(())
    }

    async fn buckets(&self, from: Option<&str>) -> Result<Page<Bucket>, StoreError> {
        let mut inner = self.lock();
        inner.fault(Call::List)?;
        let names = inner.buckets.keys().filter(|name| is_after(name, from));
        let buckets = names.map(|name| Bucket {
            name: name.clone(),
            created: None,
        });
        Ok(page(buckets, |bucket| bucket.name.as_str()))
    }

    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        from: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        self.lock().list(bucket, prefix, Some('/'), from)
    }

    async fn list_all(
        &self,
        bucket: &str,
        prefix: &str,
        from: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        self.lock().list(bucket, prefix, None, from)
    }
}
async fn collected(body: BodyStream) -> Result<Bytes, StoreError> {
    let append = |mut all: BytesMut, piece: Bytes| async move {
        all.extend_from_slice(&piece);
        Ok(all)
    };
    Ok(body.try_fold(BytesMut::new(), append).await?.freeze())
}

/// Returns the first entries, and the name of the last if more follow.
fn page<T>(mut entries: impl Iterator<Item = T>, name: fn(&T) -> &str) -> Page<T> {
    let items: Vec<T> = entries.by_ref().take(PAGE).collect();
    let last = entries.next().and(items.last());
    Page {
        next: last.map(|entry| name(entry).to_owned()),
        items,
    }
}

fn is_after(name: &str, from: Option<&str>) -> bool {
    from.is_none_or(|from| name > from)
}

fn pieces(mut bytes: Bytes, size: usize) -> BodyStream {
    let cut = move || (!bytes.is_empty()).then(|| Ok(bytes.split_to(size.min(bytes.len()))));
    stream::iter(std::iter::from_fn(cut)).boxed()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::single_range_in_vec_init
    )]
    use super::*;
    use mrdeck_core::api::{AttemptParams, OutputInfo};

    fn uri(text: &str) -> S3Uri {
        text.parse().unwrap()
    }

    async fn body(store: &MemoryStore, range: Option<std::ops::Range<u64>>) -> Vec<Bytes> {
        let options = ReadOptions {
            range,
            if_match: None,
        };
        store
            .get(&uri("s3://b/k"), options)
            .await
            .unwrap()
            .body
            .try_collect()
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn ranges_and_pieces() {
        let store = MemoryStore::with_bucket("b").with_piece_size(2);
        store
            .put(&uri("s3://b/k"), Bytes::from_static(b"abcde"))
            .await
            .unwrap();
        assert_eq!(body(&store, None).await, ["ab", "cd", "e"]);
        assert_eq!(body(&store, Some(1..4)).await, ["bc", "d"]);
        assert_eq!(body(&store, Some(4..99)).await, ["e"]);
        let beyond = ReadOptions {
            range: Some(5..6),
            if_match: None,
        };
        assert!(matches!(
            store.get(&uri("s3://b/k"), beyond).await.err(),
            Some(StoreError::NoSuchRange { .. })
        ));
    }

    #[tokio::test]
    async fn what_is_missing_is_told_apart() {
        let store = MemoryStore::with_bucket("b");
        assert!(matches!(
            store.head(&uri("s3://b/k")).await,
            Err(StoreError::NoSuchKey { .. })
        ));
        assert!(matches!(
            store.head(&uri("s3://c/k")).await,
            Err(StoreError::NoSuchBucket { .. })
        ));
        assert!(matches!(
            store.put(&uri("s3://c/k"), Bytes::new()).await,
            Err(StoreError::NoSuchBucket { .. })
        ));
    }

    #[tokio::test]
    async fn another_version_is_refused() {
        let (store, at) = (MemoryStore::with_bucket("b"), uri("s3://b/k"));
        store.put(&at, Bytes::from_static(b"a")).await.unwrap();
        let if_match = store.head(&at).await.unwrap().etag;
        store.put(&at, Bytes::from_static(b"b")).await.unwrap();
        let options = ReadOptions {
            range: None,
            if_match,
        };
        assert!(matches!(
            store.get(&at, options).await.err(),
            Some(StoreError::Changed { .. })
        ));
    }

    fn provenance() -> Provenance {
        Provenance {
            of: AttemptParams::default(),
            info: OutputInfo {
                rules: Some(1),
                sha256: Some("00".to_owned()),
                words: Some(3),
                unique: Some(2),
                bytes: Some(9),
                non_ascii: None,
                files: None,
            },
        }
    }

    #[tokio::test]
    async fn a_new_object_is_written_once_and_keeps_what_it_says_of_itself() {
        let (store, at) = (MemoryStore::with_bucket("b"), uri("s3://b/k"));
        let new = |provenance| WriteOptions {
            only_new: true,
            provenance,
            ..WriteOptions::default()
        };
        let (first, second) = (Bytes::from_static(b"a"), Bytes::from_static(b"b"));
        let written = store.write(&at, first, new(Some(provenance()))).await;
        assert_eq!(written, Ok(()));
        let refused = store.write(&at, second.clone(), new(None)).await;
        assert_eq!(refused, Err(StoreError::Exists { uri: at.clone() }));
        assert_eq!(store.read(&at).unwrap(), "a");
        let found = store.head(&at).await.unwrap();
        assert_eq!(found.provenance, Some(provenance()));
        let found = store.get(&at, ReadOptions::default()).await.unwrap();
        assert_eq!(found.meta.provenance, Some(provenance()));

        store.put(&at, second).await.unwrap();
        assert_eq!(store.read(&at).unwrap(), "b");
        assert_eq!(store.head(&at).await.unwrap().provenance, None);
        store.delete(&at).await.unwrap();
        assert_eq!(store.write(&at, Bytes::new(), new(None)).await, Ok(()));
    }

    #[tokio::test]
    async fn a_failing_stream_leaves_no_object() {
        let (store, at) = (MemoryStore::with_bucket("b"), uri("s3://b/k"));
        let broken = StoreError::Unreachable {
            detail: "cut".to_owned(),
        };
        let body = stream::iter([Ok(Bytes::from_static(b"a")), Err(broken.clone())]).boxed();
        assert_eq!(store.put_stream(&at, body).await, Err(broken.clone()));
        assert!(store.keys("b").is_empty());
        store.fail_next(Call::Put, broken.clone());
        assert_eq!(store.put(&at, Bytes::new()).await, Err(broken));
        assert_eq!(store.put(&at, Bytes::new()).await, Ok(()));
    }

    #[tokio::test]
    async fn lists_come_in_pages_a_level_at_a_time() {
        let store = MemoryStore::with_bucket("b");
        let keys = (0..1_001).map(|n| format!("many/{n:04}"));
        for key in keys.chain(["a".to_owned(), "many".to_owned(), "z//x".to_owned()]) {
            let at = S3Uri::new("b", &key).unwrap();
            store.put(&at, Bytes::from_static(b"12")).await.unwrap();
        }
        let names = |page: &Page<Entry>| -> Vec<String> {
            page.items.iter().map(|e| e.key().to_owned()).collect()
        };
        let top = store.list("b", "", None).await.unwrap();
        assert_eq!(names(&top), ["a", "many", "many/", "z/"]);
        assert_eq!(top.next, None);
        let below = store.list("b", "z/", None).await.unwrap();
        assert_eq!(below.items, [Entry::Prefix("z//".to_owned())]);

        let first = store.list("b", "many/", None).await.unwrap();
        assert_eq!(first.items.len(), 1_000);
        let rest = store.list("b", "many/", first.next.as_deref()).await;
        assert_eq!(names(&rest.unwrap()), ["many/1000"]);

        assert_eq!(store.buckets(None).await.unwrap().items[0].name, "b");
        assert!(matches!(
            store.list("c", "", None).await,
            Err(StoreError::NoSuchBucket { .. })
        ));
    }
}
