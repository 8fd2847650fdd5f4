//! Whichever way map outputs take through the reducer, the final counts are the same, to the byte.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use axum::body::Body;
use bytes::Bytes;
use common::{Lab, Reply, config, send, uri};
use mrdeck_core::count::table::Counts;
use mrdeck_core::digest::Digest;
use mrdeck_core::role::Role;
use mrdeck_services::{ServiceState, router};
use mrdeck_store::memory::Call;
use mrdeck_store::{Store as _, StoreError};
use serde_json::{Value, json};

/// Tables that share some of their words.
fn tables(count: usize, words: usize) -> Vec<Counts> {
    let table = |index: usize| {
        let mut counts = Counts::new();
        for n in 0..words {
            let word = format!("w{:x}", (n * 7_919 + index * 31) % (3 * words));
            counts.add(&word, (n % 5 + 1) as u64).unwrap();
        }
        counts
    };
    (0..count).map(table).collect()
}

fn sum(tables: &[Counts]) -> Counts {
    let mut all = Counts::new();
    for table in tables {
        all.merge(table).unwrap();
    }
    all
}

/// The same counts as another author may write them: on one line, in the opposite order.
fn laid_out_otherwise(table: &Counts) -> String {
    let pairs = table.sorted().into_iter().rev();
    let pairs: Vec<_> = pairs.map(|(word, n)| format!("\"{word}\":{n}")).collect();
    format!("{{{}}}", pairs.join(","))
}

async fn put(lab: &Lab, index: usize, json: &str) -> (String, Digest) {
    let at = format!("s3://b/maps/{index:05}");
    lab.put(&at, json.as_bytes()).await;
    (at, Digest::of(json.as_bytes()))
}

async fn reduce(lab: &Lab, inputs: &[(String, Digest)], memory: Option<u64>) -> Reply {
    let at: Vec<_> = inputs.iter().map(|(at, _)| at).collect();
    let sha256: Vec<_> = inputs.iter().map(|(_, hash)| hash.to_string()).collect();
    let body = json!({"in": at, "sha256": sha256}).to_string();
    let memory = memory.map(|bytes| bytes.to_string());
    let environment: Vec<_> = memory
        .iter()
        .map(|bytes| ("MAX_TABLE_BYTES", bytes.as_str()))
        .collect();
    let state = ServiceState::new(lab.store.clone(), config(Role::Reducer, &environment));
    let path = "/reduce?run=R&attempt=1&plan=P";
    send(router(Role::Reducer, state), "POST", path, body).await
}

fn expect_sum(lab: &Lab, reply: &Reply, tables: &[Counts]) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let (answer, expected) = (reply.json(), sum(tables));
    let written = lab.read(answer["out"].as_str().unwrap());
    assert!(written == expected.to_json(), "other bytes");
    assert_eq!(answer["words"], expected.words());
    assert_eq!(answer["unique"], expected.unique());
    assert_eq!(answer["files"], tables.len());
    let sha256 = Digest::of(written.as_bytes()).to_string();
    assert_eq!(answer["sha256"], sha256);
    answer
}

#[tokio::test]
async fn every_way_gives_the_same_bytes() {
    // Merged as they arrive; in a table; in a table that goes to disk when it is full.
    for (count, words, memory) in [
        (1, 900, None),
        (16, 900, None),
        (17, 900, None),
        (300, 40, None),
        (40, 20_000, Some(1)),
        (17, 0, None),
    ] {
        let tables = tables(count, words);
        for is_ours in [true, false] {
            let lab = Lab::new();
            let mut inputs = Vec::new();
            for (index, table) in tables.iter().enumerate() {
                // One that is not laid out as ours is enough.
                let json = if is_ours || index != count / 2 {
                    table.to_json()
                } else {
                    laid_out_otherwise(table)
                };
                inputs.push(put(&lab, index, &json).await);
            }
            let reply = reduce(&lab, &inputs, memory).await;
            expect_sum(&lab, &reply, &tables);
        }
    }
}

