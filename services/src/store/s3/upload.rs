//! Writing an object of unknown size: in one request if it is small, else in parts, in bounded memory.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::S3Store;
use super::failure::{HttpResponse, causes};
use crate::store::{BodyStream, Store, StoreError};
use crate::uri::S3Uri;

/// The size of the first parts, in bytes; below it an object goes in one request.
const PART: usize = 8 << 20;
/// Parts double in size each time so many are written: 10,000 are allowed, and an object may have 5 TiB.
const PARTS_OF_A_SIZE: usize = 1_000;

pub(super) async fn put_stream(
    store: &S3Store,
    at: &S3Uri,
    mut body: BodyStream,
) -> Result<u64, StoreError> {
    let mut buffer = BytesMut::new();
    let first = next_part(&mut body, &mut buffer, PART).await?;
    if first.len() < PART {
        let size = first.len() as u64;
        store.put(at, first).await?;
        return Ok(size);
    }
    let mut upload = Upload::begin(store, at).await?;
    match upload.send_all(first, &mut body, &mut buffer).await {
        Ok(size) => {
            upload.id = None;
            Ok(size)
        }
        Err(error) => {
            upload.abort().await;
            Err(error)
        }
    }
}

/// Exactly `size` bytes, or fewer at the end of the body. What came beyond them stays in `buffer`.
async fn next_part(
    body: &mut BodyStream,
    buffer: &mut BytesMut,
    size: usize,
) -> Result<Bytes, StoreError> {
    while buffer.len() < size {
        match body.next().await {
            Some(piece) => buffer.extend_from_slice(&piece?),
            None => break,
        }
    }
    Ok(buffer.split_to(size.min(buffer.len())).freeze())
}

fn part_size(index: usize) -> usize {
    PART << (index / PARTS_OF_A_SIZE)
}

/// A multipart upload that has begun. Dropped before it is complete, it is given up in the
/// background: a request that is cancelled must leave no parts that someone pays for.
struct Upload<'a> {
    store: &'a S3Store,
    at: &'a S3Uri,
    /// `None` once it is complete or given up.
    id: Option<String>,
}

impl<'a> Upload<'a> {
    async fn begin(store: &'a S3Store, at: &'a S3Uri) -> Result<Self, StoreError> {
        let request = store
            .client
            .create_multipart_upload()
            .bucket(at.bucket())
            .key(at.key());
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Err(store.explain(at, error).await),
        };
        let id = answer.upload_id().map(str::to_owned);
        let no_id = || StoreError::Other {
            uri: at.clone(),
            detail: "S3 gave the upload no id".to_owned(),
        };
        Ok(Self {
            store,
            at,
            id: Some(id.ok_or_else(no_id)?),
        })
    }

    async fn send_all(
        &self,
        first: Bytes,
        body: &mut BodyStream,
        buffer: &mut BytesMut,
    ) -> Result<u64, StoreError> {
        let mut parts = Vec::new();
        let mut size = 0;
        let mut part = first;
        while !part.is_empty() {
            size += part.len() as u64;
            parts.push(self.send(parts.len(), part).await?);
            part = next_part(body, buffer, part_size(parts.len())).await?;
        }
        let list = CompletedMultipartUpload::builder()
            .set_parts(Some(parts))
            .build();
        let request = self
            .store
            .client
            .complete_multipart_upload()
            .bucket(self.at.bucket())
            .key(self.at.key());
        let request = request
            .set_upload_id(self.id.clone())
            .multipart_upload(list);
        request
            .send()
            .await
            .map(|_| size)
            .or_else_explain(self)
            .await
    }

    async fn send(&self, index: usize, part: Bytes) -> Result<CompletedPart, StoreError> {
        // Too many parts for an i32 are far beyond what S3 takes; it says so itself.
        let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
        let request = self
            .store
            .client
            .upload_part()
            .bucket(self.at.bucket())
            .key(self.at.key());
        let request = request
            .set_upload_id(self.id.clone())
            .part_number(number)
            .body(part.into());
        let answer = request.send().await.or_else_explain(self).await?;
        // What the SDK's checksum of the part was has to be repeated when the upload is completed.
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(answer.e_tag().map(str::to_owned))
            .set_checksum_crc32(answer.checksum_crc32().map(str::to_owned))
            .build())
    }

    async fn abort(mut self) {
        if let Some(id) = self.id.take() {
            abort(self.store.clone(), self.at.clone(), id).await;
        }
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(abort(self.store.clone(), self.at.clone(), id));
        }
    }
}

async fn abort(store: S3Store, at: S3Uri, id: String) {
    let request = store
        .client
        .abort_multipart_upload()
        .bucket(at.bucket())
        .key(at.key())
        .upload_id(id);
    if let Err(error) = request.send().await {
        tracing::warn!(%at, cause = causes(&error), "an upload could not be given up; its parts stay until S3 expires them");
    }
}

/// `map_err` with a question to S3 in it.
trait OrElseExplain<T> {
    async fn or_else_explain(self, upload: &Upload<'_>) -> Result<T, StoreError>;
}

impl<T, E> OrElseExplain<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    async fn or_else_explain(self, upload: &Upload<'_>) -> Result<T, StoreError> {
        match self {
            Ok(answer) => Ok(answer),
            Err(error) => Err(upload.store.explain(upload.at, error).await),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn parts_have_their_exact_size_whatever_the_pieces() {
        let pieces = [&b"abc"[..], b"", b"defgh", b"i"].map(|piece| Ok(Bytes::from_static(piece)));
        let mut body = stream::iter(pieces).boxed();
        let mut buffer = BytesMut::new();
        let mut parts = Vec::new();
        for _ in 0..4 {
            parts.push(next_part(&mut body, &mut buffer, 4).await.unwrap());
        }
        assert_eq!(parts, ["abcd", "efgh", "i", ""]);
    }

    #[test]
    fn ten_thousand_parts_hold_the_largest_object() {
        let all: usize = (0..10_000).map(part_size).sum();
        assert!(all > 5 << 40);
        assert_eq!(
            (part_size(0), part_size(999), part_size(1_000)),
            (PART, PART, 2 * PART)
        );
    }
}
