//! A body on its way into a file: written and hashed in large pieces, one while the next comes in.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::sync::Arc;

use base64_simd::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{ChecksumAlgorithm, StreamingBlob};
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders, s3_error};
use tempfile::{NamedTempFile, TempPath};
use tokio::task::spawn_blocking;

use super::description::{Attributes, Checksums};
use super::objects::{Draft, Objects};

/// How much is written at once, in bytes.
const PIECE: usize = 1 << 20;

const CRC32: &str = "x-amz-checksum-crc32";
const CRC32C: &str = "x-amz-checksum-crc32c";
const SHA1: &str = "x-amz-checksum-sha1";
const SHA256: &str = "x-amz-checksum-sha256";
const CRC64NVME: &str = "x-amz-checksum-crc64nvme";

/// What a client says a body is.
pub(super) struct Announced {
    /// In Base64.
    pub(super) md5: Option<String>,
    pub(super) algorithm: Option<ChecksumAlgorithm>,
    pub(super) checksums: Checksums,
    pub(super) headers: HeaderMap,
    pub(super) trailers: Option<TrailingHeaders>,
}

/// A whole body that is what it was said to be, in a file that is removed unless it is put in its place.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) file: File,
    pub(super) path: TempPath,
    pub(super) md5: [u8; 16],
    pub(super) checksums: Checksums,
}

/// A body but for its last piece, which is written by whoever waits for the disk anyway.
pub(super) struct Unfinished {
    writer: Writer,
    rest: Vec<Bytes>,
    announced: Announced,
}

struct Writer {
    objects: Arc<Objects>,
    /// Made with the first piece.
    file: Option<NamedTempFile>,
    md5: Md5,
    checksums: ChecksumHasher,
}

/// Receives a body.
///
/// # Errors
///
/// `IncompleteBody` if it breaks off or is not what was signed, `NotImplemented` for an unknown checksum, and those of the
/// disk.
pub(super) async fn receive(
    objects: &Arc<Objects>,
    body: Option<StreamingBlob>,
    announced: Announced,
) -> S3Result<Unfinished> {
    let mut body = body.ok_or_else(|| s3_error!(IncompleteBody))?;
    let mut writer = Writer {
        objects: Arc::clone(objects),
        file: None,
        md5: Md5::new(),
        checksums: announced.hasher()?,
    };
    let (mut piece, mut is_last) = next_piece(&mut body).await?;
    while !is_last {
        let writing = spawn_blocking(move || writer.write(&piece));
        let (written, next) = tokio::join!(writing, next_piece(&mut body));
        writer = written
            .map_err(S3Error::internal_error)?
            .map_err(S3Error::internal_error)?;
        (piece, is_last) = next?;
    }
    Ok(Unfinished {
        writer,
        rest: piece,
        announced,
    })
}

/// Returns the next piece, and whether it is the last one.
async fn next_piece(body: &mut StreamingBlob) -> S3Result<(Vec<Bytes>, bool)> {
    let mut piece = Vec::new();
    let mut length = 0;
    while length < PIECE {
        let Some(bytes) = body.next().await else {
            return Ok((piece, true));
        };
        let bytes =
            bytes.map_err(|error| S3Error::with_source(S3ErrorCode::IncompleteBody, error))?;
        length += bytes.len();
        piece.push(bytes);
    }
    Ok((piece, false))
}

impl Received {
    /// Returns the object's `ETag`, which is S3's: the MD5.
    pub(super) fn etag(&self) -> String {
        hex::encode(self.md5)
    }

    /// Makes one of a part of a file. Waits for the disk.
    pub(super) fn copy(objects: &Objects, mut from: File, range: Range<u64>) -> io::Result<Self> {
        let (mut file, path) = objects.part()?.into_parts();
        from.seek(SeekFrom::Start(range.start))?;
        let mut left = range.end - range.start;
        let mut md5 = Md5::new();
        let mut buffer = vec![0; PIECE];
        while left > 0 {
            let most = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
            from.read_exact(&mut buffer[..most])?;
            md5.update(&buffer[..most]);
            file.write_all(&buffer[..most])?;
            left -= most as u64;
        }
        Ok(Self {
            file,
            path,
            md5: md5.finalize(),
            checksums: Checksums::default(),
        })
    }

