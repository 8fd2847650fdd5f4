//! A folder of its own for each test: home, settings, state, and whatever files the test needs.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::console::Console;
use crate::wait_until;

pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A console whose home and working folder this is.
    pub fn console(&self) -> Console {
        Console::new(self.path())
    }

    /// The same with a local cluster of `mappers`, whose data is kept in `data`.
    pub fn local_console(&self, mappers: u32, command: &str) -> Console {
        let console = self.console().args([command, "--local-data", "data"]);
        console.arg(format!("--local={mappers}"))
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Where the local cluster keeps an object with a key of mrdeck's own: letters, digits, dots, hyphens.
    pub fn local_object(&self, key: &str) -> PathBuf {
        let encoded = |c: char| match c {
            'A'..='Z' => format!("%{:X}", u32::from(c)),
            _ => c.to_string(),
        };
        let name: String = key.chars().map(encoded).collect();
        self.file(&format!("data/objects/mrdeck/{name}%"))
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.file(name)).unwrap()
    }

    /// What is in the folder, in order.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Waits until the only recorded run has ended, however long that takes, as long as its record grows; returns it.
    pub fn ended_record(&self) -> Vec<Value> {
        let mut record = self.record();
        while record.last().is_none_or(|e| e["event"] != "run_finished") {
            let known = record.len();
            wait_until("more of the record", || self.record().len() > known);
            record = self.record();
        }
        record
    }

    /// The events of the only recorded run, as far as they are written.
    pub fn record(&self) -> Vec<Value> {
        let files = self.record_files();
        assert!(files.len() < 2, "more than one run: {files:?}");
        let text = files
            .first()
            .map(|file| std::fs::read_to_string(file).unwrap());
        let text = text.unwrap_or_default();
        // The last line may still be on its way.
        let (complete, _) = text.rsplit_once('\n').unwrap_or_default();
        complete
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }

    /// The records of runs: of a local cluster, or with fixed addresses.
    pub fn record_files(&self) -> Vec<PathBuf> {
        ["data/runs", "state/mrdeck/runs"]
            .iter()
            .filter_map(|folder| std::fs::read_dir(self.file(folder)).ok())
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect()
    }
}
