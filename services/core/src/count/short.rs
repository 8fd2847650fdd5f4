//! The words of up to 16 bytes: a table for those of up to 8, which most words are, and one for the others.

use super::key::{Key, Key8, Key16};
use super::key_table::KeyTable;

pub(super) use super::key_table::BATCH;

/// The counts of short words.
#[derive(Debug, Clone, Default)]
pub(super) struct ShortWords {
    /// The words of up to 8 bytes.
    eights: KeyTable<Key8>,
    /// The words of 9 to 16 bytes.
    sixteens: KeyTable<Key16>,
}

/// A short word.
#[derive(Debug, Clone, Copy)]
pub(super) enum ShortWord {
    Eight(Key8),
    Sixteen(Key16),
}

impl ShortWord {
    /// Returns `word` if it is a short one.
    #[inline]
    pub(super) fn of(word: &[u8]) -> Option<Self> {
        match Key8::of(word) {
            Some(key) => Some(Self::Eight(key)),
            None => Key16::of(word).map(Self::Sixteen),
        }
    }

    fn of_rank(rank: u128) -> Self {
        // Of a word of up to 8 bytes the lower half is empty.
        if rank << 64 == 0 {
            return Self::Eight(Key8::of_rank(rank));
        }
        Self::Sixteen(Key16::of_rank(rank))
    }
}

/// Words that are looked up together, [`BATCH`] of them at most. It is used again and again, since it is larger than what
/// is done with it.
#[derive(Debug)]
pub(super) struct Batch {
    eights: Pending<Key8>,
    sixteens: Pending<Key16>,
}

/// The words of a batch that have keys of one kind.
#[derive(Debug)]
struct Pending<K> {
    keys: [K; BATCH],
    len: usize,
    /// Room for those that are not found at once.
    absent: [K; BATCH],
}

impl<K: Key> Pending<K> {
    fn new() -> Self {
        Self {
            keys: [K::NONE; BATCH],
            len: 0,
            absent: [K::NONE; BATCH],
        }
    }

    /// Adds those to `table` that are found at once, and returns the others. None are left.
    fn add_to(&mut self, table: &mut KeyTable<K>) -> &[K] {
        let number = table.add_batch(&self.keys[..self.len], &mut self.absent);
        self.len = 0;
        &self.absent[..number]
    }
}

impl Batch {
    pub(super) fn new() -> Self {
        Self {
            eights: Pending::new(),
            sixteens: Pending::new(),
        }
    }

    /// Puts a word of up to 8 bytes behind so many others.
    #[inline]
    pub(super) fn put_eight(&mut self, others: usize, key: Key8) {
        self.eights.keys[others % BATCH] = key;
    }

    /// Puts a word of 9 bytes or more behind so many others.
    #[inline]
    pub(super) fn put_sixteen(&mut self, others: usize, key: Key16) {
        self.sixteens.keys[others % BATCH] = key;
    }

    /// Says how many words of each kind there are: a number in memory that each word changes would be waited for.
    pub(super) fn set_len(&mut self, eights: usize, sixteens: usize) {
        (self.eights.len, self.sixteens.len) = (eights, sixteens);
    }

    pub(super) fn len(&self) -> usize {
        self.eights.len + self.sixteens.len
    }
}

impl ShortWords {
    /// Returns the number of distinct words.
    pub(super) fn len(&self) -> usize {
        self.eights.len() + self.sixteens.len()
    }

    /// Returns the bytes of memory that the tables take, and those of the next larger one if the next word needs that.
    pub(super) fn memory(&self) -> (u64, u64) {
        let (eights, larger_eights) = self.eights.memory();
        let (sixteens, larger_sixteens) = self.sixteens.memory();
        (eights + sixteens, larger_eights.max(larger_sixteens))
    }

    pub(super) fn get(&self, word: ShortWord) -> u64 {
        match word {
            ShortWord::Eight(key) => self.eights.get(key),
            ShortWord::Sixteen(key) => self.sixteens.get(key),
        }
    }

    /// Returns the text of the word in the table that has this rank.
    pub(super) fn word(&self, rank: u128) -> &str {
        match ShortWord::of_rank(rank) {
            ShortWord::Eight(key) => self.eights.word(key),
            ShortWord::Sixteen(key) => self.sixteens.word(key),
        }
    }

    /// Iterates over the ranks of all words and their counts, in no particular order.
    pub(super) fn ranks(&self) -> impl Iterator<Item = (u128, u64)> {
        let eights = self.eights.iter().map(|(key, n)| (key.rank(), n));
        let sixteens = self.sixteens.iter().map(|(key, n)| (key.rank(), n));
        eights.chain(sixteens)
    }

    /// Iterates over the texts of all words and their counts, in no particular order.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.eights.texts().chain(self.sixteens.texts())
    }

    /// Adds `n` occurrences, more than 0, and returns whether the word is new.
    pub(super) fn add(&mut self, word: ShortWord, n: u64) -> bool {
        match word {
            ShortWord::Eight(key) => self.eights.add(key, n),
            ShortWord::Sixteen(key) => self.sixteens.add(key, n),
        }
    }

    /// Adds one occurrence of each of the words, and calls `added` with the length of each one that is new. The batch is
    /// empty then.
    ///
    /// # Errors
    ///
    /// Returns the first error of `added`; the words after that one are not added.
    pub(super) fn add_batch<E>(
        &mut self,
        batch: &mut Batch,
        mut added: impl FnMut(&Self, usize) -> Result<(), E>,
    ) -> Result<(), E> {
        for key in batch.eights.add_to(&mut self.eights) {
            if self.eights.add(*key, 1) {
                added(self, key.len())?;
            }
        }
        for key in batch.sixteens.add_to(&mut self.sixteens) {
            if self.sixteens.add(*key, 1) {
                added(self, key.len())?;
            }
        }
        Ok(())
    }
}
