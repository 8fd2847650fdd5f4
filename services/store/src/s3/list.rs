//! Lists buckets and keys, one page per call.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::EncodingType;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::failure::{Failure, HttpResponse, classify};
use crate::{Bucket, Entry, Page, StoreError, Target};

/// The buckets per page; without a number, S3 refuses accounts with a very high quota of buckets.
const BUCKETS: i32 = 1_000;
pub(super) const DELIMITER: &str = "/";

pub(super) async fn buckets(
    client: &Client,
    from: Option<&str>,
) -> Result<Page<Bucket>, StoreError> {
    let request = client
        .list_buckets()
        .max_buckets(BUCKETS)
        .set_continuation_token(from.map(str::to_owned));
    let answer = request
        .send()
        .await
        .map_err(|error| explain(Target::Buckets, &error))?;
    let bucket = |bucket: &aws_sdk_s3::types::Bucket| {
        Some(Bucket {
            name: bucket.name()?.to_owned(),
            created: bucket.creation_date().and_then(timestamp),
        })
    };
    Ok(Page {
        items: answer.buckets().iter().filter_map(bucket).collect(),
        next: next(answer.continuation_token(), from),
    })
}

pub(super) async fn keys(
    client: &Client,
    bucket: &str,
    prefix: &str,
    delimiter: Option<&str>,
    from: Option<&str>,
) -> Result<Page<Entry>, StoreError> {
    let request = client
        .list_objects_v2()
        .bucket(bucket)
        .prefix(prefix)
        .set_delimiter(delimiter.map(str::to_owned))
        .set_continuation_token(from.map(str::to_owned));
    let (answer, is_encoded) = ask(request).await.map_err(|error| {
        let target = Target::Keys {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        explain(target, &error)
    })?;
    let text = |text: &str| {
        if is_encoded {
            decoded(text)
        } else {
            text.to_owned()
        }
    };
    let prefixes = answer
        .common_prefixes()
        .iter()
        .filter_map(|common| Some(Entry::Prefix(text(common.prefix()?))));
    let objects = answer.contents().iter().filter_map(|object| {
        Some(Entry::Object {
            key: text(object.key()?),
            size: object.size().and_then(|size| u64::try_from(size).ok())?,
            modified: object.last_modified().and_then(timestamp),
        })
    });
    let mut items: Vec<Entry> = prefixes.chain(objects).collect();
    items.sort_by(|a, b| a.key().cmp(b.key()));
    Ok(Page {
        items,
        next: next(answer.next_continuation_token(), from),
    })
}

type ListError = SdkError<aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Error, HttpResponse>;

/// Requests plain keys, and again in URL encoding if the answer can't be read: XML can't represent some control
/// characters. Encoding is not the default because some servers promise it but don't do it. Returns also whether the
/// keys are encoded.
async fn ask(
    request: ListObjectsV2FluentBuilder,
) -> Result<(ListObjectsV2Output, bool), ListError> {
    match request.clone().send().await {
        Err(error) if is_unreadable(&error) => {
            let encoded = request.encoding_type(EncodingType::Url);
            Ok((encoded.send().await?, true))
        }
        answer => Ok((answer?, false)),
    }
}

/// Returns whether S3 answered with a success that can't be parsed.
fn is_unreadable(error: &ListError) -> bool {
    error
        .raw_response()
        .is_some_and(|answer| answer.status().is_success())
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

fn explain<E>(target: Target, error: &SdkError<E, HttpResponse>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match (classify(&target, error), target) {
        (Failure::Known(error) | Failure::Bare(error), _) => error,
        (Failure::Missing, Target::Keys { bucket, .. }) => StoreError::NoSuchBucket { bucket },
        (Failure::Missing, at) => StoreError::Other {
            at,
            detail: "not found (HTTP 404)".to_owned(),
        },
    }
}

/// Returns the token of the next page, unless it would repeat this page for ever.
fn next(given: Option<&str>, from: Option<&str>) -> Option<String> {
    given
        .filter(|next| !next.is_empty() && Some(*next) != from)
        .map(str::to_owned)
}

fn timestamp(at: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(at.secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_keys_are_decoded() {
        assert_eq!(decoded("a+b%2Bc%01/%C3%A9"), "a b+c\u{1}/é");
    }

    #[test]
    fn a_list_comes_to_an_end() {
        assert_eq!(next(Some("b"), Some("a")), Some("b".to_owned()));
        assert_eq!(next(Some("a"), Some("a")), None);
        assert_eq!(next(Some(""), None), None);
    }
}
