//! Writes an object of unknown size in bounded memory: in one request if it is small, else in parts.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::{Fuse, FuturesUnordered};
use tokio::sync::oneshot;

use super::S3Store;
use super::failure::{HttpResponse, causes};
use crate::{BodyStream, Store, StoreError, Told, WriteOptions};
use mrdeck_core::api::UPLOAD_SHA256;
use mrdeck_core::digest::Digest;
use mrdeck_core::uri::S3Uri;

/// The size of the first parts, in bytes.
const PART: usize = 8 << 20;
/// The number of parts after which their size doubles: S3 allows 10,000 parts, and objects of 5 TiB.
const PARTS_OF_A_SIZE: usize = 1_000;
/// The largest interactive upload that is sent in one request.
const ONE_REQUEST: usize = 16 << 20;
/// The parts of a larger interactive upload that are sent at the same time.
const AT_A_TIME: usize = 3;
/// The longest that a request of an interactive upload may take: connections may be slow (three parts of 8 MiB in this
/// time are 42 KiB/s), and the user can cancel an upload that stalls.
const PATIENCE: Duration = Duration::from_mins(10);

/// The way in which a stream is sent.
struct Sending<'a> {
    /// Sends the requests: the store's own client, or one with longer deadlines.
    client: Client,
    /// The most bytes that are sent in one request.
    one_request: usize,
    at_a_time: usize,
    sha256: Option<Digest>,
    told: Told<'a>,
}

/// Sends two parts at a time, so that one is filled while another is sent: for the services, where many requests share the
/// memory.
pub(super) async fn put_stream(
    store: &S3Store,
    at: &S3Uri,
    body: BodyStream,
) -> Result<u64, StoreError> {
    let sending = Sending {
        client: store.client.clone(),
        one_request: PART - 1,
        at_a_time: 2,
        sha256: None,
        told: &|_| {},
    };
    sending.send(store, at, body).await
}

/// Sends several parts at a time: for an upload that the user waits for.
pub(super) async fn upload(
    store: &S3Store,
    at: &S3Uri,
    body: BodyStream,
    sha256: Digest,
    told: Told<'_>,
) -> Result<u64, StoreError> {
    let config = store.client.config();
    let timeouts = config.timeout_config().cloned();
    let timeouts = timeouts.map_or_else(TimeoutConfig::builder, TimeoutConfig::into_builder);
    let config = config
        .to_builder()
        .timeout_config(timeouts.read_timeout(PATIENCE).build());
    let sending = Sending {
        client: Client::from_conf(config.build()),
        one_request: ONE_REQUEST,
        at_a_time: AT_A_TIME,
        sha256: Some(sha256),
        told,
    };
    sending.send(store, at, body).await
}

impl Sending<'_> {
    async fn send(&self, store: &S3Store, at: &S3Uri, body: BodyStream) -> Result<u64, StoreError> {
        // Parts are filled until one stays empty, so the body is asked again behind its end.
        let mut body = body.fuse();
        let mut buffer = BytesMut::new();
        fill(&mut body, &mut buffer, self.one_request + 1).await?;
        if buffer.len() <= self.one_request {
            let size = buffer.len() as u64;
            let patient = S3Store {
                client: self.client.clone(),
                ..store.clone()
            };
            let options = WriteOptions {
                sha256: self.sha256,
                ..WriteOptions::default()
            };
            patient.write(at, buffer.freeze(), options).await?;
            (self.told)(size);
            return Ok(size);
        }
        let mut upload = Upload::begin(store, at, self.sha256).await?;
        let sent = upload.send_all(self, body, buffer).await;
        if sent.is_ok() {
            upload.id = None;
        } else {
            upload.abort().await;
        }
        sent
    }
}

/// Reads until the buffer holds `size` bytes or the body ends.
async fn fill(
    body: &mut Fuse<BodyStream>,
    buffer: &mut BytesMut,
    size: usize,
) -> Result<(), StoreError> {
    while buffer.len() < size {
        match body.next().await {
            Some(piece) => buffer.extend_from_slice(&piece?),
            None => break,
        }
    }
    Ok(())
}

/// Returns exactly `size` bytes, or fewer at the end of the body. Further bytes stay in `buffer`.
async fn next_part(
    body: &mut Fuse<BodyStream>,
    buffer: &mut BytesMut,
    size: usize,
) -> Result<Bytes, StoreError> {
    fill(body, buffer, size).await?;
    Ok(buffer.split_to(size.min(buffer.len())).freeze())
}

fn part_size(index: usize) -> usize {
    PART << (index / PARTS_OF_A_SIZE)
}

