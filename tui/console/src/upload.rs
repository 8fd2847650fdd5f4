//! A local file put into S3: as text, in parts when it is large, refused when it changes meanwhile.

mod body;
mod local_file;
mod text;
mod transcode;
mod unpack;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mrdeck_core::uri::{S3Uri, S3UriError};
use mrdeck_store::{Store, StoreError};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use ulid::Ulid;

use self::local_file::{LocalFile, Progress};
pub use self::text::{Conversion, TextError};
use self::text::{Text, text_of};
use mrdeck_core::diagnostic::{Diagnostic, not_text};

/// How long to wait until the parts of an upload that was given up are deleted.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(10);

/// How far an upload is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadProgress {
    pub sent: u64,
    pub total: u64,
}

impl UploadProgress {
    /// Returns whole percents, 100 only once everything is sent.
    pub fn percent(self) -> u64 {
        let percent = u128::from(self.sent) * 100 / u128::from(self.total.max(1));
        u64::try_from(percent).unwrap_or(100)
    }
}

/// Called with the progress: once at the beginning, then as S3 takes the bytes.
pub type OnProgress<'a> = &'a (dyn Fn(UploadProgress) + Send + Sync);

/// Why a local file was not uploaded.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error("{} can't be read: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} can't be read: it is not a file", .0.display())]
    NotAFile(PathBuf),
    #[error("{} has 0 bytes: there is nothing to count", .0.display())]
    Empty(PathBuf),
    #[error("{} {source}", .path.display())]
    Text { path: PathBuf, source: TextError },
    #[error("there is no bucket to upload {} to", .0.display())]
    NoBucket(PathBuf),
    #[error(transparent)]
    Bucket(#[from] S3UriError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the upload was given up, but S3 did not confirm that its parts are deleted")]
    Unsettled,
    #[error("the reading of {} broke off", .0.display())]
    BrokeOff(PathBuf),
}

impl From<&UploadError> for Diagnostic {
    fn from(error: &UploadError) -> Self {
        let advice = match error {
            UploadError::Store(error) => return error.into(),
            UploadError::Text { path, source } => return of_text(path, source),
            UploadError::Unreadable { .. } | UploadError::NotAFile(_) => {
                "give s3://BUCKET/KEY or the path of a text file"
            }
            UploadError::Empty(_) => "choose another file",
            UploadError::NoBucket(_) => "name one with --bucket, or give an s3:// input",
            UploadError::Bucket(_) => "check --bucket",
            UploadError::Unsettled => {
                "list them with 'aws s3api list-multipart-uploads --bucket BUCKET'"
            }
            UploadError::BrokeOff(_) => "this is a defect: please report it",
        };
        Self::new(error.to_string(), advice)
    }
}

fn of_text(path: &Path, error: &TextError) -> Diagnostic {
    let path = path.display();
    match error {
        TextError::Unsupported(what) => not_text(&path.to_string(), what),
        TextError::UnsupportedInside { what, .. } => Diagnostic {
            cause: format!("{path} {error}"),
            ..not_text("", what)
        },
        TextError::Read(_) => Diagnostic::new(format!("{path} {error}"), "choose another file"),
        TextError::Unpack { how, .. } => {
            let tool = how.name();
            Diagnostic::new(
                format!("{path} {error}"),
                format!("nothing was written: get the file anew ('{tool} -t' checks it)"),
            )
        }
        TextError::EmptyInside(_) => {
            Diagnostic::new(format!("{path} {error}"), "choose another file")
        }
    }
}

impl From<UploadError> for Diagnostic {
    fn from(error: UploadError) -> Self {
        Self::from(&error)
    }
}

/// A file that is in S3 now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    pub object: S3Uri,
    /// What was done to the file's bytes to make text of them.
    pub conversions: Vec<Conversion>,
}

impl Uploaded {
    /// Returns what was done to the file `name`, in a sentence; `None` if it is in S3 as it is.
    pub fn note(&self, name: &str) -> Option<String> {
        let steps: Vec<String> = self.conversions.iter().map(ToString::to_string).collect();
        (!steps.is_empty()).then(|| format!("{name} was {}", steps.join(" and ")))
    }
}

/// Uploads the text of the file to a key of its own; with `as_bytes`, its bytes as they are. If this is dropped
/// meanwhile, nothing is left once the store has settled.
///
/// # Errors
///
/// Returns an error if the file can't be read, is empty, is not text or changes meanwhile, or if S3 refuses it.
pub async fn upload(
    path: &Path,
    store: &dyn Store,
    bucket: &str,
    as_bytes: bool,
    on_progress: OnProgress<'_>,
) -> Result<Uploaded, UploadError> {
    let to_open = path.to_owned();
    let opened = spawn_blocking(move || open(&to_open, as_bytes)).await;
    let broke_off = |_| UploadError::BrokeOff(path.to_owned());
    let (text, total, progress) = opened.map_err(broke_off)??;
    let name = uploaded_name(path, &text.conversions);
    let key = format!("mr/uploads/{}/{name}", Ulid::generate());
    let target = S3Uri::new(bucket, &key)?;
    on_progress(UploadProgress { sent: 0, total });
    let conversions = text.conversions;
    let (shown, read) = (path.to_owned(), progress.clone());
    let unpacked = conversions.first().copied();
    let fault = move |error: &io::Error| fault_text(&shown, &read, unpacked, error);
    let body = body::body(text.reader, fault);
    let is_converted = !conversions.is_empty();
    store
        .upload(&target, body, &|sent| {
            // What S3 has of a converted file says nothing of how much of the file that was.
            let sent = if is_converted { progress.read() } else { sent };
            on_progress(UploadProgress { sent, total });
        })
        .await?;
    tracing::info!(%target, bytes = total, "uploaded");
    Ok(Uploaded {
        object: target,
        conversions,
    })
}

