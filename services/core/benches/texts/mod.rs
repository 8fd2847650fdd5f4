//! Makes the texts that the counting is measured on: the same bytes on every machine, for the same arguments.
//!
//! It is no part of the crate: the benchmark and the example `text` include this file.

/// A text of words whose frequencies follow Zipf's law, 12 words a line, in pieces of about 64 KiB.
///
/// The word of rank r has a chance of about 1/r. The first word of a line is capitalised, one word in eight is
/// followed by a comma, and one in 4,096 is longer than 16 letters.
pub struct Zipf {
    words_left: u64,
    vocabulary: u64,
    random: u64,
    in_line: u32,
}

/// The bytes after which a piece ends, at the end of a line.
const PIECE: usize = 64 << 10;
const WORDS_A_LINE: u32 = 12;

impl Zipf {
    /// A text of `words` words, of at most `vocabulary` different ones (2 or more).
    pub fn new(words: u64, vocabulary: u64) -> Self {
        Self {
            words_left: words,
            vocabulary: vocabulary.max(2),
            random: 0x9e37_79b9_7f4a_7c15,
            in_line: 0,
        }
    }

    /// A text of about 180 MB: 34,000,000 words, about 1,530,000 different ones.
    pub fn large() -> Self {
        Self::new(34_000_000, 1_687_000)
    }

    /// Xorshift64*: the same numbers everywhere.
    fn next_random(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A rank from 1 to the vocabulary's size: first its octave, all of them being equally likely, then one in it.
    fn next_rank(&mut self) -> u64 {
        let octaves = u64::from(self.vocabulary.ilog2()) + 1;
        loop {
            let random = self.next_random();
            let octave = 1 << ((random >> 32) % octaves);
            let rank = octave + (random & 0xffff_ffff) % octave;
            if rank <= self.vocabulary {
                return rank;
            }
        }
    }

    fn push_word(&mut self, text: &mut Vec<u8>) {
        let start = text.len();
        let mut rest = self.next_rank();
        let long = self.next_random();
        // Syllables of a consonant and a vowel, the word's rank written to the base of 105.
        while rest > 0 {
            // Both are below 105, so they fit.
            let syllable = (rest % 105) as usize;
            text.extend([
                b"tnsrhldcmfpgwybvkxjqz"[syllable / 5],
                b"eaoiu"[syllable % 5],
            ]);
            rest /= 105;
        }
        if long.is_multiple_of(4_096) {
            text.extend(b"nessandlonganddrawn");
        }
        if self.in_line == 0 {
            text[start].make_ascii_uppercase();
        }
        if long >> 61 == 0 {
            text.push(b',');
        }
    }
}

impl Iterator for Zipf {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut piece = Vec::with_capacity(PIECE + 1_024);
        while self.words_left > 0 && piece.len() < PIECE {
            while self.words_left > 0 && self.in_line < WORDS_A_LINE {
                self.push_word(&mut piece);
                self.words_left -= 1;
                self.in_line += 1;
                let ends = self.in_line == WORDS_A_LINE || self.words_left == 0;
                piece.push(if ends { b'\n' } else { b' ' });
            }
            self.in_line = 0;
        }
        (!piece.is_empty()).then_some(piece)
    }
}
