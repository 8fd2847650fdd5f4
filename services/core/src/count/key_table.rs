//! A hash table of short words: open addressing, the words themselves in the slots.

use std::hash::{BuildHasher as _, RandomState};
use std::hint::black_box;

use prefetch_index::prefetch_index;

use super::key::{Key, text};

/// A word and its count; a slot without a word is all 0.
#[derive(Debug, Clone, Copy)]
struct Slot<K: Key> {
    word: K::Bytes,
    count: u64,
}

impl<K: Key> Slot<K> {
    fn of(key: K, count: u64) -> Self {
        let word = key.bytes();
        Self { word, count }
    }

    #[inline]
    fn key(&self) -> K {
        K::of_bytes(self.word)
    }

    fn text(&self) -> &str {
        text(&self.word.as_ref()[..self.key().len()])
    }
}

/// The counts of words whose keys are of one kind.
#[derive(Debug, Clone)]
pub(super) struct KeyTable<K: Key> {
    /// As many as a power of 2, or none.
    slots: Vec<Slot<K>>,
    /// By how much a hash is shifted to become the index of the slot where the search begins.
    shift: u32,
    seed: (u64, u64),
    /// The number of words when the seed was chosen.
    seeded_at: usize,
    len: usize,
    /// How many more words may be added before the table grows.
    room: usize,
}

const FIRST_SLOTS: usize = 16;
/// The size from which on a table is in no near cache, in bytes.
const FAR: usize = 256 << 10;
/// So far from where its search begins no word gets by chance. Then the words were chosen to collide, or the seed is
/// unlucky, and another one is taken; that is done again only for twice as many words, so that it costs little.
const CROWDED: usize = 1 << 10;
/// The words that are looked up together.
pub(super) const BATCH: usize = 64;

impl<K: Key> Default for KeyTable<K> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            shift: 0,
            seed: (0, 0),
            seeded_at: 0,
            len: 0,
            room: 0,
        }
    }
}

impl<K: Key> KeyTable<K> {
    /// Returns the number of distinct words.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Returns the bytes of memory that the table takes, and those of the next larger one if the next word needs that.
    pub(super) fn memory(&self) -> (u64, u64) {
        let now = size_of_val(self.slots.as_slice()) as u64;
        (now, if self.room == 0 { 2 * now } else { 0 })
    }

    pub(super) fn get(&self, key: K) -> u64 {
        if self.slots.is_empty() {
            return 0;
        }
        let at = self.search(key, key.hash(self.seed));
        self.slots[at].count
    }

    /// Returns the text of a word that is in the table.
    pub(super) fn word(&self, key: K) -> &str {
        self.slots[self.search(key, key.hash(self.seed))].text()
    }

