//! Refuses inputs that are not text, unless the caller wants their bytes counted whatever they are.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::error::Error;
use super::params::Params;
use mrdeck_core::api;
use mrdeck_core::encoding::{LOOK, Unsupported};
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{BodyStream, ObjectMeta};

/// Returns whether the input has to be text, which `as=bytes` says it need not be.
pub fn is_asked(params: &Params) -> Result<bool, Error> {
    match params.one(api::AS)? {
        None => Ok(true),
        Some(api::AS_BYTES) => Ok(false),
        Some(value) => Err(Error::BadAs {
            value: value.to_owned(),
        }),
    }
}

/// Looks at the first bytes of an object as they arrive; returns all of its body.
pub async fn checked(at: &S3Uri, meta: &ObjectMeta, body: BodyStream) -> Result<BodyStream, Error> {
    // It may end here, and is asked again behind the pieces.
    let mut body = body.fuse();
    let (mut pieces, mut head) = (Vec::new(), Vec::new());
    while head.len() < LOOK
        && let Some(piece) = body.try_next().await?
    {
        head.extend_from_slice(&piece);
        pieces.push(Ok(piece));
    }
    refuse(at, Unsupported::of(meta.content_encoding.as_deref(), &head))?;
    Ok(stream::iter(pieces).chain(body).boxed())
}

/// Refuses an object for what it was found to be instead of text.
pub fn refuse(at: &S3Uri, found: Option<Unsupported>) -> Result<(), Error> {
    match found {
        None => Ok(()),
        Some(what) => Err(Error::UnsupportedEncoding {
            uri: at.clone(),
            what,
        }),
    }
}
