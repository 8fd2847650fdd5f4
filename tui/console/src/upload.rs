//! A local file put into S3: in parts when it is large, refused when it changes meanwhile.

mod local_file;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mrdeck_core::uri::{S3Uri, S3UriError};
use mrdeck_store::{Store, StoreError};
use tokio::time::timeout;
use ulid::Ulid;

use self::local_file::LocalFile;
use mrdeck_core::diagnostic::Diagnostic;

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
    #[error("there is no bucket to upload {} to", .0.display())]
    NoBucket(PathBuf),
    #[error(transparent)]
    Bucket(#[from] S3UriError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the upload was given up, but S3 did not confirm that its parts are deleted")]
    Unsettled,
}

impl From<&UploadError> for Diagnostic {
    fn from(error: &UploadError) -> Self {
        let advice = match error {
            UploadError::Store(error) => return error.into(),
            UploadError::Unreadable { .. } | UploadError::NotAFile(_) => {
                "give s3://BUCKET/KEY or the path of a text file"
            }
            UploadError::Empty(_) => "choose another file",
            UploadError::NoBucket(_) => "name one with --bucket, or give an s3:// input",
            UploadError::Bucket(_) => "check --bucket",
            UploadError::Unsettled => {
                "list them with 'aws s3api list-multipart-uploads --bucket BUCKET'"
            }
        };
        Self::new(error.to_string(), advice)
    }
}

impl From<UploadError> for Diagnostic {
    fn from(error: UploadError) -> Self {
        Self::from(&error)
    }
}

/// Uploads the file to a key of its own. If this is dropped meanwhile, nothing is left once the store has settled.
///
/// # Errors
///
/// Returns an error if the file can't be read, is empty or changes meanwhile, or if S3 refuses it.
pub async fn upload(
    path: &Path,
    store: &dyn Store,
    bucket: &str,
    on_progress: OnProgress<'_>,
) -> Result<S3Uri, UploadError> {
    let file = LocalFile::open(path).await?;
    let key = format!("mr/uploads/{}/{}", Ulid::generate(), key_name(path));
    let target = S3Uri::new(bucket, &key)?;
    let total = file.size();
    on_progress(UploadProgress { sent: 0, total });
    store
        .upload(&target, file.into_body(), &|sent| {
            on_progress(UploadProgress { sent, total });
        })
        .await?;
    tracing::info!(%target, bytes = total, "uploaded");
    Ok(target)
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
        let uri = upload(file.path(), &store, "b", &on_progress)
            .await
            .unwrap();
        assert_eq!(store.read(&uri).unwrap().len(), SIZE);
        assert_eq!(*told.lock().unwrap(), [0, SIZE as u64]);
    }
}
