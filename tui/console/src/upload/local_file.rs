//! A file on this machine, read from its beginning to the end that it had when it was opened; refused when it changes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::{UploadError, expand_home};

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

/// How far the reading of a file is, for those who don't read it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    read: AtomicU64,
    fault: OnceLock<String>,
}

impl Progress {
    /// Returns how many bytes of the file were read.
    pub(super) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Returns why the file itself could not be read to its end, if that is so.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.get().map(String::as_str)
    }

    /// Notes that the file is another than it was, and returns the error that says so.
    pub(super) fn changed(&self, path: &Path) -> io::Error {
        self.failed(
            path,
            "changed while it was uploaded, so nothing was written",
        )
    }

    fn failed(&self, path: &Path, what: &str) -> io::Error {
        let fault = format!("{} {what}", path.display());
        let fault = self.fault.get_or_init(|| fault);
        io::Error::other(fault.clone())
    }
}

/// Reads the bytes that the file had when it was opened, no more: one that grows all the time comes to an end, too.
#[derive(Debug)]
pub(super) struct LocalFile {
    path: PathBuf,
    file: File,
    version: Version,
    left: u64,
    progress: Arc<Progress>,
}

impl LocalFile {
    /// Opens a file that has at least one byte. This blocks.
    pub(super) fn open(path: &Path) -> Result<Self, UploadError> {
        let unreadable = |source| UploadError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let path = expand_home(path);
        let path = path.as_path();
        // Before it is opened: to open a pipe is to wait for its other end.
        let meta = std::fs::metadata(path).map_err(unreadable)?;
        if !meta.is_file() {
            return Err(UploadError::NotAFile(path.to_owned()));
        }
        if meta.len() == 0 {
            return Err(UploadError::Empty(path.to_owned()));
        }
        let file = File::open(path).map_err(unreadable)?;
        let version = Version::of(&file.metadata().map_err(unreadable)?);
        Ok(Self {
            path: path.to_owned(),
            file,
            version,
            left: version.size,
            progress: Arc::default(),
        })
    }

    /// Returns how many bytes the file had when it was opened.
    pub(super) fn size(&self) -> u64 {
        self.version.size
    }

    pub(super) fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    fn changed(&self) -> io::Error {
        self.progress.changed(&self.path)
    }

    fn fault(&self, what: &str) -> io::Error {
        self.progress.failed(&self.path, what)
    }
}

impl Read for LocalFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let meta = self.file.metadata();
            return if meta.is_ok_and(|meta| Version::of(&meta) == self.version) {
                Ok(0)
            } else {
                Err(self.changed())
            };
        }
        let room = usize::try_from(self.left).map_or(into.len(), |left| left.min(into.len()));
        let got = match self.file.read(&mut into[..room]) {
            Ok(0) if room > 0 => return Err(self.changed()),
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.fault(&format!("can't be read: {error}"))),
        };
        self.left -= got as u64;
        self.progress.read.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::io::Write;

    use super::*;

    const SIZE: usize = 1 << 20;

    /// Opens the file, lets `change` happen to it, and reads on.
    fn read_changed(change: impl FnOnce(&Path)) -> io::Result<u64> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![b'x'; SIZE]).unwrap();
        let mut source = LocalFile::open(file.path()).unwrap();
        source.read_exact(&mut [0; 1_000])?;
        change(file.path());
        let progress = source.progress();
        let rest = io::copy(&mut source, &mut io::sink());
        assert_eq!(rest.is_err(), progress.fault().is_some());
        rest.map(|_| progress.read())
    }

    #[test]
    fn a_file_that_changes_is_refused() {
        assert_eq!(read_changed(|_| {}).unwrap(), SIZE as u64);
        let changes: [fn(&Path); 3] = [
            |path| std::fs::write(path, "short").unwrap(),
            |path| {
                let mut file = File::options().append(true).open(path).unwrap();
                file.write_all(b"more").unwrap();
            },
            |path| {
                let file = File::options().write(true).open(path).unwrap();
                file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
            },
        ];
        for change in changes {
            let found = read_changed(change).unwrap_err();
            assert!(found.to_string().contains("changed while"), "{found}");
        }
    }
}
