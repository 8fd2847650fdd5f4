//! The log that `--log FILE` asks for: what the program does, line by line, and nothing secret.
//!
//! Only mrdeck's own crates are recorded, whatever `MRDECK_LOG` says: the SDK's and the HTTP client's finer levels
//! show headers, and so signatures and session tokens. A thread of its own writes the file, so that a slow disk slows
//! nothing else down; where it can't keep up, lines are dropped.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use mrdeck_core::diagnostic::Diagnostic;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::{EnvFilter, FilterExt, ParseError, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::{fmt, registry};

use crate::atomic_file::folder_of;

/// The environment variable that says what is logged.
const FILTER: &str = "MRDECK_LOG";
const DEFAULT_FILTER: &str = "info";
/// How the names of our crates begin.
const OURS: &str = "mrdeck";

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("there is no folder {} for the log {}", .folder.display(), .path.display())]
    NoFolder { path: PathBuf, folder: PathBuf },
    #[error("the log {} is not a file", .0.display())]
    NotAFile(PathBuf),
    #[error("the log {} can't be written: {source}", .path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("{FILTER}={value} can't be used: {source}")]
    Filter { value: String, source: ParseError },
    #[error("{FILTER}={value} can't be used: it has other characters than those of a filter")]
    NotAFilter { value: String },
}

impl From<LogError> for Diagnostic {
    fn from(error: LogError) -> Self {
        let advice = match error {
            LogError::NoFolder { .. } => "create it or choose another with --log",
            LogError::NotAFile(_) => "choose a file with --log",
            LogError::Open { .. } => "choose a file that you may write to with --log",
            LogError::Filter { .. } | LogError::NotAFilter { .. } => {
                "give a level or levels by module, for instance debug, or info,mrdeck_engine=trace"
            }
        };
        Self::new(error.to_string(), advice)
    }
}

/// Starts the log. It ends, with everything written, when the guard is dropped.
///
/// # Errors
///
/// Returns an error if the file can't be appended to, or if the filter can't be read.
pub fn start(path: &Path) -> Result<WorkerGuard, LogError> {
    let filter =
        filter(std::env::var_os(FILTER).map(|value| value.to_string_lossy().into_owned()))?;
    let (writer, guard) = tracing_appender::non_blocking(open(path)?);
    let lines = fmt::layer()
        .with_ansi(false)
        .with_writer(writer)
        // It would report a full disk on the terminal, amid the dashboard.
        .log_internal_errors(false);
    let ours = filter_fn(|about| about.target().starts_with(OURS));
    let subscriber = registry().with(lines.with_filter(filter.and(ours)));
    // Fails only if a subscriber is set already, and this is the only place that sets one for these commands.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(guard)
}

fn filter(value: Option<String>) -> Result<EnvFilter, LogError> {
    let value = value.filter(|value| !value.is_empty());
    let value = value.unwrap_or_else(|| DEFAULT_FILTER.to_owned());
    if !value.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        return Err(LogError::NotAFilter { value });
    }
    EnvFilter::try_new(&value).map_err(|source| LogError::Filter { value, source })
}

/// Opens the file to append to it; a new one is the owner's alone.
fn open(path: &Path) -> Result<File, LogError> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(LogError::NoFolder {
            path: path.to_owned(),
            folder: folder.to_owned(),
        });
    }
    // Not even opened: a terminal would show the log, and a pipe would wait for a reader.
    if path.metadata().is_ok_and(|meta| !meta.is_file()) {
        return Err(LogError::NotAFile(path.to_owned()));
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|source| LogError::Open {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_filter_is_understood_or_refused() {
        for good in ["", "debug", "off", "info,mrdeck_engine=trace"] {
            assert!(filter(Some(good.to_owned())).is_ok(), "{good}");
        }
        assert!(filter(None).is_ok());
        for bad in [
            "mrdeck=loud",
            "info,=",
            "mrdeck=info=debug",
            "info\r",
            "\u{2603}",
        ] {
            let error = filter(Some(bad.to_owned())).expect_err(bad);
            assert!(error.to_string().contains(bad), "{error}");
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| Diagnostic::from(open(path).expect_err("no file")).cause;
        let missing = refused(&folder.path().join("no/mrdeck.log"));
        assert!(missing.contains("there is no folder"), "{missing}");
        let not_a_file = refused(folder.path());
        assert!(not_a_file.contains("is not a file"), "{not_a_file}");
        let device = refused(Path::new("/dev/null"));
        assert!(device.contains("is not a file"), "{device}");
    }
}
