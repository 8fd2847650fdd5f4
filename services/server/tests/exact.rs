//! What keeps a run exact: outputs say what they are, and a map output that is not the one asked for is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Lab, Reply, assert_refusal, uri};
use mrdeck_core::api::{AttemptParams, MapAnswer, OutputInfo, Provenance, ReduceAnswer};
use mrdeck_core::digest::Digest;
use mrdeck_core::role::Role;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::memory::Call;
use mrdeck_store::{Store as _, StoreError};
use serde_json::json;

const MAP: Role = Role::Mapper;
const REDUCE: Role = Role::Reducer;

const TEXT: &str = "one two three four two";

fn attempt(chunk: Option<&str>, number: Option<&str>, plan: Option<&str>) -> AttemptParams {
    AttemptParams {
        run: Some("R".to_owned()),
        chunk: chunk.map(str::to_owned),
        attempt: number.map(str::to_owned),
        plan: plan.map(str::to_owned),
    }
}

/// What the object itself hashes to.
fn sha256(lab: &Lab, at: &S3Uri) -> String {
    Digest::of(&lab.store.read(at).unwrap()).to_string()
}

async fn provenance(lab: &Lab, at: &S3Uri) -> Option<Provenance> {
    lab.store.head(at).await.unwrap().provenance
}

#[tokio::test]
async fn an_output_of_a_run_says_what_it_is() {
    let lab = Lab::with(&[("s3://b/k.txt", TEXT)]).await;
    for (query, of, bytes) in [
        (
            "run=R&chunk=00&attempt=7&plan=P-1",
            attempt(Some("00"), Some("7"), Some("P-1")),
            22,
        ),
        (
            "run=R&start=0&end=4&plan=P",
            attempt(None, None, Some("P")),
            4,
        ),
        ("run=R", attempt(None, None, None), 22),
    ] {
        let answer = lab.ok(MAP, &format!("/map?s3=s3://b/k.txt&{query}")).await;
        let answer: MapAnswer = serde_json::from_value(answer).unwrap();
        let sha256 = sha256(&lab, &answer.out);
        let expected = Provenance {
            of: of.clone(),
            info: OutputInfo {
                rules: Some(1),
                sha256: Some(sha256.clone()),
                words: Some(answer.info.words.unwrap()),
                unique: Some(answer.info.unique.unwrap()),
                bytes: Some(bytes),
                non_ascii: Some(0),
                files: None,
            },
        };
        assert_eq!(provenance(&lab, &answer.out).await, Some(expected));
        assert_eq!(answer.info.sha256, Some(sha256), "{query}");
        assert_eq!((answer.of, answer.info.bytes), (Some(of), Some(bytes)));
    }

    let path = "/reduce?in=s3://b/mr/runs/R/maps/chunk00-a7.json&run=R&attempt=2&plan=P";
    let answer: ReduceAnswer = serde_json::from_value(lab.ok(REDUCE, path).await).unwrap();
    let of = attempt(None, Some("2"), Some("P"));
    let expected = Provenance {
        of: of.clone(),
        info: OutputInfo {
            rules: Some(1),
            sha256: Some(sha256(&lab, &answer.out)),
            words: Some(5),
            unique: Some(4),
            bytes: None,
            non_ascii: None,
            files: Some(1),
        },
    };
    assert_eq!(answer.info, expected.info);
    assert_eq!(answer.of, Some(of));
    assert_eq!(provenance(&lab, &answer.out).await, Some(expected));
}

