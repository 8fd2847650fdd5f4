//! What a run reads: one object, or many as one.

use std::fmt;
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use mrdeck_core::human::plural;
use mrdeck_core::layout;
use mrdeck_core::uri::{S3Uri, S3UriError};
use serde::{Deserialize, Serialize};

/// What is left out of a pattern, in words: see [`Match::LeftOut`].
pub(crate) const LEFT_OUT: &str = "names that begin with '_' or '.', and what mrdeck wrote";
/// The characters that make a pattern of a key.
const SPECIAL: [char; 5] = ['*', '?', '[', '{', '\\'];

/// What a run reads.
///
/// Written as `"s3://B/K"`, as `{"pattern":"s3://B/logs/*.txt"}`, or as `{"objects":["s3://B/K", …]}`, with the `directory` that
/// they were uploaded from, if they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Input {
    Object(S3Uri),
    Pattern {
        pattern: ObjectPattern,
    },
    Objects {
        objects: ObjectList,
        /// The directory that they were uploaded from, as the user named it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        directory: Option<String>,
    },
}

impl Input {
    /// Returns the bucket, which keeps what belongs to the run, too.
    pub fn bucket(&self) -> &str {
        match self {
            Self::Object(uri) => uri.bucket(),
            Self::Pattern { pattern } => pattern.bucket(),
            Self::Objects { objects, .. } => objects.as_slice()[0].bucket(),
        }
    }

    /// Returns the address of another object in the same bucket.
    ///
    /// # Errors
    ///
    /// Returns an error if the key is empty.
    pub fn sibling(&self, key: &str) -> Result<S3Uri, S3UriError> {
        S3Uri::new(self.bucket(), key)
    }

    /// Returns the object, if the input is one and was named as one.
    pub fn as_object(&self) -> Option<&S3Uri> {
        match self {
            Self::Object(uri) => Some(uri),
            Self::Pattern { .. } | Self::Objects { .. } => None,
        }
    }
}

impl From<S3Uri> for Input {
    fn from(uri: S3Uri) -> Self {
        Self::Object(uri)
    }
}

impl FromStr for Input {
    type Err = S3UriError;

    /// Reads an address: a pattern if it is one, else the address of an object.
    fn from_str(text: &str) -> Result<Self, S3UriError> {
        match ObjectPattern::detect(text)? {
            Some(pattern) => Ok(Self::Pattern { pattern }),
            None => text.parse().map(Self::Object),
        }
    }
}

impl Input {
    /// Returns what a person calls it: the name of a local file that was uploaded, else all of its address.
    pub fn name(&self) -> String {
        let uploaded = self
            .as_object()
            .and_then(|uri| layout::uploaded_name(uri.key()));
        uploaded.map_or_else(|| self.to_string(), str::to_owned)
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(uri) => uri.fmt(f),
            Self::Pattern { pattern } => pattern.fmt(f),
            Self::Objects {
                objects,
                directory: Some(directory),
            } => {
                let files = plural(objects.as_slice().len() as u64, "file");
                write!(f, "{directory} ({files})")
            }
            Self::Objects { objects, .. } => objects.fmt(f),
        }
    }
}

/// At least one object, all in one bucket. One that is in it twice is counted twice: two files may be the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<S3Uri>", into = "Vec<S3Uri>")]
pub struct ObjectList(Vec<S3Uri>);

/// The error of a list of objects that is empty, or that lies in more than one bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectListError {
    #[error("no object was named")]
    Empty,
    #[error("the objects of one input must be in one bucket, not in '{0}' and in '{1}'")]
    Buckets(String, String),
}

impl ObjectList {
    /// Creates a list.
    ///
    /// # Errors
    ///
    /// Returns an error if there is none, or if they are in several buckets.
    pub fn new(named: impl IntoIterator<Item = S3Uri>) -> Result<Self, ObjectListError> {
        let objects: Vec<S3Uri> = named.into_iter().collect();
        let first = objects.first().ok_or(ObjectListError::Empty)?;
        let elsewhere = objects.iter().find(|uri| uri.bucket() != first.bucket());
        if let Some(other) = elsewhere {
            let (first, other) = (first.bucket().to_owned(), other.bucket().to_owned());
            return Err(ObjectListError::Buckets(first, other));
        }
        Ok(Self(objects))
    }

    /// Returns the objects, never none.
    pub fn as_slice(&self) -> &[S3Uri] {
        &self.0
    }
}

