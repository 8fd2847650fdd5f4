//! Checks the answer to a GET against the request, and its body against the announced length as it arrives.

use std::collections::HashMap;
use std::error::Error;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_checksums::body::validate::Error as ChecksumError;
use futures_util::{StreamExt, stream};

use super::failure::causes;
use crate::refusal::has_cause;
use crate::{BodyStream, Object, ObjectMeta, ReadOptions, StoreError};
use mrdeck_core::api::{PROVENANCE, Provenance, UPLOAD_SHA256};
use mrdeck_core::digest::Digest;
use mrdeck_core::uri::S3Uri;

pub(super) fn object(
    at: &S3Uri,
    options: &ReadOptions,
    answer: GetObjectOutput,
) -> Result<Object, StoreError> {
    let bare = |etag: &str| etag.trim_matches('"').to_owned();
    // The request had If-Match, but some servers ignore that.
    if options.if_match.as_deref().map(bare) != answer.e_tag().map(bare)
        && options.if_match.is_some()
    {
        return Err(StoreError::Changed { uri: at.clone() });
    }
    let length = length(at, answer.content_length())?;
    let size = match &options.range {
        None => length,
        Some(range) => match answer.content_range().and_then(content_range) {
            Some((start, size)) if start == range.start => size,
            // The whole object without Content-Range is right only if it is no longer than the range.
            None if range.start == 0 && length <= range.end => length,
            _ => {
                let detail = format!(
                    "the answer does not have the requested bytes {}-{}",
                    range.start,
                    range.end - 1
                );
                return Err(StoreError::Other {
                    at: at.into(),
                    detail,
                });
            }
        },
    };
    let meta = ObjectMeta {
        size,
        etag: answer.e_tag().map(str::to_owned),
        content_encoding: answer.content_encoding().map(str::to_owned),
        provenance: provenance(answer.metadata()),
        sha256: sha256(answer.metadata()),
    };
    Ok(Object {
        meta,
        body: checked(at.clone(), length, answer.body),
    })
}

/// Returns the description that the object carries, if it is readable.
pub(super) fn provenance(metadata: Option<&HashMap<String, String>>) -> Option<Provenance> {
    Provenance::from_metadata(metadata?.get(PROVENANCE)?)
}

/// Returns the SHA-256 that the object was uploaded with, if it is readable.
pub(super) fn sha256(metadata: Option<&HashMap<String, String>>) -> Option<Digest> {
    metadata?.get(UPLOAD_SHA256)?.parse().ok()
}

/// Converts a length from S3 to an unsigned number.
pub(super) fn length(at: &S3Uri, given: Option<i64>) -> Result<u64, StoreError> {
    let detail = || "S3 did not say how long the object is".to_owned();
    given
        .and_then(|n| u64::try_from(n).ok())
        .ok_or_else(|| StoreError::Other {
            at: at.into(),
            detail: detail(),
        })
}

/// Parses the first byte and the size of the whole object from `bytes START-LAST/SIZE`.
fn content_range(text: &str) -> Option<(u64, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.parse().ok()?, size.parse().ok()?))
}

/// Returns the body, ending with an error if fewer than `expected` bytes come.
fn checked(at: S3Uri, expected: u64, body: ByteStream) -> BodyStream {
    let next = move |state: Option<(ByteStream, u64)>| {
        let at = at.clone();
        async move {
            let (mut body, got) = state?;
            match body.next().await {
                Some(Ok(piece)) => {
                    let got = got + piece.len() as u64;
                    Some((Ok(piece), Some((body, got))))
                }
                Some(Err(error)) => Some((Err(broken(at, got, expected, &error)), None)),
                None if got == expected => None,
                None => Some((
                    Err(StoreError::Truncated {
                        uri: at,
                        got,
                        expected,
                    }),
                    None,
                )),
            }
        }
    };
    stream::unfold(Some((body, 0)), next).boxed()
}

fn broken(uri: S3Uri, got: u64, expected: u64, error: &(dyn Error + 'static)) -> StoreError {
    let detail = causes(error);
    if has_cause::<ChecksumError>(error) {
        return StoreError::Damaged { uri, detail };
    }
    StoreError::Unreachable {
        detail: format!("{uri} broke off after {got} of {expected} bytes: {detail}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use futures_util::TryStreamExt;

    use super::*;

    fn answer(
        text: &'static str,
    ) -> aws_sdk_s3::operation::get_object::builders::GetObjectOutputBuilder {
        GetObjectOutput::builder()
            .e_tag("\"v1\"")
            .content_length(i64::try_from(text.len()).unwrap())
            .body(ByteStream::from_static(text.as_bytes()))
    }

    fn refusal(options: &ReadOptions, answer: GetObjectOutput) -> Option<StoreError> {
        object(&"s3://b/k".parse().unwrap(), options, answer).err()
    }

    #[test]
    fn the_size_is_the_whole_object_s() {
        let options = ReadOptions {
            range: Some(2..5),
            if_match: Some("v1".to_owned()),
        };
        let got = object(
            &"s3://b/k".parse().unwrap(),
            &options,
            answer("cde").content_range("bytes 2-4/9").build(),
        );
        assert_eq!(
            got.ok().unwrap().meta,
            ObjectMeta {
                size: 9,
                etag: Some("\"v1\"".to_owned()),
                content_encoding: None,
                provenance: None,
                sha256: None,
            }
        );
    }

    #[test]
    fn a_server_that_ignores_if_match_is_caught() {
        let other = ReadOptions {
            range: None,
            if_match: Some("\"v2\"".to_owned()),
        };
        assert!(matches!(
            refusal(&other, answer("a").build()),
            Some(StoreError::Changed { .. })
        ));
        let no_etag = GetObjectOutput::builder().content_length(0).build();
        assert!(matches!(
            refusal(&other, no_etag),
            Some(StoreError::Changed { .. })
        ));
    }

    #[test]
    fn a_server_that_ignores_the_range_is_caught() {
        let options = ReadOptions {
            range: Some(1..3),
            if_match: None,
        };
        assert!(matches!(
            refusal(&options, answer("abc").build()),
            Some(StoreError::Other { .. })
        ));
        let shifted = answer("ab").content_range("bytes 0-1/3").build();
        assert!(matches!(
            refusal(&options, shifted),
            Some(StoreError::Other { .. })
        ));
        let whole = ReadOptions {
            range: Some(0..3),
            if_match: None,
        };
        assert_eq!(refusal(&whole, answer("abc").build()), None);
        assert!(matches!(
            refusal(&whole, answer("abcd").build()),
            Some(StoreError::Other { .. })
        ));
    }

    #[tokio::test]
    async fn a_body_that_ends_early_is_an_error() {
        let at: S3Uri = "s3://b/k".parse().unwrap();
        let cut = object(
            &at,
            &ReadOptions::default(),
            answer("abc").content_length(5).build(),
        )
        .ok()
        .unwrap();
        let read = cut.body.try_collect::<Vec<_>>().await;
        assert_eq!(
            read,
            Err(StoreError::Truncated {
                uri: at.clone(),
                got: 3,
                expected: 5
            })
        );
        let empty = object(&at, &ReadOptions::default(), answer("").build())
            .ok()
            .unwrap();
        assert!(empty.body.try_collect::<Vec<_>>().await.unwrap().is_empty());
    }
}
