//! A run's record on disk: one file a run, one event a line, written while it happens.

use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;

use super::event::{RunEvent, RunId};
use crate::trouble::Trouble;

/// Writes runs' events to `DIR/RUN.jsonl`. The file is opened with the first event.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    file: Option<File>,
}

impl Journal {
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            file: None,
        }
    }

    /// Appends one event. A run never fails for its record: the caller tells, and goes on without.
    pub(super) async fn write(&mut self, run: RunId, event: &RunEvent) -> Result<(), Trouble> {
        let path = self.dir.join(format!("{run}.jsonl"));
        self.append(&path, event).await.map_err(|error| {
            Trouble::new(
                format!(
                    "the run's record {} can't be written: {error}",
                    path.display()
                ),
                "the run goes on without it; check the disk's space and the folder's permissions",
            )
        })
    }

    async fn append(&mut self, path: &Path, event: &RunEvent) -> std::io::Result<()> {
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            tokio::fs::create_dir_all(&self.dir).await?;
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .await?;
            self.file.insert(file)
        };
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        file.write_all(&line).await?;
        file.flush().await
    }

    /// Makes sure that the record is on the disk.
    pub(super) async fn close(self) {
        if let Some(file) = self.file {
            // Every line has been flushed; a disk that fails now has nothing new to tell.
            let _ = file.sync_all().await;
        }
    }
}

/// The events of a recorded run, in order. A torn last line, left by a crash, is passed over.
pub fn read(dir: &Path, run: RunId) -> Result<Vec<RunEvent>, Trouble> {
    let path = dir.join(format!("{run}.jsonl"));
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Trouble::new(
            format!("the run's record {} can't be read: {error}", path.display()),
            "check the run's id",
        )
    })?;
    Ok(text
        .lines()
        .map_while(|line| serde_json::from_str(line).ok())
        .collect())
}
