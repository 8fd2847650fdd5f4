//! Lists: a page of keys in their order, as either version of the call has it. All of it waits for the disk.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object,
};
use s3s::{S3Error, S3Result, s3_error};

use super::index::{Listed, Wanted};
use super::objects::Objects;

/// The most entries of a page.
const PAGE: usize = 1_000;
const PAGE_I32: i32 = 1_000;

/// Answers `ListObjects`.
pub(super) fn first_version(
    objects: &Objects,
    input: &ListObjectsInput,
) -> S3Result<ListObjectsOutput> {
    let asked = Asked {
        prefix: input.prefix.as_deref(),
        delimiter: input.delimiter.as_deref(),
        after: input.marker.as_deref().unwrap_or_default(),
        limit: input.max_keys,
        encoding: input.encoding_type.as_ref(),
    };
    let found = page(objects, &input.bucket, &asked)?;
    let shown = |text: &Option<String>| text.as_deref().map(|text| asked.shown(text));
    let output = ListObjectsOutput {
        prefix: shown(&input.prefix),
        delimiter: shown(&input.delimiter),
        marker: shown(&input.marker),
        max_keys: input.max_keys.or(Some(PAGE_I32)),
        is_truncated: Some(found.next.is_some()),
        next_marker: shown(&found.next),
        contents: Some(found.objects),
        common_prefixes: Some(found.prefixes),
        encoding_type: input.encoding_type.clone(),
        name: Some(input.bucket.clone()),
        ..ListObjectsOutput::default()
    };
    Ok(output)
}

/// Answers `ListObjectsV2`.
pub(super) fn second_version(
    objects: &Objects,
    input: &ListObjectsV2Input,
) -> S3Result<ListObjectsV2Output> {
    let token = match input.continuation_token.as_deref() {
        None => None,
        Some(token) => Some(percent_decode_str(token).decode_utf8().map_err(|_| {
            s3_error!(
                InvalidArgument,
                "The continuation token provided is incorrect"
            )
        })?),
    };
    let after = token.as_deref().or(input.start_after.as_deref());
    let asked = Asked {
        prefix: input.prefix.as_deref(),
        delimiter: input.delimiter.as_deref(),
        after: after.unwrap_or_default(),
        limit: input.max_keys,
        encoding: input.encoding_type.as_ref(),
    };
    let found = page(objects, &input.bucket, &asked)?;
    let shown = |text: &Option<String>| text.as_deref().map(|text| asked.shown(text));
    let count = found.objects.len() + found.prefixes.len();
    let output = ListObjectsV2Output {
        prefix: shown(&input.prefix),
        delimiter: shown(&input.delimiter),
        start_after: shown(&input.start_after),
        key_count: i32::try_from(count).ok(),
        max_keys: input.max_keys.or(Some(PAGE_I32)),
        is_truncated: Some(found.next.is_some()),
        // Opaque, so that it may hold what XML can't.
        next_continuation_token: found.next.as_deref().map(escaped),
        contents: Some(found.objects),
        common_prefixes: Some(found.prefixes),
        continuation_token: input.continuation_token.clone(),
        encoding_type: input.encoding_type.clone(),
        name: Some(input.bucket.clone()),
        ..ListObjectsV2Output::default()
    };
    Ok(output)
}

/// Lists a page, with the size, the time and the `ETag` of each object.
fn page(objects: &Objects, bucket: &str, asked: &Asked<'_>) -> S3Result<Contents> {
    let limit = asked.limit.map_or(Ok(PAGE), usize::try_from);
    let limit = limit.map_err(|_| s3_error!(InvalidArgument, "max-keys is negative"))?;
    let wanted = Wanted {
        prefix: asked.prefix.unwrap_or_default(),
        delimiter: asked.delimiter.unwrap_or_default(),
        after: asked.after,
        limit: limit.min(PAGE),
    };
    let listed = objects.index().list(bucket, &wanted);
    let (listed, has_more) = listed.ok_or_else(|| s3_error!(NoSuchBucket))?;
    let last = listed.last().filter(|_| has_more);
    let mut contents = Contents {
        next: last.map(|last| last.name().to_owned()),
        ..Contents::default()
    };
    let mut keys = Vec::new();
    for entry in listed {
        match entry {
            Listed::Prefix(prefix) => contents.prefixes.push(CommonPrefix {
                prefix: Some(asked.shown(&prefix)),
            }),
            Listed::Key(key) => keys.push(key),
        }
    }
    let mut described = Vec::with_capacity(keys.len());
    for key in keys {
        let found = objects
            .find(bucket, &key)
            .map_err(S3Error::internal_error)?;
        // One that was removed meanwhile is left out.
        described.extend(found.map(|object| (key, object)));
    }
    let listed = described.into_iter().map(|(key, object)| Object {
        key: Some(asked.shown(&key)),
        size: object.size(),
        e_tag: Some(object.etag()),
        last_modified: Some(object.stamp.modified()),
        ..Object::default()
    });
    contents.objects = listed.collect();
    Ok(contents)
}

/// What a list is asked for.
struct Asked<'a> {
    prefix: Option<&'a str>,
    delimiter: Option<&'a str>,
    after: &'a str,
    limit: Option<i32>,
    /// `url` for keys that XML can't hold.
    encoding: Option<&'a EncodingType>,
}

impl Asked<'_> {
    fn shown(&self, text: &str) -> String {
        if self.encoding.is_some() {
            escaped(text)
        } else {
            text.to_owned()
        }
    }
}

/// A page of a list.
#[derive(Debug, Default)]
struct Contents {
    objects: Vec<Object>,
    prefixes: Vec<CommonPrefix>,
    /// The last entry, if there are more.
    next: Option<String>,
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
