//! Adds map outputs up as they arrive: few of them as sorted streams, many in a table that goes to disk when it is full.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;

use super::arriving::{Arriving, Stop};
use super::error::Error;
use super::map_outputs::MapOutput;
use super::sorted_run::SortedRun;
use super::timing::{Part, Timings};
use mrdeck_core::api::OutputInfo;
use mrdeck_core::count::RULES;
use mrdeck_core::count::merge::{Source, Totals, merge};
use mrdeck_core::count::table::Counts;
use mrdeck_core::count::write::TableWriter;
use mrdeck_store::Store;

/// The most map outputs that are merged while they arrive, all at once. More than these are small, or the input is huge:
/// a table adds them up in fewer steps than a merge of so many would take.
const MERGED_AT_ONCE: usize = 16;
/// How many are fetched ahead of the one that is being added.
const FETCHED_AHEAD: usize = 32;
/// The largest map output of another layout than ours that is read, in bytes: it is held whole.
const MAX_UNSORTED: usize = 512 << 20;

/// What a request adds up, and with what.
#[derive(Clone)]
pub struct AddingUp {
    pub runtime: Handle,
    pub store: Arc<dyn Store>,
    pub inputs: Vec<MapOutput>,
    /// The memory that a table may take, in bytes.
    pub memory: u64,
    pub timings: Arc<Timings>,
}

impl AddingUp {
    /// Adds them up, and hands on the final table in pieces; returns what is to be said of it, but for its hash. It takes a while, and
    /// waits: it is for a thread of its own.
    pub fn run(self, pieces: &Sender<Bytes>, is_ours: bool) -> Result<OutputInfo, Stop> {
        let start = Instant::now();
        let waited = self.waited();
        let result = self.add_up(pieces, is_ours);
        let waited = self.waited().saturating_sub(waited);
        let timings = &self.timings;
        timings.add(Part::Count, start.elapsed().saturating_sub(waited));
        result
    }

    fn waited(&self) -> Duration {
        self.timings.spent(Part::Get) + self.timings.spent(Part::Put)
    }

    fn add_up(&self, pieces: &Sender<Bytes>, is_ours: bool) -> Result<OutputInfo, Stop> {
        let output = Pieces::new(pieces, &self.timings);
        let totals = if is_ours && self.inputs.len() <= MERGED_AT_ONCE {
            let mut sources: Vec<_> = self.inputs.iter().map(|input| self.open(input)).collect();
            output.merged(&mut sources)?
        } else {
            let (mut runs, table) = self.accumulated(is_ours)?;
            if runs.is_empty() {
                output.table(&table)?
            } else {
                runs.push(SortedRun::of(&table)?);
                drop(table);
                output.merged(&mut runs)?
            }
        };
        Ok(OutputInfo {
            words: Some(totals.words),
            unique: Some(totals.unique),
            files: Some(self.inputs.len() as u64),
            rules: Some(RULES),
            ..OutputInfo::default()
        })
    }

    fn open(&self, input: &MapOutput) -> Arriving {
        let (store, timings) = (self.store.clone(), self.timings.clone());
        Arriving::open(&self.runtime, store, input.clone(), timings)
    }

    /// Adds all of them up in a table; returns what had to go to disk meanwhile, and the rest.
    fn accumulated(&self, is_ours: bool) -> Result<(Vec<SortedRun>, Counts), Stop> {
        let (mut runs, mut table) = (Vec::new(), Counts::new());
        let mut next = self.inputs.iter();
        let mut ahead: VecDeque<_> = next
            .by_ref()
            .take(FETCHED_AHEAD)
            .map(|i| self.open(i))
            .collect();
        while let Some(mut arriving) = ahead.pop_front() {
            ahead.extend(next.next().map(|input| self.open(input)));
            let mut add = |word: &str, n| {
                table.add(word, n)?;
                if table.footprint() > self.memory {
                    runs.push(SortedRun::of(&table)?);
                    table = Counts::new();
                }
                Ok::<(), Stop>(())
            };
            if is_ours {
                while arriving.advance()? {
                    add(utf8(arriving.word())?, arriving.count())?;
                }
            } else {
                let (input, json) = arriving.whole(MAX_UNSORTED)?;
                let counts = Counts::from_json(&json).map_err(|source| Error::BadMapOutput {
                    uri: input.uri,
                    source,
                })?;
                counts.iter().try_for_each(|(word, n)| add(word, n))?;
            }
        }
        Ok((runs, table))
    }
}

/// The final table on its way out.
struct Pieces<'a> {
    sender: &'a Sender<Bytes>,
    timings: &'a Timings,
}

impl<'a> Pieces<'a> {
    fn new(sender: &'a Sender<Bytes>, timings: &'a Timings) -> Self {
        Self { sender, timings }
    }

    fn merged<S: Source<Error = Stop>>(&self, sources: &mut [S]) -> Result<Totals, Stop> {
        let mut writer = TableWriter::default();
        let totals = merge(sources, |word, n| {
            writer.push(utf8(word)?, n);
            writer.piece().map_or(Ok(()), |piece| self.send(piece))
        })?;
        self.send(writer.finish())?;
        Ok(totals)
    }

    fn table(&self, table: &Counts) -> Result<Totals, Stop> {
        let mut pieces = table.json_pieces();
        pieces.try_for_each(|piece| self.send(piece))?;
        Ok(Totals {
            words: table.words(),
            unique: table.unique(),
        })
    }

    fn send(&self, piece: Vec<u8>) -> Result<(), Stop> {
        let start = Instant::now();
        let sent = self.sender.blocking_send(piece.into());
        self.timings.add(Part::Put, start.elapsed());
        // Whoever asked is gone, or writing failed: either is known where the pieces go.
        sent.map_err(|_| {
            Stop::from(Error::Defect {
                detail: "the final counts have nowhere to go".to_owned(),
            })
        })
    }
}

/// A source's words are UTF-8; this is the proof to the compiler.
fn utf8(word: &[u8]) -> Result<&str, Stop> {
    std::str::from_utf8(word).map_err(|error| {
        Stop::from(Error::Defect {
            detail: error.to_string(),
        })
    })
}
