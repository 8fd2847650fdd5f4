//! Word counts made the naive way, apart from the code under test; and texts to count.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The text that the local cluster starts with.
pub const LIBER_PRIMUS: &str = lipsum::LIBER_PRIMUS;

/// How often each word occurs.
pub fn count(text: &[u8]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'\'';
    for word in text.split(|byte| !is_part(byte)) {
        if !word.is_empty() {
            let word = String::from_utf8(word.to_ascii_lowercase()).unwrap();
            *counts.entry(word).or_insert(0) += 1;
        }
    }
    counts
}

/// The counts as the services write them.
pub fn json(counts: &BTreeMap<String, u64>) -> String {
    let mut text = String::from("{");
    for (index, (word, count)) in counts.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(text, "{comma}\n  \"{word}\": {count}").unwrap();
    }
    text.push_str(if counts.is_empty() { "}" } else { "\n}" });
    text
}

/// The most frequent words; equal counts in the words' order.
pub fn top(counts: &BTreeMap<String, u64>, n: usize) -> Vec<(String, u64)> {
    let mut pairs: Vec<_> = counts.iter().map(|(word, n)| (word.clone(), *n)).collect();
    pairs.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    pairs.truncate(n);
    pairs
}

/// Random bytes that look like text often enough: words of all lengths, several separators, some that is no UTF-8. There
/// are NUL bytes among them only behind the first 8 KiB,
/// which mrdeck looks at.
pub fn random_text(seed: u64, words: usize) -> Vec<u8> {
    const SEPARATORS: [&[u8]; 8] = [
        b" ",
        b"\r\n",
        b"\n",
        b", ",
        b"\0",
        b"\xef\xbb\xbf",
        b"-",
        b"\xff\xfe ",
    ];
    let mut random = fastrand::Rng::with_seed(seed);
    let mut text = Vec::new();
    for _ in 0..words {
        let length = *random.choice(&[1, 1, 2, 3, 5, 8, 40]).unwrap();
        for _ in 0..length {
            text.push(*random.choice(b"abAB0'").unwrap());
        }
        let separator: &[u8] = random.choice(SEPARATORS).unwrap();
        let is_looked_at = text.len() < mrdeck_core::encoding::LOOK;
        let is_nul = separator == b"\0";
        text.extend_from_slice(if is_looked_at && is_nul {
            b"\x0b"
        } else {
            separator
        });
    }
    text
}
