//! What a table of counts says as a whole, without a table in memory where its layout is ours.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::CountError;
use super::lines::{LayoutError, Lines, Step};
use super::read::ReadError;
use super::table::Counts;

/// The totals of a table and its most frequent words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The words, repetitions included.
    pub words: u64,
    /// The distinct words.
    pub unique: u64,
    /// The most frequent words; those of equal counts in byte order.
    pub top: Vec<(String, u64)>,
}

impl Summary {
    /// Reads a table in any layout; keeps its `top` most frequent words.
    ///
    /// # Errors
    ///
    /// Returns an error as [`Counts::from_json`] does.
    pub fn of_json(json: &[u8], top: usize) -> Result<Self, ReadError> {
        match Self::of_lines(json, top) {
            Ok(Ok(summary)) => Ok(summary),
            Ok(Err(overflow)) => Err(overflow.into()),
            Err(LayoutError) => Ok(Self::of_counts(&Counts::from_json(json)?, top)),
        }
    }

    fn of_counts(counts: &Counts, top: usize) -> Self {
        let top = counts.top(top).into_iter();
        Self {
            words: counts.words(),
            unique: counts.unique(),
            top: top.map(|(word, n)| (word.to_owned(), n)).collect(),
        }
    }

    fn of_lines(json: &[u8], top: usize) -> Result<Result<Self, CountError>, LayoutError> {
        /// What is taken in at a time: few enough bytes to stay in a near cache.
        const PIECE: usize = 64 << 10;
        let (mut summary, mut lines) = (Self::default(), Lines::default());
        // The least frequent of the best so far is on top; of two alike, the one with the greater word.
        let mut best: BinaryHeap<Reverse<(u64, Reverse<String>)>> = BinaryHeap::new();
        for piece in json.chunks(PIECE) {
            lines.feed(piece);
            while lines.advance()? == Step::Entry {
                let n = lines.count();
                let Some(words) = summary.words.checked_add(n) else {
                    return Ok(Err(CountError::Overflow));
                };
                summary.words = words;
                summary.unique += 1;
                // Words come in order, so one that is only as frequent as the least is behind it.
                let is_full = best.len() >= top;
                if is_full && best.peek().is_none_or(|Reverse((least, _))| n <= *least) {
                    continue;
                }
                if is_full {
                    best.pop();
                }
                let word = str::from_utf8(lines.word()).map_err(|_| LayoutError)?;
                best.push(Reverse((n, Reverse(word.to_owned()))));
            }
        }
        lines.end()?;
        let best = best.into_sorted_vec().into_iter();
        summary.top = best.map(|Reverse((n, Reverse(word)))| (word, n)).collect();
        Ok(Ok(summary))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_overflow_is_an_error_in_any_layout() {
        let ours = "{\n  \"a\": 18446744073709551615,\n  \"b\": 1\n}";
        let other = ours.replace('\n', "");
        for json in [ours, &other] {
            let found = Summary::of_json(json.as_bytes(), 1);
            assert_eq!(found, Err(ReadError::Count(CountError::Overflow)));
        }
    }

    #[test]
    fn what_is_no_table_is_refused_by_its_fault() {
        let twice = "{\n  \"a\": 1,\n  \"a\": 1\n}";
        let found = Summary::of_json(twice.as_bytes(), 1);
        assert!(matches!(found, Err(ReadError::DuplicateWord { .. })));
        let cut = Summary::of_json(b"{\n  \"a\": 1", 1);
        assert!(matches!(cut, Err(ReadError::Syntax { .. })));
    }

    proptest! {
        #[test]
        fn it_says_what_the_table_says(
            pairs in proptest::collection::btree_map("[a-d\"]{0,3}", 1..6_u64, 0..40),
            top in 0..12_usize,
            is_ours: bool,
        ) {
            let mut counts = Counts::new();
            for (word, n) in &pairs {
                counts.add(word, *n).unwrap();
            }
            let mut json = counts.to_json();
            if !is_ours {
                json.push('\n');
            }
            let found = Summary::of_json(json.as_bytes(), top).unwrap();
            prop_assert_eq!(found, Summary::of_counts(&counts, top));
        }
    }
}
