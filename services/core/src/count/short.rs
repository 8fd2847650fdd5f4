//! A hash table of the words of up to 16 bytes: open addressing, the words themselves in the slots.

use std::hash::{BuildHasher as _, RandomState};
use std::hint::black_box;

/// The most bytes that a word may have in this table.
pub(super) const MAX_SHORT: usize = 16;

/// A word of 1 to 16 bytes, padded with NULs, its first byte the lowest. No such word ends with a NUL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(u128);

impl Key {
    /// No word's key.
    pub(super) const NONE: Self = Self(0);

    /// Returns the key of `word`, unless it is empty, too long, or ends with a NUL.
    #[inline]
    pub(super) fn of(word: &[u8]) -> Option<Self> {
        if word.len() > MAX_SHORT || matches!(word.last(), None | Some(0)) {
            return None;
        }
        let mut padded = [0; MAX_SHORT];
        padded[..word.len()].copy_from_slice(word);
        Some(Self(u128::from_le_bytes(padded)))
    }

    /// Returns the key of the first `length` bytes, 1 to 16, in lower case; all of them are bytes of a word.
    #[inline]
    pub(super) fn of_word_bytes(bytes: [u8; MAX_SHORT], length: usize) -> Self {
        // Every byte of a word has this bit set in lower case, and only upper-case letters lack it.
        let lower = u128::from_le_bytes(bytes) | u128::from_le_bytes([0x20; MAX_SHORT]);
        Self(lower & KEPT[length])
    }

    /// Returns a number by which the words compare as their bytes do.
    #[inline]
    pub(super) fn rank(self) -> u128 {
        self.0.swap_bytes()
    }

    #[inline]
    pub(super) fn len(self) -> usize {
        MAX_SHORT - self.0.leading_zeros() as usize / 8
    }
}

/// The bits of a key that a word of each length has.
const KEPT: [u128; MAX_SHORT + 1] = kept();

const fn kept() -> [u128; MAX_SHORT + 1] {
    let mut kept = [0; MAX_SHORT + 1];
    let mut length = 1;
    while length <= MAX_SHORT {
        kept[length] = u128::MAX >> (128 - 8 * length);
        length += 1;
    }
    kept
}

/// A word and its count; a slot without a word is all 0.
#[derive(Debug, Clone, Copy)]
struct Slot {
    word: [u8; MAX_SHORT],
    count: u64,
}

const EMPTY: Slot = Slot {
    word: [0; MAX_SHORT],
    count: 0,
};

impl Slot {
    #[inline]
    fn key(&self) -> u128 {
        u128::from_le_bytes(self.word)
    }

    fn pair(&self) -> (&str, u64) {
        let length = Key(self.key()).len();
        #[expect(
            clippy::expect_used,
            reason = "a key is made of a str, or of bytes of words, which are ASCII"
        )]
        let word = std::str::from_utf8(&self.word[..length]).expect("UTF-8");
        (word, self.count)
    }
}

/// The counts of short words.
#[derive(Debug, Clone, Default)]
pub(super) struct ShortWords {
    /// As many as a power of 2, or none.
    slots: Vec<Slot>,
    /// By how much a hash is shifted to become the index of the slot where the search begins.
    shift: u32,
    seed: (u64, u64),
    len: usize,
    /// How many more words may be added before the table grows.
    room: usize,
}

const FIRST_SLOTS: usize = 16;
/// The size from which on a table is in no near cache, in bytes.
const FAR: usize = 256 << 10;
/// The words that are looked up together.
pub(super) const BATCH: usize = 64;

impl ShortWords {
    /// Returns the number of distinct words.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Returns the bytes of memory that the table takes, and those of the next larger one if the next word needs that.
    pub(super) fn memory(&self) -> (u64, u64) {
        let now = size_of_val(self.slots.as_slice()) as u64;
        (now, if self.room == 0 { 2 * now } else { 0 })
    }

    pub(super) fn get(&self, key: Key) -> u64 {
        if self.slots.is_empty() {
            return 0;
        }
        let at = self.search(key, self.hash(key));
        self.slots[at].count
    }

