//! What is read is what was written, and of one version.

use super::*;

#[tokio::test]
async fn a_body_that_came_damaged_is_no_object() {
    let server = Server::start().await;
    let put = server.client.put_object().bucket(BUCKET).key("k");
    // The MD5 of something else.
    let put = put.content_md5("1B2M2Y8AsgTpgAmY7PhCfg==");
    let error = put.body(b"text".to_vec().into()).send().await.unwrap_err();
    assert_eq!(error.code(), Some("BadDigest"));
    assert_eq!(server.get("k").await, None);
    assert_eq!(server.keys().await, [""; 0]);
}

#[tokio::test]
async fn any_range_of_a_large_object_is_what_it_names() {
    let server = Server::start().await;
    let lines: Vec<String> = (0..200_000).map(|n| format!("{n:07}\n")).collect();
    let text = lines.concat();
    server.put("large", &text).await;
    server.put("empty", "").await;
    assert!(server.get("large").await.unwrap() == text);
    assert_eq!(server.get("empty").await.unwrap(), "");
    let size = text.len();
    for (range, expected) in [
        ("bytes=0-0", 0..1),
        ("bytes=5-1000000", 5..1_000_001),
        ("bytes=700001-700003", 700_001..700_004),
        ("bytes=1500000-", 1_500_000..size),
        ("bytes=1500000-99999999", 1_500_000..size),
        ("bytes=-7", size - 7..size),
    ] {
        let request = server.client.get_object().bucket(BUCKET).key("large");
        let answer = request.range(range).send().await.unwrap();
        let bytes = answer.body.collect().await.unwrap().to_vec();
        assert!(bytes == text.as_bytes()[expected], "{range}");
    }
}

/// Whoever reads while another writes gets one version or the other.
#[tokio::test]
async fn a_body_is_of_one_version_while_it_is_replaced() {
    let server = Server::start().await;
    let bodies = ["a".repeat(600_000), "b".repeat(600_000)];
    server.put("key", &bodies[0]).await;
    let writing = async {
        for round in 0..40 {
            server.put("key", &bodies[round % 2]).await;
        }
    };
    let reading = async {
        let mut seen = BTreeSet::new();
        for _ in 0..80 {
            let request = server.client.get_object().bucket(BUCKET).key("key");
            let answer = request.send().await.unwrap();
            // The client checks the body against its checksum.
            let bytes = answer.body.collect().await.unwrap().to_vec();
            assert!(bodies.iter().any(|body| body.as_bytes() == bytes));
            seen.insert(bytes[0]);
        }
        seen
    };
    let ((), seen) = tokio::join!(writing, reading);
    assert_eq!(seen.len(), 2, "the two never met");
}
