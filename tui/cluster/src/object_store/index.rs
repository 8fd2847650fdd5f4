//! Which objects there are, in the order of their keys, listed a page at a time.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::description::Description;

/// The objects of every bucket. One that nobody has asked for yet may have no description.
#[derive(Debug, Default)]
pub(super) struct Index(Mutex<BTreeMap<String, Bucket>>);

pub(super) type Bucket = BTreeMap<String, Option<Arc<Description>>>;

/// What a list is to show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) prefix: &'a str,
    /// Keys that have this behind the prefix are shown as one entry, up to its end; empty for none.
    pub(super) delimiter: &'a str,
    /// Only entries behind this one.
    pub(super) after: &'a str,
    pub(super) limit: usize,
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listed {
    Key(String),
    Prefix(String),
}

impl Listed {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Key(name) | Self::Prefix(name) => name,
        }
    }
}

impl Index {
    pub(super) fn new(buckets: BTreeMap<String, Bucket>) -> Self {
        Self(Mutex::new(buckets))
    }

    pub(super) fn has_bucket(&self, bucket: &str) -> bool {
        self.lock().contains_key(bucket)
    }

    pub(super) fn add_bucket(&self, bucket: &str) {
        self.lock().entry(bucket.to_owned()).or_default();
    }

    pub(super) fn buckets(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    pub(super) fn get(&self, bucket: &str, key: &str) -> Option<Arc<Description>> {
        self.lock().get(bucket)?.get(key)?.clone()
    }

    pub(super) fn set(&self, bucket: &str, key: &str, object: Arc<Description>) {
        if let Some(bucket) = self.lock().get_mut(bucket) {
            bucket.insert(key.to_owned(), Some(object));
        }
    }

    pub(super) fn remove(&self, bucket: &str, key: &str) {
        if let Some(bucket) = self.lock().get_mut(bucket) {
            bucket.remove(key);
        }
    }

    /// Returns the entries in order, and whether there are more; `None` if there is no such bucket.
    pub(super) fn list(&self, bucket: &str, wanted: &Wanted<'_>) -> Option<(Vec<Listed>, bool)> {
        let buckets = self.lock();
        let keys = buckets.get(bucket)?;
        let start = wanted.prefix.max(wanted.after);
        let below = keys
            .range::<str, _>((Bound::Included(start), Bound::Unbounded))
            .map(|(key, _)| key)
            .take_while(|key| key.starts_with(wanted.prefix));
        let mut listed: Vec<Listed> = Vec::new();
        for key in below {
            let end = match wanted.delimiter {
                "" => None,
                delimiter => key[wanted.prefix.len()..].find(delimiter),
            };
            let name = match end {
                Some(end) => &key[..wanted.prefix.len() + end + wanted.delimiter.len()],
                None => key,
            };
            let is_known = listed.last().is_some_and(|last| last.name() == name);
            if name <= wanted.after || (end.is_some() && is_known) {
                continue;
            }
            if listed.len() >= wanted.limit {
                return Some((listed, true));
            }
            let name = name.to_owned();
            listed.push(match end {
                Some(_) => Listed::Prefix(name),
                None => Listed::Key(name),
            });
        }
        Some((listed, false))
    }

    /// No method panics while it holds the lock, so even a poisoned lock guards sound data.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use proptest::prelude::*;

    use super::*;

    fn index_of(names: &[String]) -> Index {
        let names = names.iter().map(|name| (name.clone(), None)).collect();
        Index::new([("b".to_owned(), names)].into())
    }

    /// Says the same in one go, the slow way.
    fn expected(names: &[String], wanted: &Wanted<'_>) -> Vec<Listed> {
        let mut all: Vec<Listed> = names
            .iter()
            .filter_map(|key| {
                let rest = key.strip_prefix(wanted.prefix)?;
                Some(match rest.split_once(wanted.delimiter) {
                    Some((head, _)) if !wanted.delimiter.is_empty() => {
                        Listed::Prefix(format!("{}{head}{}", wanted.prefix, wanted.delimiter))
                    }
                    _ => Listed::Key(key.clone()),
                })
            })
            .filter(|entry| entry.name() > wanted.after)
            .collect();
        all.sort_by(|a, b| a.name().cmp(b.name()));
        all.dedup();
        all
    }

    proptest! {
        #[test]
        fn pages_add_up_to_what_is_there(
            names in prop::collection::vec("[ab/é]{1,5}", 0..40),
            prefix in "[ab/]{0,2}",
            delimiter in "|/|b|é/",
            limit in 1..5_usize,
        ) {
            let index = index_of(&names);
            let mut all = Vec::new();
            let mut after = String::new();
            loop {
                let wanted = Wanted { prefix: &prefix, delimiter: &delimiter, after: &after, limit };
                let (page, has_more) = index.list("b", &wanted).unwrap();
                prop_assert!(page.len() <= limit);
                prop_assert!(!has_more || page.len() == limit);
                all.extend(page);
                if !has_more {
                    break;
                }
                after = all.last().unwrap().name().to_owned();
            }
            let wanted = Wanted { prefix: &prefix, delimiter: &delimiter, after: "", limit };
            prop_assert_eq!(all, expected(&names, &wanted));
            prop_assert!(index.list("c", &wanted).is_none());
        }
    }
}
