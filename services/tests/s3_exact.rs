//! What keeps a run exact between a service and S3, through the real SDK: one request a call, writes that refuse what
//! is there, what an output says of itself, checksums.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use axum::body::Body;
use axum::http::Response;
use bytes::Bytes;
use common::script::{error, listen, reply, scripted, store};
use mrdeck_services::store::aws::Retries;
use mrdeck_services::store::{ReadOptions, Store, StoreError};
use mrdeck_services::uri::S3Uri;
use mrdeck_services::{Role, RunOptions, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

fn at() -> S3Uri {
    "s3://b/dir/k".parse().unwrap()
}

fn slow_down() -> Response<Body> {
    error(503, "SlowDown")
}

fn done() -> Response<Body> {
    reply(200, &[("etag", "\"v\"")], "")
}

#[tokio::test]
async fn without_retries_each_call_is_one_request_whatever_the_failure() {
    let failures = || {
        [
            slow_down(),
            error(500, "InternalError"),
            error(400, "RequestTimeout"),
        ]
    };
    for failure in failures() {
        // There is a success to be had for whoever asks twice.
        let (s3, script) = scripted(vec![failure, done()], Retries::None).await;
        s3.get(&at(), ReadOptions::default()).await.err().unwrap();
        assert_eq!(script.requests(), ["GET /b/dir/k"]);
    }
    for failure in failures() {
        let (s3, script) = scripted(vec![failure, done()], Retries::None).await;
        s3.put(&at(), Bytes::from_static(b"x")).await.unwrap_err();
        assert_eq!(script.requests(), ["PUT /b/dir/k"]);
    }
    let (s3, _) = scripted(vec![slow_down()], Retries::None).await;
    let found = s3.get(&at(), ReadOptions::default()).await.err();
    assert!(
        matches!(found, Some(StoreError::Throttled { .. })),
        "{found:?}"
    );
}

#[tokio::test]
async fn everybody_else_asks_again() {
    let (s3, script) = store(vec![slow_down(), done()]).await;
    s3.put(&at(), Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(script.requests(), ["PUT /b/dir/k", "PUT /b/dir/k"]);
}

/// What a mapper as the binary runs it answers, to the last byte.
async fn ask_mapper(s3: String, path: &str) -> String {
    let (stop, stopped) = oneshot::channel::<()>();
    let (told, listening) = oneshot::channel();
    let options = RunOptions::default()
        .aws(common::script::options(s3))
        .addr("127.0.0.1:0".parse().unwrap())
        .on_listening(|addr| told.send(addr).unwrap())
        .shutdown(async { stopped.await.unwrap() });
    let service = tokio::spawn(run(Role::Mapper, options));
    let mut stream = TcpStream::connect(listening.await.unwrap()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    stop.send(()).unwrap();
    service.await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn a_service_passes_on_at_once_that_s3_is_overloaded() {
    let (s3, script) = listen(vec![slow_down(), slow_down(), slow_down()]).await;
    let answer = ask_mapper(s3, "/map?s3=s3://b/dir/k").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    for part in ["retry-after: 1\r\n", "s3_throttled", "SlowDown"] {
        assert!(answer.contains(part), "{answer}");
    }
    assert_eq!(script.requests(), ["GET /b/dir/k"]);
}
