//! The body of an answer: its beginning is read where the file is opened, and the rest in large pieces while it is sent.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use s3s::dto::StreamingBlob;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

/// The largest piece, in bytes.
const PIECE: u64 = 256 << 10;

/// A part of a file, of which the first piece is there.
pub(super) struct Opened {
    first: Bytes,
    file: File,
    /// How much there is behind the first piece, in bytes.
    rest: u64,
}

impl Opened {
    /// Waits for the disk.
    ///
    /// # Errors
    ///
    /// Those of the disk, and `UnexpectedEof` if the file became shorter.
    pub(super) fn read(mut file: File, range: Range<u64>) -> io::Result<Self> {
        let length = range.end - range.start;
        if range.start > 0 {
            file.seek(SeekFrom::Start(range.start))?;
        }
        let piece = length.min(PIECE);
        let mut first = vec![0; usize::try_from(piece).unwrap_or(0)];
        file.read_exact(&mut first)?;
        Ok(Self {
            first: first.into(),
            file,
            rest: length - piece,
        })
    }

    pub(super) fn into_body(self) -> StreamingBlob {
        let first = stream::iter([Ok::<_, io::Error>(self.first)]);
        if self.rest == 0 {
            return StreamingBlob::wrap(first);
        }
        let rest = tokio::fs::File::from_std(self.file).take(self.rest);
        let piece = usize::try_from(PIECE.min(self.rest)).unwrap_or(1);
        StreamingBlob::wrap(first.chain(ReaderStream::with_capacity(rest, piece)))
    }
}
