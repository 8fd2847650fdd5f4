//! Short words as numbers: padded with NULs, the first byte the lowest.

use std::fmt::Debug;

/// The most bytes that a word may have to be a number.
pub(super) const MAX_SHORT: usize = Key16::MAX;

/// A word of 1 to [`MAX`](Self::MAX) bytes as a number. No such word ends with a NUL.
pub(super) trait Key: Copy + Eq + Debug {
    /// The bytes of the number.
    type Bytes: Copy + Debug + AsRef<[u8]>;

    /// The most bytes of a word.
    const MAX: usize;
    /// No word's key.
    const NONE: Self;

    /// Returns the key of `word`, unless it is empty, too long, or ends with a NUL.
    fn of(word: &[u8]) -> Option<Self>;

    fn of_bytes(bytes: Self::Bytes) -> Self;

    fn bytes(self) -> Self::Bytes;

    /// Returns the number of bytes of the word.
    fn len(self) -> usize;

    /// Hashes with one multiplication. Without the random seed, nobody can choose words that collide; the highest bits
    /// are the best ones.
    fn hash(self, seed: (u64, u64)) -> u64;

    /// Returns a number by which all short words compare as their bytes do.
    fn rank(self) -> u128;

    /// Returns the key that has this rank.
    fn of_rank(rank: u128) -> Self;
}

/// What is the same for every number that a key may be.
macro_rules! as_number {
    ($number:ty) => {
        type Bytes = [u8; size_of::<$number>()];

        const MAX: usize = size_of::<$number>();
        const NONE: Self = Self(0);

        #[inline]
        fn of(word: &[u8]) -> Option<Self> {
            padded(word).map(<$number>::from_le_bytes).map(Self)
        }

        #[inline]
        fn of_bytes(bytes: Self::Bytes) -> Self {
            Self(<$number>::from_le_bytes(bytes))
        }

        #[inline]
        fn bytes(self) -> Self::Bytes {
            self.0.to_le_bytes()
        }

        #[inline]
        fn len(self) -> usize {
            Self::MAX - self.0.leading_zeros() as usize / 8
        }
    };
}

/// A word of 1 to 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key8(u64);

impl Key8 {
    /// Returns the key of the first `length` bytes, 1 to 8, in lower case; all of them are bytes of a word.
    #[inline]
    pub(super) fn of_word_bytes(bytes: [u8; Self::MAX], length: usize) -> Self {
        // Every byte of a word has this bit set in lower case, and only upper-case letters lack it.
        let lower = u64::from_le_bytes(bytes) | u64::from_le_bytes([0x20; Self::MAX]);
        Self(lower & KEPT_8[length])
    }
}

impl Key for Key8 {
    as_number!(u64);

    /// Multiply-shift: Dietzfelbinger et al., "A Reliable Randomized Algorithm for the Closest-Pair Problem" (1997).
    #[inline]
    fn hash(self, (factor, _): (u64, u64)) -> u64 {
        self.0.wrapping_mul(factor | 1)
    }

    #[inline]
    fn rank(self) -> u128 {
        u128::from(self.0.swap_bytes()) << 64
    }

    #[inline]
    fn of_rank(rank: u128) -> Self {
        Self(((rank >> 64) as u64).swap_bytes())
    }
}

/// A word of 1 to 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key16(u128);

impl Key16 {
    /// Returns the key of the first `length` bytes, 1 to 16, in lower case; all of them are bytes of a word.
    #[inline]
    pub(super) fn of_word_bytes(bytes: [u8; Self::MAX], length: usize) -> Self {
        // As above.
        let lower = u128::from_le_bytes(bytes) | u128::from_le_bytes([0x20; Self::MAX]);
        Self(lower & KEPT_16[length])
    }

    /// Calls `f` with the word.
    #[inline]
    pub(super) fn with_str<T>(self, f: impl FnOnce(&str) -> T) -> T {
        f(text(&self.bytes()[..self.len()]))
    }
}

