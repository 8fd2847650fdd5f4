//! Why the local cluster can't do something: the typed error, and the diagnostic made of it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use mrdeck_client::HttpClientError;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::TaskId;
use mrdeck_store::StoreError;

use crate::object_store::StartError;
use crate::settings::MAX_LOCAL_MAPPERS;

const OTHER_FOLDER: &str =
    "check the folder's permissions and space, or choose another with --local-data DIR";

#[derive(Debug, thiserror::Error)]
pub(crate) enum LocalError {
    #[error("the local cluster can't keep its data in {}: {source}", .folder.display())]
    Data { folder: PathBuf, source: io::Error },
    /// Two consoles writing through one folder would overwrite each other's temporary files.
    #[error("another mrdeck already runs a local cluster on {}", .0.display())]
    Locked(PathBuf),
    #[error(transparent)]
    ObjectStore(#[from] StartError),
    #[error("the embedded S3 server can't keep the sample text: {0}")]
    Sample(#[source] StoreError),
    #[error("this program's own file, which has the services in it, is unknown: {0}")]
    Program(#[source] io::Error),
    #[error(transparent)]
    Http(#[from] HttpClientError),
    #[error("the local {task} did not start: {}", .last_words.as_deref().unwrap_or("it said nothing"))]
    NotStarted {
        task: TaskId,
        last_words: Option<String>,
        logs: PathBuf,
    },
    #[error("{count} processes would only measure this machine")]
    TooMany { role: Role, count: u32 },
    #[error("not more in {} s", .0.as_secs())]
    Late(Duration),
    #[error("{0} is not running any more")]
    Ended(TaskId),
    #[error("{0} has no log")]
    NoLog(TaskId),
}

impl From<LocalError> for Diagnostic {
    fn from(error: LocalError) -> Self {
        let text = error.to_string();
        let advice = match error {
            LocalError::Http(error) => return error.into(),
            LocalError::Data { .. } => OTHER_FOLDER,
            LocalError::Locked(_) => "end that one, or choose another folder with --local-data DIR",
            LocalError::ObjectStore(_) => {
                "check the folder's permissions, or choose another with --local-data DIR"
            }
            LocalError::Sample(StoreError::Unreachable { .. }) => {
                "it listens on 127.0.0.1: check that this machine's loopback network is up"
            }
            LocalError::Sample(_) => {
                "check that the disk has space, or use another folder with --local-data DIR"
            }
            LocalError::Program(_) => "start mrdeck by its full path",
            LocalError::NotStarted { logs, .. } => {
                return Self::new(text, format!("its log is in {}", logs.display()));
            }
            LocalError::TooMany { role, .. } => {
                let advice = format!("the local cluster runs {MAX_LOCAL_MAPPERS} {role}s at most");
                return Self::new(text, advice);
            }
            LocalError::Late(_) => "l on a task shows its log",
            LocalError::Ended(_) | LocalError::NoLog(_) => "choose another task",
        };
        Self::new(text, advice)
    }
}
