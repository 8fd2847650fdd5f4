//! Which keys there are, in order: found once when the server starts, kept up to date, listed a page at a time.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::file_name;

/// The keys of every bucket. This process is the only one that changes them.
#[derive(Debug)]
pub(super) struct Keys {
    root: PathBuf,
    buckets: Mutex<BTreeMap<String, BTreeSet<String>>>,
}

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

impl Keys {
    /// Finds every object in the buckets below `root`, and removes what is left of others: empty folders, attributes.
    pub(super) fn find(root: &Path) -> io::Result<Self> {
        let mut buckets = BTreeMap::new();
        let mut attributes = HashSet::new();
        for bucket in folders(root)? {
            let mut found = BTreeSet::new();
            let folder = root.join(&bucket);
            let mut look = |path: &str| {
                let key = file_name::key_of(&bucket, path)
                    .or_else(|| written_out_key(&bucket, &folder, path));
                if key.is_some() {
                    attributes.extend(file_name::attributes(&bucket, path));
                } else if is_written_out_for_nothing(&folder, path) {
                    std::fs::remove_file(folder.join(path))?;
                }
                found.extend(key);
                Ok(())
            };
            walk(&folder, "", &mut look)?;
            buckets.insert(bucket, found);
        }
        for entry in std::fs::read_dir(root)? {
            let entry = entry?;
            let name = entry.file_name().into_string().unwrap_or_default();
            if name.starts_with(".bucket-") && !attributes.contains(&name) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(Self {
            root: root.to_owned(),
            buckets: Mutex::new(buckets),
        })
    }

    pub(super) fn has_bucket(&self, bucket: &str) -> bool {
        self.lock().contains_key(bucket)
    }

    pub(super) fn add_bucket(&self, bucket: &str) {
        self.lock().entry(bucket.to_owned()).or_default();
    }

    /// Looks again whether there is such an object, after a change. Whoever looks last is right.
    pub(super) fn look_again(&self, bucket: &str, key: &str) {
        let file = self.folder(bucket).join(file_name::path_of(bucket, key));
        let mut buckets = self.lock();
        let Some(keys) = buckets.get_mut(bucket) else {
            return;
        };
        if file.is_file() {
            keys.insert(key.to_owned());
        } else {
            keys.remove(key);
        }
    }

    /// Removes what s3s-fs knows of an object's bytes; it finds out again what it needs.
    pub(super) fn forget_checksum(&self, bucket: &str, key: &str) {
        let [_, checksums] = file_name::attributes(bucket, &file_name::path_of(bucket, key));
        // Fails where there is none.
        let _ = std::fs::remove_file(self.root.join(checksums));
    }

    /// Removes an object's bytes.
    pub(super) fn remove_file(&self, bucket: &str, key: &str) {
        let file = self.folder(bucket).join(file_name::path_of(bucket, key));
        // Fails where there is none.
        let _ = std::fs::remove_file(file);
    }

    /// Returns a bucket's folder.
    pub(super) fn folder(&self, bucket: &str) -> PathBuf {
        self.root.join(bucket)
    }

    /// Returns the entries in order, and whether there are more; `None` if there is no such bucket.
    pub(super) fn list(&self, bucket: &str, wanted: &Wanted<'_>) -> Option<(Vec<Listed>, bool)> {
        let buckets = self.lock();
        let keys = buckets.get(bucket)?;
        let start = wanted.prefix.max(wanted.after);
        let below = keys
            .range::<str, _>((Bound::Included(start), Bound::Unbounded))
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
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeSet<String>>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the names of the folders in a folder that can be buckets.
pub(super) fn folders(root: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        names.extend(
            name.ok()
                .filter(|name| s3s::path::check_bucket_name(name) && entry.path().is_dir()),
        );
    }
    Ok(names)
}

/// Calls `look` with the path of every file below a folder, with `/` between its parts, and removes folders that are
/// empty then. Names that are not UTF-8 are left alone.
pub(super) fn walk(
    folder: &Path,
    below: &str,
    look: &mut dyn FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    for entry in std::fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        if entry.file_type()?.is_dir() {
            walk(folder, &path, look)?;
            // Fails for one that is not empty.
            let _ = std::fs::remove_dir(entry.path());
        } else {
            look(&path)?;
        }
    }
    Ok(())
}

/// Returns the long key whose hash a path is, from the file beside it.
fn written_out_key(bucket: &str, folder: &Path, path: &str) -> Option<String> {
    let name = path.strip_suffix('%')?;
    if !name.starts_with(file_name::LONG) {
        return None;
    }
    let key = std::fs::read_to_string(folder.join(format!("{name}.key"))).ok()?;
    (file_name::path_of(bucket, &key) == path).then_some(key)
}

/// Returns whether a path is that of a key that is written out beside an object that is gone.
fn is_written_out_for_nothing(folder: &Path, path: &str) -> bool {
    let name = path.strip_suffix(".key");
    name.is_some_and(|name| {
        name.starts_with(file_name::LONG) && !folder.join(format!("{name}%")).exists()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use proptest::prelude::*;

    use super::*;

    fn keys_of(names: &[String]) -> Keys {
        let names = names.iter().cloned().collect();
        Keys {
            root: PathBuf::new(),
            buckets: Mutex::new([("b".to_owned(), names)].into()),
        }
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
            let keys = keys_of(&names);
            let mut all = Vec::new();
            let mut after = String::new();
            loop {
                let wanted = Wanted { prefix: &prefix, delimiter: &delimiter, after: &after, limit };
                let (page, has_more) = keys.list("b", &wanted).unwrap();
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
            prop_assert!(keys.list("c", &wanted).is_none());
        }
    }
}
