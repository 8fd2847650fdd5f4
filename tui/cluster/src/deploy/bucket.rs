//! A stack's bucket: whether a name is free, how much is in it, and its removal with everything in it.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::DeployError;
use super::Reporter;
use crate::aws::{AwsError, QueryError};
use mrdeck_core::human::thousands;

/// Objects between two reports while a large bucket is emptied.
const REPORT_EVERY: u64 = 10_000;

/// What is behind a bucket's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketName {
    Free,
    /// It is there and may be used.
    Ours,
}

/// How much a bucket holds, as far as a single look shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    Nothing,
    Objects {
        count: u64,
        or_more: bool,
    },
    /// There is no such bucket any more.
    NoBucket,
}

/// Looks up whether a bucket's name is free.
///
/// # Errors
///
/// Returns that the bucket can't be used, or why S3 did not say.
pub async fn look_up(s3: &Client, bucket: &str) -> Result<BucketName, DeployError> {
    let Err(error) = s3.head_bucket().bucket(bucket).send().await else {
        return Ok(BucketName::Ours);
    };
    // A HEAD has no body, so the status is all there is.
    match error.raw_response().map(|answer| answer.status().as_u16()) {
        Some(404) => Ok(BucketName::Free),
        Some(403) => Err(DeployError::BucketDenied(bucket.to_owned())),
        Some(301) => Err(DeployError::BucketElsewhere(bucket.to_owned())),
        _ => Err(AwsError::s3("look up the bucket", error).into()),
    }
}

/// Looks at how much a bucket holds.
///
/// # Errors
///
/// Returns why S3 did not say.
pub async fn contents(s3: &Client, bucket: &str) -> Result<Contents, AwsError> {
    match s3.list_objects_v2().bucket(bucket).send().await {
        Ok(page) => Ok(match u64::try_from(page.contents().len()).unwrap_or(0) {
            0 => Contents::Nothing,
            count => Contents::Objects {
                count,
                or_more: page.is_truncated() == Some(true),
            },
        }),
        Err(error) if error.code() == Some("NoSuchBucket") => Ok(Contents::NoBucket),
        Err(error) => Err(AwsError::s3("list the bucket", error)),
    }
}

/// Removes every object and then the bucket, and returns how many there were.
///
/// # Errors
///
/// Returns why S3 did not remove an object or the bucket.
pub async fn remove(s3: &Client, bucket: &str, report: Reporter<'_>) -> Result<u64, AwsError> {
    let mut removed = 0;
    let mut pages = s3.list_objects_v2().bucket(bucket).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| AwsError::s3("list the bucket", error))?;
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
        if before / REPORT_EVERY != removed / REPORT_EVERY {
            report(&format!("{} objects removed", thousands(removed)));
        }
    }
    s3.delete_bucket()
        .bucket(bucket)
        .send()
        .await
        .map_err(|error| AwsError::s3("delete the bucket", error))?;
    Ok(removed)
}

async fn remove_page(
    s3: &Client,
    bucket: &str,
    objects: Vec<ObjectIdentifier>,
) -> Result<u64, AwsError> {
    let count = u64::try_from(objects.len()).unwrap_or(u64::MAX);
    let what = "delete the bucket's objects";
    let delete = Delete::builder()
        .set_objects(Some(objects))
        .quiet(true)
        .build()
        .map_err(|error| {
            let source = error.into();
            let service = "S3";
            QueryError::Unmade { service, source }.doing(what)
        })?;
    let answer = s3
        .delete_objects()
        .bucket(bucket)
        .delete(delete)
        .send()
        .await
        .map_err(|error| AwsError::s3(what, error))?;
    match answer.errors().first() {
        None => Ok(count),
        Some(error) => Err(QueryError::Refused {
            code: error.code().unwrap_or_default().to_owned(),
            message: error.message().unwrap_or("no explanation").to_owned(),
        }
        .doing(what)),
    }
}
