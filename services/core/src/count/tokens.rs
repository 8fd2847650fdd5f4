//! Defines what a word is, and counts words in a stream of pieces.

use super::CountError;
use super::classify::{SPARE, edges, run_length, word_bits, word_bits_of_rest};
use super::key::{Key as _, Key8, Key16, MAX_SHORT};
use super::short::{BATCH, Batch};
use super::table::Counts;

/// The length of the longest word that is counted, in bytes (64 MiB); a longer word is [`CountError::WordTooLong`].
///
/// A word is held whole until it is looked up, so without a limit an input without separators would take as much
/// memory as it has bytes.
pub const MAX_WORD: usize = 64 << 20;

/// The lower-case form of each byte that is part of a word; 0 for every byte that separates words.
const LOWER: [u8; 256] = lower_table();

const fn lower_table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() || byte == b'\'' {
            table[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
}

/// Returns whether `byte` is part of a word: `[A-Za-z0-9']`. Every other byte separates words.
#[inline]
pub fn is_word_byte(byte: u8) -> bool {
    LOWER[usize::from(byte)] != 0
}

/// Counts the words of an input that comes in pieces; a word may span any number of them.
///
/// It holds the distinct words seen so far, and the word that the last piece left unfinished.
#[derive(Debug)]
pub struct WordCounter {
    counts: Counts,
    /// The unfinished word, in lower case; empty between words.
    word: Vec<u8>,
    /// Where the words of a window begin and end.
    edges: Vec<u16>,
    batch: Box<Batch>,
    limit: usize,
    /// The most bytes that the table may take, as estimated by [`Counts::footprint`].
    memory: u64,
}

/// The bytes in which words are looked for at a time: few enough for the nearest cache.
const WINDOW: usize = 4 << 10;

impl Default for WordCounter {
    fn default() -> Self {
        Self::new()
    }
}

impl WordCounter {
    /// Creates a counter without a limit on the table's memory.
    pub fn new() -> Self {
        Self::with_limit(MAX_WORD)
    }

    /// Creates a counter that fails with [`CountError::TableTooLarge`] if the table would take more than `memory` bytes.
    pub fn within(memory: u64) -> Self {
        Self {
            memory,
            ..Self::new()
        }
    }

    fn with_limit(limit: usize) -> Self {
        Self {
            counts: Counts::new(),
            word: Vec::new(),
            edges: vec![0; WINDOW + SPARE],
            batch: Box::new(Batch::new()),
            limit,
            memory: u64::MAX,
        }
    }

    /// Counts the next piece.
    ///
    /// # Errors
    ///
    /// Returns an error for a word that is too long, a table that is too large and an overflow; the counter must then be
    /// discarded.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), CountError> {
        let mut rest = piece;
        if !self.word.is_empty() {
            rest = self.carry_on(rest)?;
        }
        while !rest.is_empty() {
            let window = &rest[..rest.len().min(WINDOW)];
            let found = edges(window, &mut self.edges);
            self.count(rest, found / 2)?;
            if found.is_multiple_of(2) {
                rest = &rest[window.len()..];
                continue;
            }
            // The last word goes on beyond the window, so the next one begins with it.
            let unfinished = usize::from(self.edges[found - 1]);
            let is_last = window.len() == rest.len();
            rest = &rest[unfinished..];
            if is_last || unfinished == 0 {
                rest = self.carry_on(rest)?;
            }
        }
        Ok(())
    }

    /// Estimates the bytes that the table takes and is about to take, as [`Counts::footprint`] does.
    pub fn footprint(&self) -> u64 {
        self.counts.footprint()
    }

    /// Returns the counts, once the last piece has been fed.
    ///
    /// # Errors
    ///
    /// Returns an error as [`Self::feed`] does, for the last word.
    pub fn finish(mut self) -> Result<Counts, CountError> {
        if !self.word.is_empty() {
            self.end_word()?;
        }
        Ok(self.counts)
    }

    /// Counts the first `words` words of `text`, whose edges have been found.
    fn count(&mut self, text: &[u8], words: usize) -> Result<(), CountError> {
        let edges = std::mem::take(&mut self.edges);
        let (words, _) = edges[..2 * words].as_chunks::<2>();
        let counted = words
            .chunks(BATCH)
            .try_for_each(|batch| self.count_batch(text, batch));
        self.edges = edges;
        counted
    }

    fn count_batch(&mut self, text: &[u8], words: &[[u16; 2]]) -> Result<(), CountError> {
        let longest = self.limit.min(MAX_SHORT);
        let (mut eights, mut sixteens) = (0, 0);
        for (start, end) in words
            .iter()
            .map(|[start, end]| (usize::from(*start), usize::from(*end)))
        {
            let length = end - start;
            if length > longest {
                self.extend(&text[start..end])?;
                self.end_word()?;
            } else if length <= Key8::MAX {
                let key = Key8::of_word_bytes(bytes_from(text, start, length), length);
                self.batch.put_eight(eights, key);
                eights += 1;
            } else {
                let key = Key16::of_word_bytes(bytes_from(text, start, length), length);
                self.batch.put_sixteen(sixteens, key);
                sixteens += 1;
            }
        }
        self.batch.set_len(eights, sixteens);
        self.counts.add_batch(&mut self.batch, self.memory)
    }

    /// Continues the unfinished word; ends it if it ends before `rest` does. Returns what follows it.
    fn carry_on<'a>(&mut self, rest: &'a [u8]) -> Result<&'a [u8], CountError> {
        let (run, after) = rest.split_at(run_length(rest));
        self.extend(run)?;
        if !after.is_empty() {
            self.end_word()?;
        }
        Ok(after)
    }

    fn extend(&mut self, run: &[u8]) -> Result<(), CountError> {
        if self.word.len() + run.len() > self.limit {
            return Err(CountError::WordTooLong { limit: self.limit });
        }
        self.word.extend(run.iter().map(u8::to_ascii_lowercase));
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), CountError> {
        #[expect(
            clippy::expect_used,
            reason = "`word` holds bytes of words only, all of them ASCII"
        )]
        let word = std::str::from_utf8(&self.word).expect("ASCII");
        let before = self.counts.unique();
        self.counts.add(word, 1)?;
        self.word.clear();
        if self.counts.unique() > before {
            self.counts.check(self.memory)?;
        }
        Ok(())
    }
}

