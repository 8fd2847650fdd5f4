//! S3's calls: every key is taken literally, lists are in the order of their keys, conditions hold or refuse.

use std::fs::File;
use std::sync::Arc;

use async_trait::async_trait;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, Bucket, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CopyObjectResult,
    CopyPartResult, CopySource, CreateBucketInput, CreateBucketOutput, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput,
    DeleteObjectsOutput, DeletedObject, ETag, GetBucketLocationInput, GetBucketLocationOutput,
    GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
    HeadObjectOutput, ListBucketsInput, ListBucketsOutput, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput, MetadataDirective,
    PutObjectInput, PutObjectOutput, Range, UploadPartCopyInput, UploadPartCopyOutput,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};
use tokio::task::spawn_blocking;

use super::body::Opened;
use super::conditions::{ReadConditions, WriteConditions};
use super::description::{Attributes, Checksums, Description};
use super::fields::{announced, attributes, described, read_conditions, source_conditions};
use super::listing;
use super::objects::Objects;
use super::receive::{Announced, Received, receive};
use super::uploads::{Id, Uploads};

/// The most keys of one `DeleteObjects`.
const DELETED: usize = 1_000;
/// The longest key, in bytes.
const KEY_LIMIT: usize = 1_024;

/// What the calls are about.
#[derive(Debug)]
pub(super) struct Api {
    objects: Arc<Objects>,
    uploads: Arc<Uploads>,
}

impl Api {
    pub(super) fn new(objects: Objects) -> Self {
        Self {
            objects: Arc::new(objects),
            uploads: Arc::default(),
        }
    }

    fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        if self.objects.index().has_bucket(bucket) {
            Ok(())
        } else {
            Err(s3_error!(
                NoSuchBucket,
                "The specified bucket does not exist"
            ))
        }
    }

    fn check(&self, bucket: &str, key: &str) -> S3Result<()> {
        self.check_bucket(bucket)?;
        if key.len() > KEY_LIMIT {
            return Err(s3_error!(KeyTooLongError, "Your key is too long"));
        }
        Ok(())
    }

    /// Does what waits for the disk on a thread that may.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Objects>, &Uploads) -> S3Result<T> + Send + 'static,
    ) -> S3Result<T> {
        let (objects, uploads) = (Arc::clone(&self.objects), Arc::clone(&self.uploads));
        let done = spawn_blocking(move || work(&objects, &uploads)).await;
        done.map_err(S3Error::internal_error)?
    }

    /// Returns the bucket and the key that are copied from.
    fn source(&self, source: &CopySource) -> S3Result<(String, String)> {
        let CopySource::Bucket { bucket, key, .. } = source else {
            return Err(s3_error!(NotImplemented));
        };
        self.check(bucket, key)?;
        Ok((bucket.to_string(), key.to_string()))
    }
}

type Answer<T> = S3Result<S3Response<T>>;

#[allow(clippy::unnecessary_wraps, reason = "every call ends with it")]
fn answer<T>(output: T) -> Answer<T> {
    Ok(S3Response::new(output))
}

fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

