//! Buckets in another region than the service: S3 says in which, and only the calls to S3 go there.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use mrdeck_store::aws::{Retries, s3_client, sdk_config};
use mrdeck_store::regional::RegionalStore;
use mrdeck_store::{ReadOptions, Store, StoreError};

use common::script::{Script, listen, options, reply};

const ELSEWHERE: (&str, &str) = ("x-amz-bucket-region", "eu-central-1");

async fn store(answers: Vec<Response<Body>>) -> (RegionalStore, Arc<Script>) {
    let (endpoint, script) = listen(answers).await;
    let config = sdk_config(&options(endpoint)).await.unwrap();
    (
        RegionalStore::new(s3_client(&config, Retries::None)),
        script,
    )
}

fn redirect(status: u16, code: &str) -> Response<Body> {
    let body = format!("<Error><Code>{code}</Code><Message>because</Message></Error>");
    reply(status, &[ELSEWHERE], &body)
}

/// The requests, each with the region that its signature is for.
fn seen(script: &Script) -> Vec<String> {
    let requests = script.requests().into_iter().enumerate();
    requests
        .map(|(n, line)| {
            let header = script.header(n, "authorization").unwrap();
            let region = header.split('/').nth(2).unwrap().to_owned();
            format!("{line} in {region}")
        })
        .collect()
}

async fn text(store: &RegionalStore) -> Bytes {
    let at = "s3://b/k".parse().unwrap();
    let object = store.get(&at, ReadOptions::default()).await.unwrap();
    object.body.map(Result::unwrap).next().await.unwrap()
}

#[tokio::test]
async fn a_bucket_is_followed_once_and_then_known() {
    for (status, code) in [
        (301, "PermanentRedirect"),
        (400, "AuthorizationHeaderMalformed"),
    ] {
        let answer = |body| reply(200, &[], body);
        let answers = vec![redirect(status, code), answer("one"), answer("two")];
        let (store, script) = store(answers).await;
        assert_eq!(store.other_region("b"), None);
        assert_eq!(text(&store).await, "one");
        assert_eq!(store.other_region("b").as_deref(), Some("eu-central-1"));
        assert_eq!(text(&store).await, "two");
        let expected = [
            "GET /b/k in us-east-1",
            "GET /b/k in eu-central-1",
            "GET /b/k in eu-central-1",
        ];
        assert_eq!(seen(&script), expected, "{code}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_leads_there_too() {
    // A HEAD has no body: a 301 has the region all the same, a 400 may be anything until a GET tells.
    let found = || reply(200, &[("content-length", "3")], "");
    let moved = reply(301, &[ELSEWHERE], "");
    let malformed = redirect(400, "AuthorizationHeaderMalformed");
    for (answers, last) in [
        (vec![moved, found()], 1),
        (vec![reply(400, &[ELSEWHERE], ""), malformed, found()], 2),
    ] {
        let (store, script) = store(answers).await;
        store.head(&"s3://b/k".parse().unwrap()).await.unwrap();
        assert_eq!(seen(&script)[last], "HEAD /b/k in eu-central-1");
    }
}

#[tokio::test]
async fn a_body_that_can_be_sent_once_goes_to_the_right_region_at_once() {
    let nothing = || reply(404, &[], "");
    let answers = vec![
        reply(301, &[ELSEWHERE], ""),
        nothing(),
        reply(200, &[], ""),
        reply(200, &[("etag", "\"e\"")], ""),
    ];
    let (store, script) = store(answers).await;
    let body = futures_util::stream::iter([Ok(Bytes::from_static(b"abc"))]).boxed();
    let at = "s3://b/k".parse().unwrap();
    assert_eq!(store.put_stream(&at, body).await.unwrap(), 3);
    let expected = [
        "HEAD /b/k in us-east-1",
        "HEAD /b/k in eu-central-1",
        "HEAD /b/ in eu-central-1",
        "PUT /b/k in eu-central-1",
    ];
    assert_eq!(seen(&script), expected);
}

#[tokio::test]
async fn a_region_that_is_not_told_or_no_name_is_not_followed() {
    for headers in [&[][..], &[("x-amz-bucket-region", "evil.test/")]] {
        let body = "<Error><Code>PermanentRedirect</Code><Message>because</Message></Error>";
        let (store, script) = store(vec![reply(301, headers, body)]).await;
        let at = "s3://b/k".parse().unwrap();
        let error = store.head(&at).await.unwrap_err();
        assert!(matches!(error, StoreError::OtherRegion { .. }), "{error}");
        assert!(error.to_string().contains("in another region"), "{error}");
        assert_eq!(script.requests().len(), 1);
    }
    // Two regions that name each other are an error, not a circle.
    let answers = vec![
        redirect(301, "PermanentRedirect"),
        redirect(301, "PermanentRedirect"),
    ];
    let (store, script) = store(answers).await;
    let at = "s3://b/k".parse().unwrap();
    let Err(error) = store.get(&at, ReadOptions::default()).await else {
        panic!("there is no such object")
    };
    assert!(
        error.to_string().contains("in the region eu-central-1"),
        "{error}"
    );
    assert_eq!(script.requests().len(), 2);
}
