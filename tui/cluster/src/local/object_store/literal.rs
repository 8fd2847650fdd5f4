//! S3 as it is about keys: every key is taken literally, and lists are in their order. s3s-fs does the rest, under the
//! names of files that keys become.

use async_trait::async_trait;
use http::{Extensions, HeaderMap, Method, Uri};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CommonPrefix,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput,
    CopySource, CreateBucketInput, CreateBucketOutput, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput,
    DeleteObjectsOutput, DeletedObject, EncodingType, GetBucketLocationInput,
    GetBucketLocationOutput, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput,
    HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput, ListObjectsInput,
    ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput,
    Object, PutObjectInput, PutObjectOutput, UploadPartCopyInput, UploadPartCopyOutput,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;

use super::body::Opened;
use super::file_name;
use super::keys::{Keys, Listed, Wanted};
use super::older_layout::write_out;

/// The most entries of a page.
const PAGE: usize = 1_000;
const PAGE_I32: i32 = 1_000;
/// The longest key, in bytes.
const KEY_LIMIT: usize = 1_024;

/// s3s-fs behind names that every file system takes.
#[derive(Debug)]
pub(super) struct LiteralKeys {
    files: FileSystem,
    keys: Keys,
}

impl LiteralKeys {
    pub(super) fn new(files: FileSystem, keys: Keys) -> Self {
        Self { files, keys }
    }

    fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        if self.keys.has_bucket(bucket) {
            Ok(())
        } else {
            Err(s3_error!(
                NoSuchBucket,
                "The specified bucket does not exist"
            ))
        }
    }

    /// Returns the name under which s3s-fs has a key.
    fn name(&self, bucket: &str, key: &str) -> S3Result<String> {
        self.check_bucket(bucket)?;
        if key.len() > KEY_LIMIT {
            return Err(s3_error!(KeyTooLongError, "Your key is too long"));
        }
        Ok(file_name::path_of(bucket, key))
    }

    /// Does the same for an object that is going to be there.
    fn new_name(&self, bucket: &str, key: &str) -> S3Result<String> {
        let name = self.name(bucket, key)?;
        if let Some(beside) = file_name::written_out(bucket, key) {
            let file = self.keys.folder(bucket).join(beside);
            write_out(&file, key).map_err(S3Error::internal_error)?;
        }
        Ok(name)
    }

    fn rename_source(&self, source: &mut CopySource) -> S3Result<()> {
        let CopySource::Bucket { bucket, key, .. } = source else {
            return Err(s3_error!(NotImplemented));
        };
        *key = self.name(bucket, key)?.into();
        Ok(())
    }

    /// Lists a page, with the size, the time and the `ETag` of each object.
    async fn page(&self, bucket: &str, asked: &Asked<'_>) -> S3Result<Contents> {
        let limit = asked.limit.map_or(Ok(PAGE), usize::try_from);
        let limit = limit.map_err(|_| s3_error!(InvalidArgument, "max-keys is negative"))?;
        let wanted = Wanted {
            prefix: asked.prefix.unwrap_or_default(),
            delimiter: asked.delimiter.unwrap_or_default(),
            after: asked.after,
            limit: limit.min(PAGE),
        };
        let listed = self.keys.list(bucket, &wanted);
        let (listed, has_more) = listed.ok_or_else(|| s3_error!(NoSuchBucket))?;
        let last = listed.last().filter(|_| has_more);
        let mut contents = Contents {
            next: last.map(|last| last.name().to_owned()),
            ..Contents::default()
        };
        for entry in listed {
            match entry {
                Listed::Prefix(prefix) => contents.prefixes.push(CommonPrefix {
                    prefix: Some(asked.shown(&prefix)),
                }),
                Listed::Key(key) => {
                    let described = self.describe(bucket, &key).await;
                    // One that was removed meanwhile is left out.
                    let Some(found) = described else { continue };
                    contents.objects.push(Object {
                        key: Some(asked.shown(&key)),
                        size: found.content_length,
                        e_tag: found.e_tag,
                        last_modified: found.last_modified,
                        ..Object::default()
                    });
                }
            }
        }
        Ok(contents)
    }

    async fn describe(&self, bucket: &str, key: &str) -> Option<HeadObjectOutput> {
        let input = HeadObjectInput {
            bucket: bucket.to_owned(),
            key: file_name::path_of(bucket, key),
            ..HeadObjectInput::default()
        };
        let found = self.files.head_object(internal(input)).await;
        found.ok().map(|found| found.output)
    }
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

