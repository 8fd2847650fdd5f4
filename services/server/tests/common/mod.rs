//! One service of each role over a store in memory, called without a network.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod script;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use bytes::Bytes;
use mrdeck_core::role::Role;
use mrdeck_core::uri::S3Uri;
use mrdeck_services::config::Config;
use mrdeck_services::{ServiceState, router};
use mrdeck_store::Store;
use mrdeck_store::memory::MemoryStore;
use serde_json::Value;
use tower::ServiceExt as _;

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The error's code and message, after a look at its shape.
    pub fn error(&self) -> (String, String) {
        let json = self.json();
        assert_eq!(json.as_object().unwrap().len(), 1, "{json}");
        let error = json["error"].as_object().unwrap();
        assert!(matches!(error.len(), 2 | 3), "{json}");
        (
            error["code"].as_str().unwrap().to_owned(),
            error["message"].as_str().unwrap().to_owned(),
        )
    }
}

pub fn uri(text: &str) -> S3Uri {
    text.parse().unwrap()
}

pub fn config(role: Role, environment: &[(&str, &str)]) -> Config {
    let find = |name: &str| {
        environment
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| (*v).to_owned())
    };
    Config::from_env(role, find).unwrap()
}

pub async fn send(service: Router, method: &str, path: &str, body: impl Into<Body>) -> Reply {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(body.into())
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
    Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text,
    }
}

pub async fn get(store: Arc<dyn Store>, role: Role, path: &str) -> Reply {
    let state = ServiceState::new(store, config(role, &[]));
    send(router(role, state), "GET", path, Body::empty()).await
}

/// A store in memory with the bucket `b`, and the three services on it.
#[derive(Clone)]
pub struct Lab {
    pub store: Arc<MemoryStore>,
}

impl Lab {
    pub fn new() -> Self {
        Self {
            store: Arc::new(MemoryStore::with_bucket("b")),
        }
    }

    pub async fn with(objects: &[(&str, &str)]) -> Self {
        let lab = Self::new();
        for (at, text) in objects {
            lab.put(at, text.as_bytes()).await;
        }
        lab
    }

    pub async fn put(&self, at: &str, bytes: &[u8]) {
        self.store
            .put(&uri(at), Bytes::copy_from_slice(bytes))
            .await
            .unwrap();
    }

    pub fn read(&self, at: &str) -> String {
        let bytes = self
            .store
            .read(&uri(at))
            .unwrap_or_else(|| panic!("no {at}"));
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    pub async fn get(&self, role: Role, path: &str) -> Reply {
        get(self.store.clone(), role, path).await
    }

    pub async fn ok(&self, role: Role, path: &str) -> Value {
        let reply = self.get(role, path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.json()
    }

    pub async fn post(&self, path: &str, body: impl Into<Body>) -> Reply {
        let state = ServiceState::new(self.store.clone(), config(Role::Reducer, &[]));
        send(router(Role::Reducer, state), "POST", path, body).await
    }

    /// Asserts status, code and that the message names each of `words`; gives the reply.
    pub async fn refused(
        &self,
        role: Role,
        path: &str,
        status: u16,
        code: &str,
        words: &[&str],
    ) -> Reply {
        let before = self.store.keys("b");
        let reply = self.get(role, path).await;
        assert_refusal(&reply, path, status, code, words);
        assert_eq!(self.store.keys("b"), before, "{path} wrote something");
        reply
    }
}

pub fn assert_refusal(reply: &Reply, what: &str, status: u16, code: &str, words: &[&str]) {
    assert_eq!(reply.status, status, "{what}: {}", reply.text);
    let (found, message) = reply.error();
    assert_eq!(found, code, "{what}: {message}");
    for word in words {
        assert!(
            message.contains(word),
            "{what}: '{word}' is not in: {message}"
        );
    }
    assert!(reply.header("content-type").starts_with("application/json"));
}
