//! The versions of objects that were looked at lately: their chunks need no further look.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use mrdeck_core::uri::S3Uri;
use mrdeck_store::ObjectMeta;

/// How many are remembered. The chunks of one input come one after the other.
const REMEMBERED: usize = 64;

/// A version of an object never changes, so what is known of it stays true.
#[derive(Debug, Default)]
pub struct Seen(Mutex<VecDeque<Look>>);

#[derive(Debug)]
struct Look {
    at: S3Uri,
    meta: ObjectMeta,
    is_text: bool,
}

impl Seen {
    /// Returns the description of a version, if it was looked at; with `as_text`, if it was found to be text.
    pub fn find(&self, at: &S3Uri, etag: &str, as_text: bool) -> Option<ObjectMeta> {
        let looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = looks.iter().find(|look| {
            look.at == *at && look.meta.etag.as_deref() == Some(etag) && (look.is_text || !as_text)
        });
        found.map(|look| look.meta.clone())
    }

    /// Remembers what was found of an object.
    pub fn remember(&self, at: &S3Uri, meta: &ObjectMeta, is_text: bool) {
        if meta.etag.is_none() {
            return;
        }
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looks.retain(|look| look.at != *at || look.is_text && !is_text);
        looks.truncate(REMEMBERED - 1);
        looks.push_front(Look {
            at: at.clone(),
            meta: meta.clone(),
            is_text,
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn at(key: usize) -> S3Uri {
        format!("s3://b/{key}").parse().unwrap()
    }

    fn meta(etag: &str) -> ObjectMeta {
        ObjectMeta {
            size: 1,
            etag: Some(etag.to_owned()),
            content_encoding: None,
            provenance: None,
            sha256: None,
        }
    }

    #[test]
    fn only_that_version_is_known_and_as_what_it_was_found() {
        let seen = Seen::default();
        seen.remember(&at(1), &meta("v1"), false);
        assert_eq!(seen.find(&at(1), "v1", false), Some(meta("v1")));
        assert_eq!(seen.find(&at(1), "v1", true), None);
        assert_eq!(seen.find(&at(1), "v2", false), None);
        assert_eq!(seen.find(&at(2), "v1", false), None);
        seen.remember(&at(1), &meta("v1"), true);
        assert_eq!(seen.find(&at(1), "v1", true), Some(meta("v1")));
    }

    #[test]
    fn it_forgets_the_oldest() {
        let seen = Seen::default();
        for key in 0..=REMEMBERED {
            seen.remember(&at(key), &meta("v"), true);
        }
        assert_eq!(seen.find(&at(0), "v", true), None);
        for key in 1..=REMEMBERED {
            assert_eq!(seen.find(&at(key), "v", true), Some(meta("v")), "{key}");
        }
    }
}
