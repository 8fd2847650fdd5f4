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

    /// Returns the key that has this rank.
    #[inline]
    pub(super) fn of_rank(rank: u128) -> Self {
        Self(rank.swap_bytes())
    }

    /// Calls `f` with the word.
    #[inline]
    pub(super) fn with_str<T>(self, f: impl FnOnce(&str) -> T) -> T {
        f(text(&self.0.to_le_bytes()[..self.len()]))
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

    #[inline]
    fn is(&self, Key(key): Key) -> bool {
        self.key() == key
    }

    fn text(&self) -> &str {
        text(&self.word[..Key(self.key()).len()])
    }
}

/// Returns a key's bytes as the text that they are.
#[inline]
fn text(word: &[u8]) -> &str {
    #[expect(
        clippy::expect_used,
        reason = "a key is made of a str, or of bytes of words, which are ASCII"
    )]
    std::str::from_utf8(word).expect("UTF-8")
}

/// Reads all the slots, so that the memory is waited for once and not for each.
fn touch(slots: &[Slot], homes: &[usize]) {
    let read = homes
        .iter()
        .fold(0, |sum: u64, home| sum.wrapping_add(slots[*home].count));
    black_box(read);
}

/// The counts of short words.
#[derive(Debug, Clone, Default)]
pub(super) struct ShortWords {
    /// As many as a power of 2, or none.
    slots: Vec<Slot>,
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

    /// Returns the text of a word that is in the table.
    pub(super) fn word(&self, key: Key) -> &str {
        self.slots[self.search(key, self.hash(key))].text()
    }

    /// Iterates over all words and their counts, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, u64)> {
        let used = self.slots.iter().filter(|slot| slot.count > 0);
        used.map(|slot| (Key(slot.key()), slot.count))
    }

    /// Iterates over the texts of all words and their counts, in no particular order.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, u64)> {
        let used = self.slots.iter().filter(|slot| slot.count > 0);
        used.map(|slot| (slot.text(), slot.count))
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
            if self.displacement(at) > CROWDED && self.len / 2 >= self.seeded_at {
                self.rebuild(self.slots.len(), true);
            }
            return true;
        }
        self.slots[at].count += n;
        false
    }

    /// Adds one occurrence of each of the words, of which there are [`BATCH`] at most. Those that are not in the slots
    /// where a search for them begins are left out: they are written to `absent`, and their number is returned.
    #[inline(never)]
    pub(super) fn add_batch(&mut self, keys: &[Key], absent: &mut [Key; BATCH]) -> usize {
        if self.slots.is_empty() {
            self.grow();
        }
        let mut homes = [0; BATCH];
        for (home, key) in homes.iter_mut().zip(keys) {
            *home = self.home(self.hash(*key));
        }
        let slots = self.slots.as_mut_slice();
        if slots.len() > FAR / size_of::<Slot>() {
            touch(slots, &homes[..keys.len()]);
        }
        let mut number = 0;
        for (key, home) in keys.iter().zip(&homes) {
            // Without a branch: whether a word is there can't be predicted well.
            let slot = &mut slots[*home];
            let is_there = slot.is(*key);
            slot.count += u64::from(is_there);
            absent[number % BATCH] = *key;
            number += usize::from(!is_there);
        }
        number
    }

    /// Hashes with one multiplication, whose halves are combined. Without the table's random seed, nobody can choose
    /// words that collide.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the halves are meant")]
    fn hash(&self, Key(key): Key) -> u64 {
        let (low, high) = (key as u64 ^ self.seed.0, (key >> 64) as u64 ^ self.seed.1);
        let product = u128::from(low) * u128::from(high);
        product as u64 ^ (product >> 64) as u64
    }

    /// Returns the slot where the search begins.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the shift leaves as many bits as the index has"
    )]
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

    /// Returns how far the word in this slot is from where its search begins.
    fn displacement(&self, at: usize) -> usize {
        let home = self.home(self.hash(Key(self.slots[at].key())));
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
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; slots]);
        self.shift = u64::BITS - slots.ilog2();
        self.room = slots / 4 * 3 - self.len;
        // Frequent words first, so that they are where a search for them begins.
        let words = || old.iter().filter(|slot| slot.count > 0);
        let all = words().map(|slot| slot.count).sum::<u64>();
        let often = all / (old.len() as u64).max(1);
        let frequent = words().filter(|slot| slot.count > often);
        for slot in frequent.chain(words().filter(|slot| slot.count <= often)) {
            let key = Key(slot.key());
            let at = self.search(key, self.hash(key));
            self.slots[at] = *slot;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn key(word: &str) -> Key {
        Key::of(word.as_bytes()).unwrap()
    }

    #[test]
    fn keys_are_for_short_words_that_end_with_no_nul() {
        assert_eq!(Key::of(b""), None);
        assert_eq!(Key::of(b"a\0"), None);
        assert_eq!(Key::of(b"12345678901234567"), None);
        for word in ["a", "\0a", "1234567890123456", "\u{e9}"] {
            assert_eq!(key(word).len(), word.len());
        }
        assert!(key("a").rank() < key("a\0b").rank());
        assert!(key("ab").rank() < key("b").rank());
    }

    #[test]
    fn keys_are_in_lower_case_and_end_with_the_word() {
        for length in 1..=MAX_SHORT {
            let found = Key::of_word_bytes(*b"AbCdEfGh0'2X4Y6Z", length);
            assert_eq!(found, key(&"abcdefgh0'2x4y6z"[..length]));
        }
    }

    #[test]
    fn words_that_all_collide_get_another_seed() {
        let mut table = ShortWords::default();
        table.grow();
        // With this one, every word of up to 8 bytes has the same hash: the worst that anyone can do.
        table.seed = (0, 0);
        for n in 0..20_000 {
            assert!(table.add(key(&format!("{n}")), 1));
        }
        assert_ne!(table.seed, (0, 0));
        let slots = table.slots.iter().enumerate();
        let used = slots.filter(|(_, slot)| slot.count > 0);
        let used: Vec<_> = used.map(|(at, _)| at).collect();
        assert_eq!(used.len(), 20_000);
        let away: usize = used.into_iter().map(|at| table.displacement(at)).sum();
        assert!(away < 10 * 20_000, "{away}");
        assert!((0..20_000).all(|n| table.get(key(&format!("{n}"))) == 1));
    }
}