impl TryFrom<Vec<S3Uri>> for ObjectList {
    type Error = ObjectListError;

    fn try_from(objects: Vec<S3Uri>) -> Result<Self, ObjectListError> {
        Self::new(objects)
    }
}

impl From<ObjectList> for Vec<S3Uri> {
    fn from(list: ObjectList) -> Self {
        list.0
    }
}

impl fmt::Display for ObjectList {
    /// Writes how many there are, and the folder that all of them are below.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = &self.0[0];
        if self.0.len() == 1 {
            return first.fmt(f);
        }
        let folder = |key: &str, common: &str| {
            let same = key.bytes().zip(common.bytes()).take_while(|(a, b)| a == b);
            let same = &common.as_bytes()[..same.count()];
            let slash = same.iter().rposition(|byte| *byte == b'/');
            slash.map_or(0, |slash| slash + 1)
        };
        let end = self.0[1..].iter().fold(first.key().len(), |end, uri| {
            folder(uri.key(), &first.key()[..end])
        });
        let (bucket, common) = (first.bucket(), &first.key()[..end]);
        write!(f, "{} objects of s3://{bucket}/{common}", self.0.len())
    }
}

/// Many objects by their keys: all below a prefix, or all that a glob matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectPattern {
    bucket: String,
    /// Empty for a whole bucket.
    key: String,
}

impl ObjectPattern {
    /// Returns the pattern of all objects below a prefix, taken letter for letter.
    ///
    /// # Errors
    ///
    /// Returns an error if the bucket's name can't be one, or if the prefix does not end with a slash.
    pub fn below(bucket: &str, prefix: &str) -> Result<Self, S3UriError> {
        let mut key = String::with_capacity(prefix.len());
        for c in prefix.chars() {
            if is_glob(prefix) && SPECIAL.contains(&c) {
                key.push('\\');
            }
            key.push(c);
        }
        Self::try_from(format!("s3://{bucket}/{key}"))
    }

    /// Reads an address; `None` if it is that of an object. A key that ends with a slash, or is empty after the bucket's,
    /// is a prefix; one with `*`, `?`, `[…]` or `{…,…}` in it is a glob.
    fn detect(text: &str) -> Result<Option<Self>, S3UriError> {
        let rest = text
            .strip_prefix("s3://")
            .ok_or_else(|| S3UriError::Scheme(text.to_owned()))?;
        let Some((bucket, key)) = rest.split_once('/') else {
            return Ok(None);
        };
        let is_pattern = key.is_empty() || key.ends_with('/') || is_glob(key);
        if !is_pattern {
            return Ok(None);
        }
        // It stands for any key: only the bucket's name is checked.
        S3Uri::new(bucket, "k").map_err(|_| S3UriError::Bucket(text.to_owned()))?;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        Ok(Some(Self { bucket, key }))
    }

    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Returns the folder that its objects are in or below, as far as it is written out; it ends with a slash, or is
    /// empty.
    pub fn folder(&self) -> &str {
        let prefix = self.prefix();
        &prefix[..prefix.rfind('/').map_or(0, |slash| slash + 1)]
    }

    /// Returns whether it is everything below a prefix.
    pub fn is_prefix(&self) -> bool {
        self.prefix() == self.key
    }

    /// Returns the object whose key this is, letter for letter, if one can have it: it may exist, and is meant then.
    pub fn literal(&self) -> Option<S3Uri> {
        if self.key.ends_with('/') {
            return None;
        }
        S3Uri::new(&self.bucket, &self.key).ok()
    }

    /// Returns what every key of it begins with.
    pub fn prefix(&self) -> &str {
        let special = self.key.find(SPECIAL).filter(|_| is_glob(&self.key));
        &self.key[..special.unwrap_or(self.key.len())]
    }

    /// Returns a test for keys.
    pub fn matcher(&self) -> PatternMatcher {
        PatternMatcher {
            prefix: self.prefix().to_owned(),
            glob: self
                .key
                .contains(SPECIAL)
                .then(|| glob(&self.key))
                .flatten(),
        }
    }
}

impl TryFrom<String> for ObjectPattern {
    type Error = S3UriError;

    fn try_from(text: String) -> Result<Self, S3UriError> {
        Self::detect(&text)?.ok_or(S3UriError::Key(text))
    }
}

