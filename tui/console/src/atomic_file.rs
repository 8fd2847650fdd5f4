//! Writing a file whole or not at all, and never over another one unasked.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mrdeck_core::diagnostic::Diagnostic;
use tempfile::NamedTempFile;

/// Why a file was not written; nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("there is no folder {} to write {} into", .folder.display(), .path.display())]
    NoFolder { path: PathBuf, folder: PathBuf },
    #[error("{} exists already and was left as it is", .0.display())]
    Exists(PathBuf),
    #[error("{} could not be written: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl From<&SaveError> for Diagnostic {
    fn from(error: &SaveError) -> Self {
        let advice = match error {
            SaveError::NoFolder { .. } => "create it or choose another",
            SaveError::Exists(_) => "choose another name or remove it first",
            SaveError::Write { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "free some space or choose another disk"
                }
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "choose a folder that you may write to"
                }
                _ => "check the folder or choose another",
            },
        };
        Self::new(error.to_string(), advice)
    }
}

impl From<SaveError> for Diagnostic {
    fn from(error: SaveError) -> Self {
        Self::from(&error)
    }
}

/// Checks that [`write()`] has a place to write to; called before a run begins, so that a typo costs no run.
///
/// # Errors
///
/// Returns an error if the folder is missing, or if a file is there that must not be overwritten.
pub fn check(path: &Path, overwrite: bool) -> Result<(), SaveError> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(SaveError::NoFolder {
            path: path.to_owned(),
            folder: folder.to_owned(),
        });
    }
    // A dangling link counts as an existing file: writing would replace it.
    if path.is_dir() || (!overwrite && path.symlink_metadata().is_ok()) {
        return Err(SaveError::Exists(path.to_owned()));
    }
    Ok(())
}

/// Writes a file: complete under a temporary name first, then under its own.
///
/// # Errors
///
/// Returns what [`check()`] would, and what the operating system refused.
pub fn write(path: &Path, bytes: &[u8], overwrite: bool) -> Result<(), SaveError> {
    check(path, overwrite)?;
    // In the same folder, because a rename is only atomic within one file system.
    let mut file = new_file(folder_of(path)).map_err(|source| failed(path, source))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(|source| failed(path, source))?;
    let kept = if overwrite {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    kept.map(drop).map_err(|lost| match lost.error.kind() {
        io::ErrorKind::AlreadyExists => SaveError::Exists(path.to_owned()),
        _ => failed(path, lost.error),
    })
}

fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mrdeck-");
    // A temporary file is private by default; this one is ordinary, so the umask decides.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn failed(path: &Path, source: io::Error) -> SaveError {
    SaveError::Write {
        path: path.to_owned(),
        source,
    }
}

/// Returns the folder a file is in; a bare name is in the current one.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn an_existing_file_stays_unless_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counts.json");
        write(&path, b"one", false).unwrap();
        assert!(matches!(
            write(&path, b"two", false),
            Err(SaveError::Exists(_))
        ));
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        write(&path, b"two", true).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "no temporary file is left");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no/counts.json");
        let error = write(&missing, b"x", false).unwrap_err();
        assert!(matches!(error, SaveError::NoFolder { .. }), "{error}");
        assert!(Diagnostic::from(error).advice.contains("create it"));

        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = write(&file.join("counts.json"), b"x", true).unwrap_err();
        assert!(matches!(error, SaveError::NoFolder { .. }), "{error}");

        let taken = folder.path().join("folder.json");
        std::fs::create_dir(&taken).unwrap();
        assert!(matches!(check(&taken, true), Err(SaveError::Exists(_))));
        check(Path::new("a-name-that-is-free.json"), false).unwrap();
    }

    #[test]
    fn a_full_disk_is_reported_with_what_to_do() {
        let full = failed(Path::new("out.png"), io::ErrorKind::StorageFull.into());
        let told = Diagnostic::from(full);
        assert!(told.cause.contains("out.png"), "{told}");
        assert!(told.advice.contains("free some space"), "{told}");
    }
}
