//! Writes the final counts to S3 while they are made: in one request if they are small, else in parts.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;

use super::ServiceState;
use super::arriving::Stop;
use super::error::Error;
use super::output::Output;
use super::params::Attempt;
use super::timing::{Part, Timings};
use mrdeck_core::api::{OutputAnswer, OutputInfo};
use mrdeck_core::digest::Hasher;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{BodyStream, StoreError};

/// The most bytes that are held to be written in one request. S3 takes an object's metadata before its bytes, so only
/// within this does an output carry what it is.
const ONE_REQUEST: usize = 8 << 20;

/// What makes the final counts, and says in the end what they are.
pub type Making = JoinHandle<Result<OutputInfo, Stop>>;

/// Final counts on their way.
struct Arriving {
    pieces: Receiver<Bytes>,
    making: Option<Making>,
    hasher: Hasher,
}

impl Arriving {
    async fn piece(&mut self) -> Option<Bytes> {
        let piece = self.pieces.recv().await?;
        self.hasher.update(&piece);
        Some(piece)
    }

    /// Returns what all pieces are, behind the last of them.
    async fn end(&mut self) -> Result<OutputInfo, Stop> {
        let Some(making) = self.making.take() else {
            return Err(defect("the final counts ended twice").into());
        };
        let made = making.await;
        let info = made.unwrap_or_else(|error| Err(defect(&error.to_string()).into()))?;
        Ok(OutputInfo {
            sha256: Some(self.hasher.digest().to_string()),
            ..info
        })
    }
}

/// Writes the pieces to `out` as they come; returns the answer once `making` has succeeded. If it fails, nothing is
/// written.
pub async fn write(
    state: &ServiceState,
    out: S3Uri,
    attempt: Option<&Attempt>,
    pieces: Receiver<Bytes>,
    making: Making,
    timings: &Timings,
) -> Result<OutputAnswer, Stop> {
    let mut arriving = Arriving {
        pieces,
        making: Some(making),
        hasher: Hasher::default(),
    };
    let mut head = BytesMut::new();
    while head.len() < ONE_REQUEST {
        let Some(piece) = arriving.piece().await else {
            let output = Output::made(head.freeze(), arriving.end().await?);
            return Ok(output.write(state, out, attempt, timings).await?);
        };
        head.extend_from_slice(&piece);
    }
    let ending = Arc::new(Mutex::new(None));
    let written = state
        .store
        .put_stream(&out, body(head.freeze(), arriving, ending.clone()));
    let written = timings.wait(Part::Put, written).await;
    let ended = ending.lock().unwrap_or_else(PoisonError::into_inner).take();
    let info = match (ended, written) {
        (Some(Ok(info)), Ok(_)) => info,
        (Some(Err(stop)), _) => return Err(stop),
        (_, Err(error)) => return Err(Error::from(error).into()),
        (None, Ok(_)) => return Err(defect("an upload ended before its body").into()),
    };
    Ok(OutputAnswer {
        out,
        info,
        of: attempt.map(Attempt::named),
    })
}

type Ending = Arc<Mutex<Option<Result<OutputInfo, Stop>>>>;

/// Returns all pieces as a body, which fails if making them does: the upload must not be completed unless all of it
/// came.
fn body(head: Bytes, arriving: Arriving, ending: Ending) -> BodyStream {
    let rest = stream::unfold(Some(arriving), move |arriving| {
        let ending = ending.clone();
        async move {
            let mut arriving = arriving?;
            if let Some(piece) = arriving.piece().await {
                return Some((Ok(piece), Some(arriving)));
            }
            let result = arriving.end().await;
            let broken = result.is_err().then(|| StoreError::Source {
                detail: "the final counts could not be made".to_owned(),
            });
            *ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            broken.map(|error| (Err(error), None))
        }
    });
    stream::once(async { Ok(head) }).chain(rest).boxed()
}

fn defect(detail: &str) -> Error {
    Error::Defect {
        detail: detail.to_owned(),
    }
}
