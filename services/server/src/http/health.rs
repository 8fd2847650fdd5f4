//! `GET /health`: 200 `ok`, as long as the process answers at all.

pub async fn handle() -> &'static str {
    "ok"
}