    /// Returns the word in this slot and its count.
    pub(super) fn pair(&self, slot: usize) -> (&str, u64) {
        self.slots[slot].pair()
    }

    /// Iterates over the slots in use and their words, in no particular order.
    pub(super) fn keys(&self) -> impl Iterator<Item = (usize, Key)> {
        let slots = self.slots.iter().enumerate();
        slots
            .filter(|(_, slot)| slot.count > 0)
            .map(|(at, slot)| (at, Key(slot.key())))
    }

    /// Iterates over all words, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.slots
            .iter()
            .filter(|slot| slot.count > 0)
            .map(Slot::pair)
    }

    /// Adds `n` occurrences, more than 0, and returns whether the word is new.
    pub(super) fn add(&mut self, key: Key, n: u64) -> bool {
        if self.slots.is_empty() {
            self.grow();
        }
        let mut at = self.search(key, self.hash(key));
        if self.slots[at].count == 0 {
            if self.room == 0 {
                self.grow();
                at = self.search(key, self.hash(key));
            }
            self.slots[at] = Slot {
                word: key.0.to_le_bytes(),
                count: n,
            };
            self.len += 1;
            self.room -= 1;
            return true;
        }
        self.slots[at].count += n;
        false
    }

    /// Adds one occurrence of each of the words, up to the first that may be new; returns the index of that one.
    #[inline]
    pub(super) fn add_known(&mut self, keys: &[Key]) -> Option<usize> {
        if self.slots.is_empty() {
            return (!keys.is_empty()).then_some(0);
        }
        for (number, keys) in keys.chunks(BATCH).enumerate() {
            let mut hashes = [0; BATCH];
            for (hash, key) in hashes.iter_mut().zip(keys) {
                *hash = self.hash(*key);
            }
            if self.slots.len() > FAR / size_of::<Slot>() {
                self.touch(&hashes[..keys.len()]);
            }
            for (index, (key, hash)) in keys.iter().zip(&hashes).enumerate() {
                let at = self.search(*key, *hash);
                let slot = &mut self.slots[at];
                if slot.key() != key.0 {
                    return Some(number * BATCH + index);
                }
                slot.count += 1;
            }
        }
        None
    }

    /// Reads all the slots where searches will begin, so that the memory is waited for once and not for each.
    fn touch(&self, hashes: &[u64]) {
        let slots = self.slots.as_slice();
        let read = hashes.iter().fold(0, |sum: u64, hash| {
            sum.wrapping_add(slots[self.home(*hash)].count)
        });
        black_box(read);
    }

    #[inline]
    fn hash(&self, Key(key): Key) -> u64 {
        let (low, high) = (key as u64 ^ self.seed.0, (key >> 64) as u64 ^ self.seed.1);
        let product = u128::from(low) * u128::from(high);
        product as u64 ^ (product >> 64) as u64
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize & (self.slots.len() - 1)
    }

    /// Returns the slot of the word, or the empty one where it belongs. The table has slots, some of them empty.
    #[inline]
    fn search(&self, Key(key): Key, hash: u64) -> usize {
        let slots = self.slots.as_slice();
        let mut at = self.home(hash);
        loop {
            let found = slots[at].key();
            if found == key || found == 0 {
                return at;
            }
            at = (at + 1) & (slots.len() - 1);
        }
    }

    #[cold]
    fn grow(&mut self) {
        let slots = (2 * self.slots.len()).max(FIRST_SLOTS);
        if self.slots.is_empty() {
            let random = RandomState::new();
            self.seed = (random.hash_one(0), random.hash_one(1) | 1);
        }
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; slots]);
        self.shift = 64 - slots.ilog2();
        self.room = slots / 4 * 3 - self.len;
        for slot in old.iter().filter(|slot| slot.count > 0) {
            let key = Key(slot.key());
            let at = self.search(key, self.hash(key));
            self.slots[at] = *slot;
        }
    }
}
