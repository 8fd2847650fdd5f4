//! The fixed work whose instructions `benches/instructions` counts: makes a text and, with `count`, counts its words.

#![allow(clippy::unwrap_used)]

use mrdeck_core::count::tokens::WordCounter;

#[path = "../benches/texts/mod.rs"]
#[allow(dead_code)] // It makes other texts, too.
mod texts;

fn main() {
    // Few different words and many of them; many different words and few of each.
    let mut text: Vec<u8> = texts::Zipf::new(300_000, 5_000).flatten().collect();
    text.extend(texts::Zipf::new(100_000, 500_000).flatten());
    if std::env::args().nth(1).as_deref() != Some("count") {
        println!("{} bytes", text.len());
        return;
    }
    let mut counter = WordCounter::new();
    for piece in text.chunks(10_000) {
        counter.feed(piece).unwrap();
    }
    let counts = counter.finish().unwrap();
    assert_eq!(counts.words(), 400_000);
    println!("{} bytes of JSON", counts.to_json().len());
}
