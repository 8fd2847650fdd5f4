//! As many map outputs as a run can have, all of them for one reducer.

use std::collections::BTreeMap;
use std::time::Duration;

use mrdeck_client::{AttemptName, Client, ReduceRequest};
use mrdeck_core::digest::Digest;
use mrdeck_core::run_id::RunId;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::{runtime, words};

const OUTPUTS: u64 = 10_000;

pub fn ten_thousand_outputs() -> Option<Duration> {
    let lab = Lab::new([]);
    let (mut expected, mut inputs, mut sha256) = (BTreeMap::new(), Vec::new(), Vec::new());
    for index in 0..OUTPUTS {
        let counts = words::count(&words::random_text(index, 8));
        for (word, count) in &counts {
            *expected.entry(word.clone()).or_default() += count;
        }
        let key = format!("maps/{index}.json");
        let json = words::json(&counts);
        let file = lab.s3.file(&key);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, &json).unwrap();
        inputs.push(format!("s3://lab/{key}").parse().unwrap());
        sha256.push(Digest::of(json.as_bytes()).to_string());
    }
    let request = ReduceRequest { inputs, sha256 };
    let name = AttemptName {
        run: RunId::generate(),
        chunk: None,
        attempt: 1,
        lease: 1,
        plan: None,
    };
    let base = lab.reducer.url().parse().unwrap();
    let client = Client::new(None).unwrap();
    let answer = runtime().block_on(client.reduce(&base, &request, &name));
    let answer = answer.unwrap().answer;
    assert_eq!(answer.info.files, Some(OUTPUTS));
    let written = lab.s3.get(&answer.out.to_string());
    assert!(written == words::json(&expected).as_bytes(), "other counts");
    None
}
