//! Writes the final counts to S3 while they are made: in one request if they are small, else in parts.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;

use super::arriving::Stop;
use super::error::Error;
use super::output::Output;
use super::params::Attempt;
use super::timing::Timings;
use super::{ServiceState, timing};
use mrdeck_core::api::{OutputAnswer, OutputInfo};
use mrdeck_core::uri::S3Uri;
use mrdeck_store::StoreError;

/// The most bytes that are held to be written in one request. S3 takes an object's metadata before its bytes, so only
/// within this does an output carry what it is.
const ONE_REQUEST: usize = 8 << 20;

/// What makes the final counts, and says in the end what they are.
pub type Making = JoinHandle<Result<OutputInfo, Stop>>;

/// Writes the pieces to `out` as they come; returns the answer once `making` has succeeded. If it fails, nothing is
/// written.
pub async fn write(
    state: &ServiceState,
    out: S3Uri,
    attempt: Option<&Attempt>,
    mut pieces: Receiver<Bytes>,
    making: Making,
    timings: &Timings,
) -> Result<OutputAnswer, Stop> {
    let mut head = BytesMut::new();
    while head.len() < ONE_REQUEST {
        let Some(piece) = pieces.recv().await else {
            let info = made(making).await?;
            let output = Output::made(head.freeze(), info);
            return Ok(output.write(state, out, attempt, timings).await?);
        };
        head.extend_from_slice(&piece);
    }
    let ending = Arc::new(Mutex::new(None));
    let body = stream::unfold(
        (Some(head.freeze()), pieces, Some(making), ending.clone()),
        |(head, mut pieces, making, ending)| async move {
            let next = match head {
                Some(head) => Some(head),
                None => pieces.recv().await,
            };
            if let Some(piece) = next {
                return Some((Ok(piece), (None, pieces, making, ending)));
            }
            let result = made(making?).await;
            // The upload must not be completed unless all of it came.
            let broken = result.is_err().then(|| StoreError::Source {
                detail: "the final counts could not be made".to_owned(),
            });
            *ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            broken.map(|error| (Err(error), (None, pieces, None, ending)))
        },
    );
    let written = state.store.put_stream(&out, body.boxed());
    let written = timings.wait(timing::Part::Put, written).await;
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

async fn made(making: Making) -> Result<OutputInfo, Stop> {
    let joined = making.await;
    joined.unwrap_or_else(|error| Err(defect(&error.to_string()).into()))
}

fn defect(detail: &str) -> Error {
    Error::Defect {
        detail: detail.to_owned(),
    }
}