/// Returns the bytes from `start` on: a word of `length` bytes and what follows it, or NULs at the end of the text.
#[inline]
fn bytes_from<const N: usize>(text: &[u8], start: usize, length: usize) -> [u8; N] {
    let from = &text[start..];
    match from.first_chunk() {
        Some(bytes) => *bytes,
        None => padded(&from[..length]),
    }
}

/// Copies the last word of a text.
#[cold]
fn padded<const N: usize>(word: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[..word.len()].copy_from_slice(word);
    bytes
}

/// Counts the words that begin in a stream of pieces, without keeping any of them.
#[derive(Debug, Default)]
pub struct WordStarts {
    in_word: bool,
    seen: u64,
}

impl WordStarts {
    /// Takes the next piece and returns the number of words begun so far.
    pub fn feed(&mut self, piece: &[u8]) -> u64 {
        let mut carry = u64::from(self.in_word);
        let (blocks, rest) = piece.as_chunks();
        for block in blocks {
            let bits = word_bits(block);
            self.seen += u64::from((bits & !(bits << 1 | carry)).count_ones());
            carry = bits >> 63;
        }
        if !rest.is_empty() {
            let bits = word_bits_of_rest(rest);
            self.seen += u64::from((bits & !(bits << 1 | carry)).count_ones());
            carry = bits >> (rest.len() - 1);
        }
        self.in_word = carry & 1 == 1;
        self.seen
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn count(pieces: &[&[u8]]) -> Vec<(String, u64)> {
        let mut counter = WordCounter::new();
        for piece in pieces {
            counter.feed(piece).unwrap();
        }
        let counts = counter.finish().unwrap();
        counts
            .sorted()
            .into_iter()
            .map(|(word, n)| (word.to_owned(), n))
            .collect()
    }

    fn pairs(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
        expected
            .iter()
            .map(|(word, n)| ((*word).to_owned(), *n))
            .collect()
    }

    #[test]
    fn the_alphabet_is_letters_digits_and_the_apostrophe() {
        let words: Vec<u8> = (0..=255).filter(|b| is_word_byte(*b)).collect();
        assert_eq!(
            words,
            b"'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        );
    }

    #[test]
    fn case_is_folded_and_apostrophes_stay() {
        let text = b"Don't STOP, don't 'stop' 42 4-2 '";
        let expected = [
            ("'", 1),
            ("'stop'", 1),
            ("2", 1),
            ("4", 1),
            ("42", 1),
            ("don't", 2),
            ("stop", 1),
        ];
        assert_eq!(count(&[text]), pairs(&expected));
    }

    #[test]
    fn every_other_byte_separates() {
        let text = b"\xef\xbb\xbfone\r\ntwo\0three\xff\xfeone caf\xc3\xa9s";
        assert_eq!(
            count(&[text]),
            pairs(&[("caf", 1), ("one", 2), ("s", 1), ("three", 1), ("two", 1)])
        );
    }

    #[test]
    fn a_word_may_straddle_pieces() {
        assert_eq!(
            count(&[b"to", b"", b"MOR", b"row and", b" and"]),
            pairs(&[("and", 2), ("tomorrow", 1)])
        );
    }

    #[test]
    fn nothing_and_one_byte() {
        assert_eq!(count(&[]), pairs(&[]));
        assert_eq!(count(&[b" "]), pairs(&[]));
        assert_eq!(count(&[b"A"]), pairs(&[("a", 1)]));
    }

    #[test]
    fn a_word_of_ten_million_bytes_is_a_word() {
        let piece = vec![b'X'; 1_000_000];
        let counts = count(&[&piece[..]; 10]);
        assert_eq!(counts.len(), 1);
        assert_eq!((counts[0].0.len(), counts[0].1), (10_000_000, 1));
    }

    #[test]
    fn a_word_beyond_the_limit_is_refused_however_it_comes() {
        let too_long = Err(CountError::WordTooLong { limit: 4 });
        assert_eq!(WordCounter::with_limit(4).feed(b"abcd efgh"), Ok(()));
        assert_eq!(WordCounter::with_limit(4).feed(b"abcde"), too_long);
        let mut counter = WordCounter::with_limit(4);
        counter.feed(b"ab").unwrap();
        assert_eq!(counter.feed(b"cde"), too_long);
    }

    #[test]
    fn word_starts_are_counted_once_each() {
        let mut starts = WordStarts::default();
        assert_eq!(starts.feed(b" a bc d"), 3);
        assert_eq!(starts.feed(b"e f"), 4);
        assert_eq!(starts.feed(b""), 4);
    }
}
