//! The body of an object in large pieces: s3s-fs reads 4 KiB at a time, and each time costs a change of threads.

use std::io::{self, SeekFrom};
use std::path::Path;

use s3s::dto::{GetObjectOutput, StreamingBlob};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// The largest piece, in bytes.
const PIECE: u64 = 256 << 10;

/// An object's file, opened before s3s-fs describes the object.
pub(super) struct Opened(File);

impl Opened {
    pub(super) async fn at(path: &Path) -> Option<Self> {
        File::open(path).await.ok().map(Self)
    }

    /// Replaces the body of an answer by one in larger pieces, if the file at `path` is still the one that was opened:
    /// otherwise the answer may be about another version.
    pub(super) async fn replace_body(self, answer: &mut GetObjectOutput, path: &Path) {
        let Some(length) = answer.content_length.and_then(|n| u64::try_from(n).ok()) else {
            return;
        };
        let start = answer.content_range.as_deref().map_or(Some(0), first);
        if let (Some(start), Ok(true)) = (start, self.is_at(path).await)
            && let Ok(body) = self.body(start, length).await
        {
            answer.body = Some(body);
        }
    }

    async fn body(mut self, start: u64, length: u64) -> io::Result<StreamingBlob> {
        self.0.seek(SeekFrom::Start(start)).await?;
        let piece = usize::try_from(length.clamp(1, PIECE)).unwrap_or(1);
        let stream = ReaderStream::with_capacity(self.0.take(length), piece);
        Ok(StreamingBlob::wrap(stream))
    }

    /// A file that is open keeps its number, so no other can have it.
    #[cfg(unix)]
    async fn is_at(&self, path: &Path) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt as _;

        let (ours, there) = (self.0.metadata().await?, tokio::fs::metadata(path).await?);
        Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino()))
    }

    #[cfg(not(unix))]
    async fn is_at(&self, _: &Path) -> io::Result<bool> {
        Ok(false)
    }
}

/// Returns the first byte of `bytes FIRST-LAST/SIZE`.
fn first(content_range: &str) -> Option<u64> {
    let range = content_range.strip_prefix("bytes ")?;
    range.split_once('-')?.0.parse().ok()
}
