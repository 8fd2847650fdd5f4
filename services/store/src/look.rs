//! A look at an object before it is counted: which version it is, and whether it is a text at all.

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;

use super::{ObjectMeta, ReadOptions, Store, StoreError};
use mrdeck_core::encoding::{LOOK, Unsupported};
use mrdeck_core::uri::S3Uri;

/// An object's description and its first bytes.
#[derive(Debug)]
pub struct Look {
    pub meta: ObjectMeta,
    pub head: Bytes,
}

impl Look {
    /// Returns what the object is, if its bytes are not those of a text.
    pub fn unsupported(&self) -> Option<Unsupported> {
        Unsupported::of(self.meta.content_encoding.as_deref(), &self.head)
    }
}

/// Reads the first `bytes` of an object, or [`LOOK`] if that is more, and its description, in one request. With an `etag`,
/// only of that version.
///
/// # Errors
///
/// Returns an error if the object can't be read, or is of another version.
pub async fn look(
    store: &dyn Store,
    at: &S3Uri,
    etag: Option<String>,
    bytes: u64,
) -> Result<Look, StoreError> {
    let options = |end, if_match| ReadOptions {
        range: Some(0..end),
        if_match,
    };
    let most = bytes.max(LOOK as u64);
    let object = match store.get(at, options(most, etag.clone())).await {
        // An object without bytes has no range; and not every server cuts one that is longer than the object.
        Err(StoreError::NoSuchRange { .. }) => {
            let meta = store.head(at).await?;
            if etag.is_some() && etag != meta.etag {
                return Err(StoreError::Changed { uri: at.clone() });
            }
            if meta.size == 0 {
                let head = Bytes::new();
                return Ok(Look { meta, head });
            }
            let options = options(meta.size.min(most), meta.etag);
            store.get(at, options).await?
        }
        object => object?,
    };
    let mut body = object.body;
    let mut head = BytesMut::new();
    while let Some(piece) = body.try_next().await? {
        head.extend_from_slice(&piece);
    }
    Ok(Look {
        meta: object.meta,
        head: head.freeze(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::memory::{Call, MemoryStore};

    async fn stored(text: &'static str) -> (MemoryStore, S3Uri, Option<String>) {
        let store = MemoryStore::with_bucket("b");
        let at: S3Uri = "s3://b/k".parse().unwrap();
        store.put(&at, text.into()).await.unwrap();
        let etag = store.head(&at).await.unwrap().etag;
        (store, at, etag)
    }

    #[tokio::test]
    async fn one_read_tells_version_size_and_beginning() {
        let (store, at, etag) = stored("some text").await;
        let seen = look(&store, &at, etag.clone(), 0).await.unwrap();
        assert_eq!((seen.meta.size, &seen.meta.etag), (9, &etag));
        assert_eq!(seen.head, "some text");
        assert_eq!(seen.unsupported(), None);
    }

    #[tokio::test]
    async fn an_object_without_bytes_is_seen_as_one() {
        let (store, at, etag) = stored("").await;
        let seen = look(&store, &at, etag, 0).await.unwrap();
        assert_eq!((seen.meta.size, seen.head.len()), (0, 0));
        let other = look(&store, &at, Some("other".to_owned()), 0).await;
        assert_eq!(other.unwrap_err(), StoreError::Changed { uri: at });
    }

    #[tokio::test]
    async fn a_range_that_a_server_does_not_cut_is_asked_for_again() {
        let (store, at, _) = stored("text").await;
        let refusal = StoreError::NoSuchRange { uri: at.clone() };
        store.fail_next(Call::Get, refusal);
        assert_eq!(look(&store, &at, None, 0).await.unwrap().head, "text");
    }
}
