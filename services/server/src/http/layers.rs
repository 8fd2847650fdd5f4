//! The layers around every request: the limit on work in flight, the service's name, the log line.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use super::error::{Cause, Error};
use super::params::Params;
use mrdeck_core::api;
use mrdeck_core::role::Role;

const SERVICE: HeaderName = HeaderName::from_static(api::SERVICE_HEADER);
/// The most characters of a caller's value in the log.
const LOGGED: usize = 64;

/// The slots for requests that do work; `/health` needs none.
#[derive(Debug, Clone)]
pub struct Slots {
    free: Arc<Semaphore>,
    limit: usize,
}

impl Slots {
    pub fn new(limit: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(limit)),
            limit,
        }
    }
}

/// Refuses a request at once if all slots are taken: the caller can try other tasks.
pub async fn limit(State(slots): State<Slots>, request: Request, next: Next) -> Response {
    match slots.free.try_acquire() {
        Ok(_slot) => next.run(request).await,
        Err(_) => Error::Overloaded { limit: slots.limit }.into_response(),
    }
}

/// Has the connection end with this answer.
pub async fn close(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

/// Adds the service's name to the answer and logs one line about the request.
pub async fn observe(role: Role, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let path = request.uri().path().to_owned();
    let params = Params::from_uri(request.uri()).unwrap_or_default();
    let logged = |name| {
        params
            .first(name)
            .map(|value| value.chars().take(LOGGED).collect::<String>())
    };
    let (run, chunk, attempt) = (logged("run"), logged("chunk"), logged("attempt"));
    let span =
        tracing::info_span!("request", method = %request.method(), path, run, chunk, attempt);
    let mut response = next.run(request).instrument(span.clone()).await;
    let name = format!("mrdeck-services/{} {role}", env!("CARGO_PKG_VERSION"));
    if let Ok(name) = HeaderValue::try_from(name) {
        response.headers_mut().insert(SERVICE, name);
    }
    let status = response.status();
    let ms = start.elapsed().as_secs_f64() * 1_000.0;
    let cause = response.extensions().get::<Cause>();
    span.in_scope(|| match cause {
        Some(Cause { code, text }) if status.is_server_error() => {
            tracing::error!(status = status.as_u16(), ms, code, cause = text, "failed");
        }
        Some(Cause { code, text }) => {
            tracing::warn!(status = status.as_u16(), ms, code, cause = text, "refused");
        }
        None if path == api::HEALTH => tracing::debug!(status = status.as_u16(), ms, "answered"),
        None => tracing::info!(status = status.as_u16(), ms, "answered"),
    });
    response
}
