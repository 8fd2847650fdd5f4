//! The address of an object, `s3://BUCKET/KEY`: parsed once at the edge, then passed as a type.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The address of an object. The bucket and the key are never empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct S3Uri {
    bucket: String,
    key: String,
}

/// The error of a text that is not the address of an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum S3UriError {
    #[error("'{0}' is not an s3:// address; write s3://BUCKET/KEY")]
    Scheme(String),
    #[error("'{0}' names no bucket; write s3://BUCKET/KEY")]
    Bucket(String),
    #[error("'{0}' names a bucket but no object in it; write s3://BUCKET/KEY")]
    Key(String),
}

impl S3Uri {
    /// Creates an address from its parts.
    ///
    /// # Errors
    ///
    /// Returns an error if either part is empty, or if the bucket contains a slash or white space.
    pub fn new(bucket: &str, key: &str) -> Result<Self, S3UriError> {
        let text = || format!("s3://{bucket}/{key}");
        if bucket.is_empty() || bucket.contains('/') || bucket.chars().any(char::is_whitespace) {
            return Err(S3UriError::Bucket(text()));
        }
        if key.is_empty() {
            return Err(S3UriError::Key(text()));
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Returns the name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Returns the key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the address of another object in the same bucket.
    ///
    /// # Errors
    ///
    /// Returns an error if the key is empty.
    pub fn sibling(&self, key: &str) -> Result<Self, S3UriError> {
        Self::new(&self.bucket, key)
    }
}

impl FromStr for S3Uri {
    type Err = S3UriError;

    fn from_str(text: &str) -> Result<Self, S3UriError> {
        let rest = text
            .strip_prefix("s3://")
            .ok_or_else(|| S3UriError::Scheme(text.to_owned()))?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        Self::new(bucket, key)
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl TryFrom<String> for S3Uri {
    type Error = S3UriError;

    fn try_from(text: String) -> Result<Self, S3UriError> {
        text.parse()
    }
}

impl From<S3Uri> for String {
    fn from(uri: S3Uri) -> Self {
        uri.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_uri_is_a_bucket_and_a_key() {
        let uri: S3Uri = "s3://b/a/c d.txt".parse().expect("valid");
        assert_eq!((uri.bucket(), uri.key()), ("b", "a/c d.txt"));
        assert_eq!(uri.to_string(), "s3://b/a/c d.txt");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(matches!(
            "/tmp/x".parse::<S3Uri>(),
            Err(S3UriError::Scheme(_))
        ));
        assert!(matches!(
            "s3:///x".parse::<S3Uri>(),
            Err(S3UriError::Bucket(_))
        ));
        assert!(matches!("s3://b".parse::<S3Uri>(), Err(S3UriError::Key(_))));
        assert!(matches!(
            "s3://b/".parse::<S3Uri>(),
            Err(S3UriError::Key(_))
        ));
        assert!(matches!(
            "s3://b c/d".parse::<S3Uri>(),
            Err(S3UriError::Bucket(_))
        ));
    }
}
