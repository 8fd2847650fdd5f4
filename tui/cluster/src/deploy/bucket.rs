//! A stack's bucket: whether a name is free, how much is in it, and its removal with everything in it.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::Tell;
use crate::aws::failure::{explain, s3_diagnostic};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::thousands;

/// What a person is told while a large bucket is emptied, once every so many objects.
const TELL_EVERY: u64 = 10_000;

/// What is behind a bucket's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    Free,
    /// It is there and may be used.
    Ours,
}

/// How much a bucket holds, as far as one look tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Nothing,
    Objects {
        count: u64,
        or_more: bool,
    },
    /// There is no such bucket any more.
    NoBucket,
}

pub async fn look_up(s3: &Client, bucket: &str) -> Result<Name, Diagnostic> {
    let Err(error) = s3.head_bucket().bucket(bucket).send().await else {
        return Ok(Name::Ours);
    };
    // A HEAD has no body, so the status is all there is.
    let refused = |cause: &str, advice: &str| {
        Err(Diagnostic::new(
            format!("the bucket '{bucket}' {cause}"),
            advice,
        ))
    };
    match error.raw_response().map(|answer| answer.status().as_u16()) {
        Some(404) => Ok(Name::Free),
        Some(403) => refused(
            "belongs to someone else, or you may not use it",
            "choose another name with --bucket",
        ),
        Some(301) => refused(
            "is in another region",
            "choose another name with --bucket, or its region with --region",
        ),
        _ => Err(s3_diagnostic("look up the bucket", &error)),
    }
}

pub async fn holds(s3: &Client, bucket: &str) -> Result<Holds, Diagnostic> {
    match s3.list_objects_v2().bucket(bucket).send().await {
        Ok(page) => Ok(match u64::try_from(page.contents().len()).unwrap_or(0) {
            0 => Holds::Nothing,
            count => Holds::Objects {
                count,
                or_more: page.is_truncated() == Some(true),
            },
        }),
        Err(error) if error.code() == Some("NoSuchBucket") => Ok(Holds::NoBucket),
        Err(error) => Err(s3_diagnostic("list the bucket", &error)),
    }
}

/// Removes every object and then the bucket; gives how many there were.
pub async fn remove(s3: &Client, bucket: &str, tell: Tell<'_>) -> Result<u64, Diagnostic> {
    let mut removed = 0;
    let mut pages = s3.list_objects_v2().bucket(bucket).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| s3_diagnostic("list the bucket", &error))?;
        let objects: Vec<ObjectIdentifier> = page
            .contents()
            .iter()
            .filter_map(|object| {
                let identifier = ObjectIdentifier::builder().key(object.key()?);
                identifier.build().ok()
            })
            .collect();
        if objects.is_empty() {
            continue;
        }
        let before = removed;
        removed += remove_page(s3, bucket, objects).await?;
        if before / TELL_EVERY != removed / TELL_EVERY {
            tell(&format!("{} objects removed", thousands(removed)));
        }
    }
    s3.delete_bucket()
        .bucket(bucket)
        .send()
        .await
        .map_err(|error| s3_diagnostic("delete the bucket", &error))?;
    Ok(removed)
}

async fn remove_page(
    s3: &Client,
    bucket: &str,
    objects: Vec<ObjectIdentifier>,
) -> Result<u64, Diagnostic> {
    let count = u64::try_from(objects.len()).unwrap_or(u64::MAX);
    let what = "delete the bucket's objects";
    let delete = Delete::builder()
        .set_objects(Some(objects))
        .quiet(true)
        .build()
        .map_err(|error| Diagnostic::new(format!("{what}: {error}"), ""))?;
    let answer = s3
        .delete_objects()
        .bucket(bucket)
        .delete(delete)
        .send()
        .await
        .map_err(|error| s3_diagnostic(what, &error))?;
    match answer.errors().first() {
        None => Ok(count),
        Some(error) => Err(explain(
            what,
            "",
            error.code().unwrap_or_default(),
            error.message().unwrap_or("no explanation"),
        )),
    }
}
