//! The lab's calls, as plain curl makes them: keys, answers and outputs to the letter.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Lab, config, send, uri};
use mrdeck_core::role::Role;
use mrdeck_services::{ServiceState, router};
use mrdeck_store::Store as _;
use serde_json::json;

/// What `sha256sum` says of the outputs below.
const THE_CAT: &str = "e3a2acf3985e19278b7d24285b618b689210995639229d8eaf14e95de3bbc45c";
const ALL: &str = "f66c183b070023022eb556491af11624975efacbb3b1dd22d488e42ebcabe9c0";

/// The 16 characters of `YYYYMMDDTHHMMSSZ` that follow `prefix` in `text`.
fn stamp_after(text: &str, prefix: &str) -> String {
    let rest = text
        .strip_prefix(prefix)
        .unwrap_or_else(|| panic!("{text} does not begin with {prefix}"));
    let stamp = rest[..16].to_owned();
    for (index, byte) in stamp.bytes().enumerate() {
        match index {
            8 => assert_eq!(byte, b'T', "{stamp}"),
            15 => assert_eq!(byte, b'Z', "{stamp}"),
            _ => assert!(byte.is_ascii_digit(), "{stamp}"),
        }
    }
    let year: u32 = stamp[..4].parse().unwrap();
    assert!((2024..2200).contains(&year), "{stamp}");
    stamp
}

#[tokio::test]
async fn health_is_ok_in_plain_text() {
    for role in Role::ALL {
        let reply = Lab::new().get(role, "/health").await;
        assert_eq!((reply.status, reply.text.as_str()), (200, "ok"));
        let name = format!("mrdeck-services/{} {role}", env!("CARGO_PKG_VERSION"));
        assert_eq!(reply.header("x-mrdeck-service"), name);
    }
}

#[tokio::test]
async fn split_makes_three_chunks_and_cuts_no_word() {
    let lab = Lab::with(&[("s3://b/in/my hamlet.txt", "to be or not to be")]).await;
    let answer = lab
        .ok(Role::Splitter, "/split?s3=s3://b/in/my%20hamlet.txt")
        .await;
    let first = answer["chunks"][0].as_str().unwrap();
    let stamp = stamp_after(first, "s3://b/mr/chunks/my_hamlet_");
    let chunk = |n| format!("s3://b/mr/chunks/my_hamlet_{stamp}_chunk0{n}.txt");
    assert_eq!(
        answer,
        json!({"chunks": [chunk(0), chunk(1), chunk(2)], "bytes": 18, "sizes": [6, 6, 6]})
    );
    assert_eq!(
        [0, 1, 2].map(|n| lab.read(&chunk(n))),
        ["to be ", "or not", " to be"]
    );
}

#[tokio::test]
async fn split_takes_the_number_of_chunks() {
    let lab = Lab::with(&[("s3://b/k", &"word ".repeat(200))]).await;
    let answer = lab
        .ok(Role::Splitter, "/split?s3=s3://b/k&chunks=101")
        .await;
    let chunks = answer["chunks"].as_array().unwrap();
    assert_eq!(chunks.len(), 101);
    assert!(chunks[7].as_str().unwrap().ends_with("_chunk007.txt"));
    let all: String = chunks
        .iter()
        .map(|chunk| lab.read(chunk.as_str().unwrap()))
        .collect();
    assert_eq!(all, "word ".repeat(200));
}

#[tokio::test]
async fn fewer_words_than_the_default_make_fewer_chunks() {
    for (text, expected) in [("one", 1), ("  \n", 1), ("one two", 2), ("1 2 3 4", 3)] {
        let lab = Lab::with(&[("s3://b/k", text)]).await;
        let answer = lab.ok(Role::Splitter, "/split?s3=s3://b/k").await;
        assert_eq!(
            answer["chunks"].as_array().unwrap().len(),
            expected,
            "{text}"
        );
    }
}

#[tokio::test]
async fn map_writes_the_counts() {
    let key = "mr/chunks/hamlet_20260101T000000Z_chunk00.txt";
    let lab = Lab::with(&[(&format!("s3://b/{key}"), "The cat, the 'hat'.\r\n")]).await;
    let reply = lab
        .get(Role::Mapper, &format!("/map?s3=s3://b/{key}"))
        .await;
    let out = reply.json()["out"].as_str().unwrap().to_owned();
    let stamp = stamp_after(
        &out,
        "s3://b/mr/maps/mr_chunks_hamlet_20260101T000000Z_chunk00_txt_",
    );
    assert!(out.ends_with(&format!("{stamp}.json")));
    assert_eq!(
        reply.json(),
        json!({"out": out, "words": 4, "unique": 3, "rules": 1, "bytes": 21, "non_ascii": 0, "sha256": THE_CAT})
    );
    assert_eq!(
        lab.read(&out),
        "{\n  \"'hat'\": 1,\n  \"cat\": 1,\n  \"the\": 2\n}"
    );
    assert_eq!(lab.store.head(&uri(&out)).await.unwrap().provenance, None);
}

