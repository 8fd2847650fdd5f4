//! A table of words and counts: adds up, writes JSON, compares.

use super::CountError;
use super::long::LongWords;
use super::short::{Batch, ShortWord, ShortWords};
use super::sorted;

/// The number of occurrences of each word. Words with a count of 0 are never kept.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    short: ShortWords,
    long: LongWords,
    /// The sum of all counts, maintained so that an overflow is detected where it happens.
    words: u64,
    /// The bytes of all distinct words.
    letters: u64,
}

/// The bytes that writing takes for each word besides its letters: its place in the sorted list, and the rest of its
/// line.
const PER_LINE: u64 = sorted::PER_WORD + 16;

impl Counts {
    /// Creates an empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `n` occurrences of `word`.
    ///
    /// # Errors
    ///
    /// Returns [`CountError::Overflow`] if the sum of all counts exceeds 64 bits; the table must then be discarded.
    pub fn add(&mut self, word: &str, n: u64) -> Result<(), CountError> {
        if n == 0 {
            return Ok(());
        }
        // The total is never smaller than any one count, so this one check covers both.
        self.words = self.words.checked_add(n).ok_or(CountError::Overflow)?;
        let is_new = match ShortWord::of(word.as_bytes()) {
            Some(key) => self.short.add(key, n),
            None => self.long.add(word, n),
        };
        if is_new {
            self.letters += word.len() as u64;
        }
        Ok(())
    }

    /// Adds one occurrence of each of the words, and empties the batch. After each new one, the table may take `memory` bytes at most.
    pub(super) fn add_batch(&mut self, batch: &mut Batch, memory: u64) -> Result<(), CountError> {
        let words = self.words.checked_add(batch.len() as u64);
        self.words = words.ok_or(CountError::Overflow)?;
        let (letters, long) = (&mut self.letters, &self.long);
        self.short.add_batch(batch, |short, length| {
            *letters += length as u64;
            check(footprint(short, long, *letters), memory)
        })
    }

    /// Checks that the next step takes `memory` bytes at most.
    pub(super) fn check(&self, memory: u64) -> Result<(), CountError> {
        check(self.footprint(), memory)
    }

    /// Estimates the bytes of memory that the next step takes: adding a word, or writing the table as JSON.
    pub fn footprint(&self) -> u64 {
        footprint(&self.short, &self.long, self.letters)
    }

    /// Adds all counts of another table.
    ///
    /// # Errors
    ///
    /// Returns [`CountError::Overflow`] as [`Self::add`] does.
    pub fn merge(&mut self, other: &Self) -> Result<(), CountError> {
        other.iter().try_for_each(|(word, n)| self.add(word, n))
    }

    /// Returns the number of words, repetitions included.
    pub fn words(&self) -> u64 {
        self.words
    }

    /// Returns the number of distinct words.
    pub fn unique(&self) -> u64 {
        (self.short.len() + self.long.len()) as u64
    }

    /// Returns whether the table holds no word.
    pub fn is_empty(&self) -> bool {
        self.unique() == 0
    }

    /// Returns the count of `word`, 0 if it does not occur.
    pub fn get(&self, word: &str) -> u64 {
        match ShortWord::of(word.as_bytes()) {
            Some(key) => self.short.get(key),
            None => self.long.get(word),
        }
    }

    /// Returns whether `word` occurs.
    pub fn contains(&self, word: &str) -> bool {
        self.get(word) > 0
    }

    /// Iterates over all pairs, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.short.texts().chain(self.long.iter())
    }

    /// Returns all pairs in byte order of the words.
    pub fn sorted(&self) -> Vec<(&str, u64)> {
        let order = sorted::Sorted::of(&self.short, &self.long);
        order.pairs().collect()
    }

    /// Returns the `n` most frequent words; those of equal counts in byte order.
    pub fn top(&self, n: usize) -> Vec<(&str, u64)> {
        let mut pairs: Vec<_> = self.iter().collect();
        let order = |a: &(&str, u64), b: &(&str, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0));
        if n == 0 {
            return Vec::new();
        }
        if n < pairs.len() {
            pairs.select_nth_unstable_by(n - 1, order);
            pairs.truncate(n);
        }
        pairs.sort_unstable_by(order);
        pairs
    }

    /// Writes one JSON object: keys in byte order, one pair per line, indented by two spaces, no newline at the end.
    pub fn to_json(&self) -> String {
        let mut json = Vec::with_capacity(self.json_size());
        for piece in self.json_pieces() {
            json.extend_from_slice(&piece);
        }
        text(json)
    }

    /// Estimates the bytes of the JSON, to reserve memory for them.
    pub fn json_size(&self) -> usize {
        usize::try_from(self.letters + self.unique() * 16 + 4).unwrap_or(0)
    }

    /// Returns what [`Self::to_json`] writes, in pieces of about 64 KiB. The words are sorted before it returns.
    pub fn json_pieces(&self) -> sorted::JsonPieces<'_> {
        sorted::JsonPieces::of(sorted::Sorted::of(&self.short, &self.long))
    }
}

