//! What our services do beyond the lab: attempts with keys of their own, byte ranges, long lists.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::Lab;
use mrdeck_core::role::Role;
use serde_json::json;

const TEXT: &str = "one two three four";

#[tokio::test]
async fn an_attempt_writes_keys_of_its_own() {
    let lab = Lab::with(&[("s3://b/k.txt", TEXT)]).await;
    let split = lab
        .ok(
            Role::Splitter,
            "/split?s3=s3://b/k.txt&chunks=2&run=R&attempt=3",
        )
        .await;
    let chunks = [
        "s3://b/mr/runs/R/chunks/a3/chunk00.txt",
        "s3://b/mr/runs/R/chunks/a3/chunk01.txt",
    ];
    assert_eq!(split["chunks"], json!(chunks));
    assert_eq!(chunks.map(|chunk| lab.read(chunk)).concat(), TEXT);

    let map = lab
        .ok(
            Role::Mapper,
            &format!("/map?s3={}&run=R&chunk=00&attempt=7", chunks[0]),
        )
        .await;
    assert_eq!(map["out"], "s3://b/mr/runs/R/maps/chunk00-a7.json");
    let reduce = lab
        .ok(
            Role::Reducer,
            "/reduce?in=s3://b/mr/runs/R/maps/chunk00-a7.json&run=R&attempt=2",
        )
        .await;
    assert_eq!(reduce["out"], "s3://b/mr/runs/R/reduce/final-a2.json");
}

#[tokio::test]
async fn what_an_attempt_leaves_out_has_a_default() {
    let lab = Lab::with(&[("s3://b/k.txt", TEXT)]).await;
    let split = lab
        .ok(Role::Splitter, "/split?s3=s3://b/k.txt&chunks=1&run=R")
        .await;
    assert_eq!(
        split["chunks"],
        json!(["s3://b/mr/runs/R/chunks/a1/chunk00.txt"])
    );
    let map = lab.ok(Role::Mapper, "/map?s3=s3://b/k.txt&run=R").await;
    assert_eq!(map["out"], "s3://b/mr/runs/R/maps/chunkk_txt-a1.json");
    let part = lab
        .ok(Role::Mapper, "/map?s3=s3://b/k.txt&run=R&start=0&end=4")
        .await;
    assert_eq!(part["out"], "s3://b/mr/runs/R/maps/chunkk_txt_0-4-a1.json");
}

#[tokio::test]
async fn a_range_split_copies_nothing() {
    let lab = Lab::with(&[("s3://b/k.txt", TEXT)]).await;
    let split = lab
        .ok(
            Role::Splitter,
            "/split?s3=s3://b/k.txt&chunks=4&mode=range&run=R",
        )
        .await;
    let chunk = |start, end| json!({"s3": "s3://b/k.txt", "start": start, "end": end});
    let chunks = [chunk(0, 5), chunk(5, 10), chunk(10, 14), chunk(14, 18)];
    assert_eq!(
        split,
        json!({"chunks": chunks, "bytes": 18, "sizes": [5, 5, 4, 4]})
    );
    assert_eq!(lab.store.keys("b"), ["k.txt"]);
}

#[tokio::test]
async fn a_range_counts_the_words_that_begin_in_it() {
    let lab = Lab::with(&[("s3://b/k.txt", TEXT)]).await;
    for (start, end, counts, bytes) in [
        (0, 5, "{\n  \"one\": 1,\n  \"two\": 1\n}", 7),
        (5, 10, "{\n  \"three\": 1\n}", 6),
        (10, 13, "{}", 0),
        (10, 18, "{\n  \"four\": 1\n}", 5),
        (4, 4, "{}", 0),
        (18, 18, "{}", 0),
    ] {
        let path = format!("/map?s3=s3://b/k.txt&start={start}&end={end}");
        let answer = lab.ok(Role::Mapper, &path).await;
        assert_eq!(lab.read(answer["out"].as_str().unwrap()), counts, "{path}");
        assert_eq!(answer["bytes"], bytes, "{path}");
    }
}

#[tokio::test]
async fn two_ranges_of_one_object_do_not_share_a_key() {
    let lab = Lab::with(&[("s3://b/k.txt", TEXT)]).await;
    let one = lab
        .ok(Role::Mapper, "/map?s3=s3://b/k.txt&start=0&end=5")
        .await;
    let two = lab
        .ok(Role::Mapper, "/map?s3=s3://b/k.txt&start=5&end=18")
        .await;
    assert_ne!(one["out"], two["out"]);
}

#[tokio::test]
async fn a_pinned_version_is_split_and_counted_and_no_other() {
    let lab = Lab::with(&[("s3://b/k.txt", TEXT)]).await;
    for (role, path) in [
        (Role::Splitter, "/split?s3=s3://b/k.txt"),
        (Role::Splitter, "/split?s3=s3://b/k.txt&mode=range"),
        (Role::Mapper, "/map?s3=s3://b/k.txt"),
        (Role::Mapper, "/map?s3=s3://b/k.txt&start=0&end=5"),
    ] {
        lab.ok(role, &format!("{path}&etag=%221%22")).await;
        lab.refused(
            role,
            &format!("{path}&etag=%220%22"),
            412,
            "input_changed",
            &["s3://b/k.txt"],
        )
        .await;
    }
}

#[tokio::test]
async fn a_long_list_comes_in_the_body_or_in_a_manifest() {
    let lab = Lab::with(&[
        ("s3://b/1", r#"{"a":1}"#),
        ("s3://b/2", r#"{"a":2}"#),
        ("s3://b/list", r#"["s3://b/1", "s3://b/2"]"#),
    ])
    .await;
    for body in [
        r#"{"in":["s3://b/1","s3://b/2"]}"#,
        r#"{"manifest":"s3://b/list","more":1}"#,
    ] {
        let reply = lab.post("/reduce?run=R&attempt=4", body).await;
        let out = "s3://b/mr/runs/R/reduce/final-a4.json";
        let mut answer = reply.json();
        answer.as_object_mut().unwrap().remove("sha256").unwrap();
        let of = json!({"run": "R", "attempt": "4"});
        assert_eq!(
            answer,
            json!({"out": out, "files": 2, "words": 3, "unique": 1, "rules": 1, "of": of}),
            "{body}"
        );
        assert_eq!(lab.read(out), "{\n  \"a\": 3\n}");
    }
}

#[tokio::test]
async fn more_inputs_than_a_url_holds_are_added_up() {
    let lab = Lab::new();
    let mut inputs = Vec::new();
    for n in 0..2_000 {
        let at = format!("s3://b/mr/runs/01JAAAAAAAAAAAAAAAAAAAAAAA/maps/chunk{n:05}-a1.json");
        lab.put(&at, br#"{"a":1,"b":2}"#).await;
        inputs.push(at);
    }
    let reply = lab.post("/reduce", json!({"in": inputs}).to_string()).await;
    assert_eq!(reply.json()["files"], 2_000);
    assert_eq!(reply.json()["words"], 6_000);
}