    /// Iterates over all words and their counts, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (K, u64)> {
        let used = self.slots.iter().filter(|slot| slot.count > 0);
        used.map(|slot| (slot.key(), slot.count))
    }

    /// Iterates over the texts of all words and their counts, in no particular order.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, u64)> {
        let used = self.slots.iter().filter(|slot| slot.count > 0);
        used.map(|slot| (slot.text(), slot.count))
    }

    /// Adds `n` occurrences, more than 0, and returns whether the word is new.
    pub(super) fn add(&mut self, key: K, n: u64) -> bool {
        if self.slots.is_empty() {
            self.grow();
        }
        let mut at = self.search(key, key.hash(self.seed));
        if self.slots[at].count == 0 {
            if self.room == 0 {
                self.grow();
                at = self.search(key, key.hash(self.seed));
            }
            self.slots[at] = Slot::of(key, n);
            self.len += 1;
            self.room -= 1;
            if self.displacement(at) > CROWDED && self.len / 2 >= self.seeded_at {
                self.rebuild(self.slots.len(), true);
            }
            return true;
        }
        self.slots[at].count += n;
        // The more frequent of the two goes where a search begins. All slots in between are taken, so both are still found.
        let home = self.home(key.hash(self.seed));
        if self.slots[home].count < self.slots[at].count {
            self.slots.swap(home, at);
        }
        false
    }

    /// Adds one occurrence of each of the words, of which there are [`BATCH`] at most. Those that are not in the slots
    /// where a search for them begins are left out: they are written to `absent`, and their number is returned.
    #[inline(never)]
    pub(super) fn add_batch(&mut self, keys: &[K], absent: &mut [K; BATCH]) -> usize {
        if keys.is_empty() {
            return 0;
        }
        if self.slots.is_empty() {
            self.grow();
        }
        if is_far::<K>(self.slots.len()) {
            self.fetch(keys);
        }
        let (seed, shift) = (self.seed, self.shift);
        let slots = self.slots.as_mut_slice();
        let mut number = 0;
        for key in keys {
            // Without a branch: whether a word is there can't be predicted well.
            let slot = &mut slots[home(key.hash(seed), shift, slots.len())];
            let is_there = slot.key() == *key;
            slot.count += u64::from(is_there);
            absent[number % BATCH] = *key;
            number += usize::from(!is_there);
        }
        number
    }

    /// Has the memory fetched where the searches for the keys begin, so that it is waited for once and not for each.
    fn fetch(&self, keys: &[K]) {
        let homes = keys.iter().map(|key| self.home(key.hash(self.seed)));
        if cfg!(target_arch = "x86_64") {
            homes.for_each(|home| prefetch_index(&self.slots, home));
        } else {
            // The crate's function does nothing there, so the slots are read.
            black_box(homes.fold(0, |sum: u64, home| sum.wrapping_add(self.slots[home].count)));
        }
    }

    /// Returns the slot where the search begins.
    #[inline]
    fn home(&self, hash: u64) -> usize {
        home(hash, self.shift, self.slots.len())
    }

    /// Returns the slot of the word, or the empty one where it belongs. The table has slots, some of them empty.
    #[inline]
    fn search(&self, key: K, hash: u64) -> usize {
        let slots = self.slots.as_slice();
        let mut at = self.home(hash);
        loop {
            let found = slots[at].key();
            if found == key || found == K::NONE {
                return at;
            }
            at = (at + 1) & (slots.len() - 1);
        }
    }

    /// Returns how far the word in this slot is from where its search begins.
    fn displacement(&self, at: usize) -> usize {
        let home = self.home(self.slots[at].key().hash(self.seed));
        at.wrapping_sub(home) & (self.slots.len() - 1)
    }

    #[cold]
    fn grow(&mut self) {
        let is_first = self.slots.is_empty();
        self.rebuild((2 * self.slots.len()).max(FIRST_SLOTS), is_first);
    }

    /// Moves all words to a new table of so many slots, a power of 2.
    #[cold]
    fn rebuild(&mut self, slots: usize, reseed: bool) {
        if reseed {
            let random = RandomState::new();
            self.seed = (random.hash_one(0), random.hash_one(1) | 1);
            self.seeded_at = self.len;
        }
        let old = std::mem::replace(&mut self.slots, vec![Slot::of(K::NONE, 0); slots]);
        self.shift = u64::BITS - slots.ilog2();
        self.room = most_words::<K>(slots) - self.len;
        for slot in old.iter().filter(|slot| slot.count > 0) {
            let key = slot.key();
            let at = self.search(key, key.hash(self.seed));
            self.slots[at] = *slot;
        }
    }
}

/// Returns how many words a table of so many slots holds: a far one is to be small rather than to have few collisions.
fn most_words<K: Key>(slots: usize) -> usize {
    if is_far::<K>(slots) {
        return slots / 4 * 3;
    }
    slots / 2
}

/// Returns whether a table of so many slots is in no near cache.
fn is_far<K: Key>(slots: usize) -> bool {
    slots > FAR / size_of::<Slot<K>>()
}

/// Returns the slot where a search begins among `slots` ones, a power of 2: the highest bits of the hash.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the shift leaves as many bits as the index has"
)]
fn home(hash: u64, shift: u32, slots: usize) -> usize {
    (hash >> shift) as usize & (slots - 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::key::{Key8, Key16};
    use super::*;

    fn key<K: Key>(word: &str) -> K {
        K::of(word.as_bytes()).unwrap()
    }

    fn check_another_seed<K: Key>(bad: (u64, u64), word: impl Fn(u64) -> String) {
        let mut table = KeyTable::<K>::default();
        table.grow();
        table.seed = bad;
        for n in 0..20_000 {
            assert!(table.add(key(&word(n)), 1));
        }
        assert_ne!(table.seed, bad);
        let slots = table.slots.iter().enumerate();
        let used = slots.filter(|(_, slot)| slot.count > 0);
        let used: Vec<_> = used.map(|(at, _)| at).collect();
        assert_eq!(used.len(), 20_000);
        let away: usize = used.into_iter().map(|at| table.displacement(at)).sum();
        assert!(away < 10 * 20_000, "{away}");
        assert!((0..20_000).all(|n| table.get(key(&word(n))) == 1));
    }

    /// With these seeds, all of the words have the same hash, or almost: the worst that anyone can do.
    #[test]
    fn words_that_all_collide_get_another_seed() {
        check_another_seed::<Key16>((0, 0), |n| n.to_string());
        check_another_seed::<Key8>((1, 0), |n| format!("{n:05}~~~"));
    }
}
