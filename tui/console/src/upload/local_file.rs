//! A file on this machine as a body for S3: read piece by piece, refused when it changes meanwhile.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use mrdeck_store::{BodyStream, StoreError};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::{UploadError, home_of};

/// Bytes read from the file at a time.
const PIECE: usize = 256 << 10;

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

pub(super) struct LocalFile {
    path: PathBuf,
    file: File,
    version: Version,
    read: u64,
}

impl LocalFile {
    pub(super) async fn open(path: &Path) -> Result<Self, UploadError> {
        let unreadable = |source| UploadError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let home = home_of(path);
        let path = home.as_deref().unwrap_or(path);
        // Before it is opened: to open a pipe is to wait for its other end.
        let meta = tokio::fs::metadata(path).await.map_err(unreadable)?;
        if !meta.is_file() {
            return Err(UploadError::NotAFile(path.to_owned()));
        }
        if meta.len() == 0 {
            return Err(UploadError::Empty(path.to_owned()));
        }
        let file = File::open(path).await.map_err(unreadable)?;
        let version = Version::of(&file.metadata().await.map_err(unreadable)?);
        Ok(Self {
            path: path.to_owned(),
            file,
            version,
            read: 0,
        })
    }

    /// Returns how many bytes the file had when it was opened.
    pub(super) fn size(&self) -> u64 {
        self.version.size
    }

    /// Returns the bytes the file had when it was opened, no more: one that grows all the time comes to an end, too.
    pub(super) fn into_body(self) -> BodyStream {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::io::Write;

    use super::*;

    /// Opens the file, lets `change` happen to it, and reads on.
    async fn read_changed(change: impl FnOnce(&Path)) -> Result<u64, StoreError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![b'x'; 2 * PIECE]).unwrap();
        let mut source = LocalFile::open(file.path()).await.unwrap();
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
