//! What keeps a run exact between a service and S3, through the real SDK: one request a call, writes that refuse what
//! is there, what an output says of itself, checksums.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use bytes::Bytes;
use common::script::{at_endpoint, error, listen, reply, scripted, store};
use common::{assert_refusal, config, get, send};
use futures_util::TryStreamExt as _;
use mrdeck_core::api::{AttemptParams, OutputInfo, Provenance};
use mrdeck_core::digest::Digest;
use mrdeck_core::role::Role;
use mrdeck_core::uri::S3Uri;
use mrdeck_services::{RunOptions, ServiceState, router, run};
use mrdeck_store::aws::Retries;
use mrdeck_store::{ReadOptions, Store, StoreError, WriteOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
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

const NEW: WriteOptions = WriteOptions {
    only_new: true,
    provenance: None,
    sha256: None,
};

#[tokio::test]
async fn a_new_object_is_written_once() {
    // No 409 and no 412 is a reason to try again, for the SDK either.
    for retries in [Retries::None, Retries::Standard] {
        let answers = vec![
            done(),
            error(412, "PreconditionFailed"),
            error(409, "ConditionalRequestConflict"),
            reply(412, &[], ""),
        ];
        let (s3, script) = scripted(answers, retries).await;
        let write = async || s3.write(&at(), Bytes::from_static(b"x"), NEW).await;
        let exists = Err(StoreError::Exists { uri: at() });
        assert_eq!(write().await, Ok(()));
        assert_eq!(write().await, exists);
        let conflict = write().await.unwrap_err();
        assert!(
            matches!(&conflict, StoreError::Conflict { uri, .. } if *uri == at()),
            "{conflict}"
        );
        assert!(
            conflict.to_string().contains("ConditionalRequestConflict"),
            "{conflict}"
        );
        assert_eq!(write().await, exists);
        assert_eq!(script.requests(), ["PUT /b/dir/k"; 4]);
        for n in 0..4 {
            assert_eq!(script.header(n, "if-none-match").as_deref(), Some("*"));
        }
    }
    let (s3, script) = store(vec![done()]).await;
    s3.put(&at(), Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(script.header(0, "if-none-match"), None);
}

#[tokio::test]
async fn a_client_that_tries_again_may_find_its_own_write() {
    let answers = || {
        vec![
            error(500, "InternalError"),
            error(412, "PreconditionFailed"),
        ]
    };
    let (s3, script) = scripted(answers(), Retries::Standard).await;
    let again = s3.write(&at(), Bytes::from_static(b"x"), NEW).await;
    assert_eq!(again, Err(StoreError::Exists { uri: at() }));
    assert_eq!(script.requests().len(), 2);

    let (s3, _) = scripted(answers(), Retries::None).await;
    let once = s3.write(&at(), Bytes::from_static(b"x"), NEW).await;
    assert!(matches!(once, Err(StoreError::Other { .. })), "{once:?}");
}

#[tokio::test]
async fn what_an_output_says_of_itself_goes_to_s3_and_comes_back() {
    let provenance = Provenance {
        of: AttemptParams {
            run: Some("R".to_owned()),
            chunk: Some("00007".to_owned()),
            attempt: Some("2".to_owned()),
            plan: Some("P-1_x".to_owned()),
        },
        info: OutputInfo {
            rules: Some(1),
            sha256: Some(Digest::of(b"x").to_string()),
            words: Some(u64::MAX),
            unique: Some(2),
            bytes: Some(9),
            non_ascii: None,
            files: None,
        },
    };
    let options = WriteOptions {
        only_new: false,
        provenance: Some(provenance.clone()),
        sha256: None,
    };
    let (s3, script) = store(vec![done()]).await;
    s3.write(&at(), Bytes::from_static(b"x"), options)
        .await
        .unwrap();
    let sent = script.header(0, "x-amz-meta-mrdeck").unwrap();

    let kept = [("etag", "\"v\""), ("x-amz-meta-mrdeck", sent.as_str())];
    let foreign = [("x-amz-meta-mrdeck", "{}"), ("x-amz-meta-other", "1")];
    let answers = vec![
        reply(200, &kept, ""),
        reply(200, &kept, "x"),
        reply(200, &foreign, "x"),
    ];
    let (s3, _) = store(answers).await;
    let found = s3.head(&at()).await.unwrap().provenance;
    assert_eq!(found.as_ref(), Some(&provenance));
    let object = s3.get(&at(), ReadOptions::default()).await.unwrap();
    assert_eq!(object.meta.provenance, Some(provenance));
    let object = s3.get(&at(), ReadOptions::default()).await.unwrap();
    assert_eq!(object.meta.provenance, None);
}

/// The CRC-32 of `abc` as S3 writes it.
const CRC32: (&str, &str) = ("x-amz-checksum-crc32", "NSRBwg==");

#[tokio::test]
async fn bodies_carry_a_checksum_in_both_directions() {
    let (s3, script) = store(vec![done(), reply(200, &[CRC32], "abc")]).await;
    s3.put(&at(), Bytes::from_static(b"abc")).await.unwrap();
    assert_eq!(script.header(0, CRC32.0).as_deref(), Some(CRC32.1));
    let object = s3.get(&at(), ReadOptions::default()).await.unwrap();
    let mode = script.header(1, "x-amz-checksum-mode");
    assert_eq!(mode.as_deref(), Some("ENABLED"));
    let read = object.body.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(read.concat(), b"abc");
}

#[tokio::test]
async fn a_body_with_one_bit_flipped_is_an_error_and_counts_for_nothing() {
    let flipped = || reply(200, &[CRC32], "abb");
    let (s3, _) = scripted(vec![flipped()], Retries::None).await;
    let object = s3.get(&at(), ReadOptions::default()).await.unwrap();
    let found = object.body.try_collect::<Vec<_>>().await.unwrap_err();
    assert!(
        matches!(&found, StoreError::Damaged { uri, .. } if *uri == at()),
        "{found}"
    );

    let table = |headers: &[(&str, &str)]| reply(200, headers, "{\"b\":2}");
    for (role, path, answer) in [
        (Role::Mapper, "/map?s3=s3://b/dir/k", flipped()),
        (Role::Reducer, "/reduce?in=s3://b/dir/k", table(&[CRC32])),
    ] {
        let (s3, script) = scripted(vec![answer], Retries::None).await;
        let reply = get(Arc::new(s3), role, path).await;
        let words = ["s3://b/dir/k arrived damaged", "checksum", "; try again"];
        assert_refusal(&reply, path, 502, "s3_damaged", &words);
        assert_eq!(script.requests(), ["GET /b/dir/k"], "{path}");
    }
}

#[tokio::test]
async fn a_body_that_s3_cuts_off_is_no_mismatch() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let table = "{\"b\":2}";
    let cut = async move {
        let (mut call, _) = listener.accept().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n";
        // The request has to be read, or closing resets the connection and the answer with it.
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            call.read_buf(&mut request).await.unwrap();
        }
        call.write_all([head, table].concat().as_bytes())
            .await
            .unwrap();
    };
    let server = tokio::spawn(cut);
    let s3 = at_endpoint(endpoint, Retries::None).await;
    let path = format!(
        "/reduce?in=s3://b/dir/k&sha256={}",
        Digest::of(table.as_bytes())
    );
    let reply = get(Arc::new(s3), Role::Reducer, &path).await;
    let words = ["s3://b/dir/k broke off after 7 of 99 bytes"];
    assert_refusal(&reply, &path, 502, "s3_unreachable", &words);
    server.await.unwrap();
}

