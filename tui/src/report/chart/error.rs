//! Why a chart was not written: the cause and the next step, one sentence each.

use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    #[error(
        "a chart can't be written to {}: its name ends in neither .png nor .svg; give it one of these endings",
        .0.display()
    )]
    Ending(PathBuf),
    #[error(
        "a chart can't be written to {}: there is no folder {}; create it or choose another",
        .path.display(),
        .folder.display()
    )]
    NoFolder { path: PathBuf, folder: PathBuf },
    #[error(
        "{} exists already and was left as it is; choose another name or remove it first",
        .0.display()
    )]
    Exists(PathBuf),
    #[error("the chart could not be written to {}: {source}; {}", .path.display(), advice(.source))]
    Write { path: PathBuf, source: io::Error },
    #[error(
        "there is nothing to draw yet: no part of the run has finished; try again once one has"
    )]
    NothingToDraw,
    #[error("the chart could not be drawn: {0}; please report this as a defect")]
    Drawing(String),
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
