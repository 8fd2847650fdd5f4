//! A sorted table on disk, for what does not fit in memory.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};

use super::arriving::Stop;
use super::error::Error;
use mrdeck_core::count::lines::{Lines, Step};
use mrdeck_core::count::merge::Source;
use mrdeck_core::count::table::Counts;

/// How much is read at a time, in bytes.
const BLOCK: usize = 64 << 10;

/// A table in a temporary file that has no name: nothing remains of it, however the service ends.
pub struct SortedRun {
    file: File,
    lines: Lines,
    block: Vec<u8>,
}

impl SortedRun {
    /// Writes a table out.
    pub fn of(counts: &Counts) -> Result<Self, Stop> {
        let file = write_out(counts).map_err(|source| Error::NoTemporaryFile { source })?;
        Ok(Self {
            file,
            lines: Lines::default(),
            block: vec![0; BLOCK],
        })
    }
}

fn write_out(counts: &Counts) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    for piece in counts.json_pieces() {
        file.write_all(&piece)?;
    }
    file.rewind()?;
    Ok(file)
}

/// What is read back is not what was written.
fn damaged() -> Stop {
    let source = io::Error::from(io::ErrorKind::InvalidData);
    Error::NoTemporaryFile { source }.into()
}

impl Source for SortedRun {
    type Error = Stop;

    fn advance(&mut self) -> Result<bool, Stop> {
        loop {
            match self.lines.advance() {
                Ok(Step::Entry) => return Ok(true),
                Ok(Step::More | Step::End) => {}
                Err(_) => return Err(damaged()),
            }
            let read = self.file.read(&mut self.block);
            let count = read.map_err(|source| Error::NoTemporaryFile { source })?;
            if count == 0 {
                return self.lines.end().map(|()| false).map_err(|_| damaged());
            }
            self.lines.feed(&self.block[..count]);
        }
    }

    fn word(&self) -> &[u8] {
        self.lines.word()
    }

    fn count(&self) -> u64 {
        self.lines.count()
    }
}