#[tokio::test]
async fn map_of_nothing_is_an_empty_object() {
    let lab = Lab::with(&[("s3://b/empty", "")]).await;
    let answer = lab.ok(Role::Mapper, "/map?s3=s3://b/empty").await;
    assert_eq!((&answer["words"], &answer["bytes"]), (&json!(0), &json!(0)));
    assert_eq!(lab.read(answer["out"].as_str().unwrap()), "{}");
}

#[tokio::test]
async fn map_keys_keep_the_last_sixty_characters() {
    let key = format!("{}.txt", "k".repeat(100));
    let lab = Lab::with(&[(&format!("s3://b/{key}"), "a")]).await;
    let answer = lab.ok(Role::Mapper, &format!("/map?s3=s3://b/{key}")).await;
    stamp_after(
        answer["out"].as_str().unwrap(),
        &format!("s3://b/mr/maps/{}_txt_", "k".repeat(56)),
    );
}

#[tokio::test]
async fn reduce_adds_up() {
    let outputs = [
        ("s3://b/1", r#"{"a":1,"b":2}"#),
        ("s3://b/2", "{}"),
        ("s3://b/3", r#"{"b":3,"Z":1}"#),
    ];
    let lab = Lab::with(&outputs).await;
    let answer = lab
        .ok(Role::Reducer, "/reduce?in=s3://b/1&in=s3://b/2&in=s3://b/3")
        .await;
    let out = answer["out"].as_str().unwrap();
    let stamp = stamp_after(out, "s3://b/mr/reduce/final_");
    assert_eq!(out, format!("s3://b/mr/reduce/final_{stamp}.json"));
    assert_eq!(
        answer,
        json!({"out": out, "files": 3, "words": 7, "unique": 3, "rules": 1, "sha256": ALL})
    );
    assert_eq!(lab.store.head(&uri(out)).await.unwrap().provenance, None);
    assert_eq!(lab.read(out), "{\n  \"Z\": 1,\n  \"a\": 1,\n  \"b\": 5\n}");
}

#[tokio::test]
async fn out_prefix_says_where_outputs_go() {
    let lab = Lab::with(&[("s3://b/k", "one two three"), ("s3://b/m", "{}")]).await;
    for (role, path, start) in [
        (Role::Splitter, "/split?s3=s3://b/k", "s3://b/my/place/k_"),
        (Role::Mapper, "/map?s3=s3://b/k", "s3://b/my/place/k_"),
        (
            Role::Reducer,
            "/reduce?in=s3://b/m",
            "s3://b/my/place/final_",
        ),
    ] {
        let state = ServiceState::new(
            lab.store.clone(),
            config(role, &[("OUT_PREFIX", "my/place/")]),
        );
        let answer = send(router(role, state), "GET", path, "").await.json();
        let out = answer
            .get("out")
            .unwrap_or(&answer["chunks"][0])
            .as_str()
            .unwrap();
        stamp_after(out, start);
        assert!(lab.store.read(&uri(out)).is_some());
    }
}

#[tokio::test]
async fn answers_say_how_long_the_parts_took() {
    let lab = Lab::with(&[("s3://b/k", "one two three"), ("s3://b/m", "{}")]).await;
    for (role, path) in [
        (Role::Splitter, "/split?s3=s3://b/k"),
        (Role::Mapper, "/map?s3=s3://b/k"),
        (Role::Mapper, "/map?s3=s3://b/k&start=0&end=5"),
        (Role::Reducer, "/reduce?in=s3://b/m"),
    ] {
        let reply = lab.get(role, path).await;
        let parts: Vec<_> = reply
            .header("server-timing")
            .split(", ")
            .map(|part| part.split_once(";dur=").unwrap())
            .collect();
        assert_eq!(
            parts.iter().map(|part| part.0).collect::<Vec<_>>(),
            ["s3_get", "count", "s3_put"]
        );
        for (name, ms) in parts {
            let ms: f64 = ms.parse().unwrap();
            assert!((0.0..60_000.0).contains(&ms), "{name}: {ms}");
        }
    }
}

#[tokio::test]
async fn unknown_parameters_do_no_harm() {
    let lab = Lab::with(&[("s3://b/k", "one two three")]).await;
    let answer = lab
        .ok(Role::Mapper, "/map?s3=s3://b/k&partitions=4&x=1&x=2")
        .await;
    assert_eq!(answer["words"], 3);
}
