//! Counts any bytes in any pieces, and compares with counting by definition.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use mrdeck_core::count::table::Counts;
use mrdeck_core::count::tokens::{WordCounter, WordStarts};
use mrdeck_core::encoding::non_ascii;

/// Counts by definition, as slowly and plainly as it gets.
fn plainly(text: &[u8]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for word in text.split(|b| !(b.is_ascii_alphanumeric() || *b == b'\'')) {
        if !word.is_empty() {
            let word = String::from_utf8(word.to_ascii_lowercase()).expect("ASCII");
            *counts.entry(word).or_insert(0) += 1;
        }
    }
    counts
}

fuzz_target!(|input: (Vec<u16>, Vec<u8>)| {
    let (sizes, text) = input;
    let (mut counter, mut starts, mut seen, mut beyond) =
        (WordCounter::new(), WordStarts::default(), 0, 0);
    let mut rest = text.as_slice();
    for size in sizes.iter().copied().chain([u16::MAX]).cycle() {
        let (piece, after) = rest.split_at(usize::from(size).min(rest.len()));
        counter.feed(piece).expect("the words fit");
        seen = starts.feed(piece);
        beyond += non_ascii(piece);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let counts = counter.finish().expect("the words fit");
    let expected = plainly(&text);

    let pairs: Vec<_> = expected.iter().map(|(word, n)| (word.as_str(), *n)).collect();
    assert_eq!(counts.sorted(), pairs);
    assert_eq!(counts.words(), expected.values().sum::<u64>());
    assert_eq!(counts.words(), seen);
    assert_eq!(beyond, text.iter().filter(|byte| !byte.is_ascii()).count() as u64);
    let json = counts.to_json();
    assert_eq!(Counts::from_json(json.as_bytes()).as_ref(), Ok(&counts));
    assert_eq!(counts.json_pieces().collect::<Vec<_>>().concat(), json.into_bytes());
});
