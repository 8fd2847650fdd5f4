//! Tells the bytes of words from those that separate them, 64 bytes at a time.

use wide::{u8x64, u16x8};

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
/// `text` has at most 65,535 bytes, and `edges` no fewer elements and [`SPARE`] more.
#[inline(never)]
pub(super) fn edges(text: &[u8], edges: &mut [u16]) -> usize {
    let (mut found, mut at, mut carry) = (0, 0, 0);
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    for block in blocks {
        let bits = word_bits(block);
        found = push(bits ^ (bits << 1 | carry), at, edges, found);
        carry = bits >> (BLOCK - 1);
        at = at.wrapping_add(BLOCK_OFFSET);
    }
    if !rest.is_empty() {
        let bits = word_bits_of_rest(rest);
        // Beyond the end, nothing is known to end.
        let inside = u64::MAX >> (BLOCK - rest.len());
        found = push((bits ^ (bits << 1 | carry)) & inside, at, edges, found);
    }
    found
}

/// [`BLOCK`] as an offset.
const BLOCK_OFFSET: u16 = 64;

/// Writes the offsets of the set bits, `at` being that of the lowest; returns the number of all offsets written.
///
/// Eight bits at a time, without a branch: where the next edge is can't be predicted.
#[inline]
fn push(bits: u64, at: u16, edges: &mut [u16], mut found: usize) -> usize {
    let mut at = u16x8::splat(at);
    for byte in bits.to_le_bytes() {
        let byte = usize::from(byte);
        let offsets = u16x8::new(OFFSETS[byte]) + at;
        #[expect(clippy::expect_used, reason = "said of `edges`")]
        let next = edges[found..].first_chunk_mut().expect("spare elements");
        *next = offsets.to_array();
        found += usize::from(SET_BITS[byte]);
        at += u16x8::splat(8);
    }
    found
}

/// The most offsets that [`edges`] writes over behind the last one.
pub(super) const SPARE: usize = 8;

/// The numbers of the bits that are set in each byte, and zeros behind them.
static OFFSETS: [[u16; SPARE]; 256] = offsets();
static SET_BITS: [u8; 256] = set_bits();

const fn offsets() -> [[u16; SPARE]; 256] {
    let mut offsets = [[0; SPARE]; 256];
    let mut byte = 0;
    while byte < offsets.len() {
        let (mut bit, mut found) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                offsets[byte][found] = bit;
                found += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    offsets
}

const fn set_bits() -> [u8; 256] {
    let mut numbers = [0; 256];
    let mut byte = 0;
    while byte < numbers.len() {
        let mut rest = byte;
        while rest > 0 {
            numbers[byte] += 1;
            rest &= rest - 1;
        }
        byte += 1;
    }
    numbers
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

#[cfg(test)]
mod tests {
    use super::super::tokens::is_word_byte;
    use super::*;

    #[test]
    fn every_byte_is_classified_as_the_rules_say() {
        for first in (0..=u8::MAX).step_by(BLOCK) {
            let block = std::array::from_fn(|i| first + u8::try_from(i).unwrap_or(0));
            let bits = word_bits(&block);
            for (i, byte) in block.iter().enumerate() {
                assert_eq!(bits >> i & 1 == 1, is_word_byte(*byte), "{byte}");
            }
        }
    }

    #[test]
    fn edges_are_found_beside_the_ends_of_blocks() {
        for length in 0..200 {
            for start in 0..length {
                for end in [start + 1, start + 2, start + 64, start + 65, length] {
                    let end = end.min(length);
                    let mut text = vec![b' '; length];
                    text[start..end].fill(b'x');
                    let mut found = vec![0; length + SPARE];
                    let number = edges(&text, &mut found);
                    let wanted = [start, end].map(|edge| u16::try_from(edge).unwrap_or(0));
                    let wanted = &wanted[..if end == length { 1 } else { 2 }];
                    assert_eq!(&found[..number], wanted, "{start}..{end} of {length}");
                    assert_eq!(run_length(&text[start..]), end - start);
                }
            }
        }
    }
}
