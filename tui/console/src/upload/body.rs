//! A blocking reader as a body for S3: read by a thread of its own, a few pieces ahead.

use std::io::Read;

use bytes::Bytes;
use futures_util::stream;
use mrdeck_store::{BodyStream, StoreError};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

/// Bytes read at a time.
const PIECE: usize = 256 << 10;
/// Pieces that are read ahead.
const AHEAD: usize = 4;

/// Returns what `reader` gives. An error of its is told as `fault` words it, and ends the body.
pub(super) fn body(
    reader: Box<dyn Read + Send>,
    fault: impl Fn(&std::io::Error) -> String + Send + 'static,
) -> BodyStream {
    let (pieces, received) = mpsc::channel(AHEAD);
    let reading = spawn_blocking(move || read(reader, &pieces, fault));
    Box::pin(stream::unfold((received, Some(reading)), next))
}

fn read(
    mut reader: Box<dyn Read + Send>,
    pieces: &mpsc::Sender<Result<Bytes, StoreError>>,
    fault: impl Fn(&std::io::Error) -> String,
) {
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        let read = (&mut reader).take(PIECE as u64).read_to_end(&mut piece);
        let is_last = read.is_err() || piece.is_empty();
        let piece = match read {
            Ok(0) => return,
            Ok(_) => Ok(piece.into()),
            Err(error) => Err(StoreError::Source {
                detail: fault(&error),
            }),
        };
        // Without a receiver the upload was given up.
        if pieces.blocking_send(piece).is_err() || is_last {
            return;
        }
    }
}

type Received = mpsc::Receiver<Result<Bytes, StoreError>>;

async fn next(
    (mut received, reading): (Received, Option<JoinHandle<()>>),
) -> Option<(
    Result<Bytes, StoreError>,
    (Received, Option<JoinHandle<()>>),
)> {
    if let Some(piece) = received.recv().await {
        return Some((piece, (received, reading)));
    }
    // A thread that panicked has not read all.
    let error = reading?.await.err()?;
    let detail = format!("the reading of the file broke off: {error}");
    Some((Err(StoreError::Source { detail }), (received, None)))
}
