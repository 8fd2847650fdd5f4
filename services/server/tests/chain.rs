//! Split, map and reduce in a row give what one direct count gives, whatever the bytes and the cuts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;

use common::{Lab, uri};
use mrdeck_core::api::{ChunkRef, MapAnswer, ReduceAnswer, SplitAnswer};
use mrdeck_core::count::table::{Counts, compare};
use mrdeck_core::count::tokens::WordCounter;
use mrdeck_core::role::Role;
use mrdeck_store::memory::MemoryStore;
use proptest::prelude::*;

async fn chain(text: &[u8], chunks: usize, mode: &str, piece: usize) {
    let lab = Lab {
        store: Arc::new(MemoryStore::with_bucket("b").with_piece_size(piece)),
    };
    lab.put("s3://b/in.txt", text).await;
    let mut counter = WordCounter::new();
    counter.feed(text).unwrap();
    let expected = counter.finish().unwrap();
    // As many chunks as were drawn, or as many as there may be.
    let chunks = chunks
        .min(usize::try_from(expected.words()).unwrap())
        .max(1);

    // The texts that are drawn have any bytes.
    let path = format!("/split?s3=s3://b/in.txt&chunks={chunks}&mode={mode}&run=R&as=bytes");
    let split: SplitAnswer = serde_json::from_value(lab.ok(Role::Splitter, &path).await).unwrap();
    assert_eq!(split.chunks.len(), chunks);
    assert_eq!(split.bytes, Some(text.len() as u64));
    assert_eq!(split.sizes.unwrap().iter().sum::<u64>(), text.len() as u64);

    let (mut inputs, mut words, mut bytes, mut non_ascii) = (Vec::new(), 0, 0, 0);
    for (index, chunk) in split.chunks.iter().enumerate() {
        let what = match chunk {
            ChunkRef::Object(s3) => format!("s3={s3}"),
            ChunkRef::Range { s3, start, end } => format!("s3={s3}&start={start}&end={end}"),
        };
        let path = format!("/map?{what}&run=R&chunk={index:02}&attempt=1&as=bytes");
        let map: MapAnswer = serde_json::from_value(lab.ok(Role::Mapper, &path).await).unwrap();
        words += map.info.words.unwrap();
        bytes += map.info.bytes.unwrap();
        non_ascii += map.info.non_ascii.unwrap();
        inputs.push(map.out);
    }
    assert_eq!((words, bytes), (expected.words(), text.len() as u64));
    let expected_non_ascii = text.iter().filter(|byte| !byte.is_ascii()).count();
    assert_eq!(non_ascii, expected_non_ascii as u64);

    let body = serde_json::json!({"in": inputs}).to_string();
    let reply = lab.post("/reduce?run=R", body).await;
    let reduce: ReduceAnswer = serde_json::from_value(reply.json()).unwrap();
    assert_eq!(
        (reduce.info.words, reduce.info.unique),
        (Some(expected.words()), Some(expected.unique()))
    );
    let json = lab
        .store
        .read(&uri("s3://b/mr/runs/R/reduce/final-a1.json"))
        .unwrap();
    assert_eq!(json, expected.to_json());
    assert!(compare(&expected, &Counts::from_json(&json).unwrap()).is_equal());
}

fn run(text: &[u8], chunks: usize, piece: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for mode in ["copy", "range"] {
        runtime.block_on(chain(text, chunks, mode, piece));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_text_any_chunks_any_pieces(
        text in proptest::collection::vec(
            prop_oneof![4 => proptest::sample::select(b"aAbB'z09".to_vec()), 2 => Just(b' '), 1 => any::<u8>()],
            1..400,
        ),
        chunks in 1..20_usize,
        piece in 1..60_usize,
    ) {
        run(&text, chunks, piece);
    }
}

#[test]
fn a_word_that_spans_chunks_and_reads() {
    let mut text = b"start ".to_vec();
    text.extend(std::iter::repeat_n(b'x', 200_000));
    text.extend_from_slice(b" and the end of it");
    run(&text, 7, 10_000);
}