impl Key for Key16 {
    as_number!(u128);

    /// The halves of the product are combined.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the halves are meant")]
    fn hash(self, seed: (u64, u64)) -> u64 {
        let (low, high) = (self.0 as u64 ^ seed.0, (self.0 >> 64) as u64 ^ seed.1);
        let product = u128::from(low) * u128::from(high);
        product as u64 ^ (product >> 64) as u64
    }

    #[inline]
    fn rank(self) -> u128 {
        self.0.swap_bytes()
    }

    #[inline]
    fn of_rank(rank: u128) -> Self {
        Self(rank.swap_bytes())
    }
}

/// The bits of a key that a word of each length has.
const KEPT_16: [u128; Key16::MAX + 1] = kept();
const KEPT_8: [u64; Key8::MAX + 1] = first_half(&KEPT_16);

const fn kept() -> [u128; Key16::MAX + 1] {
    let mut kept = [0; Key16::MAX + 1];
    let mut length = 1;
    while length <= Key16::MAX {
        kept[length] = u128::MAX >> (128 - 8 * length);
        length += 1;
    }
    kept
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
const fn first_half(all: &[u128; Key16::MAX + 1]) -> [u64; Key8::MAX + 1] {
    let mut kept = [0; Key8::MAX + 1];
    let mut length = 1;
    while length <= Key8::MAX {
        kept[length] = all[length] as u64;
        length += 1;
    }
    kept
}

/// Returns the word with NULs behind it, unless it is empty, too long, or ends with one itself.
#[inline]
fn padded<const N: usize>(word: &[u8]) -> Option<[u8; N]> {
    if word.len() > N || matches!(word.last(), None | Some(0)) {
        return None;
    }
    let mut padded = [0; N];
    padded[..word.len()].copy_from_slice(word);
    Some(padded)
}

/// Returns a key's bytes as the text that they are.
#[inline]
pub(super) fn text(word: &[u8]) -> &str {
    #[expect(
        clippy::expect_used,
        reason = "a key is made of a str, or of bytes of words, which are ASCII"
    )]
    std::str::from_utf8(word).expect("UTF-8")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn key<K: Key>(word: &str) -> K {
        K::of(word.as_bytes()).unwrap()
    }

    fn check_keys<K: Key>() {
        let longest = &"1234567890123456"[..K::MAX];
        assert_eq!(K::of(b""), None);
        assert_eq!(K::of(b"a\0"), None);
        assert_eq!(K::of(format!("{longest}7").as_bytes()), None);
        for word in ["a", "\0a", longest, "\u{e9}"] {
            assert_eq!(key::<K>(word).len(), word.len());
            assert_eq!(K::of_rank(key::<K>(word).rank()), key::<K>(word));
            assert_eq!(K::of_bytes(key::<K>(word).bytes()), key::<K>(word));
            // In either kind.
            assert_eq!(key::<K>(word).rank(), key::<Key16>(word).rank());
        }
        assert!(key::<K>("a").rank() < key::<K>("a\0b").rank());
        assert!(key::<K>("ab").rank() < key::<K>("b").rank());
    }

    #[test]
    fn keys_are_for_short_words_that_end_with_no_nul() {
        check_keys::<Key8>();
        check_keys::<Key16>();
        assert!(key::<Key16>("abcdefgh").rank() < key::<Key16>("abcdefgh0").rank());
    }

    #[test]
    fn keys_are_in_lower_case_and_end_with_the_word() {
        for length in 1..=Key16::MAX {
            let found = Key16::of_word_bytes(*b"AbCdEfGh0'2X4Y6Z", length);
            assert_eq!(found, key(&"abcdefgh0'2x4y6z"[..length]));
        }
        for length in 1..=Key8::MAX {
            let found = Key8::of_word_bytes(*b"A'c0EfGZ", length);
            assert_eq!(found, key(&"a'c0efgz"[..length]));
        }
    }
}
