//! Streams the part of an input that a byte range owns: in bounded memory, and a large one by several reads at a time.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::timing::{Part, Timings};
use mrdeck_core::count::cuts::OwnedRange;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{BodyStream, ObjectMeta, ReadOptions, Store, StoreError};

/// The bytes that the first read goes beyond a range: nearly every word ends within them.
const TAIL: u64 = 4 << 10;
/// The largest further read; each is double the one before.
const LARGEST_TAIL: u64 = 8 << 20;
/// The bytes of one of several reads. One connection to S3 has some 80 MB/s, so that this takes well above the 20 ms or
/// so of a request.
const SEGMENT: u64 = 4 << 20;
/// The segments that one request reads ahead of the one that it is counting.
const AHEAD: usize = 3;
/// The segments that all requests of a service hold at most, beside the one that each is counting.
const ALL_AHEAD: usize = 8;

/// What streams read from, and how far all of them together may read ahead.
#[derive(Clone)]
pub struct Reading {
    store: Arc<dyn Store>,
    ahead: Arc<Semaphore>,
}

impl Reading {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            ahead: Arc::new(Semaphore::new(ALL_AHEAD)),
        }
    }

    /// Begins to read the bytes that `range` owns, of the version `etag`, while it is not known yet what there is. Returns
    /// `None` where as much is read ahead as may be.
    pub fn begin(&self, at: &S3Uri, range: &Range<u64>, etag: &str) -> Option<Begun> {
        let permit = self.ahead.clone().try_acquire_owned().ok()?;
        let start = OwnedRange::first(range);
        let end = range.end.saturating_add(TAIL);
        let end = end.min(start.saturating_add(SEGMENT));
        let options = ReadOptions {
            range: Some(start..end),
            if_match: Some(etag.to_owned()),
        };
        let body = fetched(self.store.clone(), at.clone(), options, permit);
        Some(Begun { end, body })
    }

    /// Returns the bytes of `at` that `range` owns. All reads are of the version that `meta` describes; the first of them
    /// may have begun already.
    ///
    /// The time spent waiting for S3 is recorded under [`Part::Get`], that spent on scanning under [`Part::Count`].
    pub fn owned(
        self,
        at: S3Uri,
        meta: ObjectMeta,
        range: Range<u64>,
        begun: Option<Begun>,
        timings: Arc<Timings>,
    ) -> BodyStream {
        let next = OwnedRange::first(&range);
        let (begun, body) = match begun {
            Some(Begun { end, body }) => (end.min(meta.size), Some(body)),
            None => (next, None),
        };
        let reader = Reader {
            next,
            begun,
            until: range.end.saturating_add(TAIL).min(meta.size),
            filter: OwnedRange::new(range),
            tail: TAIL,
            body,
            ahead: VecDeque::new(),
            reading: self,
            at,
            meta,
            timings,
        };
        stream::try_unfold(reader, Reader::advance).boxed()
    }
}

/// A first read.
pub struct Begun {
    /// The offset that it reaches, if the object does.
    end: u64,
    body: BodyStream,
}

struct Reader {
    reading: Reading,
    at: S3Uri,
    meta: ObjectMeta,
    filter: OwnedRange,
    timings: Arc<Timings>,
    /// The offset of the next byte.
    next: u64,
    /// The offset up to which reads have begun.
    begun: u64,
    /// The offset up to which there is something to read, as far as it is known.
    until: u64,
    tail: u64,
    body: Option<BodyStream>,
    /// The segments behind `body`, in their order.
    ahead: VecDeque<BodyStream>,
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
        if let Some(body) = self.ahead.pop_front() {
            self.read_ahead();
            return Ok(body);
        }
        if self.next >= self.until {
            self.tail = (self.tail * 2).min(LARGEST_TAIL);
            self.until = self.next.saturating_add(self.tail).min(self.meta.size);
        }
        let options = self.segment(self.next);
        self.read_ahead();
        Ok(self.reading.store.get(&self.at, options).await?.body)
    }

    /// Returns the next segment to read, which begins at `start`.
    fn segment(&mut self, start: u64) -> ReadOptions {
        let end = start.saturating_add(SEGMENT).min(self.until);
        self.begun = end;
        ReadOptions {
            range: Some(start..end),
            if_match: self.meta.etag.clone(),
        }
    }

    fn read_ahead(&mut self) {
        while self.ahead.len() < AHEAD
            && self.begun < self.until
            && let Ok(permit) = self.reading.ahead.clone().try_acquire_owned()
        {
            let options = self.segment(self.begun);
            let store = self.reading.store.clone();
            let segment = fetched(store, self.at.clone(), options, permit);
            self.ahead.push_back(segment);
        }
    }
}

