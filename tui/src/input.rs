//! What a run reads: an object, or a local file that is uploaded first.

use std::fmt;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use mrdeck_services::store::{Store, StoreError};
use mrdeck_services::uri::S3Uri;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use ulid::Ulid;

use crate::engine::objects::store_trouble;
use crate::figures::bytes;
use crate::trouble::Trouble;

/// Read from the file at a time.
const PIECE: usize = 256 << 10;

/// What a person named as the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputChoice {
    Object(S3Uri),
    File(PathBuf),
}

impl InputChoice {
    /// `s3://…` is an object; everything else is a path.
    pub fn parse(text: &str) -> Result<Self, Trouble> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Trouble::new(
                "no input was named",
                "give s3://BUCKET/KEY or the path of a local file",
            ));
        }
        match text.split_once("://") {
            Some(_) => {
                text.parse()
                    .map(Self::Object)
                    .map_err(|error: mrdeck_services::uri::S3UriError| {
                        Trouble::new(error.to_string(), "a local file is given by its path")
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
    pub async fn resolve(&self, store: &dyn Store, bucket: Option<&str>) -> Result<S3Uri, Trouble> {
        match self {
            Self::Object(uri) => Ok(uri.clone()),
            Self::File(path) => {
                let bucket = bucket.ok_or_else(|| {
                    Trouble::new(
                        format!("there is no bucket to upload {} to", path.display()),
                        "name one with --bucket, or give an s3:// input",
                    )
                })?;
                upload(path, store, bucket).await
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

async fn upload(path: &Path, store: &dyn Store, bucket: &str) -> Result<S3Uri, Trouble> {
    let unreadable = |detail: String| {
        Trouble::new(
            format!("{} can't be read: {detail}", path.display()),
            "give s3://BUCKET/KEY or the path of a text file",
        )
    };
    let file = File::open(path)
        .await
        .map_err(|e| unreadable(e.to_string()))?;
    let meta = file
        .metadata()
        .await
        .map_err(|e| unreadable(e.to_string()))?;
    if !meta.is_file() {
        return Err(unreadable("it is not a file".to_owned()));
    }
    if meta.len() == 0 {
        return Err(Trouble::new(
            format!("{} has 0 bytes: there is nothing to count", path.display()),
            "choose another file",
        ));
    }
    let key = format!("mr/uploads/{}/{}", Ulid::generate(), key_name(path));
    let target = S3Uri::new(bucket, &key)
        .map_err(|error| Trouble::new(error.to_string(), "check --bucket"))?;
    let local = target.clone();
    let body = stream::try_unfold(file, move |mut file| {
        let at = local.clone();
        async move {
            let piece = read_piece(&mut file)
                .await
                .map_err(|error| StoreError::Other {
                    uri: at,
                    detail: format!("the local file can't be read: {error}"),
                })?;
            Ok((!piece.is_empty()).then_some((piece, file)))
        }
    });
    let written = store
        .put_stream(&target, Box::pin(body))
        .await
        .map_err(|error| store_trouble(&error))?;
    if written != meta.len() {
        return Err(Trouble::new(
            format!(
                "{} changed while it was uploaded ({} instead of {})",
                path.display(),
                bytes(written),
                bytes(meta.len())
            ),
            "try again when nobody writes it any more",
        ));
    }
    Ok(target)
}

async fn read_piece(file: &mut File) -> std::io::Result<Bytes> {
    let mut piece = BytesMut::with_capacity(PIECE);
    while piece.len() < PIECE && file.read_buf(&mut piece).await? > 0 {}
    Ok(piece.freeze())
}

/// The file's name with what keys and shells stumble over made `_`.
fn key_name(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy())
        .unwrap_or_default();
    name.chars()
        .map(|c| match c {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | '-' => c,
            _ => '_',
        })
        .take(80)
        .collect()
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

    #[test]
    fn keys_are_tame() {
        assert_eq!(key_name(Path::new("/x/Hamlet, 1.txt")), "Hamlet__1.txt");
        assert_eq!(key_name(Path::new("..")), "");
    }
}
