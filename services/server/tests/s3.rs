//! The S3 store against a scripted server: what it sends, and what it makes of the answers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use common::script::{HELD, at_endpoint, error, reply, scripted, store};
use futures_util::{StreamExt, TryStreamExt, stream};
use mrdeck_core::digest::Digest;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::aws::Retries;
use mrdeck_store::{Entry, ReadOptions, Store, StoreError, WriteOptions};

const MIB: usize = 1 << 20;

fn at() -> S3Uri {
    "s3://b/dir/k".parse().unwrap()
}

/// A body that must not be asked again behind its end, as those that are read from files.
fn body(pieces: Vec<Result<Bytes, StoreError>>) -> mrdeck_store::BodyStream {
    let next = |mut rest: std::vec::IntoIter<_>| async move { Some((rest.next()?, rest)) };
    stream::unfold(pieces.into_iter(), next).boxed()
}

const PARTS: &[(&str, &str)] = &[("etag", "\"p\"")];
const BEGUN: &str =
    "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>";
const COMPLETE: &str =
    "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>";

#[tokio::test]
async fn reads_are_path_style_and_say_what_they_got() {
    let headers = [("etag", "\"v\""), ("content-range", "bytes 2-4/9")];
    let (store, script) = store(vec![
        reply(206, &headers, "cde"),
        reply(200, &[("etag", "\"v\"")], ""),
    ])
    .await;
    let options = ReadOptions {
        range: Some(2..5),
        if_match: Some("\"v\"".to_owned()),
    };
    let object = store.get(&at(), options).await.unwrap();
    assert_eq!(
        (object.meta.size, object.meta.etag.as_deref()),
        (9, Some("\"v\""))
    );
    assert_eq!(
        object.body.try_collect::<Vec<_>>().await.unwrap().concat(),
        b"cde"
    );

    let empty = store.get(&at(), ReadOptions::default()).await.unwrap();
    assert_eq!(empty.meta.size, 0);
    assert!(empty.body.try_collect::<Vec<_>>().await.unwrap().is_empty());
    assert_eq!(script.requests(), ["GET /b/dir/k", "GET /b/dir/k"]);
}

#[tokio::test]
async fn a_missing_key_and_a_missing_bucket_are_told_apart() {
    for (key_answer, bucket_answer, bucket_missing) in [
        (reply(404, &[], ""), reply(200, &[], ""), false),
        (reply(404, &[], ""), reply(404, &[], ""), true),
        (reply(404, &[], ""), reply(403, &[], ""), false),
    ] {
        let (store, script) = store(vec![key_answer, bucket_answer]).await;
        let error = store.head(&at()).await.unwrap_err();
        assert_eq!(
            matches!(error, StoreError::NoSuchBucket { .. }),
            bucket_missing,
            "{error}"
        );
        assert_eq!(
            matches!(error, StoreError::NoSuchKey { .. }),
            !bucket_missing,
            "{error}"
        );
        let requests = script.requests();
        assert_eq!(requests[0], "HEAD /b/dir/k");
        assert!(requests[1].starts_with("HEAD /b"), "{requests:?}");
    }
}

