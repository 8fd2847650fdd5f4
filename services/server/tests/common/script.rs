//! An S3 that answers as a script says, and the store on it, through the real SDK over TCP.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use bytes::Bytes;
use mrdeck_store::aws::{AwsOptions, Credentials, Retries, s3_client, sdk_config};
use mrdeck_store::s3::S3Store;
use tokio::sync::Notify;

/// An answer with this header waits until the test lets it go.
pub const HELD: &str = "x-held";

/// Answers in the order of the script and remembers each request as `METHOD PATH?QUERY`.
#[derive(Default)]
pub struct Script {
    answers: Mutex<VecDeque<Response<Body>>>,
    requests: Mutex<Vec<(String, HeaderMap, Bytes)>>,
    /// Told after each request.
    pub asked: Notify,
    /// What answers with the header [`HELD`] wait for.
    pub release: Notify,
}

impl Script {
    pub fn requests(&self) -> Vec<String> {
        self.requests
            .lock()
            .unwrap()
            .iter()
            .map(|(line, ..)| line.clone())
            .collect()
    }

    pub fn bodies(&self) -> Vec<Bytes> {
        self.requests
            .lock()
            .unwrap()
            .iter()
            .map(|(.., body)| body.clone())
            .collect()
    }

    /// The header of the `n`th request, if it has it.
    pub fn header(&self, n: usize, name: &str) -> Option<String> {
        let requests = self.requests.lock().unwrap();
        let value = requests[n].1.get(name)?;
        Some(value.to_str().unwrap().to_owned())
    }
}

async fn respond(State(script): State<Arc<Script>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    // The SDK names the operation in the query, which S3 ignores.
    let query = parts.uri.query().unwrap_or_default();
    let query: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("x-id="))
        .collect();
    let mut line = format!("{} {}", parts.method, parts.uri.path());
    if !query.is_empty() {
        line = format!("{line}?{}", query.join("&"));
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    script
        .requests
        .lock()
        .unwrap()
        .push((line, parts.headers, body));
    script.asked.notify_one();
    let answer = script.answers.lock().unwrap().pop_front();
    match answer {
        Some(answer) if answer.headers().contains_key(HELD) => {
            script.release.notified().await;
            answer
        }
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

pub fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Body> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::from(body.to_owned())).unwrap()
}

pub fn error(status: u16, code: &str) -> Response<Body> {
    reply(
        status,
        &[],
        &format!("<Error><Code>{code}</Code><Message>because</Message></Error>"),
    )
}

/// A store that tries again as the SDK does.
pub async fn store(answers: Vec<Response<Body>>) -> (S3Store, Arc<Script>) {
    scripted(answers, Retries::Standard).await
}

pub async fn scripted(answers: Vec<Response<Body>>, retries: Retries) -> (S3Store, Arc<Script>) {
    let (endpoint, script) = listen(answers).await;
    (at_endpoint(endpoint, retries).await, script)
}

/// The address where the script answers.
pub async fn listen(answers: Vec<Response<Body>>) -> (String, Arc<Script>) {
    let script = Arc::new(Script {
        answers: Mutex::new(answers.into()),
        ..Script::default()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let service = Router::new().fallback(respond).with_state(script.clone());
    tokio::spawn(async move { axum::serve(listener, service).await });
    (endpoint, script)
}

pub async fn at_endpoint(endpoint: String, retries: Retries) -> S3Store {
    let config = sdk_config(&options(endpoint)).await.unwrap();
    S3Store::new(s3_client(&config, retries))
}

/// What leads the SDK to `endpoint`.
pub fn options(endpoint: String) -> AwsOptions {
    AwsOptions {
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(endpoint),
        credentials: Some(Credentials::new("id", "hush", None, None, "test")),
        ..AwsOptions::default()
    }
}
