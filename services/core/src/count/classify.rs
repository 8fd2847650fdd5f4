//! Tells the bytes of words from those that separate them, 64 bytes at a time.

use wide::u8x64;

/// The bytes that are classified at a time.
pub(super) const BLOCK: usize = 64;

/// Returns one bit for each byte, the lowest for the first: whether it is part of a word.
#[inline]
pub(super) fn word_bits(block: &[u8; BLOCK]) -> u64 {
    let bytes = u8x64::new(*block);
    // Both cases of a letter differ in this bit only.
    let letter = within(bytes | u8x64::splat(0x20), b'a', 26);
    let digit = within(bytes, b'0', 10);
    let apostrophe = bytes.simd_eq(u8x64::splat(b'\''));
    (letter | digit | apostrophe).to_bitmask()
}

/// Selects the bytes from `first` on, `number` of them.
#[inline]
fn within(bytes: u8x64, first: u8, number: u8) -> u8x64 {
    // The subtraction wraps, so what is below `first` becomes large.
    (bytes - u8x64::splat(first)).simd_le(u8x64::splat(number - 1))
}

/// Returns the bits of a text's last bytes, at most 64; those beyond its end are not set.
#[inline]
pub(super) fn word_bits_of_rest(rest: &[u8]) -> u64 {
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    word_bits(&block)
}

/// Finds where the words of `text` begin and end: writes the offset of each one's first byte and of the byte after it,
/// in turn, and returns the number of offsets. If it is odd, the last word goes on to the end of the text.
///
/// `text` has at most 65,535 bytes, and `edges` as many elements and [`SPARE`] more.
#[inline]
pub(super) fn edges(text: &[u8], edges: &mut [u16]) -> usize {
    let (mut found, mut at, mut carry) = (0, 0, 0);
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    for block in blocks {
        let bits = word_bits(block);
        found = push(bits ^ (bits << 1 | carry), at, edges, found);
        carry = bits >> 63;
        at += BLOCK as u16;
    }
    if !rest.is_empty() {
        let bits = word_bits_of_rest(rest);
        // Of the bytes beyond the end, the first would end a word.
        let inside = u64::MAX >> (BLOCK - rest.len());
        found = push((bits ^ (bits << 1 | carry)) & inside, at, edges, found);
    }
    found
}

/// The elements that [`edges`] may write beyond those that it returns.
pub(super) const SPARE: usize = BLOCK;

/// Writes the offsets of the set bits, `at` being that of the lowest.
#[inline]
fn push(mut bits: u64, at: u16, edges: &mut [u16], found: usize) -> usize {
    let set = bits.count_ones() as usize;
    // Many at once, some of them too many, are faster than a branch after each.
    let mut first = found;
    while first < found + set {
        for edge in &mut edges[first..first + 8] {
            // The bit that is added is beyond all others, and says that there is one.
            *edge = at + (bits | 1 << 63).trailing_zeros() as u16;
            bits &= bits.wrapping_sub(1);
        }
        first += 8;
    }
    found + set
}

/// Returns the number of bytes at the start of `text` that are parts of words.
pub(super) fn run_length(text: &[u8]) -> usize {
    let (blocks, rest) = text.as_chunks();
    let mut whole = 0;
    for block in blocks {
        let run = word_bits(block).trailing_ones() as usize;
        if run < BLOCK {
            return whole + run;
        }
        whole += BLOCK;
    }
    whole + word_bits_of_rest(rest).trailing_ones() as usize
}