#[tokio::test]
async fn a_get_is_told_apart_just_so() {
    let (s3, _) = store(vec![error(404, "NoSuchKey"), reply(404, &[], "")]).await;
    let found = s3.get(&at(), ReadOptions::default()).await.err();
    assert_eq!(
        found,
        Some(StoreError::NoSuchBucket {
            bucket: "b".to_owned()
        })
    );
    let (s3, script) = store(vec![error(404, "NoSuchBucket")]).await;
    let found = s3.get(&at(), ReadOptions::default()).await.err();
    assert_eq!(
        found,
        Some(StoreError::NoSuchBucket {
            bucket: "b".to_owned()
        })
    );
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn a_head_refused_without_a_reason_is_asked_again_as_a_get() {
    let (s3, script) = store(vec![reply(400, &[], ""), error(400, "ExpiredToken")]).await;
    let found = s3.head(&at()).await.unwrap_err();
    assert!(matches!(found, StoreError::Credentials { .. }), "{found}");
    assert!(found.to_string().contains("ExpiredToken"), "{found}");
    assert_eq!(script.requests(), ["HEAD /b/dir/k", "GET /b/dir/k"]);
    let (s3, _) = store(vec![reply(403, &[], ""), error(403, "AccessDenied")]).await;
    assert!(matches!(
        s3.head(&at()).await,
        Err(StoreError::Denied { .. })
    ));
}

#[tokio::test]
async fn another_version_is_changed_whoever_notices() {
    let options = || ReadOptions {
        range: None,
        if_match: Some("\"v1\"".to_owned()),
    };
    let (s3, _) = store(vec![error(412, "PreconditionFailed")]).await;
    assert_eq!(
        s3.get(&at(), options()).await.err(),
        Some(StoreError::Changed { uri: at() })
    );
    let (s3, _) = store(vec![reply(200, &[("etag", "\"v2\"")], "x")]).await;
    assert_eq!(
        s3.get(&at(), options()).await.err(),
        Some(StoreError::Changed { uri: at() })
    );
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let found = at_endpoint(endpoint, Retries::Standard)
        .await
        .head(&at())
        .await
        .unwrap_err();
    assert!(matches!(found, StoreError::Unreachable { .. }), "{found}");
}

#[tokio::test]
async fn a_small_stream_goes_in_one_request() {
    let (s3, script) = store(vec![reply(200, PARTS, "")]).await;
    let pieces = vec![Ok(Bytes::from_static(b"ab")), Ok(Bytes::from_static(b"c"))];
    assert_eq!(s3.put_stream(&at(), body(pieces)).await, Ok(3));
    assert_eq!(script.requests(), ["PUT /b/dir/k"]);
    assert_eq!(script.bodies(), ["abc"]);
}

#[tokio::test]
async fn a_large_stream_goes_in_parts() {
    let answers = [
        reply(200, &[], BEGUN),
        reply(200, PARTS, ""),
        reply(200, PARTS, ""),
        reply(200, &[], COMPLETE),
    ];
    let (s3, script) = store(answers.into()).await;
    let pieces = (0..9).map(|n| Ok(Bytes::from(vec![n; MIB]))).collect();
    assert_eq!(s3.put_stream(&at(), body(pieces)).await, Ok(9 * MIB as u64));
    let part = |n| format!("PUT /b/dir/k?partNumber={n}&uploadId=U");
    let expected = [
        "POST /b/dir/k?uploads".to_owned(),
        part(1),
        part(2),
        "POST /b/dir/k?uploadId=U".to_owned(),
    ];
    // The parts are on their way at the same time.
    let mut requests = script.requests();
    let is_in_order = requests[1] == expected[1];
    requests[1..3].sort();
    assert_eq!(requests, expected);
    let mut bodies = script.bodies();
    if !is_in_order {
        bodies.swap(1, 2);
    }
    assert_eq!((bodies[1].len(), bodies[2].len()), (8 * MIB, MIB));
    assert!(bodies[2].iter().all(|b| *b == 8));
    let list = String::from_utf8(bodies[3].to_vec()).unwrap();
    assert_eq!(list.matches("<PartNumber>").count(), 2, "{list}");
}

#[tokio::test]
async fn an_upload_that_fails_is_given_up() {
    // Once because the source breaks off, once because S3 refuses a part.
    let broken = StoreError::Unreachable {
        detail: "cut".to_owned(),
    };
    let first = || (0..8).map(|_| Ok(Bytes::from(vec![0; MIB])));
    let source = first().chain([Err(broken.clone())]).collect();
    let (s3, script) = store(vec![
        reply(200, &[], BEGUN),
        reply(200, PARTS, ""),
        reply(204, &[], ""),
    ])
    .await;
    assert_eq!(s3.put_stream(&at(), body(source)).await, Err(broken));
    assert_eq!(
        script.requests().last().unwrap(),
        "DELETE /b/dir/k?uploadId=U"
    );

    let (s3, script) = store(vec![
        reply(200, &[], BEGUN),
        error(403, "AccessDenied"),
        reply(204, &[], ""),
    ])
    .await;
    let found = s3.put_stream(&at(), body(first().collect())).await;
    assert!(matches!(found, Err(StoreError::Denied { .. })), "{found:?}");
    assert_eq!(
        script.requests().last().unwrap(),
        "DELETE /b/dir/k?uploadId=U"
    );
}

#[tokio::test]
async fn an_upload_that_is_dropped_is_given_up() {
    // No answer to the first part: the upload hangs there until it is dropped.
    let (s3, script) = store(vec![reply(200, &[], BEGUN)]).await;
    let pieces = (0..8).map(|_| Ok(Bytes::from(vec![0; MIB]))).collect();
    let upload = tokio::spawn(async move { s3.put_stream(&at(), body(pieces)).await });
    while script.requests().len() < 2 {
        script.asked.notified().await;
    }
    upload.abort();
    while script.requests().len() < 3 {
        script.asked.notified().await;
    }
    assert_eq!(script.requests()[2], "DELETE /b/dir/k?uploadId=U");
}

#[tokio::test]
async fn an_object_is_removed() {
    let (s3, script) = store(vec![reply(204, &[], "")]).await;
    assert_eq!(s3.delete(&at()).await, Ok(()));
    assert_eq!(script.requests(), ["DELETE /b/dir/k"]);
}

#[tokio::test]
async fn a_person_s_upload_goes_in_parts_above_16_mib_and_says_how_far_it_is() {
    let (s3, script) = store(vec![reply(200, PARTS, "")]).await;
    let sent = AtomicU64::new(0);
    let told = |bytes| sent.store(bytes, Ordering::Relaxed);
    let pieces = |count: u8| (0..count).map(|n| Ok(Bytes::from(vec![n; MIB]))).collect();
    let size = 16 * MIB as u64;
    assert_eq!(
        s3.upload(&at(), body(pieces(16)), Digest::of(b""), &told)
            .await,
        Ok(size)
    );
    assert_eq!(script.requests(), ["PUT /b/dir/k"]);
    assert_eq!(sent.load(Ordering::Relaxed), size);

    let parts = (0..3).map(|_| reply(200, PARTS, ""));
    let answers = [reply(200, &[], BEGUN)].into_iter().chain(parts);
    let (s3, script) = store(answers.chain([reply(200, &[], COMPLETE)]).collect()).await;
    let size = 17 * MIB as u64;
    assert_eq!(
        s3.upload(&at(), body(pieces(17)), Digest::of(b""), &told)
            .await,
        Ok(size)
    );
    assert_eq!(sent.load(Ordering::Relaxed), size);
    // The parts are under way together, so they come in any order.
    let mut requests = script.requests();
    assert_eq!(requests.remove(0), "POST /b/dir/k?uploads");
    assert_eq!(requests.pop().unwrap(), "POST /b/dir/k?uploadId=U");
    requests.sort();
    let expected = [1, 2, 3].map(|n| format!("PUT /b/dir/k?partNumber={n}&uploadId=U"));
    assert_eq!(requests, expected);
    let list = script.bodies().pop().unwrap();
    let list = String::from_utf8(list.to_vec()).unwrap();
    let at = |n| list.find(&format!("<PartNumber>{n}<")).unwrap();
    assert!(at(1) < at(2) && at(2) < at(3), "{list}");
}

#[tokio::test]
async fn an_upload_that_is_dropped_while_it_begins_is_given_up_once_it_is_known() {
    let (s3, script) = store(vec![reply(200, &[(HELD, "")], BEGUN), reply(204, &[], "")]).await;
    let pieces = (0..17).map(|_| Ok(Bytes::from(vec![0; MIB]))).collect();
    let uploading = s3.clone();
    let upload = tokio::spawn(async move {
        uploading
            .upload(&at(), body(pieces), Digest::of(b""), &|_| {})
            .await
    });
    while script.requests().is_empty() {
        script.asked.notified().await;
    }
    upload.abort();
    assert!(upload.await.unwrap_err().is_cancelled());
    script.release.notify_one();
    s3.settled().await;
    let expected = ["POST /b/dir/k?uploads", "DELETE /b/dir/k?uploadId=U"];
    assert_eq!(script.requests(), expected);
}

const PAGE: &str = "<ListBucketResult><IsTruncated>true</IsTruncated>\
    <NextContinuationToken>t+1/=</NextContinuationToken>\
    <Contents><Key>d/b c</Key><Size>12</Size><LastModified>2026-03-14T09:26:53.000Z</LastModified></Contents>\
    <CommonPrefixes><Prefix>d/a/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>d//</Prefix></CommonPrefixes>\
    </ListBucketResult>";

#[tokio::test]
async fn a_list_is_read_a_page_at_a_time() {
    let last =
        "<ListBucketResult><Contents><Key>d/z</Key><Size>0</Size></Contents></ListBucketResult>";
    let (s3, script) = store(vec![reply(200, &[], PAGE), reply(200, &[], last)]).await;
    let first = s3.list("b", "d/", None).await.unwrap();
    let keys: Vec<&str> = first.items.iter().map(Entry::key).collect();
    assert_eq!(keys, ["d//", "d/a/", "d/b c"]);
    assert!(
        matches!(&first.items[2], Entry::Object { size: 12, modified: Some(at), .. }
            if at.to_string() == "2026-03-14T09:26:53Z")
    );
    let second = s3.list("b", "d/", first.next.as_deref()).await.unwrap();
    assert_eq!((second.items[0].key(), second.next), ("d/z", None));
    let [one, two] = &script.requests()[..] else {
        panic!("{:?}", script.requests());
    };
    for part in ["list-type=2", "prefix=d%2F", "delimiter=%2F"] {
        assert!(one.contains(part) && two.contains(part), "{one} {two}");
    }
    assert!(two.contains("continuation-token=t%2B1%2F%3D"), "{two}");
}

#[tokio::test]
async fn keys_that_xml_can_t_hold_are_asked_for_encoded() {
    let raw =
        "<ListBucketResult><Contents><Key>a\u{1}</Key><Size>1</Size></Contents></ListBucketResult>";
    let encoded = "<ListBucketResult><EncodingType>url</EncodingType>\
        <Contents><Key>a%01+%2B</Key><Size>1</Size></Contents></ListBucketResult>";
    let (s3, script) = store(vec![reply(200, &[], raw), reply(200, &[], encoded)]).await;
    let page = s3.list("b", "", None).await.unwrap();
    assert_eq!(page.items[0].key(), "a\u{1} +");
    let requests = script.requests();
    assert!(requests[1].contains("encoding-type=url"), "{requests:?}");
}

#[tokio::test]
async fn a_list_that_is_refused_says_what_of() {
    for (answer, expected) in [
        (error(403, "AccessDenied"), "access to s3://b/d/ is denied"),
        (error(404, "NoSuchBucket"), "there is no bucket 'b'"),
        (
            error(301, "PermanentRedirect"),
            "the bucket of s3://b/d/ is in another region",
        ),
    ] {
        let (s3, _) = store(vec![answer]).await;
        let found = s3.list("b", "d/", None).await.unwrap_err().to_string();
        assert!(found.starts_with(expected), "{found}");
    }
    let (s3, _) = store(vec![error(403, "AccessDenied")]).await;
    let found = s3.buckets(None).await.unwrap_err().to_string();
    assert!(
        found.starts_with("access to the list of buckets is denied"),
        "{found}"
    );
}

/// What a server in S3's place says is quoted; S3 has refused nothing.
#[tokio::test]
async fn an_answer_that_is_not_s3s_is_shown() {
    let page = || reply(200, &[("content-type", "text/html")], "<html>log in</html>");
    let (store, _) = scripted(vec![page(), page(), page()], Retries::None).await;
    let error = store.list("b", "", None).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreadable { .. }), "{error:?}");
    let said = error.to_string();
    for words in [
        "s3://b/",
        "can't be read",
        "HTTP 200, text/html: '<html>log in</html>'",
    ] {
        assert!(said.contains(words), "'{words}' is not in: {said}");
    }

    let answers = vec![reply(502, &[], "<html>no</html>"), reply(502, &[], "")];
    let (store, _) = scripted(answers, Retries::None).await;
    let mut refused = Vec::new();
    for _ in 0..2 {
        refused.push(
            store
                .write(&at(), Bytes::new(), WriteOptions::default())
                .await,
        );
    }
    let refused: Vec<String> = refused
        .into_iter()
        .map(|e| e.unwrap_err().to_string())
        .collect();
    let expected = [
        "HTTP 502: '<html>no</html>'",
        "HTTP 502 without an explanation",
    ];
    assert_eq!(
        refused,
        expected.map(|said| format!("S3 refused {}: {said}", at()))
    );
}

/// S3 may begin a long operation's answer before it knows how it ends.
#[tokio::test]
async fn an_error_in_an_answer_that_says_200_is_told_with_its_code() {
    let answers = vec![
        reply(200, &[], BEGUN),
        reply(200, PARTS, ""),
        error(200, "InternalError"),
        reply(204, &[], ""),
    ];
    let (store, script) = scripted(answers, Retries::None).await;
    let pieces = (0..8).map(|n| Ok(Bytes::from(vec![n; MIB]))).collect();
    let error = store.put_stream(&at(), body(pieces)).await.unwrap_err();
    assert_eq!(script.requests()[2], "POST /b/dir/k?uploadId=U");
    let said = error.to_string();
    assert!(said.contains("because (InternalError, HTTP 200)"), "{said}");
}
