//! A local file put into S3: in parts when it is large, refused when it changes under way.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{BodyStream, Store, StoreError};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;
use ulid::Ulid;

use mrdeck_core::diagnostic::Diagnostic;

/// Read from the file at a time.
const PIECE: usize = 256 << 10;
/// How long one waits for the parts of an upload that was given up to be deleted.
const CLEARING: Duration = Duration::from_secs(10);

/// How far an upload is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadProgress {
    pub sent: u64,
    pub total: u64,
}

impl UploadProgress {
    /// Whole percents, 100 only once all of it is there.
    pub fn percent(self) -> u64 {
        let percent = u128::from(self.sent) * 100 / u128::from(self.total.max(1));
        u64::try_from(percent).unwrap_or(100)
    }
}

/// Hears of progress: once at the beginning, then as S3 takes the bytes.
pub type OnProgress<'a> = &'a (dyn Fn(UploadProgress) + Send + Sync);

/// Uploads the file to a key of its own. Dropped under way it leaves nothing, once the store has settled.
pub async fn upload(
    path: &Path,
    store: &dyn Store,
    bucket: &str,
    told: OnProgress<'_>,
) -> Result<S3Uri, Diagnostic> {
    let source = Source::open(path).await?;
    let key = format!("mr/uploads/{}/{}", Ulid::generate(), key_name(path));
    let target = S3Uri::new(bucket, &key)
        .map_err(|error| Diagnostic::new(error.to_string(), "check --bucket"))?;
    let total = source.version.size;
    told(UploadProgress { sent: 0, total });
    let sent = store
        .upload(&target, source.body(), &|sent| {
            told(UploadProgress { sent, total });
        })
        .await;
    sent.map(|_| target).map_err(Diagnostic::from)
}

/// Waits until an upload that was given up is cleared away, but not for ever.
pub async fn settle(store: &dyn Store) -> Result<(), Diagnostic> {
    timeout(CLEARING, store.settled()).await.map_err(|_| {
        Diagnostic::new(
            "the upload was given up, but S3 did not confirm that its parts are deleted",
            "look with 'aws s3api list-multipart-uploads --bucket BUCKET'",
        )
    })
}

/// What shows that a file is still the one that was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    size: u64,
    modified: Option<SystemTime>,
}

impl Version {
    fn of(meta: &std::fs::Metadata) -> Self {
        Self {
            size: meta.len(),
            // Without it the size alone has to do.
            modified: meta.modified().ok(),
        }
    }
}

struct Source {
    path: PathBuf,
    file: File,
    version: Version,
    read: u64,
}

impl Source {
    async fn open(path: &Path) -> Result<Self, Diagnostic> {
        let unreadable = |detail: String| {
            Diagnostic::new(
                format!("{} can't be read: {detail}", path.display()),
                "give s3://BUCKET/KEY or the path of a text file",
            )
        };
        let home = home_of(path);
        let path = home.as_deref().unwrap_or(path);
        // Before it is opened: to open a pipe is to wait for its other end.
        let meta = tokio::fs::metadata(path)
            .await
            .map_err(|error| unreadable(error.to_string()))?;
        if !meta.is_file() {
            return Err(unreadable("it is not a file".to_owned()));
        }
        if meta.len() == 0 {
            return Err(Diagnostic::new(
                format!("{} has 0 bytes: there is nothing to count", path.display()),
                "choose another file",
            ));
        }
        let open = async {
            let file = File::open(path).await?;
            let version = Version::of(&file.metadata().await?);
            Ok((file, version))
        };
        let (file, version) = open
            .await
            .map_err(|error: std::io::Error| unreadable(error.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            version,
            read: 0,
        })
    }

    /// The bytes the file had when it was opened, no more: one that grows all the time comes to an end, too.
    fn body(self) -> BodyStream {
        Box::pin(stream::try_unfold(self, |mut source| async move {
            let piece = source.next().await?;
            Ok((!piece.is_empty()).then_some((piece, source)))
        }))
    }

    async fn next(&mut self) -> Result<Bytes, StoreError> {
        let left = self.version.size - self.read;
        let limit = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
        let mut piece = BytesMut::with_capacity(limit);
        while piece.len() < limit {
            let mut rest = (&mut self.file).take((limit - piece.len()) as u64);
            match rest.read_buf(&mut piece).await {
                Ok(0) => return Err(self.changed()),
                Ok(_) => {}
                Err(error) => return Err(self.fault(&format!("can't be read: {error}"))),
            }
        }
        self.read += piece.len() as u64;
        if piece.is_empty() {
            let meta = self.file.metadata().await;
            if !meta.is_ok_and(|meta| Version::of(&meta) == self.version) {
                return Err(self.changed());
            }
        }
        Ok(piece.freeze())
    }

    fn changed(&self) -> StoreError {
        self.fault("changed while it was uploaded, so nothing was written")
    }

    fn fault(&self, what: &str) -> StoreError {
        StoreError::Source {
            detail: format!("{} {what}", self.path.display()),
        }
    }
}

/// `~/…` as people type it where no shell stands in between.
pub fn home_of(path: &Path) -> Option<PathBuf> {
    let rest = path.strip_prefix("~").ok()?;
    Some(etcetera::home_dir().ok()?.join(rest))
}

/// The file's name with what keys and shells stumble over made `_`.
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
        file.write_all(&vec![b'x'; 3 * PIECE / 2]).unwrap();
        let store = MemoryStore::with_bucket("b");
        let told = Mutex::new(Vec::new());
        let tell = |progress: UploadProgress| told.lock().unwrap().push(progress.sent);
        let uri = upload(file.path(), &store, "b", &tell).await.unwrap();
        assert_eq!(store.read(&uri).unwrap().len(), 3 * PIECE / 2);
        assert_eq!(*told.lock().unwrap(), [0, 3 * PIECE as u64 / 2]);
    }

    /// Opens the file, lets `change` happen to it, and reads on.
    async fn read_changed(change: impl FnOnce(&Path)) -> Result<u64, StoreError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![b'x'; 2 * PIECE]).unwrap();
        let mut source = Source::open(file.path()).await.unwrap();
        source.next().await?;
        change(file.path());
        while !source.next().await?.is_empty() {}
        Ok(source.read)
    }

    #[tokio::test]
    async fn a_file_that_changes_is_refused() {
        assert_eq!(read_changed(|_| {}).await, Ok(2 * PIECE as u64));
        let changes: [fn(&Path); 3] = [
            |path| std::fs::write(path, "short").unwrap(),
            |path| {
                let mut file = std::fs::File::options().append(true).open(path).unwrap();
                file.write_all(b"more").unwrap();
            },
            |path| {
                let file = std::fs::File::options().write(true).open(path).unwrap();
                file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
            },
        ];
        for change in changes {
            let found = read_changed(change).await.unwrap_err();
            assert!(found.to_string().contains("changed while"), "{found}");
        }
    }
}
