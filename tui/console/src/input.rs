//! What a run reads: an object, or a local file that is uploaded first.

use std::fmt;
use std::path::PathBuf;

use mrdeck_core::uri::S3Uri;
use mrdeck_store::Store;

use crate::upload::{self, Told, key_name};
use mrdeck_core::diagnostic::Diagnostic;

/// What a person named as the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputChoice {
    Object(S3Uri),
    File(PathBuf),
}

impl InputChoice {
    /// `s3://…` is an object; everything else is a path.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Diagnostic::new(
                "no input was named",
                "give s3://BUCKET/KEY or the path of a local file",
            ));
        }
        match text.split_once("://") {
            Some(_) => {
                text.parse()
                    .map(Self::Object)
                    .map_err(|error: mrdeck_core::uri::S3UriError| {
                        Diagnostic::new(error.to_string(), "a local file is given by its path")
                    })
            }
            None => Ok(Self::File(PathBuf::from(text))),
        }
    }

    /// Is this the object that the choice stands for, or was uploaded as?
    pub fn became(&self, object: &S3Uri) -> bool {
        match self {
            Self::Object(uri) => uri == object,
            Self::File(path) => object.key().ends_with(&format!("/{}", key_name(path))),
        }
    }

    /// The object to run on; a local file is uploaded to a key of its own first.
    pub async fn resolve(
        &self,
        store: &dyn Store,
        bucket: Option<&str>,
        told: Told<'_>,
    ) -> Result<S3Uri, Diagnostic> {
        match self {
            Self::Object(uri) => Ok(uri.clone()),
            Self::File(path) => {
                let bucket = bucket.ok_or_else(|| {
                    Diagnostic::new(
                        format!("there is no bucket to upload {} to", path.display()),
                        "name one with --bucket, or give an s3:// input",
                    )
                })?;
                upload::upload(path, store, bucket, told).await
            }
        }
    }
}

impl fmt::Display for InputChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(uri) => uri.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_scheme_makes_an_object_of_it() {
        let object = InputChoice::parse(" s3://b/k ").unwrap();
        assert_eq!(object.to_string(), "s3://b/k");
        assert!(matches!(object, InputChoice::Object(_)));
        let file = InputChoice::parse("../a b.txt").unwrap();
        assert!(matches!(file, InputChoice::File(_)));
        for bad in ["", "  ", "http://x/y", "s3://b"] {
            assert!(InputChoice::parse(bad).is_err(), "{bad}");
        }
    }
}