    pub(super) fn into_draft(self, attributes: Attributes) -> Draft {
        Draft {
            etag: self.etag(),
            file: self.file,
            path: self.path,
            attributes,
            checksums: self.checksums,
        }
    }
}

impl Unfinished {
    /// Writes the last piece.
    ///
    /// # Errors
    ///
    /// `BadDigest` for a body that is not what it was said to be, `InvalidDigest`, and those of the disk.
    pub(super) fn finish(self) -> S3Result<Received> {
        let written = self.writer.write(&self.rest);
        let writer = written.map_err(S3Error::internal_error)?;
        let (md5, checksums) = (writer.md5.finalize(), writer.checksums.finalize().into());
        self.announced.check(md5, &checksums)?;
        let file = match writer.file {
            Some(file) => file,
            None => writer.objects.part().map_err(S3Error::internal_error)?,
        };
        let (file, path) = file.into_parts();
        Ok(Received {
            file,
            path,
            md5,
            checksums,
        })
    }
}

impl Writer {
    fn write(mut self, piece: &[Bytes]) -> io::Result<Self> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(self.objects.part()?),
        };
        for bytes in piece {
            self.md5.update(bytes);
            self.checksums.update(bytes);
            file.write_all(bytes)?;
        }
        Ok(self)
    }
}

impl Announced {
    /// Returns a hasher of what was announced.
    fn hasher(&self) -> S3Result<ChecksumHasher> {
        let trailer = self.headers.get("x-amz-trailer");
        let trailer = trailer.and_then(|names| names.to_str().ok());
        let is_named = |name: &str| {
            trailer.is_some_and(|names| names.split(',').any(|other| other.trim() == name))
        };
        let algorithm = self.algorithm.as_ref().map(ChecksumAlgorithm::as_str);
        let known = [
            ChecksumAlgorithm::CRC32,
            ChecksumAlgorithm::CRC32C,
            ChecksumAlgorithm::SHA1,
            ChecksumAlgorithm::SHA256,
            ChecksumAlgorithm::CRC64NVME,
        ];
        if algorithm.is_some_and(|name| !known.contains(&name)) {
            return Err(s3_error!(NotImplemented, "Unknown checksum algorithm"));
        }
        let given = &self.checksums;
        let wants = |name, header, given: &Option<String>| {
            given.is_some() || algorithm == Some(name) || is_named(header)
        };
        let [crc32, crc32c, sha1, sha256, crc64nvme] = known;
        Ok(ChecksumHasher {
            crc32: wants(crc32, CRC32, &given.crc32).then(Crc32::new),
            crc32c: wants(crc32c, CRC32C, &given.crc32c).then(Crc32c::new),
            sha1: wants(sha1, SHA1, &given.sha1).then(Sha1::new),
            sha256: wants(sha256, SHA256, &given.sha256).then(Sha256::new),
            crc64nvme: wants(crc64nvme, CRC64NVME, &given.crc64nvme).then(Crc64Nvme::new),
        })
    }

    fn check(self, md5: [u8; 16], found: &Checksums) -> S3Result<()> {
        if let Some(announced) = &self.md5 {
            let announced = STANDARD.decode_to_vec(announced);
            let announced = announced.map_err(|_| s3_error!(InvalidDigest))?;
            if announced != md5 {
                return Err(s3_error!(
                    BadDigest,
                    "The Content-MD5 you specified did not match what we received"
                ));
            }
        }
        let trailers = self.trailers.and_then(|trailers| trailers.take());
        let trailers = trailers.unwrap_or_default();
        let named = |given: Option<String>, header: &str| {
            let trailer = trailers.get(header).and_then(|value| value.to_str().ok());
            trailer.map(str::to_owned).or(given)
        };
        let given = self.checksums;
        let announced = Checksums {
            crc32: named(given.crc32, CRC32),
            crc32c: named(given.crc32c, CRC32C),
            sha1: named(given.sha1, SHA1),
            sha256: named(given.sha256, SHA256),
            crc64nvme: named(given.crc64nvme, CRC64NVME),
        };
        if announced == *found {
            Ok(())
        } else {
            Err(s3_error!(
                BadDigest,
                "The checksum you specified did not match what we received"
            ))
        }
    }
}
