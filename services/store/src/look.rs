//! A look at an object before it is counted: whether it is a text at all.

use futures_util::TryStreamExt;

use super::{ObjectMeta, ReadOptions, Store, StoreError};
use mrdeck_core::encoding::{LOOK, Unsupported};
use mrdeck_core::uri::S3Uri;

/// Looks at an object's `Content-Encoding` and first bytes. Returns what it is, if its bytes are not those of a text.
///
/// # Errors
///
/// Returns an error if the bytes can't be read, or are no longer of the version that `meta` describes.
pub async fn look(
    store: &dyn Store,
    at: &S3Uri,
    meta: &ObjectMeta,
) -> Result<Option<Unsupported>, StoreError> {
    let mut head = Vec::new();
    if meta.size > 0 {
        let options = ReadOptions {
            range: Some(0..meta.size.min(LOOK as u64)),
            if_match: meta.etag.clone(),
        };
        let mut body = store.get(at, options).await?.body;
        while let Some(piece) = body.try_next().await? {
            head.extend_from_slice(&piece);
        }
    }
    Ok(Unsupported::of(meta.content_encoding.as_deref(), &head))
}
