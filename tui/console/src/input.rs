//! What a run reads: an object, or a local file, which is uploaded first.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use mrdeck_core::uri::{S3Uri, S3UriError};
use mrdeck_store::Store;

use crate::upload::{self, OnProgress, UploadError, Uploaded};
use mrdeck_core::diagnostic::Diagnostic;

/// What was named as the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputChoice {
    Object(S3Uri),
    File(PathBuf),
}

/// Why a text names no input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    #[error("no input was named; give s3://BUCKET/KEY or the path of a local file")]
    Missing,
    #[error("{0}; a local file is given by its path")]
    Object(#[from] S3UriError),
}

impl From<InputError> for Diagnostic {
    fn from(error: InputError) -> Self {
        match error {
            InputError::Missing => Self::new(
                "no input was named",
                "give s3://BUCKET/KEY or the path of a local file",
            ),
            InputError::Object(error) => {
                Self::new(error.to_string(), "a local file is given by its path")
            }
        }
    }
}

impl FromStr for InputChoice {
    type Err = InputError;

    /// Reads an object's address where there is a scheme, else a path. Every character counts: blanks at the end of a
    /// name are part of it.
    fn from_str(text: &str) -> Result<Self, InputError> {
        if text.is_empty() {
            return Err(InputError::Missing);
        }
        if text.contains("://") {
            Ok(Self::Object(text.parse()?))
        } else {
            Ok(Self::File(PathBuf::from(text)))
        }
    }
}

impl InputChoice {
    /// Reads an argument of the command line. A path may be any bytes.
    ///
    /// # Errors
    ///
    /// Returns an error as [`Self::from_str`] does.
    pub fn from_argument(text: OsString) -> Result<Self, InputError> {
        match text.into_string() {
            Ok(text) => text.parse(),
            Err(path) => Ok(Self::File(path.into())),
        }
    }

    /// Returns whether this is the object that the choice stands for, or was uploaded as.
    pub fn became(&self, object: &S3Uri) -> bool {
        match self {
            Self::Object(uri) => uri == object,
            Self::File(path) => upload::is_upload_of(path, object.key()),
        }
    }

    /// Returns the object to run on; a local file is uploaded first unless it is there, as text or, with `as_bytes`, as
    /// it is.
    ///
    /// # Errors
    ///
    /// Returns why the file could not be uploaded.
    pub async fn resolve(
        &self,
        store: &dyn Store,
        bucket: Option<&str>,
        as_bytes: bool,
        on_progress: OnProgress<'_>,
    ) -> Result<Uploaded, UploadError> {
        match self {
            Self::Object(uri) => Ok(Uploaded {
                object: uri.clone(),
                is_reused: false,
                conversions: Vec::new(),
            }),
            Self::File(path) => {
                let bucket = bucket.ok_or_else(|| UploadError::NoBucket(path.clone()))?;
                upload::upload(path, store, bucket, as_bytes, on_progress).await
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
        let object = "s3://b/k ".parse::<InputChoice>().unwrap();
        assert_eq!(object.to_string(), "s3://b/k ");
        assert!(matches!(object, InputChoice::Object(_)));
        let file = "../a b.txt".parse::<InputChoice>().unwrap();
        assert!(matches!(file, InputChoice::File(_)));
        let blank = " a.txt ".parse::<InputChoice>().unwrap();
        assert_eq!(blank, InputChoice::File(" a.txt ".into()));
        for bad in ["", "http://x/y", "s3://b", " s3://b/k"] {
            assert!(bad.parse::<InputChoice>().is_err(), "{bad}");
        }
    }
}
