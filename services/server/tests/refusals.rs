//! Everything that is refused: status, code, a sentence that names the matter, and nothing written.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Lab, assert_refusal, config, send};
use mrdeck_core::role::Role;
use mrdeck_services::{ServiceState, router};

const SPLIT: Role = Role::Splitter;
const MAP: Role = Role::Mapper;
const REDUCE: Role = Role::Reducer;

#[tokio::test]
async fn an_input_has_to_be_named_once_and_well() {
    let lab = Lab::with(&[("s3://b/k", "a b c d")]).await;
    for (role, path) in [(SPLIT, "/split"), (MAP, "/map")] {
        lab.refused(role, path, 400, "missing_s3", &["s3=s3://BUCKET/KEY"])
            .await;
        lab.refused(role, &format!("{path}?s3="), 400, "missing_s3", &[])
            .await;
        let twice = format!("{path}?s3=s3://b/k&s3=s3://b/k");
        lab.refused(role, &twice, 400, "duplicate_parameter", &["'s3'"])
            .await;
        for wrong in ["/tmp/k", "s3://b", "s3://b/", "s3:///k", "http://b/k"] {
            lab.refused(role, &format!("{path}?s3={wrong}"), 400, "bad_s3", &[wrong])
                .await;
        }
    }
}

#[tokio::test]
async fn the_number_of_chunks_has_to_fit() {
    let lab = Lab::with(&[
        ("s3://b/k", "a b c d"),
        ("s3://b/none", " .. "),
        ("s3://b/empty", ""),
    ])
    .await;
    for n in ["x", "0", "-1", "1.5", "10001", "", "99999999999999999999"] {
        let path = format!("/split?s3=s3://b/k&chunks={n}");
        lab.refused(
            SPLIT,
            &path,
            400,
            "bad_chunks",
            &[&format!("chunks={n}"), "1 to 10000"],
        )
        .await;
    }
    for mode in ["", "&mode=range"] {
        let many = format!("/split?s3=s3://b/k&chunks=5{mode}");
        lab.refused(
            SPLIT,
            &many,
            400,
            "too_many_chunks",
            &["4 words", "5 chunks", "4 at most"],
        )
        .await;
        let none = format!("/split?s3=s3://b/none&chunks=2{mode}");
        lab.refused(
            SPLIT,
            &none,
            400,
            "too_many_chunks",
            &["0 words", "1 at most"],
        )
        .await;
        let empty = format!("/split?s3=s3://b/empty{mode}");
        lab.refused(SPLIT, &empty, 400, "empty_input", &["s3://b/empty"])
            .await;
    }
    lab.refused(
        SPLIT,
        "/split?s3=s3://b/k&mode=move",
        400,
        "bad_mode",
        &["mode=move"],
    )
    .await;
    lab.ok(SPLIT, "/split?s3=s3://b/k&chunks=4&mode=copy").await;
    lab.ok(SPLIT, "/split?s3=s3://b/none&chunks=1").await;
}

#[tokio::test]
async fn a_range_has_to_lie_in_the_object() {
    let lab = Lab::with(&[("s3://b/k", "a b c d")]).await;
    for (range, word) in [
        ("start=0", "both or neither"),
        ("end=3", "both or neither"),
        ("start=3&end=2", "ends before it starts"),
        ("start=0&end=8", "7 bytes"),
        ("start=99&end=99", "7 bytes"),
        ("start=-1&end=3", "start=-1"),
        ("start=0&end=x", "end=x"),
        (
            "start=0&end=18446744073709551616",
            "end=18446744073709551616",
        ),
    ] {
        lab.refused(
            MAP,
            &format!("/map?s3=s3://b/k&{range}"),
            400,
            "bad_range",
            &[word],
        )
        .await;
    }
    let twice = "/map?s3=s3://b/k&start=0&end=1&end=2";
    lab.refused(MAP, twice, 400, "duplicate_parameter", &["'end'"])
        .await;
}

