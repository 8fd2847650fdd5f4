//! Sorts the words of a table, and writes it as JSON, piece by piece.

use super::long::LongWords;
use super::short::{MAX_SHORT, ShortWords};

/// The bytes that sorting takes for each word.
pub(super) const PER_WORD: u64 = size_of::<Place>() as u64;
/// The bytes after which a piece ends, at the end of a line.
const PIECE: usize = 64 << 10;

/// Where a word is, with its first bytes as a number, so that most words compare at once.
#[derive(Debug, Clone, Copy)]
struct Place {
    rank: u128,
    /// The slot of a short word; the index of a long one.
    at: usize,
    is_long: bool,
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
        places.extend(short.keys().map(|(at, key)| Place {
            rank: key.rank(),
            at,
            is_long: false,
        }));
        places.extend(long.iter().enumerate().map(|(at, (word, _))| Place {
            rank: rank(word),
            at,
            is_long: true,
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
        if place.is_long {
            self.long.pair(place.at)
        } else {
            self.short.pair(place.at)
        }
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'a str, u64)> {
        self.places.iter().map(|place| self.pair(*place))
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
    is_done: bool,
}

impl<'a> JsonPieces<'a> {
    pub(super) fn of(sorted: Sorted<'a>) -> Self {
        Self {
            sorted,
            written: 0,
            is_done: false,
        }
    }
}

impl Iterator for JsonPieces<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.is_done {
            return None;
        }
        let mut piece = String::with_capacity(PIECE + 128);
        if self.written == 0 {
            piece.push('{');
        }
        let mut digits = itoa::Buffer::new();
        while let Some(place) = self.sorted.places.get(self.written) {
            if piece.len() >= PIECE {
                return Some(piece);
            }
            let (word, n) = self.sorted.pair(*place);
            piece.push_str(if self.written == 0 { "\n  " } else { ",\n  " });
            push_json_string(&mut piece, word);
            piece.push_str(": ");
            piece.push_str(digits.format(n));
            self.written += 1;
        }
        piece.push_str(if self.written == 0 { "}" } else { "\n}" });
        self.is_done = true;
        Some(piece)
    }
}

fn push_json_string(json: &mut String, text: &str) {
    if text.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\') {
        json.push('"');
        json.push_str(text);
        json.push('"');
    } else {
        json.push_str(&serde_json::Value::from(text).to_string());
    }
}