fn footprint(short: &ShortWords, long: &LongWords, letters: u64) -> u64 {
    let unique = (short.len() + long.len()) as u64;
    let (short, larger_short) = short.memory();
    let (long, larger_long) = long.memory();
    let writing = letters + unique * PER_LINE;
    // One more word goes to one of the tables; while a table grows, both sizes of it exist.
    short + long + writing.max(larger_short).max(larger_long)
}

fn check(footprint: u64, memory: u64) -> Result<(), CountError> {
    if footprint > memory {
        return Err(CountError::TableTooLarge { limit: memory });
    }
    Ok(())
}

/// Returns JSON as the text that it is.
fn text(json: Vec<u8>) -> String {
    #[expect(
        clippy::expect_used,
        reason = "the pieces end between lines, and are made of words and digits"
    )]
    String::from_utf8(json).expect("UTF-8")
}

/// Two tables are equal if they have the same words and counts.
impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        (self.words, self.unique()) == (other.words, other.unique())
            && self.iter().all(|(word, n)| other.get(word) == n)
    }
}

impl Eq for Counts {}

/// The differences between two tables; each list is in byte order of the words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Words that only the expected table has, with its counts.
    pub missing: Vec<(String, u64)>,
    /// Words that only the actual table has, with its counts.
    pub extra: Vec<(String, u64)>,
    /// Words of both tables: the expected count, then the actual count.
    pub different: Vec<(String, u64, u64)>,
}

impl Comparison {
    /// Returns whether the tables are equal.
    pub fn is_equal(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.different.is_empty()
    }
}

