//! Sorts the words of a table, and hands them out in that order, as pairs or as JSON.

use super::key::{Key as _, Key16, MAX_SHORT};
use super::long::LongWords;
use super::short::ShortWords;
use super::write::TableWriter;

/// The bytes that sorting takes for each word.
pub(super) const PER_WORD: u64 = size_of::<Place>() as u64;

/// A word with its first bytes as a number, so that most words compare at once.
#[derive(Debug, Clone, Copy)]
struct Place {
    rank: u128,
    is: Is,
}

#[derive(Debug, Clone, Copy)]
enum Is {
    /// A short word, which is the rank, with its count: to look it up in the table is to wait for memory.
    Short(u64),
    /// The index of a long word.
    Long(usize),
}

/// All words of a table, in byte order.
#[derive(Debug)]
pub(super) struct Sorted<'a> {
    short: &'a ShortWords,
    long: &'a LongWords,
    places: Vec<Place>,
}

impl<'a> Sorted<'a> {
    pub(super) fn of(short: &'a ShortWords, long: &'a LongWords) -> Self {
        let mut places = Vec::with_capacity(short.len() + long.len());
        places.extend(short.ranks().map(|(rank, count)| Place {
            rank,
            is: Is::Short(count),
        }));
        places.extend(long.iter().enumerate().map(|(at, (word, _))| Place {
            rank: rank(word),
            is: Is::Long(at),
        }));
        places.sort_unstable_by_key(|place| place.rank);
        let mut sorted = Self {
            short,
            long,
            places: Vec::new(),
        };
        if long.len() > 0 {
            // Those with the same first bytes are in no order yet.
            let alike = places.chunk_by_mut(|a, b| a.rank == b.rank);
            for alike in alike.filter(|alike| alike.len() > 1) {
                alike.sort_unstable_by_key(|place| sorted.pair(*place).0);
            }
        }
        sorted.places = places;
        sorted
    }

    fn pair(&self, place: Place) -> (&'a str, u64) {
        match place.is {
            Is::Short(count) => (self.short.word(place.rank), count),
            Is::Long(at) => self.long.pair(at),
        }
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'a str, u64)> {
        self.places.iter().map(|place| self.pair(*place))
    }

    fn write(&self, place: Place, writer: &mut TableWriter) {
        match place.is {
            Is::Short(count) => {
                Key16::of_rank(place.rank).with_str(|word| writer.push(word, count));
            }
            Is::Long(at) => {
                let (word, count) = self.long.pair(at);
                writer.push(word, count);
            }
        }
    }
}

/// Returns the word's first bytes as a number. Where that is the same for two words, it tells nothing.
fn rank(word: &str) -> u128 {
    let mut first = [0; MAX_SHORT];
    let length = word.len().min(MAX_SHORT);
    first[..length].copy_from_slice(&word.as_bytes()[..length]);
    u128::from_be_bytes(first)
}

/// A table as JSON, in pieces of about 64 KiB; a piece ends after a word's line. Made by
/// [`Counts::json_pieces`](super::table::Counts::json_pieces).
#[derive(Debug)]
pub struct JsonPieces<'a> {
    sorted: Sorted<'a>,
    /// The words that have been written.
    written: usize,
    /// `None` behind the end.
    writer: Option<TableWriter>,
}

impl<'a> JsonPieces<'a> {
    pub(super) fn of(sorted: Sorted<'a>) -> Self {
        Self {
            sorted,
            written: 0,
            writer: Some(TableWriter::default()),
        }
    }
}

impl Iterator for JsonPieces<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let writer = self.writer.as_mut()?;
        while let Some(place) = self.sorted.places.get(self.written) {
            self.written += 1;
            self.sorted.write(*place, writer);
            if let Some(piece) = writer.piece() {
                return Some(piece);
            }
        }
        self.writer.take().map(TableWriter::finish)
    }
}
