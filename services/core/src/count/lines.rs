//! Reads a table of counts as it arrives, an entry at a time, in the one layout that this project writes.

use std::ops::Range;

use memchr::memchr2;

use super::tokens::MAX_WORD;

/// The longest line that is read, in bytes: the longest word, each of its bytes escaped as `\u00XX`, and its count.
const MAX_LINE: usize = 6 * MAX_WORD + 64;
/// What a line begins with.
const INDENT: &[u8] = b"  \"";
/// What is between a word and its count.
const COLON: &[u8] = b"\": ";

/// The error of bytes that are not in the layout.
///
/// They may be a table all the same: [`Counts::from_json`](super::table::Counts::from_json) reads any layout, and says
/// what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not laid out as a sorted table of one count per line")]
pub struct LayoutError;

/// What the bytes so far have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// One more entry: [`Lines::word`] and [`Lines::count`].
    Entry,
    /// No further whole entry: feed the next bytes, or call [`Lines::end`] if there are none.
    More,
    /// The table is complete. Any further byte is an error.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Opening,
    Line,
    Closed,
}

/// A table in the layout of [`Counts::to_json`](super::table::Counts::to_json): one entry per line, words in byte order,
/// none twice, no count of 0.
///
/// It takes memory for one piece and one line, whatever the size of the table.
#[derive(Debug)]
pub struct Lines {
    buffer: Vec<u8>,
    /// Where the next line begins.
    at: usize,
    /// How much of that line is known not to have the end of its word.
    seen: usize,
    /// Whether there is a backslash in what was seen.
    is_escaped: bool,
    state: State,
    /// The word of the current entry: its place in the buffer, or, if it was escaped, `unescaped`.
    word: Option<Range<usize>>,
    unescaped: String,
    count: u64,
    /// The word before the current one; `None` before the first.
    before: Option<Vec<u8>>,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            buffer: Vec::new(),
            at: 0,
            seen: 0,
            is_escaped: false,
            state: State::Opening,
            word: None,
            unescaped: String::new(),
            count: 0,
            before: None,
        }
    }
}

impl Lines {
    /// Takes the next bytes. The current entry is no longer available.
    pub fn feed(&mut self, piece: &[u8]) {
        self.keep_word();
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(piece);
    }

    /// Moves to the next entry.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes so far are not the beginning of a table in the layout.
    pub fn advance(&mut self) -> Result<Step, LayoutError> {
        if self.state == State::Opening && !self.open()? {
            return Ok(Step::More);
        }
        if self.state == State::Closed {
            return if self.at == self.buffer.len() {
                Ok(Step::End)
            } else {
                Err(LayoutError)
            };
        }
        self.line()
    }

    /// Checks that the table is complete, since no more bytes come.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not.
    pub fn end(&self) -> Result<(), LayoutError> {
        let is_whole = self.state == State::Closed && self.at == self.buffer.len();
        is_whole.then_some(()).ok_or(LayoutError)
    }

    /// Returns the current word. It is UTF-8.
    #[inline]
    pub fn word(&self) -> &[u8] {
        match &self.word {
            Some(place) => &self.buffer[place.clone()],
            None => self.unescaped.as_bytes(),
        }
    }

    /// Returns the current count.
    #[inline]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Reads the opening brace; returns whether it is there.
    fn open(&mut self) -> Result<bool, LayoutError> {
        self.state = match &self.buffer[..] {
            [] | [b'{'] => return Ok(false),
            [b'{', b'\n', ..] => State::Line,
            [b'{', b'}', ..] => State::Closed,
            _ => return Err(LayoutError),
        };
        self.at = 2;
        Ok(true)
    }