/// A multipart upload in progress. If dropped before it is complete, it is aborted in the background, so that a cancelled
/// request leaves no parts that cost money.
struct Upload {
    store: S3Store,
    at: S3Uri,
    /// `None` once the upload is complete or aborted.
    id: Option<String>,
}

impl Upload {
    /// Begins an upload in a task of its own, so that its id is known, and it can be aborted, even if this future is
    /// dropped before S3 answers.
    async fn begin(
        store: &S3Store,
        at: &S3Uri,
        sha256: Option<Digest>,
    ) -> Result<Self, StoreError> {
        let (begun, awaited) = oneshot::channel();
        let creating = Self::create(store.clone(), at.clone(), sha256);
        store.given_up.spawn(async move {
            // If the receiver is gone, the upload is dropped here, and so aborted.
            let _ = begun.send(creating.await);
        });
        awaited.await.unwrap_or_else(|_| {
            Err(StoreError::Other {
                at: at.into(),
                detail: "the upload could not be started".to_owned(),
            })
        })
    }

    async fn create(store: S3Store, at: S3Uri, sha256: Option<Digest>) -> Result<Self, StoreError> {
        let request = store
            .client
            .create_multipart_upload()
            .bucket(at.bucket())
            .key(at.key())
            .set_metadata(
                sha256.map(|sha256| [(UPLOAD_SHA256.to_owned(), sha256.to_string())].into()),
            );
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Err(store.explain(&at, error).await),
        };
        let id = answer.upload_id().map(str::to_owned);
        let no_id = || StoreError::Other {
            at: (&at).into(),
            detail: "S3 returned no id for the upload".to_owned(),
        };
        let id = Some(id.ok_or_else(no_id)?);
        Ok(Self { store, at, id })
    }

    async fn send_all(
        &self,
        sending: &Sending<'_>,
        mut body: Fuse<BodyStream>,
        mut buffer: BytesMut,
    ) -> Result<u64, StoreError> {
        let mut in_flight = FuturesUnordered::new();
        let mut parts = Vec::new();
        let (mut begun, mut size, mut has_ended) = (0, 0, false);
        // A part is filled while others are sent. What was filled of it stays in the buffer if one of those is done first.
        loop {
            let has_room = !has_ended && in_flight.len() < sending.at_a_time;
            tokio::select! {
                part = next_part(&mut body, &mut buffer, part_size(begun)), if has_room => {
                    let part = part?;
                    has_ended = part.is_empty();
                    if !has_ended {
                        in_flight.push(self.send(&sending.client, begun, part));
                        begun += 1;
                    }
                }
                Some(answer) = in_flight.next() => {
                    let (part, bytes) = answer?;
                    parts.push(part);
                    size += bytes;
                    (sending.told)(size);
                }
                else => break,
            }
        }
        parts.sort_by_key(CompletedPart::part_number);
        self.complete(parts).await.map(|()| size)
    }

    async fn complete(&self, parts: Vec<CompletedPart>) -> Result<(), StoreError> {
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
        let answer = request.send().await;
        answer.map(|_| ()).or_else_explain(self).await
    }

    /// Sends a part; returns its size as well.
    async fn send(
        &self,
        client: &Client,
        index: usize,
        part: Bytes,
    ) -> Result<(CompletedPart, u64), StoreError> {
        // More parts than an i32 can count are far beyond S3's limit; S3 refuses them itself.
        let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
        let size = part.len() as u64;
        let request = client
            .upload_part()
            .bucket(self.at.bucket())
            .key(self.at.key());
        let request = request
            .set_upload_id(self.id.clone())
            .part_number(number)
            .body(part.into());
        let answer = request.send().await.or_else_explain(self).await?;
        // The completion of the upload has to repeat the SDK's checksum of the part.
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(answer.e_tag().map(str::to_owned))
            .set_checksum_crc32(answer.checksum_crc32().map(str::to_owned))
            .build();
        Ok((part, size))
    }

    async fn abort(mut self) {
        if let Some(id) = self.id.take() {
            abort(self.store.clone(), self.at.clone(), id).await;
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) {
            let abort = abort(self.store.clone(), self.at.clone(), id);
            self.store.given_up.spawn_on(abort, &runtime);
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
        tracing::warn!(%at, cause = causes(&error), "an upload could not be aborted; its parts stay until S3 expires them");
    }
}

/// A `map_err` that may ask S3 for the reason.
trait OrElseExplain<T> {
    async fn or_else_explain(self, upload: &Upload) -> Result<T, StoreError>;
}

impl<T, E> OrElseExplain<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    async fn or_else_explain(self, upload: &Upload) -> Result<T, StoreError> {
        match self {
            Ok(answer) => Ok(answer),
            Err(error) => Err(upload.store.explain(&upload.at, error).await),
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
        let mut body = stream::iter(pieces).boxed().fuse();
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
