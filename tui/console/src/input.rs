//! What is chosen to be counted: objects in S3, or local files, which are uploaded first.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use mrdeck_core::uri::{S3Uri, S3UriError};
use mrdeck_engine::input::{Input, ObjectList, ObjectListError, ObjectPattern};
use mrdeck_engine::{FindError, Found, find};
use mrdeck_store::{Store, StoreError};

use crate::upload::{self, OnProgress, UploadError, UploadedDirectory};
use mrdeck_core::diagnostic::Diagnostic;

/// What was named as the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputChoice {
    S3(Input),
    /// A file, or a directory.
    Local(PathBuf),
    /// Two or more that are counted as one.
    Several(Vec<Self>),
}

/// Why a text names no input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    #[error("no input was named; give s3://BUCKET/KEY, s3://BUCKET/PREFIX/ or a local path")]
    Missing,
    #[error("{0}; a local file is given by its path")]
    Address(#[from] S3UriError),
}

impl From<InputError> for Diagnostic {
    fn from(error: InputError) -> Self {
        match error {
            InputError::Missing => Self::new(
                "no input was named",
                "give s3://BUCKET/KEY, s3://BUCKET/PREFIX/ or a local path",
            ),
            InputError::Address(error) => {
                Self::new(error.to_string(), "a local file is given by its path")
            }
        }
    }
}

impl FromStr for InputChoice {
    type Err = InputError;

    /// Reads an address in S3 where there is a scheme, else a path. Every character counts: blanks at the end of a name
    /// are part of it.
    fn from_str(text: &str) -> Result<Self, InputError> {
        if text.is_empty() {
            return Err(InputError::Missing);
        }
        if text.contains("://") {
            Ok(Self::S3(text.parse()?))
        } else {
            Ok(Self::Local(PathBuf::from(text)))
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
            Err(path) => Ok(Self::Local(path.into())),
        }
    }

    /// Returns the choice of all of these; `None` if there is none.
    pub fn of(choices: &[Self]) -> Option<Self> {
        match choices {
            [] => None,
            [one] => Some(one.clone()),
            several => Some(Self::Several(several.to_vec())),
        }
    }

    /// Returns whether this is the input that the choice stands for, or became.
    pub fn became(&self, input: &Input) -> bool {
        match (self, input) {
            (Self::S3(Input::Pattern { pattern }), Input::Object(object)) => {
                pattern.literal().as_ref() == Some(object)
            }
            (Self::S3(chosen), input) => chosen == input,
            (Self::Local(path), Input::Object(object)) => upload::is_upload_of(path, object.key()),
            (Self::Local(path), Input::Objects { directory, .. }) => {
                directory.as_deref() == Some(&*path.to_string_lossy())
            }
            (Self::Local(_), Input::Pattern { .. }) | (Self::Several(_), _) => false,
        }
    }

    /// Returns the bucket, if the choice has one.
    pub fn bucket(&self) -> Option<&str> {
        match self {
            Self::S3(input) => Some(input.bucket()),
            Self::Local(_) => None,
            Self::Several(choices) => choices.iter().find_map(Self::bucket),
        }
    }

    /// Returns what to run on; local files are uploaded first unless they are there, as text or, with `as_bytes`, as
    /// they are. What looks like a glob and is the key of an object is that object.
    ///
    /// # Errors
    ///
    /// Returns why a file could not be uploaded, or an object not be looked at.
    pub async fn resolve(
        &self,
        store: &dyn Store,
        bucket: Option<&str>,
        as_bytes: bool,
        on_progress: OnProgress<'_>,
    ) -> Result<Resolved, ResolveError> {
        match self {
            Self::Several(choices) => {
                let (mut objects, mut notes) = (Vec::new(), Vec::new());
                for choice in choices {
                    let resolving = choice.resolve(store, bucket, as_bytes, on_progress);
                    // Boxed, since it is of the kind that this is.
                    let Resolved { input, note } = Box::pin(resolving).await?;
                    notes.extend(note);
                    match input {
                        Input::Object(uri) => objects.push(uri),
                        Input::Objects { objects: list, .. } => objects.extend(Vec::from(list)),
                        Input::Pattern { pattern } => {
                            let found = all(store, &pattern).await?;
                            notes.extend(found.left_out_text(&pattern));
                            objects.extend(found.objects);
                        }
                    }
                }
                Ok(Resolved {
                    input: Input::Objects {
                        objects: ObjectList::new(objects)?,
                        directory: None,
                    },
                    note: (!notes.is_empty()).then(|| notes.join("; ")),
                })
            }
            Self::S3(input) => Ok(Resolved {
                input: literal(store, input).await?,
                note: None,
            }),
            Self::Local(path) => {
                let bucket = bucket.ok_or_else(|| UploadError::NoBucket(path.clone()))?;
                if upload::is_directory(path) {
                    let uploaded =
                        upload::upload_directory(path, store, bucket, as_bytes, on_progress);
                    let UploadedDirectory { objects, note } = uploaded.await?;
                    let input = Input::Objects {
                        objects,
                        directory: Some(path.to_string_lossy().into_owned()),
                    };
                    let note = Some(note);
                    return Ok(Resolved { input, note });
                }
                let uploaded = upload::upload(path, store, bucket, as_bytes, on_progress).await?;
                Ok(Resolved {
                    note: uploaded.note(&self.to_string()),
                    input: uploaded.object.into(),
                })
            }
        }
    }
}