    /// Reads a line, if it is whole.
    fn line(&mut self) -> Result<Step, LayoutError> {
        let line = &self.buffer[self.at..];
        let indent = line.len().min(INDENT.len());
        if line[..indent] != INDENT[..indent] {
            return Err(LayoutError);
        }
        let Some(end) = self.word_end()? else {
            return Ok(Step::More);
        };
        let line = &self.buffer[self.at..];
        let rest = &line[end..];
        let colon = rest.len().min(COLON.len());
        if rest[..colon] != COLON[..colon] {
            return Err(LayoutError);
        }
        let Some((count, digits)) = number(&rest[colon..])? else {
            return Ok(Step::More);
        };
        let after = end + COLON.len() + digits;
        let state = match &line[after..] {
            [b',', b'\n', ..] => State::Line,
            [b'\n', b'}', ..] => State::Closed,
            [] | [b',' | b'\n'] => return Ok(Step::More),
            _ => return Err(LayoutError),
        };
        let place = self.at + INDENT.len()..self.at + end;
        self.keep_word();
        self.take_word(place)?;
        self.count = count;
        self.state = state;
        self.at += after + 2;
        self.seen = 0;
        Ok(Step::Entry)
    }

    /// Returns where the word of the line ends, relative to the line; `None` if that has not arrived.
    fn word_end(&mut self) -> Result<Option<usize>, LayoutError> {
        let line = &self.buffer[self.at..];
        let mut from = self.seen.max(INDENT.len());
        if self.seen == 0 {
            self.is_escaped = false;
        }
        while let Some(found) = line.get(from..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
            let found = from + found;
            if line[found] == b'"' {
                self.seen = found;
                return Ok(Some(found));
            }
            self.is_escaped = true;
            if found + 1 == line.len() {
                // The escaped byte has not arrived: the backslash is looked at again.
                self.seen = found;
                return Ok(None);
            }
            from = found + 2;
        }
        if line.len() > MAX_LINE {
            return Err(LayoutError);
        }
        self.seen = line.len();
        Ok(None)
    }

    /// Keeps the current word as the one before the next.
    fn keep_word(&mut self) {
        let word = match self.word.take() {
            Some(place) => &self.buffer[place],
            None if self.unescaped.is_empty() => return,
            None => self.unescaped.as_bytes(),
        };
        let before = self.before.get_or_insert_default();
        before.clear();
        before.extend_from_slice(word);
        self.unescaped.clear();
    }

    fn take_word(&mut self, place: Range<usize>) -> Result<(), LayoutError> {
        let raw = &self.buffer[place.clone()];
        if self.is_escaped {
            let quoted = &self.buffer[place.start - 1..=place.end];
            self.unescaped = serde_json::from_slice(quoted).map_err(|_| LayoutError)?;
        } else if raw.iter().any(|byte| *byte < b' ') || std::str::from_utf8(raw).is_err() {
            return Err(LayoutError);
        } else {
            self.word = Some(place);
        }
        let is_next = self
            .before
            .as_deref()
            .is_none_or(|before| before < self.word());
        is_next.then_some(()).ok_or(LayoutError)
    }
}

