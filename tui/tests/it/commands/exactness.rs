//! Any text, cut anywhere, counted over the network: the result is what a naive count says.

use std::time::Instant;

use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::proxy::script::Fault;
use mrdeck_testkit::words::{self, LIBER_PRIMUS};

/// Runs over `text` and asserts that the counts are exact.
fn assert_counted(lab: &Lab, key: &str, text: &[u8], options: &[&str]) {
    let input = lab.s3.put(key, text);
    let addresses = lab.direct_addresses();
    let console = lab.console_to(&addresses, "run").arg(input);
    let finished = console
        .args(["--output", "json", "--verify"])
        .args(options)
        .run();
    let report = lab.expect_exact(finished, text);
    assert_eq!(report["verified"], true);
}

#[test]
fn the_liber_primus_in_any_number_of_chunks() {
    let lab = Lab::new([]);
    for (chunks, split) in [
        ("1", "copy"),
        ("7", "range"),
        ("30", "range"),
        ("7", "copy"),
    ] {
        let options = ["--chunks", chunks, "--split", split];
        assert_counted(&lab, "liber.txt", LIBER_PRIMUS.as_bytes(), &options);
    }
}

/// Where nothing else is asked for, nothing is copied, unless a mapper may not know byte ranges.
#[test]
fn nothing_is_copied_where_every_mapper_reads_ranges() {
    for (fault, copies) in [(None, 0), (Some(Fault::Plain.at("/health")), 3)] {
        let lab = Lab::new(fault);
        let report = lab.expect_exact(lab.run(3).run(), LIBER_PRIMUS.as_bytes());
        let chunks = format!("mr/runs/{}/chunks", report["run"].as_str().unwrap());
        assert_eq!(lab.s3.keys(&chunks).len(), copies);
    }
}

#[test]
fn more_map_outputs_than_an_address_holds_are_posted() {
    let lab = Lab::new([]);
    let report = lab.expect_exact(lab.run(120).run(), LIBER_PRIMUS.as_bytes());
    let chunks = report["phases"]["map"]["chunks"].as_array().unwrap();
    assert_eq!(chunks.len(), 120);
    let reduces = lab.script.seen("/reduce");
    let methods: Vec<&str> = reduces.iter().map(|r| r.method.as_str()).collect();
    assert_eq!(methods, ["POST"]);
}

#[test]
fn random_texts_in_random_numbers_of_chunks() {
    let lab = Lab::new([]);
    let mut random = fastrand::Rng::with_seed(2);
    let started = Instant::now();
    for seed in 0..8 {
        let words = random.usize(1..400);
        let text = words::random_text(seed, words);
        let total: u64 = words::count(&text).values().sum();
        let chunks = random.u64(1..=total.min(12)).to_string();
        for split in ["copy", "range"] {
            println!(
                "seed {seed}, {words} words, {chunks} chunks, {split}, {:?}",
                started.elapsed()
            );
            assert_counted(
                &lab,
                "random.txt",
                &text,
                &["--chunks", &chunks, "--split", split],
            );
        }
    }
}

#[test]
fn words_longer_than_a_chunk_and_separators_only() {
    let lab = Lab::new([]);
    // Ten cuts fall into the long word; the last words come after all of them.
    let long = [b"a ".as_slice(), &[b'x'; 5_000], b" b c d e f g h i j"].concat();
    // Every cut falls between words, with nothing but separators around.
    let sparse = [
        &[b' '; 3_000],
        b"one two".as_slice(),
        &[0xff; 3_000],
        b"three",
    ]
    .concat();
    for (text, chunks) in [(&long, "11"), (&sparse, "3")] {
        for split in ["copy", "range"] {
            assert_counted(
                &lab,
                "odd.txt",
                text,
                &["--chunks", chunks, "--split", split],
            );
        }
    }
    let blank = b" \r\n\t\xff\0";
    let as_bytes = ["--chunks", "1", "--as-bytes"];
    assert_counted(&lab, "blank.txt", blank, &as_bytes);
}
