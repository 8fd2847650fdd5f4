//! Cuts an input into byte ranges, and determines which bytes each range owns.

use std::ops::Range;

use super::tokens::is_word_byte;

/// Cuts `size` bytes into `n` ranges whose lengths differ by at most one; together they are `0..size`.
///
/// An `n` of 0 counts as 1. With more ranges than bytes, some are empty.
pub fn cuts(size: u64, n: u32) -> Vec<Range<u64>> {
    let n = u64::from(n.max(1));
    // The first `longer` ranges have one byte more; unlike `size * i / n` this can't overflow.
    let (length, longer) = (size / n, size % n);
    let start = |i: u64| i * length + i.min(longer);
    (0..n).map(|i| start(i)..start(i + 1)).collect()
}

/// Picks the bytes that a range owns out of the input's bytes as they stream by.
///
/// A range owns its bytes, except that a word belongs whole to the range in which it begins. So the
/// ranges of any partition own every byte of the input exactly once, and no word is ever cut.
#[derive(Debug)]
pub struct OwnedRange {
    end: u64,
    /// The offset in the input of the next byte to feed.
    at: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The next byte is the last before the range: it tells whether the range begins inside a word.
    LookBack,
    /// Inside a word that began before the range.
    Skip,
    /// Inside the owned bytes; `in_word` tells whether the last byte was part of a word.
    Own {
        in_word: bool,
    },
    Done,
}

impl OwnedRange {
    /// Creates a filter for a range of an input. The bytes to feed begin at [`Self::first`].
    pub fn new(range: Range<u64>) -> Self {
        let state = match range.start {
            _ if range.is_empty() => State::Done,
            0 => State::Own { in_word: false },
            _ => State::LookBack,
        };
        Self {
            end: range.end,
            at: range.start.saturating_sub(1),
            state,
        }
    }

    /// Returns the offset of the first byte to feed: the one before the range, or the input's first.
    pub fn first(range: &Range<u64>) -> u64 {
        range.start.saturating_sub(1)
    }

    /// Takes the next piece of the input and returns the part of it that the range owns, possibly empty.
    pub fn feed(&mut self, piece: &[u8]) -> Range<usize> {
        let mut owned: Option<Range<usize>> = None;
        let mut index = 0;
        while index < piece.len() && self.state != State::Done {
            let (state, taken) = self.step(&piece[index..]);
            if let State::Own { .. } = self.state {
                let start = owned.map_or(index, |range| range.start);
                owned = Some(start..index + taken);
            }
            self.state = state;
            self.at += taken as u64;
            index += taken;
        }
        owned.unwrap_or(0..0)
    }

    /// Returns whether the range owns none of the remaining bytes, so that reading can stop.
    pub fn is_done(&self) -> bool {
        match self.state {
            State::Done => true,
            State::LookBack => false,
            State::Skip => self.at >= self.end,
            State::Own { in_word } => self.at >= self.end && !in_word,
        }
    }

    /// Consumes as many bytes of `rest` (never empty) as the state covers; returns the next state and their number.
    fn step(&self, rest: &[u8]) -> (State, usize) {
        let inside = usize::try_from(self.end.saturating_sub(self.at))
            .unwrap_or(usize::MAX)
            .min(rest.len());
        match self.state {
            State::LookBack if is_word_byte(rest[0]) => (State::Skip, 1),
            State::LookBack => (State::Own { in_word: false }, 1),
            State::Skip if inside == 0 => (State::Done, 0),
            State::Skip => match rest[..inside].iter().position(|&b| !is_word_byte(b)) {
                Some(skipped) => (State::Own { in_word: false }, skipped),
                None => (State::Skip, inside),
            },
            State::Own { .. } if inside > 0 => (
                State::Own {
                    in_word: is_word_byte(rest[inside - 1]),
                },
                inside,
            ),
            State::Own { in_word: true } => match rest.iter().position(|&b| !is_word_byte(b)) {
                Some(finished) => (State::Done, finished),
                None => (State::Own { in_word: true }, rest.len()),
            },
            State::Own { in_word: false } | State::Done => (State::Done, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(text: &[u8], range: Range<u64>) -> Vec<u8> {
        let first = usize::try_from(OwnedRange::first(&range)).unwrap_or(0);
        let mut filter = OwnedRange::new(range);
        let part = filter.feed(&text[first..]);
        text[first..][part].to_vec()
    }

    #[test]
    fn cuts_are_equal_and_cover_everything() {
        assert_eq!(cuts(10, 3), [0..4, 4..7, 7..10]);
        assert_eq!(cuts(2, 3), [0..1, 1..2, 2..2]);
        assert_eq!(cuts(5, 0), vec![0..5]);
        let huge = cuts(u64::MAX, 10_000);
        assert_eq!(
            (huge[0].start, huge[9_999].end, huge.len()),
            (0, u64::MAX, 10_000)
        );
        assert!(huge.windows(2).all(|pair| pair[0].end == pair[1].start));
    }

    #[test]
    fn a_word_belongs_to_the_range_where_it_begins() {
        let text = b"one two three";
        assert_eq!(owned(text, 0..5), b"one two");
        assert_eq!(owned(text, 5..13), b" three");
        assert_eq!(owned(text, 4..8), b"two ");
        assert_eq!(owned(text, 8..9), b"three");
    }

    #[test]
    fn a_range_inside_one_word_owns_nothing() {
        assert_eq!(owned(b"one three", 5..8), b"");
        assert_eq!(owned(b"one three", 5..9), b"");
        assert_eq!(owned(b"one three two", 5..9), b"");
        assert_eq!(owned(b"one three two", 5..10), b" ");
        assert_eq!(owned(b"one", 2..2), b"");
    }

    #[test]
    fn reading_stops_as_soon_as_nothing_more_can_be_owned() {
        let mut separator_at_end = OwnedRange::new(0..4);
        assert_eq!(separator_at_end.feed(b"one "), 0..4);
        assert!(separator_at_end.is_done());

        let mut word_at_end = OwnedRange::new(0..3);
        assert_eq!(word_at_end.feed(b"one"), 0..3);
        assert!(!word_at_end.is_done());
        assert_eq!(word_at_end.feed(b"s "), 0..1);
        assert!(word_at_end.is_done());
        assert_eq!(word_at_end.feed(b"more"), 0..0);

        let mut inside_a_word = OwnedRange::new(2..4);
        assert_eq!(inside_a_word.feed(b"xyz"), 0..0);
        assert!(inside_a_word.is_done());
        assert!(OwnedRange::new(3..3).is_done());
    }
}
