//! What the proxies are to do with which request, as data; and what requests they saw.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};

use serde_json::Value;
use tokio::sync::watch;

use crate::DEADLINE;
pub use crate::proxy::fault::Fault;
pub use crate::proxy::rule::Rule;

/// Something that waits until the test lets it go.
#[derive(Clone)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    pub fn closed() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub async fn passed(&self) {
        // The sender lives as long as `self`.
        let _ = self.0.subscribe().wait_for(|is_open| *is_open).await;
    }
}

/// A request that a proxy saw.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The service it is for; on the ways to S3, the way.
    pub service: String,
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub chunk: Option<u32>,
    pub attempt: Option<u32>,
    /// Of a request to AWS in the JSON or the query protocol: what it asks for, such as `ListTasks`.
    pub operation: Option<String>,
    /// As far as it is text.
    pub body: String,
    /// Of a request to AWS: the id of the key that signed it.
    pub access_key: Option<String>,
    /// The caller gave up before it had an answer.
    pub hung_up: bool,
}

impl Seen {
    /// Returns whether it is a request to AWS for this operation.
    pub fn is(&self, operation: &str) -> bool {
        self.operation.as_deref() == Some(operation)
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        pairs
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// The key of the object that S3 is asked for, as it stands in the path.
    pub fn key(&self) -> Option<&str> {
        let (_bucket, key) = self.path.strip_prefix('/')?.split_once('/')?;
        Some(key)
    }
}

/// The rules, the first that fits counts; and everything that was asked for.
#[derive(Default)]
pub struct Script {
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
    changed: Condvar,
}

impl Script {
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Arc<Self> {
        let rules = Mutex::new(rules.into_iter().collect());
        Arc::new(Self {
            rules,
            ..Self::default()
        })
    }

    /// Other rules from now on; what was seen is forgotten.
    pub fn replace(&self, rules: impl IntoIterator<Item = Rule>) {
        *self.rules.lock().unwrap() = rules.into_iter().collect();
        self.seen.lock().unwrap().clear();
    }

    /// Notes a request; gives its number and what is to be done with it.
    pub fn decide(&self, request: Seen) -> (usize, Fault) {
        let rules = self.rules.lock().unwrap();
        let rule = rules.iter().find(|rule| rule.fits(&request));
        let fault = rule.map_or(Fault::Pass, |rule| rule.fault.clone());
        let mut seen = self.seen.lock().unwrap();
        seen.push(request);
        self.changed.notify_all();
        (seen.len() - 1, fault)
    }

    pub fn hung_up(&self, number: usize) {
        if let Some(request) = self.seen.lock().unwrap().get_mut(number) {
            request.hung_up = true;
        }
        self.changed.notify_all();
    }

    /// The requests that are as `holds` wants them.
    pub fn count(&self, holds: impl Fn(&Seen) -> bool) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|request| holds(request)).count()
    }

    /// The requests for a path, in the order they came.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|r| r.path == path).cloned().collect()
    }

    /// What AWS was told in each request for an operation, in the order they came.
    pub fn told(&self, operation: &str) -> Vec<Value> {
        let seen = self.seen.lock().unwrap();
        let requests = seen.iter().filter(|request| request.is(operation));
        requests
            .map(|request| serde_json::from_str(&request.body).unwrap())
            .collect()
    }

    /// How often AWS was asked for each operation, by name.
    pub fn operations(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for request in self.seen.lock().unwrap().iter() {
            if let Some(name) = &request.operation {
                *counts.entry(name.clone()).or_default() += 1;
            }
        }
        counts
    }

    /// The attempts of a chunk: which mapper, which number.
    pub fn map_attempts(&self, chunk: u32) -> Vec<(String, u32)> {
        let seen = self.seen("/map").into_iter();
        seen.filter(|request| request.chunk == Some(chunk))
            .map(|request| (request.service, request.attempt.unwrap()))
            .collect()
    }

    /// Waits until what was seen is what `holds` waits for.
    pub fn wait_until(&self, what: &str, mut holds: impl FnMut(&[Seen]) -> bool) {
        let seen = self.seen.lock().unwrap();
        let (seen, waited) = self
            .changed
            .wait_timeout_while(seen, DEADLINE, |seen| !holds(seen))
            .unwrap();
        assert!(!waited.timed_out(), "waited in vain for {what}: {seen:?}");
    }
}
