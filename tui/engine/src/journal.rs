//! A run's record on disk: one file a run, one event a line, written while it happens and synced behind it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use crate::event::RunEvent;
use crate::state::RunState;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::run_id::RunId;

const SUFFIX: &str = "jsonl";

/// Where the records of runs are kept.
#[derive(Debug, Clone)]
pub struct Journal {
    dir: PathBuf,
}

/// Why a record can't be written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("another mrdeck on this machine is at work on this run (its record {} is locked)", path.display())]
    Locked { path: PathBuf },
    #[error("the run's record {} can't be written: {source}", path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
}

impl JournalError {
    pub fn locked(journal: &Journal, run: RunId) -> Self {
        Self::Locked {
            path: journal.path(run),
        }
    }
}

impl From<&JournalError> for Diagnostic {
    fn from(error: &JournalError) -> Self {
        let advice = match error {
            JournalError::Locked { .. } => "watch it there, or end that console and try again",
            JournalError::Io { .. } => {
                "the run continues without it; check the disk's space and the folder's permissions"
            }
        };
        Self::new(error.to_string(), advice)
    }
}

/// Why a record can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadJournalError {
    #[error("the run's record {} can't be read: {source}", path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("line {line} of the run's record {} is damaged: {source}", path.display())]
    Damaged {
        /// Counted from 1.
        line: usize,
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("the run's record can't be read: {0}")]
    Task(#[from] JoinError),
}

impl From<&ReadJournalError> for Diagnostic {
    fn from(error: &ReadJournalError) -> Self {
        let advice = match error {
            ReadJournalError::Io { .. } => {
                "check the file's permissions, or move it away to resume from what is in S3"
            }
            ReadJournalError::Damaged { .. } => "move the file away to resume from what is in S3",
            ReadJournalError::Task(_) => "try again",
        };
        Self::new(error.to_string(), advice)
    }
}

impl From<ReadJournalError> for Diagnostic {
    fn from(error: ReadJournalError) -> Self {
        Self::from(&error)
    }
}

/// The record of one run, open for writing. Its lock keeps other consoles on this machine out.
#[derive(Debug)]
pub(crate) struct OpenJournal {
    path: PathBuf,
    file: File,
    /// A write failed: nothing more is written, but the lock is held to the end.
    is_broken: bool,
    /// Something was written since the last sync. Closed, it lets the syncing end.
    dirty: mpsc::Sender<()>,
    syncing: JoinHandle<std::io::Result<()>>,
}

impl Journal {
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    fn path(&self, run: RunId) -> PathBuf {
        self.dir.join(format!("{run}.{SUFFIX}"))
    }

    /// Opens `DIR/RUN.jsonl`, after removing a torn last line that a crash left.
    pub(crate) async fn open(&self, run: RunId) -> Result<OpenJournal, JournalError> {
        let path = self.path(run);
        let dir = self.dir.clone();
        let opening = path.clone();
        let opened = spawn_blocking(move || open(&dir, &opening)).await;
        let (file, synced) = opened
            .map_err(std::io::Error::other)
            .flatten()
            .map_err(|source| match source.kind() {
                std::io::ErrorKind::WouldBlock => JournalError::Locked { path: path.clone() },
                _ => JournalError::Io {
                    path: path.clone(),
                    source,
                },
            })?;
        let (dirty, mut changes) = mpsc::channel(1);
        let syncing = spawn_blocking(move || {
            // Whatever was written during one sync is covered by the next.
            while changes.blocking_recv().is_some() {
                synced.sync_data()?;
            }
            Ok(())
        });
        Ok(OpenJournal {
            path,
            file,
            is_broken: false,
            dirty,
            syncing,
        })
    }

    /// Returns the events of a recorded run, in order; `None` if it is not recorded here. A torn last line, left by a
    /// crash, is passed over.
    ///
    /// # Errors
    ///
    /// Returns why the file can't be read, or which line of it is damaged.
    pub fn read(&self, run: RunId) -> Result<Option<Vec<RunEvent>>, ReadJournalError> {
        let path = self.path(run);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ReadJournalError::Io { path, source }),
        };
        // What follows the last line's end is torn, perhaps in the middle of a character.
        let complete = bytes.iter().rposition(|byte| *byte == b'\n');
        let complete = complete.map_or(&[][..], |end| &bytes[..end]);
        let mut events = Vec::new();
        let lines = complete.split(|byte| *byte == b'\n');
        for (line, text) in (1..).zip(lines).filter(|_| !complete.is_empty()) {
            let event = serde_json::from_slice(text);
            events.push(event.map_err(|source| ReadJournalError::Damaged {
                line,
                path: path.clone(),
                source,
            })?);
        }
        Ok(Some(events))
    }

    /// Returns whether another console on this machine is writing the record of this run.
    pub fn is_at_work(&self, run: RunId) -> bool {
        let file = File::open(self.path(run));
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Returns the runs that are recorded here, the newest first; none if there is no such folder.
    ///
    /// # Errors
    ///
    /// Returns why the folder can't be read.
    pub fn runs(&self) -> Result<Vec<RunId>, ReadJournalError> {
        let failed = |source| ReadJournalError::Io {
            path: self.dir.clone(),
            source,
        };
        let entries = match std::fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            let id = name.to_str().and_then(|name| {
                let id = name.strip_suffix(SUFFIX)?.strip_suffix('.')?;
                id.parse::<RunId>().ok()
            });
            runs.extend(id);
        }
        runs.sort_unstable_by(|a, b| b.cmp(a));
        Ok(runs)
    }

    /// Returns a recorded run as it stands: one at which no console of this machine is at work has stopped. `None` if it is
    /// not recorded here, or not more than its file.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn state(&self, run: RunId) -> Result<Option<RunState>, ReadJournalError> {
        // First: a run that ends meanwhile has ended then.
        let is_at_work = self.is_at_work(run);
        let events = self.read(run)?.unwrap_or_default();
        let state = RunState::from_events(&events);
        Ok(state.map(|state| if is_at_work { state } else { state.stopped() }))
    }

    /// The newest run that is recorded here, if it stopped before its end and can go on. What can't be read is
    /// passed over: this only offers a run.
    pub fn unfinished(&self) -> Option<RunState> {
        let newest = *self.runs().ok()?.first()?;
        let record = self.state(newest).ok()??.stopped();
        (record.can_resume() && !record.chunks.is_empty() && !self.is_at_work(newest))
            .then_some(record)
    }
}