#[tokio::test]
async fn what_names_an_attempt_has_to_fit_a_key() {
    let lab = Lab::with(&[("s3://b/k", "a b c d"), ("s3://b/m", "{}")]).await;
    let calls = [
        (SPLIT, "/split?s3=s3://b/k"),
        (MAP, "/map?s3=s3://b/k"),
        (REDUCE, "/reduce?in=s3://b/m"),
    ];
    for (role, call) in calls {
        for wrong in [
            "run=a/b",
            "run=",
            "run=R&chunk=..",
            "run=R&attempt=%00",
            "run=R&plan=a.b",
        ] {
            lab.refused(
                role,
                &format!("{call}&{wrong}"),
                400,
                "bad_attempt",
                &["1 to 64"],
            )
            .await;
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let lab = Lab::new();
    for (role, call) in [
        (SPLIT, "/split?s3="),
        (MAP, "/map?s3="),
        (REDUCE, "/reduce?in="),
    ] {
        lab.refused(
            role,
            &format!("{call}s3://b/none"),
            404,
            "no_such_key",
            &["s3://b/none"],
        )
        .await;
        lab.refused(
            role,
            &format!("{call}s3://none/k"),
            404,
            "no_such_bucket",
            &["'none'"],
        )
        .await;
    }
    lab.refused(
        MAP,
        "/map?s3=s3://b/none&start=0&end=1",
        404,
        "no_such_key",
        &[],
    )
    .await;
}

#[tokio::test]
async fn map_outputs_have_to_be_named_once_each() {
    let lab = Lab::with(&[("s3://b/m", "{}")]).await;
    lab.refused(
        REDUCE,
        "/reduce",
        400,
        "missing_in",
        &["in=s3://BUCKET/KEY"],
    )
    .await;
    lab.refused(
        REDUCE,
        "/reduce?in=s3://b/m&in=s3://b/m",
        400,
        "duplicate_in",
        &["s3://b/m"],
    )
    .await;
    lab.refused(REDUCE, "/reduce?in=s3://b/m&in=x", 400, "bad_s3", &["'x'"])
        .await;
}

#[tokio::test]
async fn a_map_output_has_to_be_counts() {
    for (json, word) in [
        ("", "not valid JSON"),
        ("[1]", "not an object"),
        (r#"{"a":1.5}"#, "1.5"),
        (r#"{"a":-1}"#, "'a'"),
        (r#"{"a":{}}"#, "an object"),
        (r#"{"a":1,"a":2}"#, "'a' is in it twice"),
        (r#"{"a":1} x"#, "not valid JSON"),
    ] {
        let lab = Lab::with(&[("s3://b/good", r#"{"a":1}"#), ("s3://b/bad", json)]).await;
        let path = "/reduce?in=s3://b/good&in=s3://b/bad";
        lab.refused(REDUCE, path, 400, "bad_map_output", &["s3://b/bad", word])
            .await;
    }
}

#[tokio::test]
async fn an_overflow_is_refused_never_wrapped() {
    let most = format!("{{\"a\":{}}}", u64::MAX);
    let both = format!("{{\"a\":{},\"b\":1}}", u64::MAX);
    let lab = Lab::with(&[
        ("s3://b/1", &most),
        ("s3://b/2", r#"{"a":1}"#),
        ("s3://b/3", &both),
    ])
    .await;
    lab.refused(
        REDUCE,
        "/reduce?in=s3://b/1&in=s3://b/2",
        400,
        "overflow",
        &["the map outputs", "64 bits"],
    )
    .await;
    lab.refused(
        REDUCE,
        "/reduce?in=s3://b/3",
        400,
        "overflow",
        &["s3://b/3"],
    )
    .await;
    assert_eq!(
        lab.ok(REDUCE, "/reduce?in=s3://b/1").await["words"],
        u64::MAX
    );
}

#[tokio::test]
async fn a_body_has_to_be_one_of_two() {
    let lab = Lab::with(&[
        ("s3://b/m", "{}"),
        ("s3://b/l", r#"{"in":[]}"#),
        ("s3://b/e", "[]"),
    ])
    .await;
    for (body, code, word) in [
        ("", "bad_body", "manifest"),
        ("x", "bad_body", "manifest"),
        ("[]", "bad_body", "manifest"),
        (r#"{"in":"s3://b/m"}"#, "bad_body", "\"in\""),
        (r#"{"in":["s3://b/m"],"in":[]}"#, "bad_body", "duplicate"),
        (
            r#"{"in":["s3://b/m"],"manifest":"s3://b/l"}"#,
            "bad_body",
            "exclude",
        ),
        ("{}", "missing_in", "in="),
        (r#"{"in":[]}"#, "missing_in", "in="),
        (r#"{"in":["k"]}"#, "bad_s3", "'k'"),
        (
            r#"{"in":["s3://b/m","s3://b/m"]}"#,
            "duplicate_in",
            "s3://b/m",
        ),
        (r#"{"manifest":"k"}"#, "bad_s3", "'k'"),
        (r#"{"manifest":"s3://b/l"}"#, "bad_manifest", "s3://b/l"),
        (r#"{"manifest":"s3://b/e"}"#, "missing_in", ""),
    ] {
        assert_refusal(&lab.post("/reduce", body).await, body, 400, code, &[word]);
    }
    let both = lab
        .post("/reduce?in=s3://b/m", r#"{"in":["s3://b/m"]}"#)
        .await;
    assert_refusal(&both, "in both", 400, "bad_body", &["query"]);
    let missing = lab.post("/reduce", r#"{"manifest":"s3://b/none"}"#).await;
    assert_refusal(
        &missing,
        "no manifest",
        404,
        "no_such_key",
        &["s3://b/none"],
    );
}

#[tokio::test]
async fn a_list_without_end_is_refused() {
    let lab = Lab::new();
    let huge = vec![b' '; (16 << 20) + 1];
    let body = lab.post("/reduce", huge.clone()).await;
    assert_refusal(
        &body,
        "body",
        413,
        "body_too_large",
        &["16777216", "manifest"],
    );
    lab.put("s3://b/list", &huge).await;
    let list = lab.post("/reduce", r#"{"manifest":"s3://b/list"}"#).await;
    assert_refusal(
        &list,
        "manifest",
        400,
        "bad_manifest",
        &["s3://b/list", "16777217"],
    );
}

#[tokio::test]
async fn a_bucket_outside_the_list_is_403() {
    let lab = Lab::with(&[("s3://b/k", "a b c"), ("s3://b/l", r#"["s3://other/m"]"#)]).await;
    let call = async |role, method, path, body: &'static str| {
        let state = ServiceState::new(
            lab.store.clone(),
            config(role, &[("ALLOWED_BUCKETS", "b,c")]),
        );
        send(router(role, state), method, path, body).await
    };
    for (role, method, path, body) in [
        (SPLIT, "GET", "/split?s3=s3://other/k", ""),
        (MAP, "GET", "/map?s3=s3://other/k", ""),
        (REDUCE, "GET", "/reduce?in=s3://b/m&in=s3://other/k", ""),
        (REDUCE, "POST", "/reduce", r#"{"in":["s3://other/m"]}"#),
        (REDUCE, "POST", "/reduce", r#"{"manifest":"s3://other/m"}"#),
        (REDUCE, "POST", "/reduce", r#"{"manifest":"s3://b/l"}"#),
    ] {
        let reply = call(role, method, path, body).await;
        assert_refusal(
            &reply,
            path,
            403,
            "bucket_not_allowed",
            &["s3://other/", "ALLOWED_BUCKETS"],
        );
    }
    assert_eq!(call(MAP, "GET", "/map?s3=s3://b/k", "").await.status, 200);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_what_there_is() {
    let lab = Lab::with(&[("s3://b/k", "a b c")]).await;
    lab.refused(
        MAP,
        "/split?s3=s3://b/k",
        404,
        "not_found",
        &["/split", "mapper", "/health", "/map"],
    )
    .await;
    lab.refused(SPLIT, "/", 404, "not_found", &["splitter", "/split"])
        .await;
    lab.refused(REDUCE, "/reduce/", 404, "not_found", &["/reduce"])
        .await;
    for (role, path) in [
        (SPLIT, "/split"),
        (MAP, "/map"),
        (MAP, "/health"),
        (REDUCE, "/reduce"),
    ] {
        let state = ServiceState::new(lab.store.clone(), config(role, &[]));
        let reply = send(router(role, state), "DELETE", path, "").await;
        assert_refusal(
            &reply,
            path,
            405,
            "method_not_allowed",
            &["DELETE", path, "GET"],
        );
        assert!(reply.header("allow").contains("GET"));
        assert!(
            reply
                .header("x-mrdeck-service")
                .starts_with("mrdeck-services/")
        );
    }
}

#[tokio::test]
async fn a_word_without_end_is_refused() {
    let lab = Lab::new();
    lab.put("s3://b/k", &vec![b'x'; (64 << 20) + 1]).await;
    lab.refused(
        MAP,
        "/map?s3=s3://b/k",
        400,
        "word_too_long",
        &["s3://b/k", "67108864"],
    )
    .await;
}
