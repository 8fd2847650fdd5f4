//! Receives the bodies of requests before they take a place among those that work: within a deadline, and in bounded
//! memory for all of them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::MAX_LIST;
use super::error::Error;

/// The longest wait for a piece of a body.
const PIECE_DEADLINE: Duration = Duration::from_secs(10);
/// The longest that a whole body may take: 16 MiB in this time are 280 KB/s.
const DEADLINE: Duration = Duration::from_mins(1);
/// The most bytes of bodies that are held at the same time.
const ALL_BODIES: usize = 4 * MAX_LIST;

/// The memory that is left for bodies, in bytes.
#[derive(Debug, Clone)]
pub struct Receiving(Arc<Semaphore>);

impl Default for Receiving {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ALL_BODIES)))
    }
}

/// Hands a request on as soon as all of its body is here.
pub async fn receive(State(memory): State<Receiving>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match timeout(DEADLINE, collect(&memory, body)).await {
        Ok(Ok((body, _held))) => {
            let body = Body::from(body.freeze());
            next.run(Request::from_parts(parts, body)).await
        }
        Ok(Err(error)) => error.into_response(),
        Err(_) => Error::BodyTooSlow.into_response(),
    }
}

/// Returns the whole body, and what it takes of the memory.
async fn collect(
    memory: &Receiving,
    body: Body,
) -> Result<(BytesMut, Option<OwnedSemaphorePermit>), Error> {
    let mut pieces = body.into_data_stream();
    let (mut whole, mut held) = (BytesMut::new(), None::<OwnedSemaphorePermit>);
    loop {
        let piece = timeout(PIECE_DEADLINE, pieces.next()).await;
        let Some(piece) = piece.map_err(|_| Error::BodyTooSlow)? else {
            return Ok((whole, held));
        };
        let piece = piece.map_err(|error| Error::BadBody {
            reason: error.to_string(),
        })?;
        if whole.len() + piece.len() > MAX_LIST {
            return Err(Error::BodyTooLarge { limit: MAX_LIST });
        }
        // No piece is larger than a body may be.
        let bytes = u32::try_from(piece.len()).unwrap_or(u32::MAX);
        let permit = memory.0.clone().try_acquire_many_owned(bytes);
        let permit = permit.map_err(|_| Error::TooManyBodies)?;
        match &mut held {
            Some(held) => held.merge(permit),
            None => held = Some(permit),
        }
        whole.extend_from_slice(&piece);
    }
}
