//! `GET /health`: answers 200 `ok`.

pub async fn handle() -> &'static str {
    "ok"
}
