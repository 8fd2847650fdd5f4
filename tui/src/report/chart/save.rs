//! The chart's file: checked before a run, written whole or not at all.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::ChartError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Png,
    Svg,
}

impl Format {
    pub fn of(path: &Path) -> Result<Self, ChartError> {
        let ending = path.extension().map(OsStr::to_ascii_lowercase);
        match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("png") => Ok(Self::Png),
            Some("svg") => Ok(Self::Svg),
            _ => Err(ChartError::Ending(path.to_owned())),
        }
    }
}

pub fn check(path: &Path, overwrite: bool) -> Result<(), ChartError> {
    Format::of(path)?;
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(ChartError::NoFolder {
            path: path.to_owned(),
            folder: folder.to_owned(),
        });
    }
    if path.is_dir() {
        return Err(ChartError::Exists(path.to_owned()));
    }
    // A dangling link counts as a file that is there: writing would replace it.
    if !overwrite && path.symlink_metadata().is_ok() {
        return Err(ChartError::Exists(path.to_owned()));
    }
    Ok(())
}

pub fn save(path: &Path, bytes: &[u8], overwrite: bool) -> Result<(), ChartError> {
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
        io::ErrorKind::AlreadyExists => ChartError::Exists(path.to_owned()),
        _ => failed(path, lost.error),
    })
}

fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mrdeck-chart-");
    // A temporary file is private by default; a chart is an ordinary file, so the umask decides.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn failed(path: &Path, source: io::Error) -> ChartError {
    ChartError::Write {
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
mod tests;
