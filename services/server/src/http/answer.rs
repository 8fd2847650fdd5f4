//! A successful answer: JSON, and the time that its parts took.

use axum::Json;
use axum::http::HeaderName;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::timing::Timings;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

pub struct Answer<T> {
    pub body: T,
    pub timing: String,
}

impl<T> Answer<T> {
    pub fn new(body: T, timings: &Timings) -> Self {
        Self {
            body,
            timing: timings.header(),
        }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        ([(SERVER_TIMING, self.timing)], Json(self.body)).into_response()
    }
}
