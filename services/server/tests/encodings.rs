//! Inputs that are not text: refused by name, unless the caller wants their bytes counted.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Lab, uri};
use mrdeck_core::role::Role;

const SPLIT: Role = Role::Splitter;
const MAP: Role = Role::Mapper;

const GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03KTH\xe2\x02\0";
const CODE: &str = "unsupported_encoding";

/// All ways in which an object may be named as an input, with room for more parameters.
fn requests(object: &str, size: usize) -> Vec<(Role, String)> {
    let middle = size / 2;
    vec![
        (SPLIT, format!("/split?s3={object}&chunks=1")),
        (SPLIT, format!("/split?s3={object}&chunks=1&mode=range")),
        (MAP, format!("/map?s3={object}")),
        // What the second half begins with says nothing.
        (MAP, format!("/map?s3={object}&start={middle}&end={size}")),
    ]
}

#[tokio::test]
async fn what_is_not_text_is_refused_in_every_way_that_it_can_be_named() {
    let lab = Lab::with(&[]).await;
    let mut binary = b"plain at first \0 ".to_vec();
    binary.extend(b"and text for long ".repeat(10_000));
    let utf16: Vec<u8> = "a b\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let inputs: [(&str, &[u8], &str); 5] = [
        ("s3://b/x.gz", GZIP, "gzip-compressed"),
        ("s3://b/x.zip", b"PK\x03\x04\x14", "a zip archive"),
        ("s3://b/utf16", &utf16, "UTF-16LE"),
        ("s3://b/x.pdf", b"%PDF-1.7 a b", "a PDF document"),
        ("s3://b/bin", &binary, "NUL bytes"),
    ];
    for (object, bytes, what) in inputs {
        lab.put(object, bytes).await;
        for (role, path) in requests(object, bytes.len()) {
            let before = lab.store.keys("b");
            lab.refused(role, &path, 400, CODE, &[object, what, "as=bytes"])
                .await;
            assert_eq!(lab.store.keys("b"), before, "{path} wrote something");
            lab.ok(role, &format!("{path}&as=bytes")).await;
        }
    }
}

#[tokio::test]
async fn what_is_stored_compressed_is_refused_whatever_its_bytes_are() {
    let lab = Lab::with(&[("s3://b/k", "a b c d")]).await;
    let object = uri("s3://b/k");
    for harmless in ["identity", "aws-chunked", "utf-8"] {
        lab.store.set_content_encoding(&object, harmless);
        for (role, path) in requests("s3://b/k", 7) {
            lab.ok(role, &path).await;
        }
    }
    lab.store.set_content_encoding(&object, "br");
    for (role, path) in requests("s3://b/k", 7) {
        lab.refused(
            role,
            &path,
            400,
            CODE,
            &["s3://b/k", "Content-Encoding: br"],
        )
        .await;
        lab.ok(role, &format!("{path}&as=bytes")).await;
    }
}

#[tokio::test]
async fn text_beyond_ascii_is_counted_by_the_rule_and_its_bytes_are_said() {
    let text = "Füller, don’t, Слово";
    let lab = Lab::with(&[("s3://b/k", text), ("s3://b/ascii", "a b")]).await;
    let answer = lab.ok(MAP, "/map?s3=s3://b/k").await;
    assert_eq!(
        (&answer["words"], &answer["non_ascii"]),
        (&4.into(), &15.into())
    );
    let answer = lab.ok(MAP, "/map?s3=s3://b/ascii").await;
    assert_eq!(answer["non_ascii"], 0);
}

#[tokio::test]
async fn as_is_bytes_or_nothing() {
    let lab = Lab::with(&[("s3://b/k", "a b c d")]).await;
    for (role, path) in requests("s3://b/k", 7) {
        for wrong in ["text", "", "Bytes"] {
            let path = format!("{path}&as={wrong}");
            lab.refused(
                role,
                &path,
                400,
                "bad_as",
                &[&format!("as={wrong}"), "as=bytes"],
            )
            .await;
        }
    }
}