#[tokio::test]
async fn a_version_is_looked_at_once_however_many_of_its_ranges_are_mapped() {
    let etag = ("etag", "\"v\"");
    let whole = || reply(206, &[etag, ("content-range", "bytes 0-6/7")], "one two");
    let (s3, script) = scripted(
        vec![whole(), whole(), done(), whole(), done(), whole()],
        Retries::None,
    )
    .await;
    let state = ServiceState::new(Arc::new(s3), config(Role::Mapper, &[]));
    let mapper = router(Role::Mapper, state);
    let map = |etag: &str| {
        let path = format!("/map?s3=s3://b/dir/k&start=0&end=7&etag={etag}&run=R&attempt=1");
        let mapper = mapper.clone();
        async move { send(mapper, "GET", &path, Body::empty()).await }
    };
    for _ in 0..2 {
        let reply = map("%22v%22").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.json()["words"], 2);
    }
    let requests = script.requests();
    let methods = requests.iter().filter_map(|line| line.split(' ').next());
    let methods: Vec<_> = methods.collect();
    assert_eq!(methods, ["GET", "GET", "PUT", "GET", "PUT"]);
    // Each read is of that version only, so another one is noticed.
    assert_eq!(script.header(3, "if-match").as_deref(), Some("\"v\""));
    let reply = map("%22w%22").await;
    assert_refusal(
        &reply,
        "another version",
        412,
        "input_changed",
        &["changed"],
    );
}
