//! Streams the part of an input that a byte range owns, one piece in memory at a time.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::timing::{Part, Timings};
use mrdeck_core::count::cuts::OwnedRange;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{BodyStream, ObjectMeta, ReadOptions, Store, StoreError};

/// The bytes that the first read goes beyond a range: nearly every word ends within them.
const TAIL: u64 = 4 << 10;
/// The largest further read; each is double the one before.
const LARGEST_TAIL: u64 = 8 << 20;

/// Returns the bytes of `at` that `range` owns. All reads are of the version that `meta` describes.
///
/// The time spent waiting for S3 is recorded under [`Part::Get`], that spent on scanning under [`Part::Count`].
pub fn owned(
    store: Arc<dyn Store>,
    at: S3Uri,
    meta: ObjectMeta,
    range: Range<u64>,
    timings: Arc<Timings>,
) -> BodyStream {
    let reader = Reader {
        next: OwnedRange::first(&range),
        until: range.end.saturating_add(TAIL).min(meta.size),
        filter: OwnedRange::new(range),
        tail: TAIL,
        body: None,
        store,
        at,
        meta,
        timings,
    };
    stream::try_unfold(reader, Reader::advance).boxed()
}

struct Reader {
    store: Arc<dyn Store>,
    at: S3Uri,
    meta: ObjectMeta,
    filter: OwnedRange,
    timings: Arc<Timings>,
    /// The offset of the next byte.
    next: u64,
    /// The offset at which the current read ends.
    until: u64,
    tail: u64,
    body: Option<BodyStream>,
}

impl Reader {
    /// Returns the next owned piece.
    async fn advance(mut self) -> Result<Option<(Bytes, Self)>, StoreError> {
        while !self.filter.is_done() && self.next < self.meta.size {
            let Some(piece) = self.piece().await? else {
                continue;
            };
            let owned = self.timings.book(Part::Count, || self.filter.feed(&piece));
            if !owned.is_empty() {
                return Ok(Some((piece.slice(owned), self)));
            }
        }
        Ok(None)
    }

    /// Returns the next piece; `None` at the end of a read.
    async fn piece(&mut self) -> Result<Option<Bytes>, StoreError> {
        let timings = self.timings.clone();
        let mut body = match self.body.take() {
            Some(body) => body,
            None => timings.wait(Part::Get, self.open()).await?,
        };
        let piece = timings.wait(Part::Get, body.next()).await.transpose()?;
        if let Some(piece) = &piece {
            self.next += piece.len() as u64;
            self.body = Some(body);
        }
        Ok(piece)
    }

    async fn open(&mut self) -> Result<BodyStream, StoreError> {
        if self.next >= self.until {
            self.tail = (self.tail * 2).min(LARGEST_TAIL);
            self.until = self.next.saturating_add(self.tail).min(self.meta.size);
        }
        let options = ReadOptions {
            range: Some(self.next..self.until),
            if_match: self.meta.etag.clone(),
        };
        Ok(self.store.get(&self.at, options).await?.body)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use futures_util::TryStreamExt;

    use super::*;
    use mrdeck_store::memory::MemoryStore;

    async fn read(text: &[u8], range: Range<u64>) -> Vec<u8> {
        let at: S3Uri = "s3://b/k".parse().unwrap();
        let store = Arc::new(MemoryStore::with_bucket("b").with_piece_size(1_000));
        store.put(&at, Bytes::copy_from_slice(text)).await.unwrap();
        let meta = store.head(&at).await.unwrap();
        let body = owned(store, at, meta, range, Arc::default());
        body.try_collect::<Vec<_>>().await.unwrap().concat()
    }

    #[tokio::test]
    async fn a_word_is_followed_through_as_many_reads_as_it_takes() {
        let mut text = vec![b'x'; 100_000];
        text.extend_from_slice(b" end");
        assert_eq!(read(&text, 0..10).await, &text[..100_000]);
        assert_eq!(read(&text, 10..99_000).await, b"");
        assert_eq!(read(&text, 10..100_001).await, b" ");
        assert_eq!(read(&text[..100_000], 0..1).await.len(), 100_000);
    }

    #[tokio::test]
    async fn an_input_that_changes_between_two_reads_is_refused() {
        let at: S3Uri = "s3://b/k".parse().unwrap();
        let store = Arc::new(MemoryStore::with_bucket("b"));
        store
            .put(&at, Bytes::from(vec![b'x'; 20_000]))
            .await
            .unwrap();
        let meta = store.head(&at).await.unwrap();
        let mut body = owned(store.clone(), at.clone(), meta, 0..10, Arc::default());
        body.next().await.unwrap().unwrap();
        store
            .put(&at, Bytes::from(vec![b'x'; 20_000]))
            .await
            .unwrap();
        assert_eq!(
            body.next().await,
            Some(Err(StoreError::Changed { uri: at }))
        );
    }
}
