//! Writing a file whole or not at all, and never over another one unasked.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Why a file was not written; nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("{0} is already there and is not overwritten: choose another name, or remove it first")]
    Exists(PathBuf),
    #[error("the folder of {0} does not exist: create it, or choose another place")]
    NoFolder(PathBuf),
    #[error(
        "{path} can't be written: {source}; check the disk's space and the folder's permissions"
    )]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// Would [`write_new`] have a place to write to?
pub fn check_new(path: &Path) -> Result<(), SaveError> {
    if !folder_of(path).is_dir() {
        return Err(SaveError::NoFolder(path.to_owned()));
    }
    if path.symlink_metadata().is_ok() {
        return Err(SaveError::Exists(path.to_owned()));
    }
    Ok(())
}

/// Writes a new file: complete under a temporary name first, then under its own.
pub fn write_new(path: &Path, contents: &[u8]) -> Result<(), SaveError> {
    check_new(path)?;
    let io = |source| SaveError::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = NamedTempFile::new_in(folder_of(path)).map_err(io)?;
    file.write_all(contents).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    file.persist_noclobber(path).map_err(|error| {
        if error.error.kind() == std::io::ErrorKind::AlreadyExists {
            SaveError::Exists(path.to_owned())
        } else {
            io(error.error)
        }
    })?;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_file_is_new_or_untouched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("counts.json");
        write_new(&path, b"one").unwrap();
        assert!(matches!(
            write_new(&path, b"two"),
            Err(SaveError::Exists(_))
        ));
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        let files = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(files, 1, "no temporary file is left");
        let nowhere = dir.path().join("no/such/folder.json");
        assert!(matches!(check_new(&nowhere), Err(SaveError::NoFolder(_))));
    }
}