/// Compares two tables in both directions and returns every difference.
pub fn compare(expected: &Counts, actual: &Counts) -> Comparison {
    let mut result = Comparison::default();
    for (word, n) in expected.iter() {
        match actual.get(word) {
            0 => result.missing.push((word.to_owned(), n)),
            other if other != n => result.different.push((word.to_owned(), n, other)),
            _ => {}
        }
    }
    for (word, n) in actual.iter() {
        if !expected.contains(word) {
            result.extra.push((word.to_owned(), n));
        }
    }
    result.missing.sort_unstable();
    result.extra.sort_unstable();
    result.different.sort_unstable();
    result
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn table(pairs: &[(&str, u64)]) -> Counts {
        let mut counts = Counts::new();
        for (word, n) in pairs {
            counts.add(word, *n).unwrap();
        }
        counts
    }

    #[test]
    fn json_is_sorted_by_bytes_and_laid_out_to_the_letter() {
        let counts = table(&[("b", 2), ("a", 1), ("Z", 3), ("é", 4)]);
        assert_eq!(
            counts.to_json(),
            "{\n  \"Z\": 3,\n  \"a\": 1,\n  \"b\": 2,\n  \"é\": 4\n}"
        );
        assert_eq!(Counts::new().to_json(), "{}");
    }

    #[test]
    fn json_keys_are_escaped() {
        assert_eq!(
            table(&[("a\"\\\n\u{1}", 1)]).to_json(),
            "{\n  \"a\\\"\\\\\\n\\u0001\": 1\n}"
        );
    }

    #[test]
    fn an_overflow_is_an_error_for_a_word_and_for_the_total() {
        let mut counts = table(&[("a", u64::MAX - 1)]);
        counts.add("a", 1).unwrap();
        assert_eq!(counts.words(), u64::MAX);
        assert_eq!(counts.clone().add("a", 1), Err(CountError::Overflow));
        assert_eq!(counts.add("b", 1), Err(CountError::Overflow));
        let one = table(&[("b", 1)]);
        assert_eq!(
            table(&[("a", u64::MAX)]).merge(&one),
            Err(CountError::Overflow)
        );
    }

    #[test]
    fn a_count_of_zero_leaves_no_word() {
        assert!(table(&[("a", 0)]).is_empty());
    }

    #[test]
    fn the_footprint_grows_with_the_different_words_only() {
        let mut counts = Counts::new();
        assert_eq!(counts.footprint(), 0);
        let mut last = 0;
        for n in 0..10_000 {
            counts.add(&format!("{n:08}"), 1).unwrap();
            let now = counts.footprint();
            // A word has 8 letters in the table, 8 in the JSON, a String and its count.
            assert!(now >= (n + 1) * (8 + 8 + 24 + 8), "{n}: {now}");
            last = now;
        }
        // Each word once more, and often.
        for n in 0..10_000 {
            counts.add(&format!("{n:08}"), 1 << 40).unwrap();
        }
        assert_eq!(counts.footprint(), last);
        assert!(last < 10_000 * 300, "{last}");
    }

    #[test]
    fn the_footprint_holds_for_long_words_too() {
        let mut counts = Counts::new();
        let mut last = 0;
        for n in 0..10_000 {
            counts.add(&format!("{n:040}"), 1).unwrap();
            last = counts.footprint();
            // A word has 40 letters in the table, 40 in the JSON, a place and its count.
            assert!(last >= (n + 1) * (40 + 40 + 24 + 8), "{n}: {last}");
        }
        assert!(last < 10_000 * 400, "{last}");
    }

    #[test]
    fn words_of_all_kinds_are_kept_apart_and_sorted() {
        let sixteen = "0123456789abcdef";
        let words = [
            "", "\0", "\0\0", "\0a", "a", "a\0", "a\0\0", "a\0b", "ab", "\u{e9}",
        ];
        let mut words: Vec<String> = words.map(str::to_owned).to_vec();
        words.extend((0..4).map(|n| format!("{sixteen}{}", "\0".repeat(n))));
        words.extend(["0", "1", "00", "\u{10ffff}"].map(|end| format!("{sixteen}{end}")));
        words.extend((1..100).map(|n| "z".repeat(n)));
        let mut counts = Counts::new();
        for (n, word) in (1..).zip(&words) {
            counts.add(word, n).unwrap();
            counts.add(word, n).unwrap();
        }
        let mut expected: Vec<_> = (1..)
            .zip(&words)
            .map(|(n, word)| (word.as_str(), 2 * n))
            .collect();
        expected.sort_unstable();
        assert_eq!(counts.sorted(), expected);
        assert!(expected.iter().all(|(word, n)| counts.get(word) == *n));
        let (mut merged, half) = (counts.clone(), counts.clone());
        merged.merge(&half).unwrap();
        assert_ne!(merged, counts);
        assert_eq!(merged.words(), 2 * counts.words());
        assert_eq!(
            Counts::from_json(counts.to_json().as_bytes()).unwrap(),
            counts
        );
    }

    #[test]
    fn the_pieces_of_json_are_the_json_and_none_is_large() {
        let mut counts = Counts::new();
        for n in 0..20_000 {
            counts.add(&format!("{n}"), n + 1).unwrap();
        }
        let pieces: Vec<_> = counts.json_pieces().collect();
        assert!(pieces.len() > 3);
        assert!(pieces.iter().all(|piece| piece.len() < 66_000));
        assert_eq!(pieces.concat(), counts.to_json().into_bytes());
        assert_eq!(Counts::new().json_pieces().collect::<Vec<_>>(), [b"{}"]);
    }

    #[test]
    fn the_top_is_by_count_then_by_word() {
        let counts = table(&[("c", 5), ("b", 7), ("a", 5), ("d", 1)]);
        assert_eq!(counts.top(0), []);
        assert_eq!(counts.top(2), [("b", 7), ("a", 5)]);
        assert_eq!(counts.top(9), [("b", 7), ("a", 5), ("c", 5), ("d", 1)]);
        assert_eq!(
            (
                counts.words(),
                counts.unique(),
                counts.get("b"),
                counts.get("x")
            ),
            (18, 4, 7, 0)
        );
    }

    #[test]
    fn a_comparison_goes_both_ways() {
        let expected = table(&[("a", 1), ("b", 2), ("c", 3)]);
        let actual = table(&[("b", 2), ("c", 4), ("d", 5)]);
        let found = compare(&expected, &actual);
        assert_eq!(found.missing, [("a".to_owned(), 1)]);
        assert_eq!(found.extra, [("d".to_owned(), 5)]);
        assert_eq!(found.different, [("c".to_owned(), 3, 4)]);
        assert!(!found.is_equal());
        assert!(compare(&expected, &expected.clone()).is_equal());
    }
}