/// Opens a file and looks at its beginning. Returns its text, its size, and how far it is read.
fn open(path: &Path, as_bytes: bool) -> Result<(Text, u64, Arc<Progress>), UploadError> {
    let file = LocalFile::open(path)?;
    let (size, progress) = (file.size(), file.progress());
    let text = if as_bytes {
        Text {
            reader: Box::new(file),
            conversions: Vec::new(),
        }
    } else {
        text_of(file).map_err(|source| UploadError::Text {
            path: path.to_owned(),
            source,
        })?
    };
    Ok((text, size, progress))
}

/// Says why the text of a file ended before its end.
fn fault_text(
    path: &Path,
    progress: &Progress,
    first: Option<Conversion>,
    error: &io::Error,
) -> String {
    let path = path.display();
    match (progress.fault(), first) {
        (Some(fault), _) => fault.to_owned(),
        (None, Some(Conversion::Unpacked(how))) => {
            let how = how.name();
            format!("{path} can't be unpacked from {how}: {error}; nothing was written")
        }
        (None, _) => format!("{path} can't be read as text: {error}; nothing was written"),
    }
}

/// Returns the name of an uploaded file: without the suffix of a compression that was undone.
fn uploaded_name(path: &Path, conversions: &[Conversion]) -> String {
    let is_unpacked = matches!(conversions.first(), Some(Conversion::Unpacked(_)));
    let name = is_unpacked.then(|| unpacked_name(path)).flatten();
    name.unwrap_or_else(|| key_name(path))
}

/// Returns the name that the file has once it is unpacked, if its name says that it is compressed.
fn unpacked_name(path: &Path) -> Option<String> {
    let suffix = path.extension()?.to_str()?.to_ascii_lowercase();
    let is_known = ["gz", "gzip", "bz2", "zst", "xz"].contains(&suffix.as_str());
    is_known.then(|| key_name(&path.with_extension("")))
}

/// Returns whether an upload of this file got this key.
pub fn is_upload_of(path: &Path, key: &str) -> bool {
    let names = [Some(key_name(path)), unpacked_name(path)];
    let name = key.rsplit('/').next();
    names.iter().flatten().any(|known| name == Some(known))
}

/// Waits until an upload that was given up is cleared away, but not for ever.
///
/// # Errors
///
/// Returns an error if S3 does not confirm it in time.
pub async fn settle(store: &dyn Store) -> Result<(), UploadError> {
    let settled = timeout(SETTLE_TIMEOUT, store.settled()).await;
    settled.map_err(|_| UploadError::Unsettled)
}

/// Returns what `~/…` means, which is typed where no shell expands it.
pub fn home_of(path: &Path) -> Option<PathBuf> {
    let rest = path.strip_prefix("~").ok()?;
    Some(etcetera::home_dir().ok()?.join(rest))
}

/// Returns the file's name, with `_` for what keys and shells don't take well.
pub fn key_name(path: &Path) -> String {
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

    use std::io::Write;
    use std::sync::Mutex;

    use mrdeck_store::memory::MemoryStore;

    use super::*;

    /// More than is read at a time.
    const SIZE: usize = 400_000;

    #[test]
    fn keys_are_tame() {
        assert_eq!(key_name(Path::new("/x/Hamlet, 1.txt")), "Hamlet__1.txt");
        assert_eq!(key_name(Path::new("..")), "");
    }

    #[test]
    fn percents_are_whole_and_never_too_many() {
        let percent = |sent, total| UploadProgress { sent, total }.percent();
        assert_eq!(
            (percent(0, 0), percent(299, 300), percent(300, 300)),
            (0, 99, 100)
        );
        assert_eq!(percent(u64::MAX, u64::MAX), 100);
    }

    #[tokio::test]
    async fn progress_begins_at_nothing_and_ends_at_all() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![b'x'; SIZE]).unwrap();
        let store = MemoryStore::with_bucket("b");
        let told = Mutex::new(Vec::new());
        let on_progress = |progress: UploadProgress| told.lock().unwrap().push(progress.sent);
        let uploaded = upload(file.path(), &store, "b", false, &on_progress)
            .await
            .unwrap();
        assert_eq!(store.read(&uploaded.object).unwrap().len(), SIZE);
        assert_eq!(*told.lock().unwrap(), [0, SIZE as u64]);
    }
}
