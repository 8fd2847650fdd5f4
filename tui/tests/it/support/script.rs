//! What the proxies are to do with which request, as data; and what requests they saw.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use serde_json::Value;
use tokio::sync::watch;

use super::DEADLINE;

/// A change to the JSON that a service answered.
type Change = Arc<dyn Fn(&mut Value) + Send + Sync>;

/// What happens to a request.
#[derive(Clone)]
pub enum Fault {
    /// It is handed on, and the answer back, as if there were no proxy.
    Pass,
    /// This is answered; the service is not asked.
    Answer { status: u16, body: String },
    /// Nothing is ever answered; the connection stays open.
    Silence,
    /// The connection is closed without a byte; the service is not asked.
    Close,
    /// The service is asked; half of its answer comes, then the connection is closed.
    Cut,
    /// The service is asked and does its work, but its answer is lost.
    LoseAnswer,
    /// The service is asked only once the gate opens.
    Hold(Gate),
    /// The service is asked; its answer comes once the gate opens.
    HoldAnswer(Gate),
    /// The service is asked, and its answer's JSON changed.
    Edit(Change),
    /// AWS's answer comes in pages, as its list of this name does: moto gives it whole, whatever its length.
    Paged { list: &'static str, size: usize },
    /// The service is asked; its answer says that this is the time.
    At(&'static str),
    /// The service is asked as if it knew no extension (no run, chunk, attempt, mode), and its answer has only
    /// the fields that the lab's services send. Its errors are plain text.
    Plain,
}

impl Fault {
    pub fn answer(status: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self::Answer { status, body }
    }

    pub fn edit(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::Edit(Arc::new(change))
    }

    /// For every request that is work (`/health` is left alone), until narrowed down.
    pub fn always(self) -> Rule {
        Rule {
            service: None,
            path: None,
            chunk: None,
            attempts: 1..=u32::MAX,
            parameter: None,
            operation: None,
            access_key: None,
            body: None,
            turns: 1..=usize::MAX,
            fitted: Arc::default(),
            fault: self,
        }
    }

    /// For an operation of AWS, such as `ListTasks`.
    pub fn aws(self, operation: &'static str) -> Rule {
        let operation = Some(operation);
        Rule {
            operation,
            ..self.always()
        }
    }

    pub fn on(self, service: &str) -> Rule {
        let service = Some(service.to_owned());
        Rule {
            service,
            ..self.always()
        }
    }

    pub fn at(self, path: &'static str) -> Rule {
        let path = Some(path);
        Rule {
            path,
            ..self.always()
        }
    }
}

/// Which requests a fault is for.
#[derive(Clone)]
pub struct Rule {
    service: Option<String>,
    path: Option<&'static str>,
    chunk: Option<u32>,
    attempts: RangeInclusive<u32>,
    parameter: Option<(&'static str, String)>,
    operation: Option<&'static str>,
    access_key: Option<&'static str>,
    body: Option<&'static str>,
    turns: RangeInclusive<usize>,
    /// How many requests fitted so far.
    fitted: Arc<AtomicUsize>,
    fault: Fault,
}

impl Rule {
    pub fn chunk(mut self, chunk: u32) -> Self {
        self.chunk = Some(chunk);
        self
    }

    pub fn attempts(mut self, attempts: RangeInclusive<u32>) -> Self {
        self.attempts = attempts;
        self
    }

    /// Only requests with this parameter.
    pub fn parameter(mut self, name: &'static str, value: &str) -> Self {
        self.parameter = Some((name, value.to_owned()));
        self
    }

    /// Only requests to AWS that are signed with this access key.
    pub fn signed_by(mut self, access_key: &'static str) -> Self {
        self.access_key = Some(access_key);
        self
    }

    /// Only requests whose body contains this.
    pub fn saying(mut self, text: &'static str) -> Self {
        self.body = Some(text);
        self
    }

    /// Only these of the requests that fit otherwise, counted from 1.
    pub fn turns(mut self, turns: RangeInclusive<usize>) -> Self {
        self.turns = turns;
        self
    }

    fn fits(&self, request: &Seen) -> bool {
        self.is_meant(request)
            && self
                .turns
                .contains(&(self.fitted.fetch_add(1, Ordering::Relaxed) + 1))
    }

    fn is_meant(&self, request: &Seen) -> bool {
        let path_fits = match self.path {
            Some(path) => request.path == path,
            None => request.path != "/health",
        };
        path_fits
            && self
                .service
                .as_ref()
                .is_none_or(|name| *name == request.service)
            && self.chunk.is_none_or(|chunk| request.chunk == Some(chunk))
            && self
                .parameter
                .as_ref()
                .is_none_or(|(name, value)| request.parameter(name) == Some(value))
            && self
                .operation
                .is_none_or(|name| request.operation.as_deref() == Some(name))
            && self
                .access_key
                .is_none_or(|key| request.access_key.as_deref() == Some(key))
            && self.body.is_none_or(|text| request.body.contains(text))
            && self.attempts.contains(&request.attempt.unwrap_or(1))
    }
}

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
    /// Is it a request to AWS for this operation?
    pub fn is(&self, operation: &str) -> bool {
        self.operation.as_deref() == Some(operation)
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        pairs
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
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
