//! The words that are no short ones: their bytes one after another, a hash table of where each is.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher as _;

/// The counts of long words, and of the few that [`super::short`] can't hold otherwise.
#[derive(Debug, Clone, Default)]
pub(super) struct LongWords {
    words: Vec<LongWord>,
    /// The indices of `words`.
    index: HashTable<usize>,
    hasher: DefaultHashBuilder,
    /// The bytes of the words. Nothing is ever moved: what is full is followed by another.
    chunks: Vec<String>,
    /// The bytes that the chunks take.
    chunk_bytes: u64,
}

#[derive(Debug, Clone, Copy)]
struct LongWord {
    chunk: usize,
    start: usize,
    len: usize,
    count: u64,
}

const FIRST_CHUNK: u64 = 1 << 10;
const LARGEST_CHUNK: u64 = 1 << 20;

impl LongWords {
    /// Returns the number of distinct words.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// Returns the bytes of memory that the words take, and those that one more takes at most besides its own bytes.
    pub(super) fn memory(&self) -> (u64, u64) {
        let words = (self.words.capacity() * size_of::<LongWord>()) as u64;
        let chunks = (self.chunks.capacity() * size_of::<String>()) as u64;
        let index = self.index.allocation_size() as u64;
        let now = words + chunks + index + self.chunk_bytes;
        let mut next = 0;
        if self.words.len() == self.words.capacity() {
            next += 2 * words;
        }
        if self.chunks.len() == self.chunks.capacity() {
            next += 2 * chunks;
        }
        if self.index.len() == self.index.capacity() {
            next += 2 * index;
        }
        if !self.chunks.is_empty() {
            next += self.next_chunk();
        }
        (now, next)
    }

    fn next_chunk(&self) -> u64 {
        self.chunk_bytes.clamp(FIRST_CHUNK, LARGEST_CHUNK)
    }

    pub(super) fn get(&self, word: &str) -> u64 {
        let hash = self.hasher.hash_one(word);
        let found = self.index.find(hash, |at| self.pair(*at).0 == word);
        found.map_or(0, |at| self.words[*at].count)
    }

    /// Returns the word with this index and its count.
    pub(super) fn pair(&self, index: usize) -> (&str, u64) {
        pair(&self.chunks, &self.words[index])
    }

    /// Iterates over all words, in the order in which they were added.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.words.iter().map(|word| pair(&self.chunks, word))
    }

    /// Adds `n` occurrences, more than 0, and returns whether the word is new.
    pub(super) fn add(&mut self, word: &str, n: u64) -> bool {
        let hash = self.hasher.hash_one(word);
        let is_word = |at: &usize| pair(&self.chunks, &self.words[*at]).0 == word;
        if let Some(at) = self.index.find(hash, is_word) {
            self.words[*at].count += n;
            return false;
        }
        let (chunk, start) = self.keep(word);
        self.words.push(LongWord {
            chunk,
            start,
            len: word.len(),
            count: n,
        });
        let hash_of = |at: &usize| self.hasher.hash_one(pair(&self.chunks, &self.words[*at]).0);
        self.index
            .insert_unique(hash, self.words.len() - 1, hash_of);
        true
    }

    /// Copies the word to the last chunk, or to a new one; returns which and where.
    fn keep(&mut self, word: &str) -> (usize, usize) {
        let fits = |chunk: &String| chunk.capacity() - chunk.len() >= word.len();
        if !self.chunks.last().is_some_and(fits) {
            let size = word
                .len()
                .max(usize::try_from(self.next_chunk()).unwrap_or(0));
            let chunk = String::with_capacity(size);
            self.chunk_bytes += chunk.capacity() as u64;
            self.chunks.push(chunk);
        }
        let index = self.chunks.len() - 1;
        let chunk = &mut self.chunks[index];
        let start = chunk.len();
        chunk.push_str(word);
        (index, start)
    }
}

fn pair<'a>(chunks: &'a [String], word: &LongWord) -> (&'a str, u64) {
    let bytes = word.start..word.start + word.len;
    (&chunks[word.chunk][bytes], word.count)
}