#[async_trait]
impl S3 for Api {
    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        let buckets = self.blocking(|objects, _| {
            let mut buckets = Vec::new();
            for name in objects.index().buckets() {
                let folder = std::fs::metadata(objects.folder(&name));
                let folder = folder.map_err(S3Error::internal_error)?;
                let made = folder.created().or_else(|_| folder.modified());
                buckets.push(Bucket {
                    creation_date: made.ok().map(Into::into),
                    name: Some(name),
                    ..Bucket::default()
                });
            }
            Ok(buckets)
        });
        answer(ListBucketsOutput {
            buckets: Some(buckets.await?),
            ..ListBucketsOutput::default()
        })
    }

    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
        let bucket = req.input.bucket;
        let made = self.blocking(move |objects, _| {
            let made = objects.create_bucket(&bucket);
            made.map_err(S3Error::internal_error)
        });
        if made.await? {
            answer(CreateBucketOutput::default())
        } else {
            Err(s3_error!(BucketAlreadyOwnedByYou))
        }
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        self.check_bucket(&req.input.bucket)?;
        answer(HeadBucketOutput::default())
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> Answer<GetBucketLocationOutput> {
        self.check_bucket(&req.input.bucket)?;
        answer(GetBucketLocationOutput::default())
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        let mut input = req.input;
        self.check(&input.bucket, &input.key)?;
        let conditions = read_conditions!(input);
        let found = self.blocking(move |objects, _| {
            let found = objects.find(&input.bucket, &input.key);
            found.map_err(S3Error::internal_error)
        });
        let object = found.await?.ok_or_else(no_such_key)?;
        conditions.check(&object)?;
        answer(described!(HeadObjectOutput, &object, &object.checksums))
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        let mut input = req.input;
        self.check(&input.bucket, &input.key)?;
        let conditions = read_conditions!(input);
        let wanted = input.range.take();
        let opened = self.blocking(move |objects, _| {
            let opened = objects.open_object(&input.bucket, &input.key);
            let (file, object) = opened
                .map_err(S3Error::internal_error)?
                .ok_or_else(no_such_key)?;
            conditions.check(&object)?;
            let range = range_of(wanted.as_ref(), object.stamp.size)?;
            let opened = Opened::read(file, range.clone()).map_err(S3Error::internal_error)?;
            Ok((opened, range, object))
        });
        let (opened, range, object) = opened.await?;
        let size = object.stamp.size;
        // As S3: the checksums are those of the whole.
        let is_whole = range == (0..size);
        let none = Checksums::default();
        let checksums = if is_whole { &object.checksums } else { &none };
        let mut output = described!(GetObjectOutput, &object, checksums);
        if wanted.is_some() {
            output.content_range = Some(format!(
                "bytes {}-{}/{size}",
                range.start,
                range.end.saturating_sub(1)
            ));
        }
        output.content_length = i64::try_from(range.end - range.start).ok();
        output.body = Some(opened.into_body());
        answer(output)
    }

    async fn put_object(&self, mut req: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        self.check(&req.input.bucket, &req.input.key)?;
        let announced = announced!(req);
        let mut input = req.input;
        let received = receive(&self.objects, input.body.take(), announced).await?;
        let attributes = attributes!(input);
        let conditions = WriteConditions {
            matches: input.if_match.take(),
            none_matches: input.if_none_match.take(),
        };
        let put = self.blocking(move |objects, _| {
            let draft = received.finish()?.into_draft(attributes);
            objects.commit(&input.bucket, &input.key, draft, &conditions)
        });
        let object = put.await?;
        let checksums = object.checksums.clone();
        answer(PutObjectOutput {
            e_tag: Some(object.etag()),
            checksum_crc32: checksums.crc32,
            checksum_crc32c: checksums.crc32c,
            checksum_sha1: checksums.sha1,
            checksum_sha256: checksums.sha256,
            checksum_crc64nvme: checksums.crc64nvme,
            ..PutObjectOutput::default()
        })
    }

    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        let mut input = req.input;
        self.check(&input.bucket, &input.key)?;
        let (bucket, key) = self.source(&input.copy_source)?;
        let conditions = source_conditions!(input);
        let is_replaced = input
            .metadata_directive
            .as_ref()
            .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        let attributes = is_replaced.then(|| attributes!(input));
        let copied = self.blocking(move |objects, _| {
            let (file, object) = open_source(objects, &bucket, &key, &conditions)?;
            let draft = objects.draft_of(&file, &object, attributes);
            let draft = draft.map_err(S3Error::internal_error)?;
            objects.commit(
                &input.bucket,
                &input.key,
                draft,
                &WriteConditions::default(),
            )
        });
        let object = copied.await?;
        answer(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(object.etag()),
                last_modified: Some(object.stamp.modified()),
                ..CopyObjectResult::default()
            }),
            ..CopyObjectOutput::default()
        })
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
        let input = req.input;
        self.check(&input.bucket, &input.key)?;
        let removed = self.blocking(move |objects, _| {
            let removed = objects.remove(&input.bucket, &input.key);
            removed.map_err(S3Error::internal_error)
        });
        removed.await?;
        answer(DeleteObjectOutput::default())
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> Answer<DeleteObjectsOutput> {
        let (bucket, delete) = (req.input.bucket, req.input.delete);
        if delete.objects.len() > DELETED {
            return Err(s3_error!(MalformedXML, "more than 1,000 keys"));
        }
        for object in &delete.objects {
            self.check(&bucket, &object.key)?;
        }
        let removed = self.blocking(move |objects, _| {
            let mut removed = Vec::with_capacity(delete.objects.len());
            for object in delete.objects {
                let done = objects.remove(&bucket, &object.key);
                done.map_err(S3Error::internal_error)?;
                removed.push(DeletedObject {
                    key: Some(object.key),
                    ..DeletedObject::default()
                });
            }
            Ok(removed)
        });
        let removed = removed.await?;
        answer(DeleteObjectsOutput {
            deleted: (delete.quiet != Some(true)).then_some(removed),
            ..DeleteObjectsOutput::default()
        })
    }

    async fn list_objects(&self, req: S3Request<ListObjectsInput>) -> Answer<ListObjectsOutput> {
        let list = self.blocking(move |objects, _| listing::first_version(objects, &req.input));
        answer(list.await?)
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> Answer<ListObjectsV2Output> {
        let list = self.blocking(move |objects, _| listing::second_version(objects, &req.input));
        answer(list.await?)
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        let mut input = req.input;
        self.check(&input.bucket, &input.key)?;
        let attributes = attributes!(input);
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        let upload = self.uploads.begin(bucket, key, attributes);
        answer(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(upload),
            ..CreateMultipartUploadOutput::default()
        })
    }

    async fn upload_part(&self, mut req: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        let announced = announced!(req);
        let mut input = req.input;
        let body = input.body.take();
        let number = input.part_number;
        let id = id_of(input.bucket, input.key, input.upload_id);
        self.uploads.check(&id, number)?;
        let received = receive(&self.objects, body, announced).await?;
        let added = self.blocking(move |_, uploads| {
            let received = received.finish()?;
            let checksums = received.checksums.clone();
            Ok((uploads.add(&id, number, received)?, checksums))
        });
        let (etag, checksums) = added.await?;
        answer(UploadPartOutput {
            e_tag: Some(etag),
            checksum_crc32: checksums.crc32,
            checksum_crc32c: checksums.crc32c,
            checksum_sha1: checksums.sha1,
            checksum_sha256: checksums.sha256,
            checksum_crc64nvme: checksums.crc64nvme,
            ..UploadPartOutput::default()
        })
    }

    async fn upload_part_copy(
        &self,
        req: S3Request<UploadPartCopyInput>,
    ) -> Answer<UploadPartCopyOutput> {
        let mut input = req.input;
        let number = input.part_number;
        let (bucket, key) = self.source(&input.copy_source)?;
        let conditions = source_conditions!(input);
        let id = id_of(input.bucket, input.key, input.upload_id);
        self.uploads.check(&id, number)?;
        let range = input.copy_source_range.as_deref();
        let range = range.map(source_range).transpose()?;
        let copied = self.blocking(move |objects, uploads| {
            let (file, object) = open_source(objects, &bucket, &key, &conditions)?;
            let range = range_of(range.as_ref(), object.stamp.size)?;
            let received = Received::copy(objects, file, range);
            let received = received.map_err(S3Error::internal_error)?;
            uploads.add(&id, number, received)
        });
        let etag: ETag = copied.await?;
        answer(UploadPartCopyOutput {
            copy_part_result: Some(CopyPartResult {
                e_tag: Some(etag),
                ..CopyPartResult::default()
            }),
            ..UploadPartCopyOutput::default()
        })
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        let input = req.input;
        let id = id_of(input.bucket, input.key, input.upload_id);
        let parts = self.uploads.parts(&id)?;
        answer(ListPartsOutput {
            bucket: Some(id.bucket),
            key: Some(id.key),
            upload_id: Some(id.upload),
            parts: Some(parts),
            ..ListPartsOutput::default()
        })
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let input = req.input;
        let id = id_of(input.bucket, input.key, input.upload_id);
        let parts = input.multipart_upload.and_then(|upload| upload.parts);
        let conditions = WriteConditions {
            matches: input.if_match,
            none_matches: input.if_none_match,
        };
        let completed = self.blocking(move |objects, uploads| {
            let there = objects.find(&id.bucket, &id.key);
            conditions.check(there.map_err(S3Error::internal_error)?.as_deref())?;
            let draft = uploads.complete(objects, &id, &parts.unwrap_or_default())?;
            let object = objects.commit(&id.bucket, &id.key, draft, &conditions)?;
            Ok((id, object))
        });
        let (id, object) = completed.await?;
        answer(CompleteMultipartUploadOutput {
            bucket: Some(id.bucket),
            key: Some(id.key),
            e_tag: Some(object.etag()),
            ..CompleteMultipartUploadOutput::default()
        })
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        let input = req.input;
        let id = id_of(input.bucket, input.key, input.upload_id);
        self.blocking(move |_, uploads| uploads.abort(&id)).await?;
        answer(AbortMultipartUploadOutput::default())
    }
}

fn id_of(bucket: String, key: String, upload: String) -> Id {
    Id {
        bucket,
        key,
        upload,
    }
}

/// Opens what is to be copied.
fn open_source(
    objects: &Objects,
    bucket: &str,
    key: &str,
    conditions: &ReadConditions,
) -> S3Result<(File, Arc<Description>)> {
    let opened = objects.open_object(bucket, key);
    let (file, object) = opened
        .map_err(S3Error::internal_error)?
        .ok_or_else(no_such_key)?;
    // A copy has no "not modified".
    let held = conditions.check(&object);
    held.map_err(|_| s3_error!(PreconditionFailed))?;
    Ok((file, object))
}

fn range_of(wanted: Option<&Range>, size: u64) -> S3Result<std::ops::Range<u64>> {
    match wanted {
        None => Ok(0..size),
        Some(range) => Ok(range.check(size)?),
    }
}

/// Reads the range of a source, which has to have both ends.
fn source_range(text: &str) -> S3Result<Range> {
    match Range::parse(text) {
        Ok(range @ Range::Int { last: Some(_), .. }) => Ok(range),
        _ => Err(s3_error!(InvalidArgument)),
    }
}
