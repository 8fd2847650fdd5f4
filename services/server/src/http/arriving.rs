//! A map output as it arrives: read an entry at a time, and checked against its hash.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

use super::error::Error;
use super::map_outputs::MapOutput;
use super::timing::{Part, Timings};
use mrdeck_core::count::CountError;
use mrdeck_core::count::lines::{Lines, Step};
use mrdeck_core::count::merge::Source;
use mrdeck_core::digest::{Digest, Hasher};
use mrdeck_store::{BodyStream, ReadOptions, Store, StoreError};

/// The pieces of one map output that wait to be read.
const PIECES: usize = 4;

/// Why map outputs are not added up.
#[derive(Debug)]
pub enum Stop {
    Failed(Box<Error>),
    /// One of them, which is the expected one, is not laid out as ours: it has to be read whole, and sorted.
    OtherLayout,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl From<CountError> for Stop {
    fn from(source: CountError) -> Self {
        Error::Unaddable { source }.into()
    }
}

/// A map output that a task of its own fetches. It is read on a thread that may wait.
pub struct Arriving {
    input: MapOutput,
    pieces: Receiver<Result<Bytes, StoreError>>,
    /// The hash of all pieces, once the last has been sent; only if there is one to compare it with.
    digest: oneshot::Receiver<Digest>,
    lines: Lines,
    timings: Arc<Timings>,
}

impl Arriving {
    /// Begins to fetch a map output.
    pub fn open(
        runtime: &Handle,
        store: Arc<dyn Store>,
        input: MapOutput,
        timings: Arc<Timings>,
    ) -> Self {
        let (sender, pieces) = channel(PIECES);
        let (hashed, digest) = oneshot::channel();
        let at = input.uri.clone();
        let hashed = input.sha256.map(|_| hashed);
        runtime.spawn(async move {
            match store.get(&at, ReadOptions::default()).await {
                Ok(object) => send_all(object.body, &sender, hashed).await,
                // If nobody waits any more, nobody wants to know.
                Err(error) => drop(sender.send(Err(error)).await),
            }
        });
        Self {
            input,
            pieces,
            digest,
            lines: Lines::default(),
            timings,
        }
    }

    /// Waits for the next piece; `None` at the end.
    fn piece(&mut self) -> Result<Option<Bytes>, Stop> {
        let start = Instant::now();
        let piece = self.pieces.blocking_recv().transpose();
        self.timings.add(Part::Get, start.elapsed());
        Ok(piece.map_err(Error::from)?)
    }

    /// Compares the hash of all bytes, once all are here. What else is wrong with another object than the expected one is of no interest.
    fn check(&mut self) -> Result<(), Stop> {
        let Some(expected) = self.input.sha256 else {
            return Ok(());
        };
        // It is only missing if the task that fetches came to no end.
        let found = self.digest.try_recv().map_err(|error| Error::Defect {
            detail: format!("the hash of {}: {error}", self.input.uri),
        })?;
        self.input.compare(expected, found)?;
        Ok(())
    }

    /// Reads the rest: what else may be wrong with the bytes comes before their layout.
    fn other_layout(&mut self) -> Stop {
        loop {
            match self.piece() {
                Ok(Some(_)) => {}
                Ok(None) => return self.check().err().unwrap_or(Stop::OtherLayout),
                Err(stop) => return stop,
            }
        }
    }

    /// Reads the rest as it is, with a limit for its size.
    pub fn whole(mut self, limit: usize) -> Result<(MapOutput, Vec<u8>), Stop> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece()? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > limit {
                return Err(Error::MapOutputTooLarge {
                    uri: self.input.uri,
                    limit,
                }
                .into());
            }
        }
        self.check()?;
        Ok((self.input, bytes))
    }
}

impl Source for Arriving {
    type Error = Stop;

    fn advance(&mut self) -> Result<bool, Stop> {
        loop {
            match self.lines.advance() {
                Ok(Step::Entry) => return Ok(true),
                Ok(Step::More | Step::End) => {}
                Err(_) => return Err(self.other_layout()),
            }
            let Some(piece) = self.piece()? else {
                self.check()?;
                return match self.lines.end() {
                    Ok(()) => Ok(false),
                    Err(_) => Err(Stop::OtherLayout),
                };
            };
            self.lines.feed(&piece);
        }
    }

    fn word(&self) -> &[u8] {
        self.lines.word()
    }

    fn count(&self) -> u64 {
        self.lines.count()
    }
}

/// Hands the pieces on, and hashes them on the way: the thread that reads them has enough to do.
async fn send_all(
    mut body: BodyStream,
    pieces: &Sender<Result<Bytes, StoreError>>,
    told: Option<oneshot::Sender<Digest>>,
) {
    let mut hasher = Hasher::default();
    while let Some(piece) = body.next().await {
        if let (Some(_), Ok(piece)) = (&told, &piece) {
            hasher.update(piece);
        }
        if pieces.send(piece).await.is_err() {
            return;
        }
    }
    if let Some(told) = told {
        // The reader sees the end of the pieces after this.
        let _ = told.send(hasher.digest());
    }
}