fn open(dir: &Path, path: &Path) -> std::io::Result<(File, File)> {
    std::fs::create_dir_all(dir)?;
    let mut file = OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(std::io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let end = end_of_last_line(&mut file)?;
    if end < file.metadata()?.len() {
        file.set_len(end)?;
    }
    if end == 0 {
        // So that a crash does not lose the file's name. Not every system can do that to a folder.
        let _ = File::open(dir).and_then(|dir| dir.sync_all());
    }
    let synced = file.try_clone()?;
    Ok((file, synced))
}

/// Where the last complete line ends.
fn end_of_last_line(file: &mut File) -> std::io::Result<u64> {
    const STEP: u64 = 64 << 10;
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(STEP);
        let mut piece = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.take(end - start).read_to_end(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

impl OpenJournal {
    /// Appends one event. A run never fails for its record: the caller says so once, and continues without it.
    pub(crate) fn write(&mut self, event: &RunEvent) -> Result<(), JournalError> {
        if self.is_broken {
            return Ok(());
        }
        let appended = serde_json::to_vec(event)
            .map_err(std::io::Error::from)
            .and_then(|mut line| {
                line.push(b'\n');
                self.file.write_all(&line)
            });
        // Full: a sync is due anyway. Closed: the disk failed, which is told at the end.
        let _ = self.dirty.try_send(());
        self.is_broken = appended.is_err();
        appended.map_err(|source| JournalError::Io {
            path: self.path.clone(),
            source,
        })
    }

    /// Makes sure that the record is on the disk.
    pub(crate) async fn close(self) -> Result<(), JournalError> {
        let Self {
            path,
            file,
            dirty,
            syncing,
            ..
        } = self;
        drop(dirty);
        let synced = syncing.await.map_err(std::io::Error::other).flatten();
        drop(file);
        synced.map_err(|source| JournalError::Io { path, source })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use jiff::Timestamp;

    use super::*;
    use crate::event::EventKind;

    fn event(lease: u32) -> RunEvent {
        RunEvent {
            at: Timestamp::UNIX_EPOCH,
            kind: EventKind::LeaseTaken { lease },
        }
    }

    #[tokio::test]
    async fn a_torn_last_line_is_passed_over_and_then_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, run) = (Journal::new(dir.path()), RunId::generate());
        assert_eq!(journal.read(run).unwrap(), None);
        let mut open = journal.open(run).await.unwrap();
        open.write(&event(1)).unwrap();
        open.close().await.unwrap();

        let path = journal.path(run);
        let whole = std::fs::read(&path).unwrap();
        let half_a_character = "…".as_bytes()[..1].to_vec();
        let torn = (1..whole.len()).map(|cut| whole[..cut].to_vec());
        for torn in torn.chain([half_a_character]) {
            std::fs::write(&path, [whole.clone(), torn.clone()].concat()).unwrap();
            assert_eq!(journal.read(run).unwrap().unwrap(), [event(1)]);
            let mut open = journal.open(run).await.unwrap();
            open.write(&event(2)).unwrap();
            open.close().await.unwrap();
            let events = journal.read(run).unwrap().unwrap();
            assert_eq!(events, [event(1), event(2)], "{torn:?}");
        }
        std::fs::write(&path, [b"{}\n", whole.as_slice()].concat()).unwrap();
        let error = journal.read(run).unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
    }

    #[tokio::test]
    async fn a_record_is_one_console_s_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, run) = (Journal::new(dir.path()), RunId::generate());
        let open = journal.open(run).await.unwrap();
        let refused = journal.open(run).await;
        assert!(matches!(refused, Err(JournalError::Locked { .. })));
        open.close().await.unwrap();
        assert!(journal.open(run).await.is_ok());
    }
}
