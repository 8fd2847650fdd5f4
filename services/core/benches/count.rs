//! Measures the counting beside a plain baseline, the sorting and the writing of JSON: `cargo bench -p mrdeck-core`.
//!
//! `MRDECK_BENCH_TEXT` names a text to be repeated in place of the generated one with few different words.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

use mrdeck_core::count::table::Counts;
use mrdeck_core::count::tokens::{WordCounter, WordStarts, is_word_byte};
use mrdeck_core::encoding::non_ascii;

mod texts;

fn main() {
    divan::main();
}

/// The bytes in which a text is fed, as they may come from the network.
const PIECE: usize = 64 << 10;

#[derive(Debug, Clone, Copy)]
enum Text {
    /// About 64 MB of a text of 168 kB, repeated: some 5,000 different words.
    Few,
    /// 180 MB, some 1,530,000 different words.
    Many,
}

impl Text {
    fn bytes(self) -> &'static [u8] {
        static FEW: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let path = std::env::var_os("MRDECK_BENCH_TEXT");
            let once = match path {
                Some(path) => std::fs::read(path).expect("MRDECK_BENCH_TEXT names a file"),
                None => texts::Zipf::new(30_000, 6_600).flatten().collect(),
            };
            once.repeat(64_000_000_usize.div_ceil(once.len()))
        });
        static MANY: LazyLock<Vec<u8>> = LazyLock::new(|| texts::Zipf::large().flatten().collect());
        match self {
            Self::Few => &FEW,
            Self::Many => &MANY,
        }
    }

    fn counts(self) -> Counts {
        let mut counter = WordCounter::new();
        for piece in self.bytes().chunks(PIECE) {
            counter.feed(piece).unwrap();
        }
        counter.finish().unwrap()
    }
}

/// Returns a bencher that prints the bytes of the text per second.
fn over<'a, 'b>(bencher: Bencher<'a, 'b>, text: Text) -> Bencher<'a, 'b> {
    // Made before the clock runs.
    let length = text.bytes().len();
    bencher.counter(BytesCount::new(length))
}

#[divan::bench(args = [Text::Few, Text::Many], sample_count = 5, sample_size = 1)]
fn kernel(bencher: Bencher<'_, '_>, text: Text) {
    over(bencher, text).bench(|| text.counts());
}

/// What anyone would write first, under the same rules.
#[divan::bench(args = [Text::Few, Text::Many], sample_count = 3, sample_size = 1)]
fn baseline(bencher: Bencher<'_, '_>, text: Text) {
    over(bencher, text).bench(|| {
        let mut counts: HashMap<String, u64> = HashMap::new();
        let words = text.bytes().split(|byte| !is_word_byte(*byte));
        for word in words.filter(|word| !word.is_empty()) {
            let word = String::from_utf8(word.to_ascii_lowercase()).unwrap();
            *counts.entry(word).or_default() += 1;
        }
        counts
    });
}

#[divan::bench(args = [Text::Few], sample_count = 5, sample_size = 1)]
fn word_starts(bencher: Bencher<'_, '_>, text: Text) {
    over(bencher, text).bench(|| {
        let mut starts = WordStarts::default();
        black_box(starts.feed(text.bytes()))
    });
}

#[divan::bench(args = [Text::Few], sample_count = 5, sample_size = 1)]
fn bytes_beyond_ascii(bencher: Bencher<'_, '_>, text: Text) {
    over(bencher, text).bench(|| non_ascii(text.bytes()));
}

/// The items are different words.
#[divan::bench(args = [Text::Few, Text::Many], sample_count = 5, sample_size = 1)]
fn sorted_json(bencher: Bencher<'_, '_>, text: Text) {
    let counts = text.counts();
    let bencher = bencher.counter(ItemsCount::new(counts.unique()));
    bencher.bench(|| counts.json_pieces().map(|piece| piece.len()).sum::<usize>());
}