#[tokio::test]
async fn a_table_that_is_no_longer_sorted_near_its_end_counts_once() {
    let lab = Lab::new();
    let tables = tables(3, 5_000);
    let mut inputs = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let mut json = table.to_json();
        if index == 1 {
            // Its first word comes last.
            let first = json.lines().nth(1).unwrap().to_owned();
            json = json.replacen(&format!("{first}\n"), "", 1);
            json = json.replace("\n}", &format!(",\n{}\n}}", first.trim_end_matches(',')));
        }
        inputs.push(put(&lab, index, &json).await);
    }
    let reply = reduce(&lab, &inputs, None).await;
    expect_sum(&lab, &reply, &tables);
}

/// Tables whose sum is written in several parts.
async fn large(lab: &Lab) -> (Vec<Counts>, Vec<(String, Digest)>) {
    let tables = tables(3, 300_000);
    let mut inputs = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        inputs.push(put(lab, index, &table.to_json()).await);
    }
    (tables, inputs)
}

#[tokio::test]
async fn large_counts_are_written_while_they_are_made() {
    let lab = Lab::new();
    let (tables, inputs) = large(&lab).await;
    let reply = reduce(&lab, &inputs, None).await;
    let answer = expect_sum(&lab, &reply, &tables);
    let out = uri(answer["out"].as_str().unwrap());
    let meta = lab.store.head(&out).await.unwrap();
    assert!(meta.size > 8 << 20, "{}", meta.size);
    // What it would have to say was not known when the writing began.
    assert_eq!(meta.provenance, None);
    assert_eq!(answer["of"]["run"], "R");
}

#[tokio::test]
async fn nothing_is_written_if_the_end_is_missing() {
    let lab = Lab::new();
    let (tables, mut inputs) = large(&lab).await;
    let last = tables[2].to_json();
    inputs[2] = put(&lab, 2, last.trim_end_matches("\n}")).await;
    let before = lab.store.keys("b");
    let reply = reduce(&lab, &inputs, None).await;
    assert_eq!(
        (reply.status, reply.error().0.as_str()),
        (400, "bad_map_output")
    );
    inputs[2] = put(&lab, 2, &last.replacen(": 1", ": 2", 1)).await;
    inputs[2].1 = Digest::of(last.as_bytes());
    let reply = reduce(&lab, &inputs, None).await;
    let expected = (409, "map_output_mismatch");
    assert_eq!((reply.status, reply.error().0.as_str()), expected);
    assert_eq!(lab.store.keys("b"), before);
}

#[tokio::test]
async fn a_write_that_fails_is_told_however_large() {
    for is_large in [false, true] {
        let lab = Lab::new();
        let inputs = if is_large {
            large(&lab).await.1
        } else {
            vec![put(&lab, 0, "{\n  \"a\": 1\n}").await]
        };
        let detail = "no".to_owned();
        lab.store
            .fail_next(Call::Put, StoreError::Throttled { detail });
        let reply = reduce(&lab, &inputs, None).await;
        let expected = (503, "s3_throttled");
        assert_eq!((reply.status, reply.error().0.as_str()), expected);
    }
}

#[tokio::test]
async fn words_that_are_escaped_stay_themselves() {
    let lab = Lab::new();
    let mut table = Counts::new();
    for word in ["", "\"", "\\", "a\n", "a\u{1}", "é", "日本"] {
        table.add(word, 3).unwrap();
    }
    lab.store
        .put(&uri("s3://b/other"), Bytes::from("{\"\\u00e9\":1}"))
        .await
        .unwrap();
    let first = put(&lab, 0, &table.to_json()).await;
    let path = format!("/reduce?in={}&in=s3://b/other", first.0);
    let state = ServiceState::new(lab.store.clone(), config(Role::Reducer, &[]));
    let reply = send(router(Role::Reducer, state), "GET", &path, Body::empty()).await;
    let mut other = Counts::new();
    other.add("é", 1).unwrap();
    expect_sum(&lab, &reply, &[table, other]);
}
