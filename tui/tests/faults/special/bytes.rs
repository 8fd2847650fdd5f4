//! Inputs that are large in an unusual way: a word of 10 MB, a single line of 1 GB.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::Duration;

use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::{process, words};

const WORD: usize = 10 << 20;
const LINE: usize = 1 << 30;
/// What a mapper may need at most, whatever it reads: pieces of a few MB, and words of this test's length.
const MEMORY: u64 = 160 << 20;

pub fn long_words_and_lines() -> Option<Duration> {
    let lab = Lab::new([]);
    long_word(&lab);
    long_line(&lab);
    for mapper in &lab.mappers {
        let peak = process::peak_memory(mapper.pid());
        assert!(peak < MEMORY, "a mapper needed {} MiB", peak >> 20);
    }
    None
}

fn long_word(lab: &Lab) {
    let text = [b"to be ", vec![b'x'; WORD].as_slice(), b" or not to be"].concat();
    lab.s3.put("word.txt", text.as_slice());
    for split in ["range", "copy"] {
        count(lab, "word.txt", split, "3", &words::count(&text));
    }
}

/// Written straight into the server's folder, in the place of an object whose `ETag` the server keeps: it would hash
/// all of this one at each request. The line ends between words, so that its counts are those of one pattern
/// many times over.
fn long_line(lab: &Lab) {
    let pattern = "what's past is prologue, and the rest is 1 long line without an end ";
    let block = pattern.repeat((1 << 20) / pattern.len());
    let blocks = LINE.div_ceil(block.len());
    lab.s3.put("line.txt", "for its ETag");
    let mut file = BufWriter::new(File::create(lab.s3.file("line.txt")).unwrap());
    for _ in 0..blocks {
        file.write_all(block.as_bytes()).unwrap();
    }
    file.into_inner().unwrap();
    let mut counts = words::count(block.as_bytes());
    for count in counts.values_mut() {
        *count *= blocks as u64;
    }
    count(lab, "line.txt", "range", "16", &counts);
}

fn count(lab: &Lab, key: &str, split: &str, chunks: &str, expected: &BTreeMap<String, u64>) {
    let addresses = lab.direct_addresses();
    let console = lab
        .console_to(&addresses, "run")
        .arg(format!("s3://lab/{key}"));
    let console = console.args(["--split", split, "--chunks", chunks, "--output", "json"]);
    let report = console.run().expect(0).json();
    mrdeck_testkit::oracle::expect_exact(&lab.s3, &report, expected);
}
