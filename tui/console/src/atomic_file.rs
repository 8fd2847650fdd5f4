//! Writing a file whole or not at all, and never over another one unasked.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Why a file was not written; nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error(
        "there is no folder {} to write {} into; create it or choose another",
        .folder.display(),
        .path.display()
    )]
    NoFolder { path: PathBuf, folder: PathBuf },
    #[error(
        "{} exists already and was left as it is; choose another name or remove it first",
        .0.display()
    )]
    Exists(PathBuf),
    #[error("{} could not be written: {source}; {}", .path.display(), advice(.source))]
    Write { path: PathBuf, source: io::Error },
}

fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space or choose another disk"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "choose a folder that you may write to"
        }
        _ => "check the folder or choose another",
    }
}

/// Would [`write()`] have a place to write to? Asked before a run begins, so that a typo costs no run.
pub fn check(path: &Path, overwrite: bool) -> Result<(), SaveError> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(SaveError::NoFolder {
            path: path.to_owned(),
            folder: folder.to_owned(),
        });
    }
    // A dangling link counts as a file that is there: writing would replace it.
    if path.is_dir() || (!overwrite && path.symlink_metadata().is_ok()) {
        return Err(SaveError::Exists(path.to_owned()));
    }
    Ok(())
}

/// Writes a file: complete under a temporary name first, then under its own.
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

/// The folder a file is in; a bare name is in the current one.
fn folder_of(path: &Path) -> &Path {
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
    fn a_file_that_is_there_stays_unless_asked() {
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
        assert!(error.to_string().contains("create it"), "{error}");

        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = write(&file.join("counts.json"), b"x", true).unwrap_err();
        assert!(matches!(error, SaveError::NoFolder { .. }), "{error}");

        let taken = folder.path().join("folder.json");
        std::fs::create_dir(&taken).unwrap();
        assert!(matches!(check(&taken, true), Err(SaveError::Exists(_))));
        check(Path::new("a-name-that-nobody-uses.json"), false).unwrap();
    }

    #[test]
    fn a_full_disk_is_told_with_what_to_do() {
        let text = failed(Path::new("out.png"), io::ErrorKind::StorageFull.into()).to_string();
        assert!(
            text.contains("out.png") && text.contains("free some space"),
            "{text}"
        );
    }
}