impl From<ObjectPattern> for String {
    fn from(pattern: ObjectPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for ObjectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Whether a key belongs to an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    Yes,
    No,
    /// It matches, and is left out: a marker or a draft by the customs of Hadoop (a name that begins with `_` or `.`),
    /// or an object of mrdeck's own runs.
    LeftOut,
}

/// Tells which keys belong to a pattern.
#[derive(Debug, Clone)]
pub struct PatternMatcher {
    prefix: String,
    glob: Option<GlobMatcher>,
}

impl PatternMatcher {
    pub fn matches(&self, key: &str) -> Match {
        let Some(rest) = key.strip_prefix(&self.prefix) else {
            return Match::No;
        };
        if self.glob.as_ref().is_some_and(|glob| !glob.is_match(key)) {
            return Match::No;
        }
        let is_ours = key.starts_with(layout::ROOT) && !self.prefix.starts_with(layout::ROOT);
        if is_ours || self.is_hidden(rest) {
            return Match::LeftOut;
        }
        Match::Yes
    }

    /// Returns whether a name in the part of the key that was not written out begins with `_` or `.`.
    fn is_hidden(&self, rest: &str) -> bool {
        let is_inside_a_name = !self.prefix.is_empty() && !self.prefix.ends_with('/');
        rest.split('/')
            .skip(usize::from(is_inside_a_name))
            .any(|name| name.starts_with(['_', '.']))
    }
}

/// Returns whether a key is a glob: has special characters, in an order that makes sense. `a[` is only a name.
fn is_glob(key: &str) -> bool {
    key.contains(SPECIAL) && glob(key).is_some()
}

fn glob(key: &str) -> Option<GlobMatcher> {
    // What ends with a slash is a folder, and stands for everything in it.
    let inside = if key.ends_with('/') { "**" } else { "" };
    // `*` stays within a folder, as in a shell; `**` does not.
    let glob = GlobBuilder::new(&format!("{key}{inside}"))
        .literal_separator(true)
        .backslash_escape(true)
        .build();
    glob.ok().map(|glob| glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn parse(text: &str) -> Input {
        text.parse().unwrap()
    }

    fn matches(pattern: &str, key: &str) -> Match {
        let Input::Pattern { pattern } = parse(pattern) else {
            panic!("{pattern} is no pattern");
        };
        pattern.matcher().matches(key)
    }

    #[test]
    fn an_address_is_an_object_a_prefix_or_a_glob() {
        for object in ["s3://b/k", "s3://b/a/c d.txt", "s3://b/a[", "s3://b/a{b"] {
            assert_eq!(parse(object).as_object().unwrap().to_string(), object);
        }
        for (text, prefix, literal) in [
            ("s3://b/", "", false),
            ("s3://b/logs/", "logs/", false),
            ("s3://b/logs/*.txt", "logs/", true),
            ("s3://b/lo?s/a", "lo", true),
            ("s3://b/a[1].txt", "a", true),
            ("s3://b/{x,y}/", "", false),
        ] {
            let Input::Pattern { pattern } = parse(text) else {
                panic!("{text}");
            };
            assert_eq!(pattern.prefix(), prefix, "{text}");
            assert_eq!(pattern.literal().is_some(), literal, "{text}");
            assert_eq!(pattern.to_string(), text);
        }
        for bad in [
            "",
            "s3://",
            "s3:///",
            "s3:///k/",
            "s3://b",
            "b/",
            "http://b/c/",
        ] {
            assert!(bad.parse::<Input>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_prefix_has_everything_below_it_and_a_star_stays_in_its_folder() {
        for (pattern, key, expected) in [
            ("s3://b/logs/", "logs/a.txt", Match::Yes),
            ("s3://b/logs/", "logs/2026/01/a.txt", Match::Yes),
            ("s3://b/logs/", "logs/", Match::Yes),
            ("s3://b/logs/", "logs.txt", Match::No),
            ("s3://b/logs/*", "logs/sub/", Match::No),
            ("s3://b/logs/*.txt", "logs/a.txt", Match::Yes),
            ("s3://b/logs/*.txt", "logs/a.log", Match::No),
            ("s3://b/logs/*.txt", "logs/x/a.txt", Match::No),
            ("s3://b/logs/**/*.txt", "logs/x/y/a.txt", Match::Yes),
            ("s3://b/logs/**/*.txt", "logs/a.txt", Match::Yes),
            ("s3://b/*/a.txt", "x/a.txt", Match::Yes),
            ("s3://b/{a,b}.txt", "b.txt", Match::Yes),
            ("s3://b/[a-c].txt", "b.txt", Match::Yes),
            ("s3://b/[a-c].txt", "d.txt", Match::No),
            ("s3://b/{x,y}/", "y/z/a.txt", Match::Yes),
            ("s3://b/{x,y}/", "z/y/a.txt", Match::No),
            ("s3://b/", "any", Match::Yes),
        ] {
            assert_eq!(matches(pattern, key), expected, "{pattern} {key}");
        }
    }

    #[test]
    fn markers_and_mrdecks_own_objects_are_left_out_unless_they_are_named() {
        for (pattern, key, expected) in [
            ("s3://b/out/", "out/_SUCCESS", Match::LeftOut),
            ("s3://b/out/", "out/.part-0.crc", Match::LeftOut),
            ("s3://b/out/", "out/_temporary/0/part-0", Match::LeftOut),
            ("s3://b/out/*", "out/_SUCCESS", Match::LeftOut),
            ("s3://b/out/_*", "out/_SUCCESS", Match::Yes),
            ("s3://b/_out/", "_out/part-0", Match::Yes),
            ("s3://b/", "mr/runs/x/plan.json", Match::LeftOut),
            ("s3://b/**", "mr/maps/x.json", Match::LeftOut),
            ("s3://b/mr/uploads/", "mr/uploads/x/a.txt", Match::Yes),
        ] {
            assert_eq!(matches(pattern, key), expected, "{pattern} {key}");
        }
    }

    #[test]
    fn a_folder_is_meant_letter_for_letter() {
        for (folder, inside, outside) in [
            ("logs/", "logs/a", "log/a"),
            ("a[1]/", "a[1]/x/y", "a1/x"),
            ("a*b/", "a*b/x", "axb/x"),
            ("a[/", "a[/x", "a/x"),
        ] {
            let matcher = ObjectPattern::below("b", folder).unwrap().matcher();
            assert_eq!(matcher.matches(inside), Match::Yes, "{folder}");
            assert_eq!(matcher.matches(outside), Match::No, "{folder}");
        }
        assert!(ObjectPattern::below("b", "a").is_err());
    }

    #[test]
    fn a_list_says_where_its_objects_are() {
        let list = |keys: &[&str]| {
            let uris = keys.iter().map(|key| S3Uri::new("b", key).unwrap());
            ObjectList::new(uris).unwrap().to_string()
        };
        assert_eq!(list(&["x/a"]), "s3://b/x/a");
        assert_eq!(list(&["x/a", "x/a"]), "2 objects of s3://b/x/");
        assert_eq!(list(&["x/a", "x/b"]), "2 objects of s3://b/x/");
        assert_eq!(list(&["x/y/a", "x/z/b", "x/c"]), "3 objects of s3://b/x/");
        assert_eq!(list(&["xä", "xö"]), "2 objects of s3://b/");
        assert!(ObjectList::new([]).is_err());
        let two = ["s3://a/k", "s3://b/k"].map(|uri| uri.parse().unwrap());
        assert!(ObjectList::new(two).is_err());
    }

    #[test]
    fn an_input_is_written_and_read_back() {
        let list = ["s3://b/x", "s3://b/y"].map(|uri| uri.parse().unwrap());
        let list = Input::Objects {
            objects: ObjectList::new(list).unwrap(),
            directory: None,
        };
        for (input, json) in [
            (parse("s3://b/k"), r#""s3://b/k""#),
            (parse("s3://b/k/"), r#"{"pattern":"s3://b/k/"}"#),
            (list, r#"{"objects":["s3://b/x","s3://b/y"]}"#),
        ] {
            assert_eq!(serde_json::to_string(&input).unwrap(), json);
            assert_eq!(serde_json::from_str::<Input>(json).unwrap(), input);
        }
        // Written by earlier versions: an object, whatever its key looks like.
        let old: Input = serde_json::from_str(r#""s3://b/a*/""#).unwrap();
        assert!(old.as_object().is_some());
        for wrong in [r#"{"objects":[]}"#, r#"{"pattern":"s3://b/k"}"#, r#""k""#] {
            assert!(serde_json::from_str::<Input>(wrong).is_err(), "{wrong}");
        }
    }
}