#[tokio::test]
async fn without_a_run_a_plan_is_of_nothing() {
    let lab = Lab::with(&[("s3://b/k.txt", TEXT), ("s3://b/m", r#"{"a":1}"#)]).await;
    for (role, path) in [
        (MAP, "/map?s3=s3://b/k.txt&plan=P&attempt=2"),
        (REDUCE, "/reduce?in=s3://b/m&plan=P&attempt=2"),
    ] {
        let answer = lab.ok(role, path).await;
        let out = uri(answer["out"].as_str().unwrap());
        assert_eq!(answer.get("of"), None);
        assert_eq!(answer["sha256"], sha256(&lab, &out), "{path}");
        assert_eq!(provenance(&lab, &out).await, None, "{path}");
    }
}

const ONE: &str = "{\n  \"a\": 1\n}";
const TWO: &str = "{\n  \"b\": 2\n}";

fn digest(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()
}

/// Asks for both outputs in each way there is, with what they must hash to.
async fn reduce_both(lab: &Lab, one: &str, two: &str) -> [(&'static str, Reply); 3] {
    let query = format!("in=s3://b/1&sha256={one}&in=s3://b/2&sha256={two}");
    let body = json!({"in": ["s3://b/1", "s3://b/2"], "sha256": [one, two]});
    let list = json!({"manifest": "s3://b/list", "sha256": [one, two]});
    [
        ("GET", lab.get(REDUCE, &format!("/reduce?{query}")).await),
        ("POST", lab.post("/reduce", body.to_string()).await),
        ("manifest", lab.post("/reduce", list.to_string()).await),
    ]
}

async fn two_outputs() -> Lab {
    let list = r#"["s3://b/1", "s3://b/2"]"#;
    Lab::with(&[("s3://b/1", ONE), ("s3://b/2", TWO), ("s3://b/list", list)]).await
}

#[tokio::test]
async fn map_outputs_that_are_the_ones_asked_for_are_added_up() {
    let lab = two_outputs().await;
    let two = digest(TWO).to_ascii_uppercase();
    for (how, reply) in reduce_both(&lab, &digest(ONE), &two).await {
        assert_eq!(reply.status, 200, "{how}: {}", reply.text);
        assert_eq!(reply.json()["words"], 3, "{how}");
    }
    let none = r#"{"in":["s3://b/1","s3://b/2"],"sha256":[]}"#;
    assert_eq!(lab.post("/reduce", none).await.json()["words"], 3);
}

#[tokio::test]
async fn another_map_output_than_the_one_asked_for_is_409_and_nothing_is_written() {
    let mut flipped = TWO.to_owned().into_bytes();
    // Still a table of counts, with 3 in place of 2.
    flipped[9] ^= 1;
    assert_eq!(flipped, b"{\n  \"b\": 3\n}");
    for found in [
        &flipped[..],
        &TWO.as_bytes()[..5],
        &[TWO, " "].concat().into_bytes(),
        b"",
        b"{}",
        ONE.as_bytes(),
    ] {
        let lab = two_outputs().await;
        lab.put("s3://b/2", found).await;
        let before = lab.store.keys("b");
        for (how, reply) in reduce_both(&lab, &digest(ONE), &digest(TWO)).await {
            let found = Digest::of(found).to_string();
            let words = [
                "s3://b/2",
                &found[..12],
                &digest(TWO)[..12],
                "run its map again",
            ];
            assert_refusal(&reply, how, 409, "map_output_mismatch", &words);
            assert_eq!(reply.json()["error"]["object"], "s3://b/2", "{how}");
        }
        assert_eq!(lab.store.keys("b"), before);
    }
}

#[tokio::test]
async fn each_sha256_is_that_of_the_map_output_in_its_place() {
    let lab = two_outputs().await;
    for (how, reply) in reduce_both(&lab, &digest(TWO), &digest(ONE)).await {
        assert_refusal(&reply, how, 409, "map_output_mismatch", &["s3://b/1"]);
    }
}

#[tokio::test]
async fn a_sha256_that_pairs_with_nothing_is_refused() {
    let lab = two_outputs().await;
    let (one, both) = (digest(ONE), "in=s3://b/1&in=s3://b/2");
    for (query, word) in [
        (format!("{both}&sha256={one}"), "1 for 2 map outputs"),
        (
            format!("{both}&sha256={one}&sha256={one}&sha256={one}"),
            "3 for 2",
        ),
        (format!("in=s3://b/1&sha256={}", &one[1..]), "64"),
        (format!("in=s3://b/1&sha256=+{}", &one[1..]), "64"),
        ("in=s3://b/1&sha256=".to_owned(), "''"),
    ] {
        let words = [word, "each in=, in the same order, or none"];
        lab.refused(
            REDUCE,
            &format!("/reduce?{query}"),
            400,
            "bad_sha256",
            &words,
        )
        .await;
    }
    let before = lab.store.keys("b");
    for (body, code) in [
        (
            json!({"in": ["s3://b/1", "s3://b/2"], "sha256": [one]}),
            "bad_sha256",
        ),
        (
            json!({"manifest": "s3://b/list", "sha256": [one]}),
            "bad_sha256",
        ),
        (json!({"in": ["s3://b/1"], "sha256": ["x"]}), "bad_sha256"),
        (json!({"in": ["s3://b/1"], "sha256": one}), "bad_body"),
    ] {
        let reply = lab.post("/reduce", body.to_string()).await;
        assert_refusal(&reply, &body.to_string(), 400, code, &[]);
    }
    let path = format!("/reduce?sha256={one}");
    let apart = lab.post(&path, r#"{"in":["s3://b/1"]}"#).await;
    assert_refusal(
        &apart,
        "sha256 in the query",
        400,
        "bad_body",
        &["'sha256'", "query"],
    );
    assert_eq!(lab.store.keys("b"), before);
}

#[tokio::test]
async fn an_error_names_the_object_at_fault() {
    let lab = Lab::with(&[("s3://b/good", ONE), ("s3://b/bad", "[]")]).await;
    for (role, path, object) in [
        (
            REDUCE,
            "/reduce?in=s3://b/good&in=s3://b/bad",
            json!("s3://b/bad"),
        ),
        (
            REDUCE,
            "/reduce?in=s3://b/good&in=s3://b/none",
            json!("s3://b/none"),
        ),
        (MAP, "/map?s3=s3://b/none", json!("s3://b/none")),
        (
            MAP,
            "/map?s3=s3://b/none&start=0&end=1",
            json!("s3://b/none"),
        ),
        (MAP, "/map?s3=s3://none/k", json!(null)),
        (MAP, "/map", json!(null)),
    ] {
        let reply = lab.get(role, path).await;
        assert!(matches!(reply.status, 400 | 404), "{path}: {}", reply.text);
        assert_eq!(reply.json()["error"]["object"], object, "{path}");
    }
}

#[tokio::test]
async fn what_s3_did_not_send_whole_is_no_mismatch() {
    let lab = two_outputs().await;
    let cut = StoreError::Truncated {
        uri: uri("s3://b/1"),
        got: 1,
        expected: 2,
    };
    lab.store.fail_next(Call::Get, cut);
    let path = format!("/reduce?in=s3://b/1&sha256={}", digest(ONE));
    lab.refused(REDUCE, &path, 502, "s3_truncated", &["s3://b/1"])
        .await;
}
