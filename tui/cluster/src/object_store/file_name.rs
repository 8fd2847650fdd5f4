//! The names of files that keys become: no two keys share one, and none leads out of the bucket's folder.
//!
//! A key's segments become folders, its last one a file, so that a bucket can be looked through by hand:
//! `mr/uploads/x.txt` is the file `mr/uploads/x.txt%`. All but small letters, digits, `-`, `_` and inner dots is
//! percent-encoded, since some file systems take `A` for `a`. Only the names of files end in `%`: so `a` and `a/b` can be
//! there at the same time. A key that is too long for the names of files is named by its hash, and written out beside it.

use std::borrow::Cow;

use base64_simd::URL_SAFE_NO_PAD;
use mrdeck_core::digest::Digest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What file systems take in one name.
const NAME_LIMIT: usize = 255;
/// The longest name that s3s-fs made of a bucket and a key, without the Base64 of both. It kept the objects once, and
/// they have the names that fitted it.
const ATTRIBUTES_OVERHEAD: usize =
    ".bucket-.object-.upload-01234567-89ab-cdef-0123-456789abcdef.metadata.json".len();
/// Ends the name of every file that is an object.
const OBJECT: char = '%';
/// The name of a folder for an empty segment.
const EMPTY: &str = "%%";
/// The folder of the keys that are named by their hashes. No segment becomes this.
pub(super) const LONG: &str = "%long";
/// What stays as it is. The alphanumerics are joined by [`encoded`].
const ESCAPED: AsciiSet = capitals(NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.'));

const fn capitals(mut set: AsciiSet) -> AsciiSet {
    let mut letter = b'A';
    while letter <= b'Z' {
        set = set.add(letter);
        letter += 1;
    }
    set
}

/// Returns the path of a key's file below its bucket's folder, with `/` between its parts.
pub(super) fn path_of(bucket: &str, key: &str) -> String {
    let mut path = String::new();
    let mut segments = key.split('/').peekable();
    while let Some(segment) = segments.next() {
        path.push_str(&encoded(segment));
        if segments.peek().is_none() {
            path.push(OBJECT);
        } else if segment.is_empty() {
            path.push_str(EMPTY);
        }
        if segments.peek().is_some() {
            path.push('/');
        }
    }
    if fits(bucket, &path) {
        path
    } else {
        format!("{LONG}/{}{OBJECT}", hash(key))
    }
}

/// Returns the key whose path this is; `None` if it is no key's, or a hash.
pub(super) fn key_of(bucket: &str, path: &str) -> Option<String> {
    let mut segments = Vec::new();
    for part in path.strip_suffix(OBJECT)?.split('/') {
        let part = if part == EMPTY { "" } else { part };
        segments.push(percent_decode_str(part).decode_utf8().ok()?);
    }
    let key = segments.join("/");
    (!key.is_empty() && path_of(bucket, &key) == path).then_some(key)
}

/// Returns the name of the file beside which a long key is written out; `None` for a key that stands in its path.
pub(super) fn written_out(bucket: &str, key: &str) -> Option<String> {
    let path = path_of(bucket, key);
    let is_hash = path.starts_with(LONG);
    is_hash.then(|| format!("{LONG}/{}.key", hash(key)))
}

/// Returns the files in which s3s-fs kept what it knew of an object, beside the buckets.
pub(super) fn attributes(bucket: &str, path: &str) -> [String; 2] {
    let [bucket, path] = [bucket, path].map(|name| URL_SAFE_NO_PAD.encode_to_string(name));
    ["metadata", "internal"].map(|kind| format!(".bucket-{bucket}.object-{path}.{kind}.json"))
}

fn encoded(segment: &str) -> Cow<'_, str> {
    let encoded: Cow<'_, str> = utf8_percent_encode(segment, &ESCAPED).into();
    // `.` and `..` are not names, a leading dot hides a file, and some file systems drop one at the end.
    let tail = encoded.strip_prefix('.');
    let Some(head) = tail.unwrap_or(&encoded).strip_suffix('.') else {
        return match tail {
            Some(tail) => format!("%2E{tail}").into(),
            None => encoded,
        };
    };
    match tail {
        Some(_) => format!("%2E{head}%2E").into(),
        None => format!("{head}%2E").into(),
    }
}

fn fits(bucket: &str, path: &str) -> bool {
    let encoded = |name: &str| URL_SAFE_NO_PAD.encoded_length(name.len());
    ATTRIBUTES_OVERHEAD + encoded(bucket) + encoded(path) <= NAME_LIMIT
}

fn hash(key: &str) -> Digest {
    Digest::of(key.as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::collections::HashMap;
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_can_be_read() {
        for (key, path) in [
            ("mr/uploads/x.txt", "mr/uploads/x.txt%"),
            ("A b", "%41%20b%"),
            ("a/", "a/%"),
            ("/a", "%%/a%"),
            ("a//b", "a/%%/b%"),
            ("/", "%%/%"),
            ("../.", "%2E%2E/%2E%"),
            (".a.b.", "%2Ea.b%2E%"),
            ("...", "%2E.%2E%"),
            ("é%", "%C3%A9%25%"),
        ] {
            assert_eq!(path_of("mrdeck", key), path);
            assert_eq!(key_of("mrdeck", path).as_deref(), Some(key));
        }
    }

    #[test]
    fn what_is_no_objects_file_is_no_key() {
        for path in ["a", "A%", "%2e%", "%", "a/%%", "%%%", "%ff%", "%long/x%"] {
            assert_eq!(key_of("mrdeck", path), None, "{path}");
        }
    }

    #[test]
    fn a_long_key_is_named_by_its_hash() {
        let (key, bucket) = ("k".repeat(1_024), "b".repeat(63));
        let path = path_of(&bucket, &key);
        assert!(path.starts_with("%long/") && path.len() < 72, "{path}");
        assert_eq!(key_of(&bucket, &path), None);
        let beside = written_out(&bucket, &key).unwrap();
        assert_eq!(beside.replace(".key", "%"), path);
        assert_eq!(written_out(&bucket, "short"), None);
    }

    proptest! {
        #[test]
        fn a_path_stays_below_its_folder_and_stands_for_one_key(
            keys in prop::collection::vec(r"[a-cA-C./%~+ \\:é\x00]{1,8}|\PC{1,200}|[a./]{150,1000}", 2..40)
        ) {
            let mut seen: HashMap<String, String> = HashMap::new();
            for key in keys {
                let path = path_of("mrdeck", &key);
                for part in Path::new(&path).components() {
                    let Component::Normal(name) = part else {
                        panic!("{path}")
                    };
                    let name = name.to_str().unwrap();
                    prop_assert!(name.len() <= NAME_LIMIT && name.is_ascii(), "{name}");
                    prop_assert!(!name.starts_with('.') && !name.ends_with('.'), "{name}");
                }
                prop_assert_eq!(Path::new(&path).components().count(), path.split('/').count());
                for name in attributes("mrdeck", &path) {
                    prop_assert!(name.len() + 44 <= NAME_LIMIT, "{}", name);
                }
                match key_of("mrdeck", &path) {
                    Some(found) => prop_assert_eq!(&found, &key),
                    None => prop_assert!(path.starts_with("%long/"), "{}", path),
                }
                // Names that differ only in their case are one on some file systems.
                let other = seen.insert(path.to_lowercase(), key.clone());
                prop_assert!(other.is_none_or(|other| other == key));
            }
        }
    }
}