/// Returns a request of this server to itself.
pub(super) fn internal<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: Method::HEAD,
        uri: Uri::default(),
        headers: HeaderMap::default(),
        extensions: Extensions::default(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

type Answer<T> = S3Result<S3Response<T>>;

#[async_trait]
impl S3 for LiteralKeys {
    async fn list_buckets(&self, req: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        self.files.list_buckets(req).await
    }

    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
        let bucket = req.input.bucket.clone();
        let created = self.files.create_bucket(req).await?;
        self.keys.add_bucket(&bucket);
        Ok(created)
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        self.files.head_bucket(req).await
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> Answer<GetBucketLocationOutput> {
        self.files.get_bucket_location(req).await
    }

    async fn head_object(&self, mut req: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        req.input.key = self.name(&req.input.bucket, &req.input.key)?;
        self.files.head_object(req).await
    }

    async fn get_object(&self, mut req: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        req.input.key = self.name(&req.input.bucket, &req.input.key)?;
        let path = self.keys.folder(&req.input.bucket).join(&req.input.key);
        let opened = Opened::at(&path).await;
        let mut answer = self.files.get_object(req).await?;
        if let Some(opened) = opened {
            opened.replace_body(&mut answer.output, &path).await;
        }
        Ok(answer)
    }

    async fn put_object(&self, mut req: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        req.input.key = self.new_name(&bucket, &key)?;
        let done = self.files.put_object(req).await;
        if done
            .as_ref()
            .is_err_and(|error| *error.code() == S3ErrorCode::BadDigest)
        {
            // What came is not what was sent, and s3s-fs has it in the object's place already.
            self.keys.remove_file(&bucket, &key);
        }
        self.keys.look_again(&bucket, &key);
        done
    }

    async fn copy_object(&self, mut req: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        self.rename_source(&mut req.input.copy_source)?;
        req.input.key = self.new_name(&bucket, &key)?;
        let done = self.files.copy_object(req).await;
        self.keys.look_again(&bucket, &key);
        done
    }

    async fn delete_object(
        &self,
        mut req: S3Request<DeleteObjectInput>,
    ) -> Answer<DeleteObjectOutput> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        req.input.key = self.name(&bucket, &key)?;
        let done = self.files.delete_object(req).await;
        self.keys.look_again(&bucket, &key);
        done
    }

    async fn delete_objects(
        &self,
        mut req: S3Request<DeleteObjectsInput>,
    ) -> Answer<DeleteObjectsOutput> {
        let bucket = req.input.bucket.clone();
        let objects = &mut req.input.delete.objects;
        if objects.len() > PAGE {
            return Err(s3_error!(MalformedXML, "more than 1,000 keys"));
        }
        let keys: Vec<String> = objects.iter().map(|object| object.key.clone()).collect();
        for object in objects {
            object.key = self.name(&bucket, &object.key)?;
        }
        let is_quiet = req.input.delete.quiet == Some(true);
        let done = self.files.delete_objects(req).await;
        for key in &keys {
            self.keys.look_again(&bucket, key);
        }
        done.map(|answer| {
            answer.map_output(|output| {
                let named = |(key, object): (String, DeletedObject)| DeletedObject {
                    key: Some(key),
                    ..object
                };
                let deleted = output.deleted.unwrap_or_default();
                let deleted = keys.into_iter().zip(deleted).map(named).collect();
                DeleteObjectsOutput {
                    deleted: (!is_quiet).then_some(deleted),
                    ..output
                }
            })
        })
    }

    async fn list_objects(&self, req: S3Request<ListObjectsInput>) -> Answer<ListObjectsOutput> {
        let input = req.input;
        let asked = Asked {
            prefix: input.prefix.as_deref(),
            delimiter: input.delimiter.as_deref(),
            after: input.marker.as_deref().unwrap_or_default(),
            limit: input.max_keys,
            encoding: input.encoding_type.as_ref(),
        };
        let found = self.page(&input.bucket, &asked).await?;
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
        Ok(S3Response::new(output))
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> Answer<ListObjectsV2Output> {
        let input = req.input;
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
        let found = self.page(&input.bucket, &asked).await?;
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
        Ok(S3Response::new(output))
    }

    async fn create_multipart_upload(
        &self,
        mut req: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        let key = req.input.key.clone();
        req.input.key = self.name(&req.input.bucket, &key)?;
        let mut created = self.files.create_multipart_upload(req).await?;
        created.output.key = Some(key);
        Ok(created)
    }

    async fn upload_part(&self, mut req: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        req.input.key = self.name(&req.input.bucket, &req.input.key)?;
        self.files.upload_part(req).await
    }

    async fn upload_part_copy(
        &self,
        mut req: S3Request<UploadPartCopyInput>,
    ) -> Answer<UploadPartCopyOutput> {
        self.rename_source(&mut req.input.copy_source)?;
        req.input.key = self.name(&req.input.bucket, &req.input.key)?;
        self.files.upload_part_copy(req).await
    }

    async fn list_parts(&self, mut req: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        let key = req.input.key.clone();
        req.input.key = self.name(&req.input.bucket, &key)?;
        let mut parts = self.files.list_parts(req).await?;
        parts.output.key = Some(key);
        Ok(parts)
    }

    async fn complete_multipart_upload(
        &self,
        mut req: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        req.input.key = self.new_name(&bucket, &key)?;
        // s3s-fs would keep the checksum of the object that is replaced.
        self.keys.forget_checksum(&bucket, &key);
        let done = self.files.complete_multipart_upload(req).await;
        self.keys.look_again(&bucket, &key);
        let mut done = done?;
        if let Some(rest) = done.output.future.take() {
            done.output = rest.await?;
        }
        done.output.key = Some(key);
        Ok(done)
    }

    async fn abort_multipart_upload(
        &self,
        mut req: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        req.input.key = self.name(&req.input.bucket, &req.input.key)?;
        self.files.abort_multipart_upload(req).await
    }
}