/// Reads a count above 0; returns it with the number of its digits. `None` if its end has not arrived.
fn number(text: &[u8]) -> Result<Option<(u64, usize)>, LayoutError> {
    let mut value = 0_u64;
    for (digits, byte) in text.iter().enumerate() {
        if !byte.is_ascii_digit() {
            return if value == 0 {
                Err(LayoutError)
            } else {
                Ok(Some((value, digits)))
            };
        }
        if digits > 0 && value == 0 {
            return Err(LayoutError);
        }
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(u64::from(byte - b'0')))
            .ok_or(LayoutError)?;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::super::table::Counts;
    use super::*;

    /// The entries of a table that comes in pieces of this size, if it is in the layout.
    fn read(text: &[u8], size: usize) -> Result<Vec<(String, u64)>, LayoutError> {
        let (mut lines, mut entries) = (Lines::default(), Vec::new());
        for piece in text.chunks(size) {
            lines.feed(piece);
            while lines.advance()? == Step::Entry {
                let word = String::from_utf8(lines.word().to_vec()).unwrap();
                entries.push((word, lines.count()));
            }
        }
        lines.end()?;
        Ok(entries)
    }

    fn json(pairs: &[(&str, u64)]) -> String {
        let mut counts = Counts::new();
        for (word, n) in pairs {
            counts.add(word, *n).unwrap();
        }
        counts.to_json()
    }

    #[test]
    fn what_is_written_is_read() {
        let pairs = [("", 1), ("a", 2), ("a\"\\\n", 3), ("é", u64::MAX - 9)];
        let text = json(&pairs);
        for size in 1..=text.len() {
            let expected = pairs.map(|(word, n)| (word.to_owned(), n));
            assert_eq!(read(text.as_bytes(), size).unwrap(), expected, "{size}");
        }
        assert_eq!(read(b"{}", 1).unwrap(), []);
    }

    #[test]
    fn any_other_layout_is_refused() {
        for text in [
            "",
            "{",
            "{\n}",
            "[]",
            " {}",
            "{}\n",
            "{} ",
            "{\"a\": 1}",
            "{\n  \"a\": 1}",
            "{\n  \"a\":1\n}",
            "{\n\t\"a\": 1\n}",
            "{\n  \"a\": 1\n}\n",
            "{\n  \"a\": 1\n}{}",
            "{\n  \"a\": 1,\n}",
            "{\n  \"a\": 0\n}",
            "{\n  \"a\": 01\n}",
            "{\n  \"a\": -1\n}",
            "{\n  \"a\": 1.0\n}",
            "{\n  \"a\": \n}",
            "{\n  \"a\": 18446744073709551616\n}",
            "{\n  \"a\": 1,\n  \"a\": 1\n}",
            "{\n  \"b\": 1,\n  \"a\": 1\n}",
            "{\n  \"a\": 1,\n  \"\\u0061\": 1\n}",
            "{\n  \"\": 1,\n  \"\": 1\n}",
            "{\n  \"\\x\": 1\n}",
            "{\n  \"a\tb\": 1\n}",
            "{\n  \"a\": 1",
            "{\n  \"a\": 1\n",
            "{\n  \"a",
        ] {
            for size in [1, 2, 3, 100] {
                assert_eq!(read(text.as_bytes(), size), Err(LayoutError), "{text}");
            }
        }
        assert_eq!(read(b"{\n  \"\xff\": 1\n}", 1), Err(LayoutError));
    }

    #[test]
    fn a_long_word_is_looked_through_once() {
        let word = "x".repeat(3 << 20);
        let text = json(&[(&word, 7)]);
        // Were each piece to begin anew, this would look at 36 GiB.
        assert_eq!(read(text.as_bytes(), 128).unwrap(), [(word, 7)]);
    }

    proptest! {
        #[test]
        fn it_reads_what_json_says(
            pairs in proptest::collection::btree_map(any::<String>(), 1..u64::MAX / 1_000, 0..20),
            size in 1..50_usize,
        ) {
            let pairs: Vec<_> = pairs.into_iter().collect();
            let borrowed: Vec<_> = pairs.iter().map(|(word, n)| (word.as_str(), *n)).collect();
            prop_assert_eq!(read(json(&borrowed).as_bytes(), size).unwrap(), pairs);
        }

        #[test]
        fn a_changed_byte_is_refused_or_means_what_json_says(
            pairs in proptest::collection::btree_map("[a-c\"\\\\]{0,3}", 1..200_u64, 1..6),
            at: proptest::sample::Index,
            byte: u8,
            size in 1..50_usize,
        ) {
            let pairs: Vec<_> = pairs.into_iter().collect();
            let borrowed: Vec<_> = pairs.iter().map(|(word, n)| (word.as_str(), *n)).collect();
            let mut text = json(&borrowed).into_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            if let Ok(entries) = read(&text, size) {
                let meant = Counts::from_json(&text).unwrap();
                let meant: Vec<_> = meant.sorted().into_iter().map(|(word, n)| (word.to_owned(), n)).collect();
                prop_assert_eq!(entries, meant);
            }
        }
    }
}
