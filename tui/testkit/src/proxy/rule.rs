//! Which requests a fault is for.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;

use crate::proxy::fault::Fault;
use crate::proxy::script::Seen;

const ARROW: &str = " → ";

/// What a request must be like; what is not said is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// From whom to whom: `console → mapper-1`, or `mapper-1` for short, `mapper-* → s3`, `console → aws`.
    pub between: Option<String>,
    pub method: Option<String>,
    /// Without one, everything but `/health`.
    pub path: Option<String>,
    /// The key of an object, with `*` for anything.
    pub key: Option<String>,
    pub chunk: Option<u32>,
    /// The first and the last attempt meant.
    pub attempts: Option<(u32, u32)>,
    pub parameter: Option<(String, String)>,
    /// Of AWS, such as `ListTasks`.
    pub operation: Option<String>,
    /// The key that signed a request to AWS.
    pub access_key: Option<String>,
    /// What the body contains.
    pub saying: Option<String>,
}

impl Filter {
    pub fn fits(&self, request: &Seen) -> bool {
        let path_fits = match &self.path {
            Some(path) => request.path == *path,
            None => request.path != "/health",
        };
        let (first, last) = self.attempts.unwrap_or((1, u32::MAX));
        let is = |wanted: &Option<String>, given: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| given == Some(wanted))
        };
        path_fits
            && self
                .between
                .as_ref()
                .is_none_or(|way| is_on(way_of(way), &request.service))
            && is(&self.method, Some(&request.method))
            && self
                .key
                .as_ref()
                .is_none_or(|key| request.key().is_some_and(|given| like(key, given)))
            && self.chunk.is_none_or(|chunk| request.chunk == Some(chunk))
            && self
                .parameter
                .as_ref()
                .is_none_or(|(name, value)| request.parameter(name) == Some(value))
            && is(&self.operation, request.operation.as_deref())
            && is(&self.access_key, request.access_key.as_deref())
            && self
                .saying
                .as_ref()
                .is_none_or(|text| request.body.contains(text))
            && (first..=last).contains(&request.attempt.unwrap_or(1))
    }
}

/// The proxies to services, and to AWS apart from S3, are known by whom they stand before.
fn way_of(between: &str) -> &str {
    match between.split_once(ARROW) {
        Some(("console", to)) if to != "s3" => to,
        _ => between,
    }
}

/// A `*` for a service is not for the ways to S3.
fn is_on(way: &str, given: &str) -> bool {
    like(way, given) && way.contains(ARROW) == given.contains(ARROW)
}

/// Returns whether the text matches the pattern, in which `*` stands for anything.
pub fn like(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };
    let ends = (0..=text.len()).filter(|end| text.is_char_boundary(*end));
    ends.map(|end| &text[end..]).any(|text| like(rest, text))
}

/// A fault, and the requests that it is for.
#[derive(Clone)]
pub struct Rule {
    filter: Filter,
    turns: RangeInclusive<usize>,
    /// How many requests fitted so far.
    fitted: Arc<AtomicUsize>,
    pub(super) fault: Fault,
}

impl Rule {
    pub fn new(filter: Filter, fault: Fault) -> Self {
        Self {
            filter,
            turns: 1..=usize::MAX,
            fitted: Arc::default(),
            fault,
        }
    }

    pub fn chunk(mut self, chunk: u32) -> Self {
        self.filter.chunk = Some(chunk);
        self
    }

    pub fn attempts(mut self, attempts: RangeInclusive<u32>) -> Self {
        self.filter.attempts = Some((*attempts.start(), *attempts.end()));
        self
    }

    /// Only requests with this parameter.
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.filter.parameter = Some((name.to_owned(), value.to_owned()));
        self
    }

    /// Only requests to AWS that are signed with this access key.
    pub fn signed_by(mut self, access_key: &str) -> Self {
        self.filter.access_key = Some(access_key.to_owned());
        self
    }

    /// Only requests whose body contains this.
    pub fn saying(mut self, text: &str) -> Self {
        self.filter.saying = Some(text.to_owned());
        self
    }

    /// Only these of the requests that fit otherwise, counted from 1.
    pub fn turns(mut self, turns: RangeInclusive<usize>) -> Self {
        self.turns = turns;
        self
    }

    pub(super) fn fits(&self, request: &Seen) -> bool {
        self.filter.fits(request)
            && self
                .turns
                .contains(&(self.fitted.fetch_add(1, Ordering::Relaxed) + 1))
    }
}
