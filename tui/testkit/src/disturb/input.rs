//! What a run is over, as data.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::words;

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    #[default]
    LiberPrimus,
    Text(String),
    /// Bytes in hexadecimal digits.
    Hex(String),
    /// What `words::random_text` makes.
    Random {
        seed: u64,
        words: usize,
    },
    /// A text that begins and ends between words, many times.
    Repeat {
        text: String,
        times: usize,
    },
}

impl Input {
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::LiberPrimus => words::LIBER_PRIMUS.into(),
            Self::Text(text) => text.clone().into(),
            Self::Hex(digits) => unhex(digits),
            Self::Random { seed, words } => words::random_text(*seed, *words),
            Self::Repeat { text, times } => text.repeat(*times).into(),
        }
    }

    /// Returns the bytes in so many pieces, or fewer: no word is in two of them.
    pub fn pieces(&self, count: usize) -> Vec<Vec<u8>> {
        let bytes = self.bytes();
        let is_word = |at: usize| bytes[at].is_ascii_alphanumeric() || bytes[at] == b'\'';
        let mut cuts = vec![0];
        for piece in 1..count {
            let mut cut = (bytes.len() * piece / count).max(1);
            while cut < bytes.len() && is_word(cut - 1) && is_word(cut) {
                cut += 1;
            }
            cuts.push(cut.min(bytes.len()));
        }
        cuts.push(bytes.len());
        cuts.dedup();
        cuts.windows(2)
            .map(|pair| bytes[pair[0]..pair[1]].to_vec())
            .collect()
    }

    pub fn counts(&self) -> BTreeMap<String, u64> {
        words::count(&self.bytes())
    }
}

fn unhex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}