/// Fetches a segment in a task of its own, and holds what comes until it is asked for.
fn fetched(
    store: Arc<dyn Store>,
    at: S3Uri,
    options: ReadOptions,
    permit: OwnedSemaphorePermit,
) -> BodyStream {
    let (sender, pieces) = unbounded_channel();
    tokio::spawn(async move {
        let mut body = match store.get(&at, options).await {
            Ok(object) => object.body,
            Err(error) => stream::once(async { Err(error) }).boxed(),
        };
        // Nobody waits any more once a request has ended.
        while let Some(piece) = body.next().await
            && sender.send(piece).is_ok()
        {}
    });
    let next = |(mut pieces, permit): (UnboundedReceiver<_>, _)| async move {
        let piece = pieces.recv().await?;
        Some((piece, (pieces, permit)))
    };
    stream::unfold((pieces, permit), next).boxed()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use futures_util::TryStreamExt;

    use super::*;
    use mrdeck_store::memory::MemoryStore;

    fn at() -> S3Uri {
        "s3://b/k".parse().unwrap()
    }

    async fn stored(text: &[u8]) -> (Arc<MemoryStore>, Reading, ObjectMeta) {
        let store = Arc::new(MemoryStore::with_bucket("b").with_piece_size(1_000));
        let bytes = Bytes::copy_from_slice(text);
        store.put(&at(), bytes).await.unwrap();
        let meta = store.head(&at()).await.unwrap();
        (store.clone(), Reading::new(store), meta)
    }

    /// A text in which every place shows that it is there.
    fn numbered(size: u64) -> Vec<u8> {
        let byte = |n| b"0123456789 "[(n % 11) as usize];
        (0..size).map(byte).collect()
    }

    async fn read(text: &[u8], range: Range<u64>) -> Vec<u8> {
        let (_, reading, meta) = stored(text).await;
        let body = reading.owned(at(), meta, range, None, Arc::default());
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
    async fn a_read_that_began_before_is_the_first() {
        let size = 2 * SEGMENT + 99;
        let text = numbered(size);
        for range in [0..size, 5..20, 5..SEGMENT + 7, size - 5..size] {
            let (_, reading, meta) = stored(&text).await;
            let etag = meta.etag.clone().unwrap();
            let begun = reading.begin(&at(), &range, &etag);
            assert!(begun.is_some());
            let body = reading.owned(at(), meta, range.clone(), begun, Arc::default());
            let body = body.try_collect::<Vec<_>>().await.unwrap().concat();
            assert!(body == read(&text, range.clone()).await, "{range:?}");
        }
    }

    #[tokio::test]
    async fn segments_come_in_their_order_whole_and_once() {
        let size = 5 * SEGMENT + 12_345;
        let text = numbered(size);
        let range = 3..size - 7;
        let expected = OwnedRange::new(range.clone()).feed(&text[2..]);
        assert!(read(&text, range).await == text[2..][expected]);
        let halves = [
            read(&text, 0..size / 2).await,
            read(&text, size / 2..size).await,
        ];
        assert!(halves.concat() == text);
    }

    #[tokio::test]
    async fn what_is_read_ahead_is_limited_for_all_together() {
        let text = vec![b' '; usize::try_from(6 * SEGMENT).unwrap()];
        let (_, reading, meta) = stored(&text).await;
        let bodies = (0..8).map(|_| {
            let all = 0..meta.size;
            reading
                .clone()
                .owned(at(), meta.clone(), all, None, Arc::default())
        });
        let mut bodies: Vec<_> = bodies.collect();
        for body in &mut bodies {
            body.next().await.unwrap().unwrap();
        }
        assert_eq!(reading.ahead.available_permits(), 0);
        let etag = meta.etag.as_deref().unwrap();
        assert!(reading.begin(&at(), &(0..meta.size), etag).is_none());
        for body in bodies {
            let read = body.try_collect::<Vec<_>>().await.unwrap().concat();
            assert!(read.len() > text.len() - 2_000, "{}", read.len());
        }
        assert_eq!(reading.ahead.available_permits(), ALL_AHEAD);
    }

    #[tokio::test]
    async fn an_input_that_changes_between_two_reads_is_refused() {
        let (store, reading, meta) = stored(&vec![b'x'; 20_000]).await;
        let mut body = reading.owned(at(), meta, 0..10, None, Arc::default());
        body.next().await.unwrap().unwrap();
        store
            .put(&at(), Bytes::from(vec![b'x'; 20_000]))
            .await
            .unwrap();
        // What the first read had begun with comes whole.
        let rest = body.try_collect::<Vec<_>>().await;
        assert_eq!(rest, Err(StoreError::Changed { uri: at() }));
    }
}
