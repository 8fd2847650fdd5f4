//! What keeps a run exact: outputs say what they are, and a map output that is not the one asked for is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Lab, uri};
use mrdeck_services::Role;
use mrdeck_services::api::{AttemptParams, MapAnswer, Provenance, ReduceAnswer};
use mrdeck_services::digest::Digest;
use mrdeck_services::store::Store as _;
use mrdeck_services::uri::S3Uri;

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
            sha256: sha256.clone(),
            words: answer.words.unwrap(),
            unique: answer.unique.unwrap(),
            bytes: Some(bytes),
            files: None,
        };
        assert_eq!(provenance(&lab, &answer.out).await, Some(expected));
        assert_eq!(answer.sha256, Some(sha256), "{query}");
        assert_eq!((answer.of, answer.bytes), (Some(of), Some(bytes)));
    }

    let path = "/reduce?in=s3://b/mr/runs/R/maps/chunk00-a7.json&run=R&attempt=2&plan=P";
    let answer: ReduceAnswer = serde_json::from_value(lab.ok(REDUCE, path).await).unwrap();
    let of = attempt(None, Some("2"), Some("P"));
    let expected = Provenance {
        of: of.clone(),
        sha256: sha256(&lab, &answer.out),
        words: 5,
        unique: 4,
        bytes: None,
        files: Some(1),
    };
    assert_eq!(answer.sha256.as_ref(), Some(&expected.sha256));
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
