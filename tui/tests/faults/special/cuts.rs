//! A small text cut at every position, as byte ranges and as copies, through the real services.

use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;

use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::{runtime, words};

/// Words of every length, at both ends, with every kind of separator; some of it is no UTF-8.
const TEXT: &[u8] = b"It's a dog's\xff\r\nTo be,or  x\0y\xef\xbb\xbf'tis the-end";

pub fn every_cut() -> Option<Duration> {
    let lab = Lab::new([]);
    by_ranges(&lab);
    by_copies(&lab);
    None
}

fn by_ranges(lab: &Lab) {
    let input = lab.s3.put("ranges.txt", TEXT);
    let size = TEXT.len().to_string();
    for cut in 0..=TEXT.len() {
        let cut = cut.to_string();
        let run = format!("ranges-{cut}");
        let chunks = [("0", cut.as_str()), (&cut, &size)];
        let outs = chunks.iter().enumerate().map(|(chunk, (start, end))| {
            let mapper = &lab.mappers[chunk].url();
            let query = [("s3", input.as_str()), ("start", start), ("end", end)];
            let chunk = chunk.to_string();
            ask(
                mapper,
                "/map",
                &run,
                &[&query[..], &[("chunk", &chunk)]].concat(),
            )
        });
        let outs: Vec<Value> = outs.collect();
        let owned: u64 = outs.iter().map(|out| out["bytes"].as_u64().unwrap()).sum();
        assert_eq!(owned, TEXT.len() as u64, "cut at {cut}: {outs:?}");
        expect_counted(lab, &run, &outs, TEXT);
    }
}

/// Where a copy is cut is the splitter's choice, so the text is moved past that place byte by byte.
fn by_copies(lab: &Lab) {
    for moved in 0..TEXT.len() {
        let text = [&vec![b' '; moved], TEXT, &vec![b'.'; TEXT.len() - moved]].concat();
        let input = lab.s3.put("copies.txt", text.as_slice());
        let run = format!("copies-{moved}");
        let query = [("s3", input.as_str()), ("chunks", "2")];
        let split = ask(&lab.splitter.url(), "/split", &run, &query);
        let chunks = split["chunks"].as_array().unwrap();
        let copied: Vec<Vec<u8>> = chunks
            .iter()
            .map(|at| lab.s3.get(at.as_str().unwrap()))
            .collect();
        assert_eq!(copied.len(), 2, "{split}");
        assert_eq!(
            copied.concat(),
            text,
            "moved by {moved}: nothing is lost or doubled"
        );
        let outs = chunks.iter().enumerate().map(|(chunk, at)| {
            let query = [("s3", at.as_str().unwrap()), ("chunk", &chunk.to_string())];
            ask(&lab.mappers[chunk].url(), "/map", &run, &query)
        });
        expect_counted(lab, &run, &outs.collect::<Vec<_>>(), &text);
    }
}

fn expect_counted(lab: &Lab, run: &str, outs: &[Value], text: &[u8]) {
    let inputs: Vec<(&str, &str)> = outs
        .iter()
        .map(|out| ("in", out["out"].as_str().unwrap()))
        .collect();
    let reduced = ask(&lab.reducer.url(), "/reduce", run, &inputs);
    let counts = lab.s3.get(reduced["out"].as_str().unwrap());
    let expected = words::json(&words::count(text));
    assert_eq!(String::from_utf8(counts).unwrap(), expected, "{run}");
}

fn ask(service: &str, path: &str, run: &str, query: &[(&str, &str)]) -> Value {
    static HTTP: LazyLock<reqwest::Client> =
        LazyLock::new(|| mrdeck_client::http_client(None).unwrap());
    let request = HTTP.get(format!("{service}{path}"));
    let request = request.query(query).query(&[("run", run), ("as", "bytes")]);
    runtime().block_on(async {
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{service}{path} {query:?}: {text}");
        serde_json::from_str(&text).unwrap()
    })
}
