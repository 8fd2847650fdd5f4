//! The types of lists of buckets and of objects.

use std::fmt;

use jiff::Timestamp;

use mrdeck_core::uri::S3Uri;

/// A part of a list, and the token of the next part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The token that requests the next page; `None` at the end of the list.
    pub next: Option<String>,
}

/// A bucket in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub name: String,
    pub created: Option<Timestamp>,
}

/// An object or a prefix directly below a prefix. Entries come in the order of their keys, across pages too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The common prefix of further keys; it ends with `/`.
    Prefix(String),
    Object {
        key: String,
        size: u64,
        modified: Option<Timestamp>,
    },
}

impl Entry {
    /// Returns the whole key or prefix.
    pub fn key(&self) -> &str {
        match self {
            Self::Prefix(key) | Self::Object { key, .. } => key,
        }
    }
}

/// The target of a call, for errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Object(S3Uri),
    /// All keys that begin with a prefix, which may be empty.
    Keys {
        bucket: String,
        prefix: String,
    },
    Buckets,
}

impl From<&S3Uri> for Target {
    fn from(uri: &S3Uri) -> Self {
        Self::Object(uri.clone())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(uri) => uri.fmt(f),
            Self::Keys { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
            Self::Buckets => f.write_str("the list of buckets"),
        }
    }
}
