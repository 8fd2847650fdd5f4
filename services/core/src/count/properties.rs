//! What must hold for any bytes, any cuts and any pieces.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::ops::Range;

use proptest::prelude::*;

use super::cuts::{OwnedRange, cuts};
use super::table::{Counts, compare};
use super::tokens::{WordCounter, WordStarts};

/// Bytes in which words, separators and odd bytes are all frequent.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => proptest::sample::select(b"aAbB'z09".to_vec()), 2 => Just(b' '), 1 => any::<u8>()];
    proptest::collection::vec(byte, 0..300)
}

/// A partition of the text at any positions, doubled ones and the ends among them.
fn partition(size: usize, positions: &[usize]) -> Vec<Range<u64>> {
    let mut ends: Vec<u64> = positions.iter().map(|p| (p % (size + 1)) as u64).collect();
    ends.extend([0, size as u64]);
    ends.sort_unstable();
    ends.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

fn pieces<'a>(text: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = text;
    let mut sizes = sizes.iter().copied().cycle();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = rest.split_at(sizes.next().unwrap_or(1).clamp(1, rest.len()));
        rest = after;
        Some(piece)
    })
}

fn count(text: &[u8]) -> Counts {
    let mut counter = WordCounter::new();
    counter.feed(text).unwrap();
    counter.finish().unwrap()
}

/// Counting by definition, without anything of this crate.
fn plain_pairs(text: &[u8]) -> HashMap<Vec<u8>, u64> {
    let mut counts = HashMap::new();
    for word in text.split(|b| !(b.is_ascii_alphanumeric() || *b == b'\'')) {
        if !word.is_empty() {
            *counts.entry(word.to_ascii_lowercase()).or_default() += 1;
        }
    }
    counts
}

/// Counting by definition, as slowly and plainly as it gets.
fn count_plainly(text: &[u8]) -> Counts {
    let mut counts = Counts::new();
    for word in text
        .split(|b| !(b.is_ascii_alphanumeric() || *b == b'\''))
        .filter(|w| !w.is_empty())
    {
        counts
            .add(&String::from_utf8(word.to_ascii_lowercase()).unwrap(), 1)
            .unwrap();
    }
    counts
}

/// The owned bytes of a range, read as a service reads them: until the range is done.
fn owned(text: &[u8], range: Range<u64>, sizes: &[usize]) -> Vec<u8> {
    let first = usize::try_from(OwnedRange::first(&range)).unwrap();
    let mut filter = OwnedRange::new(range);
    let mut bytes = Vec::new();
    for piece in pieces(&text[first..], sizes) {
        if filter.is_done() {
            break;
        }
        bytes.extend_from_slice(&piece[filter.feed(piece)]);
    }
    bytes
}

/// Words of 1 to 40 letters, and of about the lengths of the blocks and windows in which they are looked for.
fn words() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![
        8 => 1..40_usize,
        2 => 15..18_usize,
        2 => 62..67_usize,
        1 => 126..131_usize,
        1 => 4_094..4_099_usize,
    ];
    let letter = proptest::sample::select(b"aZ9'".to_vec());
    let gap = proptest::sample::select(vec![
        &b" "[..],
        b"\n\n",
        b"\x80",
        b"\xc3\xa9",
        b"@[`{/:&(\0",
    ]);
    let word = (length, letter, any::<u8>(), gap).prop_map(|(length, letter, last, gap)| {
        let mut word = vec![letter; length];
        word.push(last);
        word.extend(gap);
        word
    });
    proptest::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn lengths_do_not_matter(
        text in words(),
        sizes in proptest::collection::vec(prop_oneof![1..80_usize, Just(64), 4_000..5_000_usize], 1..6),
    ) {
        let (mut counter, mut starts, mut seen) = (WordCounter::new(), WordStarts::default(), 0);
        for piece in pieces(&text, &sizes) {
            counter.feed(piece).unwrap();
            seen = starts.feed(piece);
        }
        let counts = counter.finish().unwrap();
        let mut plainly: Vec<_> = plain_pairs(&text).into_iter().collect();
        plainly.sort_unstable();
        let sorted = counts.sorted().into_iter().map(|(word, n)| (word.as_bytes().to_vec(), n));
        prop_assert_eq!(sorted.collect::<Vec<_>>(), plainly);
        prop_assert_eq!(seen, counts.words());
    }

    #[test]
    fn pieces_do_not_matter(text in text(), sizes in proptest::collection::vec(1..40_usize, 1..5)) {
        let (mut counter, mut starts, mut seen) = (WordCounter::new(), WordStarts::default(), 0);
        for piece in pieces(&text, &sizes) {
            counter.feed(piece).unwrap();
            seen = starts.feed(piece);
        }
        let counts = counter.finish().unwrap();
        prop_assert_eq!(seen, counts.words());
        prop_assert_eq!(counts, count_plainly(&text));
    }

    #[test]
    fn cut_positions_do_not_matter(
        text in text(),
        positions in proptest::collection::vec(any::<usize>(), 0..8),
        sizes in proptest::collection::vec(1..40_usize, 1..5),
    ) {
        let mut all = Vec::new();
        let mut merged = Counts::new();
        for range in partition(text.len(), &positions) {
            let bytes = owned(&text, range, &sizes);
            merged.merge(&count(&bytes)).unwrap();
            all.extend(bytes);
        }
        prop_assert_eq!(merged, count(&text));
        prop_assert_eq!(all, text);
    }

    #[test]
    fn equal_cuts_are_a_partition(size: u64, n in 1..5_000_u32) {
        let ranges = cuts(size, n);
        prop_assert_eq!(ranges.len(), n as usize);
        prop_assert_eq!((ranges[0].start, ranges[ranges.len() - 1].end), (0, size));
        prop_assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
        let lengths = ranges.iter().map(|r| r.end - r.start);
        prop_assert!(lengths.clone().max().unwrap() - lengths.min().unwrap() <= 1);
    }

    #[test]
    fn json_comes_back_as_it_was(pairs in proptest::collection::hash_map(any::<String>(), 1..u64::MAX / 1_000, 0..20)) {
        let mut counts = Counts::new();
        for (word, n) in &pairs {
            counts.add(word, *n).unwrap();
        }
        let json = counts.to_json();
        prop_assert_eq!(Counts::from_json(json.as_bytes()).unwrap(), counts);
        // The layout is what serde_json's pretty printer gives for a sorted map.
        let sorted: std::collections::BTreeMap<_, _> = pairs.into_iter().collect();
        prop_assert_eq!(json, serde_json::to_string_pretty(&sorted).unwrap());
    }

    #[test]
    fn every_single_change_is_found(text in text(), which: proptest::sample::Index, more in 1..1_000_u64) {
        let expected = count(&text);
        prop_assert!(compare(&expected, &expected.clone()).is_equal());
        prop_assume!(!expected.is_empty());
        let words: Vec<_> = expected.sorted().into_iter().map(|(w, n)| (w.to_owned(), n)).collect();
        let (word, n) = words[which.index(words.len())].clone();

        let mut raised = expected.clone();
        raised.add(&word, more).unwrap();
        prop_assert_eq!(compare(&expected, &raised).different, [(word.clone(), n, n + more)]);

        let mut without = Counts::new();
        for (other, n) in words.iter().filter(|(other, _)| *other != word) {
            without.add(other, *n).unwrap();
        }
        prop_assert_eq!(compare(&expected, &without).missing, [(word.clone(), n)]);
        prop_assert_eq!(compare(&without, &expected).extra, [(word, n)]);
    }
}