/// Why a choice can't be counted.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    #[error(transparent)]
    Upload(#[from] UploadError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no object matches {0}")]
    NoMatch(ObjectPattern),
    #[error("{0} has more objects than a run can have chunks")]
    TooMany(ObjectPattern),
    #[error(transparent)]
    Several(#[from] ObjectListError),
}

impl From<ResolveError> for Diagnostic {
    fn from(error: ResolveError) -> Self {
        let advice = match &error {
            ResolveError::Upload(error) => return error.into(),
            ResolveError::Store(error) => return error.into(),
            ResolveError::NoMatch(_) => "check the address",
            ResolveError::TooMany(_) => "name fewer of them, or join small ones",
            ResolveError::Several(_) => "copy them into one, or count them in runs of their own",
        };
        Self::new(error.to_string(), advice)
    }
}

/// What a run is to read, and what was done to have it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    pub input: Input,
    /// In a sentence, if there is something to say.
    pub note: Option<String>,
}

/// Returns every object that a pattern stands for now.
async fn all(store: &dyn Store, pattern: &ObjectPattern) -> Result<Found, ResolveError> {
    match find(store, pattern, usize::MAX).await {
        Ok(found) if found.objects.is_empty() => Err(ResolveError::NoMatch(pattern.clone())),
        Ok(found) => Ok(found),
        Err(FindError::Store(error)) => Err(error.into()),
        Err(FindError::TooMany | FindError::CutShort) => {
            Err(ResolveError::TooMany(pattern.clone()))
        }
    }
}

/// Returns the object that has this very key, if there is one, else the pattern.
async fn literal(store: &dyn Store, input: &Input) -> Result<Input, StoreError> {
    let Input::Pattern { pattern } = input else {
        return Ok(input.clone());
    };
    let Some(object) = pattern.literal() else {
        return Ok(input.clone());
    };
    match store.head(&object).await {
        Ok(_) => Ok(object.into()),
        Err(StoreError::NoSuchKey { .. }) => Ok(input.clone()),
        Err(error) => Err(error),
    }
}

impl From<S3Uri> for InputChoice {
    fn from(object: S3Uri) -> Self {
        Self::S3(object.into())
    }
}

impl fmt::Display for InputChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3(input) => input.fmt(f),
            Self::Local(path) => path.display().fmt(f),
            Self::Several(choices) => write!(f, "{} inputs", choices.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use mrdeck_store::memory::MemoryStore;

    use super::*;

    #[test]
    fn a_scheme_makes_an_address_of_it() {
        let parse = |text: &str| text.parse::<InputChoice>().unwrap();
        let object = parse("s3://b/k ");
        assert_eq!(object.to_string(), "s3://b/k ");
        assert!(matches!(object, InputChoice::S3(Input::Object(_))));
        let folder = parse("s3://b/k/");
        assert!(matches!(folder, InputChoice::S3(Input::Pattern { .. })));
        let file = parse("../a b.txt");
        assert!(matches!(file, InputChoice::Local(_)));
        let blank = parse(" a.txt ");
        assert_eq!(blank, InputChoice::Local(" a.txt ".into()));
        for bad in ["", "http://x/y", "s3://b", " s3://b/k"] {
            assert!(bad.parse::<InputChoice>().is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn what_looks_like_a_glob_and_is_a_key_is_the_object() {
        let store = MemoryStore::with_bucket("b");
        let object: S3Uri = "s3://b/a[1].txt".parse().unwrap();
        store.put(&object, "one".into()).await.unwrap();
        let resolve = async |text: &str| {
            let choice: InputChoice = text.parse().unwrap();
            let resolved = choice.resolve(&store, None, false, &|_| {}).await;
            resolved.unwrap().input
        };
        assert_eq!(resolve("s3://b/a[1].txt").await, object.into());
        let glob = resolve("s3://b/a[2].txt").await;
        assert!(matches!(glob, Input::Pattern { .. }));
    }
}
