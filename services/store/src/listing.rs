//! What lists of buckets and of objects consist of.

use std::fmt;

use jiff::Timestamp;

use mrdeck_core::uri::S3Uri;

/// A part of a list, and where the next part begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// To be handed back for the next page; `None` at the list's end.
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub name: String,
    pub created: Option<Timestamp>,
}

/// What lies directly below a prefix. Pages and the entries in them come in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Keys go on below it; it ends with `/`.
    Prefix(String),
    Object {
        key: String,
        size: u64,
        modified: Option<Timestamp>,
    },
}

impl Entry {
    /// The whole key, or the whole prefix.
    pub fn key(&self) -> &str {
        match self {
            Self::Prefix(key) | Self::Object { key, .. } => key,
        }
    }
}

/// What a call was about: errors name it.
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
