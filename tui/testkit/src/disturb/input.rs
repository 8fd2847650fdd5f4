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
