//! The embedded S3 over HTTP, through the AWS SDK and by plain URLs: it takes keys as S3 does.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, Delete, EncodingType,
    MetadataDirective, ObjectIdentifier,
};
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{Entry, Store as _, StoreError};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::*;

const BUCKET: &str = "mrdeck";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

struct Server {
    folder: TempDir,
    objects: ObjectStore,
    store: S3Store,
    client: Client,
}

impl Server {
    async fn start() -> Self {
        Self::over(tempfile::tempdir().unwrap()).await
    }

    async fn over(folder: TempDir) -> Self {
        let root = folder.path().join("objects");
        std::fs::create_dir_all(root.join(BUCKET)).unwrap();
        let objects = start(&root, &folder.path().join("s3")).await.unwrap();
        Self {
            folder,
            store: objects.store(),
            client: objects.client(),
            objects,
        }
    }

    async fn again(self) -> Self {
        drop(self.objects);
        Self::over(self.folder).await
    }

    fn older(folder: &TempDir, name: &str) -> PathBuf {
        let file = folder.path().join("s3").join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        file
    }

    async fn put(&self, key: &str, body: &str) {
        let body = bytes::Bytes::copy_from_slice(body.as_bytes());
        self.store.put(&uri(key), body).await.unwrap();
    }

    async fn get(&self, key: &str) -> Option<String> {
        let answer = self
            .client
            .get_object()
            .bucket(BUCKET)
            .key(key)
            .send()
            .await;
        match answer {
            Ok(found) => {
                let bytes = found.body.collect().await.unwrap().to_vec();
                Some(String::from_utf8(bytes).unwrap())
            }
            Err(error) => {
                let status = error.raw_response().unwrap().status().as_u16();
                assert_eq!((error.code(), status), (Some("NoSuchKey"), 404), "{key:?}");
                None
            }
        }
    }

    /// All keys, as a client finds them that asks for a few at a time, in URL encoding.
    async fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut token = None;
        loop {
            let request = self.client.list_objects_v2().bucket(BUCKET).max_keys(3);
            let request = request.encoding_type(EncodingType::Url);
            let page = request.set_continuation_token(token).send().await.unwrap();
            assert!(page.contents().len() <= 3);
            keys.extend(page.contents().iter().map(|object| {
                let key = percent_encoding::percent_decode_str(object.key().unwrap());
                key.decode_utf8().unwrap().into_owned()
            }));
            token = page.next_continuation_token().map(str::to_owned);
            assert_eq!(token.is_some(), page.is_truncated() == Some(true));
            if token.is_none() {
                return keys;
            }
        }
    }
}

fn uri(key: &str) -> S3Uri {
    S3Uri::new(BUCKET, key).unwrap()
}

/// Keys that are trouble for folders and files, for URLs, or for XML.
const TRICKY: [&str; 42] = [
    "a",
    "a/",
    "a//",
    "a/b",
    "a/b/",
    "a//b",
    "/a",
    "//x",
    "/",
    "//",
    "A",
    "A/b",
    ".",
    "..",
    "./a",
    "../a",
    "a/.",
    "a/..",
    "a/../b",
    "a/./b",
    "...",
    ".a.",
    "a b",
    " a ",
    "a+b",
    "a%20b",
    "%2F",
    "%",
    "a?b",
    "?",
    "a#b",
    "~",
    "a=b&c",
    "\"<>'",
    "\\",
    "a:b",
    "é",
    "e\u{301}",
    "日本/語",
    "a\tb",
    "a\nb",
    "\u{1}",
];

fn any_key() -> impl Strategy<Value = String> {
    let segment = r"[a-cA-C.]{0,3}|\.{0,3}|[ %+?#~&=;:'<>\\é]{1,4}|\PC{1,30}|[ab]{250,300}";
    let path = prop::collection::vec(segment, 1..7).prop_map(|parts| parts.join("/"));
    prop_oneof![
        path,
        prop::sample::select(TRICKY.to_vec()).prop_map(str::to_owned)
    ]
    .prop_filter("S3 takes 1 to 1,024 bytes", |key| {
        (1..=1_024).contains(&key.len())
    })
    .prop_filter("the SDK refuses blanks alone", |key| !key.trim().is_empty())
}

#[test]
fn every_key_is_put_listed_got_headed_copied_and_deleted_literally() {
    let server = RUNTIME.block_on(Server::start());
    let keys = prop::collection::btree_set(any_key(), 1..12);
    let mut runner = TestRunner::new(Config::with_cases(48));
    let checked = runner.run(&keys, |keys| {
        RUNTIME.block_on(exercise(&server, &keys));
        Ok(())
    });
    checked.unwrap();
    let tricky: BTreeSet<String> = TRICKY.iter().map(|key| (*key).to_owned()).collect();
    RUNTIME.block_on(exercise(&server, &tricky));
}

/// Does all that S3 can do with these keys, and leaves none of them.
async fn exercise(server: &Server, keys: &BTreeSet<String>) {
    let body = |key: &str| format!("it is {key:?}");
    for key in keys {
        server.put(key, &body(key)).await;
    }
    assert_eq!(server.keys().await, Vec::from_iter(keys.clone()));
    for key in keys {
        assert_eq!(server.get(key).await, Some(body(key)), "{key:?}");
        let found = server.store.head(&uri(key)).await.unwrap();
        assert_eq!(found.size, body(key).len() as u64, "{key:?}");
    }
    let (first, last) = (keys.first().unwrap(), keys.last().unwrap());
    let copy = server.client.copy_object().bucket(BUCKET).key(last);
    let source = percent_encoding::utf8_percent_encode(first, percent_encoding::NON_ALPHANUMERIC);
    copy.copy_source(format!("{BUCKET}/{source}"))
        .send()
        .await
        .unwrap();
    assert_eq!(server.get(last).await, Some(body(first)));
    for key in keys {
        server.store.delete(&uri(key)).await.unwrap();
        assert_eq!(server.get(key).await, None);
        let found = server.store.head(&uri(key)).await;
        assert_eq!(found, Err(StoreError::NoSuchKey { uri: uri(key) }));
    }
    assert_eq!(server.keys().await, [""; 0]);
}

#[tokio::test]
async fn what_is_not_there_is_not_there() {
    let server = Server::start().await;
    server.put("a/b", "1").await;
    server.put("liber-primus.txt", "2").await;
    for key in [
        "a",
        "a/",
        "mr/",
        "mr",
        "/mr",
        "//x",
        "a/../liber-primus.txt",
        "..",
        "../mrdeck/a/b",
    ] {
        assert_eq!(server.get(key).await, None);
        let found = server.store.head(&uri(key)).await;
        assert_eq!(found, Err(StoreError::NoSuchKey { uri: uri(key) }));
    }
    let elsewhere = S3Uri::new("nosuch", "k").unwrap();
    let missing = StoreError::NoSuchBucket {
        bucket: "nosuch".to_owned(),
    };
    assert_eq!(server.store.head(&elsewhere).await, Err(missing.clone()));
    let body = bytes::Bytes::new();
    assert_eq!(server.store.put(&elsewhere, body).await, Err(missing));
    assert!(!server.folder.path().join("objects/nosuch").exists());
}

#[tokio::test]
async fn keys_have_1_024_bytes_at_most() {
    let server = Server::start().await;
    let longest = format!("{}é", "k/".repeat(511));
    server.put(&longest, "1").await;
    assert_eq!(server.get(&longest).await.as_deref(), Some("1"));
    let longer = format!("{longest}k");
    let put = server.client.put_object().bucket(BUCKET).key(&longer);
    let error = put.send().await.unwrap_err();
    let status = error.raw_response().unwrap().status().as_u16();
    assert_eq!((error.code(), status), (Some("KeyTooLongError"), 400));
    let copy = server.client.copy_object().bucket(BUCKET).key(&longer);
    let error = copy
        .copy_source(format!("{BUCKET}/k"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("KeyTooLongError"));
    assert_eq!(server.keys().await, [longest]);
}

#[tokio::test]
async fn lists_have_prefixes_delimiters_and_a_beginning() {
    let server = Server::start().await;
    let keys = ["/", "/a", "a", "a//b", "a/B", "a/b", "a/b/c", "a b", "é/x"];
    for key in keys {
        server.put(key, "123").await;
    }
    let names = |entries: Vec<Entry>| {
        let names: Vec<_> = entries.iter().map(|entry| entry.key().to_owned()).collect();
        names
    };
    for (prefix, expected) in [
        ("", &["/", "a", "a b", "a/", "é/"][..]),
        ("/", &["/", "/a"]),
        ("a", &["a", "a b", "a/"]),
        ("a/", &["a//", "a/B", "a/b", "a/b/"]),
        ("a//", &["a//b"]),
        ("é", &["é/"]),
        ("b", &[]),
    ] {
        let page = server.store.list(BUCKET, prefix, None).await.unwrap();
        assert_eq!(names(page.items), expected, "{prefix}");
        assert_eq!(page.next, None);
    }
    let request = || server.client.list_objects_v2().bucket(BUCKET);
    let page = request().start_after("a/").send().await.unwrap();
    let found: Vec<_> = page
        .contents()
        .iter()
        .filter_map(|object| object.key())
        .collect();
    assert_eq!(found, ["a//b", "a/B", "a/b", "a/b/c", "é/x"]);
    let head = server
        .client
        .head_object()
        .bucket(BUCKET)
        .key("a//b")
        .send()
        .await
        .unwrap();
    assert_eq!(page.contents()[0].e_tag(), head.e_tag());
    assert_eq!(page.contents()[0].size(), Some(3));

    let old = server.client.list_objects().bucket(BUCKET).delimiter("/");
    let page = old.clone().max_keys(2).send().await.unwrap();
    assert_eq!(page.next_marker(), Some("a"));
    let page = old.marker("a b").max_keys(1).send().await.unwrap();
    assert_eq!(page.common_prefixes()[0].prefix(), Some("a/"));
    assert_eq!(
        (page.next_marker(), page.is_truncated()),
        (Some("a/"), Some(true))
    );
    let none = request().max_keys(0).send().await.unwrap();
    assert_eq!(
        (none.key_count(), none.is_truncated()),
        (Some(0), Some(false))
    );
    let wrong = request()
        .continuation_token("%FF")
        .send()
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), Some("InvalidArgument"));
}

#[tokio::test]
async fn many_keys_are_deleted_at_once() {
    let server = Server::start().await;
    for key in ["a", "a/", "../b", "left"] {
        server.put(key, "1").await;
    }
    let keys = ["a", "a/", "../b", "never there"];
    let keys = keys.map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder()
        .set_objects(Some(keys.to_vec()))
        .build()
        .unwrap();
    let request = server.client.delete_objects().bucket(BUCKET).delete(delete);
    let answer = request.send().await.unwrap();
    let deleted: Vec<_> = answer
        .deleted()
        .iter()
        .filter_map(|object| object.key())
        .collect();
    assert_eq!(deleted, ["a", "a/", "../b", "never there"]);
    assert_eq!(server.keys().await, ["left"]);
}

#[tokio::test]
async fn uploads_in_parts_take_any_key_and_replace_what_was_there() {
    let server = Server::start().await;
    for key in ["a/../b/", &"é".repeat(400)] {
        // With a checksum, which must not outlive it.
        server.put(key, "older").await;
        let client = &server.client;
        let begun = client.create_multipart_upload().bucket(BUCKET).key(key);
        let begun = begun.send().await.unwrap();
        assert_eq!(begun.key(), Some(key));
        let id = begun.upload_id().unwrap();
        let part = client.upload_part().bucket(BUCKET).key(key).upload_id(id);
        let part = part.part_number(1).body(b"newer".to_vec().into());
        let tag = part.send().await.unwrap().e_tag().map(str::to_owned);
        let parts = client.list_parts().bucket(BUCKET).key(key).upload_id(id);
        assert_eq!(parts.send().await.unwrap().key(), Some(key));
        let part = CompletedPart::builder()
            .part_number(1)
            .set_e_tag(tag)
            .build();
        let all = CompletedMultipartUpload::builder().parts(part).build();
        let complete = client.complete_multipart_upload().bucket(BUCKET).key(key);
        let complete = complete.upload_id(id).multipart_upload(all);
        assert_eq!(complete.send().await.unwrap().key(), Some(key));
        assert_eq!(server.get(key).await.as_deref(), Some("newer"));
    }
}

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
async fn plain_urls_mean_the_same_keys() {
    let server = Server::start().await;
    // There is one already where another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    for key in TRICKY {
        server.put(key, key).await;
    }
    for key in TRICKY {
        let expiry = PresigningConfig::expires_in(Duration::from_mins(1)).unwrap();
        let request = server.client.get_object().bucket(BUCKET).key(key);
        let request = request.presigned(expiry).await.unwrap();
        // Clients as browsers are resolve dots before they send.
        if key.split('/').any(|segment| [".", ".."].contains(&segment)) {
            continue;
        }
        let answer = http.get(request.uri()).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{key:?}");
        assert_eq!(answer.text().await.unwrap(), key);
    }
}

#[tokio::test]
async fn objects_outlive_the_server() {
    let server = Server::start().await;
    let long = "Long/".repeat(200);
    for key in TRICKY.into_iter().chain([long.as_str()]) {
        server.put(key, key).await;
    }
    let before = server.store.head(&uri("a/../b")).await.unwrap();
    server.store.delete(&uri("a")).await.unwrap();
    // What a killed console left.
    let root = server.folder.path().join("objects");
    let begun = server
        .client
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("x");
    begun.send().await.unwrap();
    let server = server.again().await;
    assert_eq!(server.keys().await.len(), TRICKY.len());
    for key in TRICKY.into_iter().chain([long.as_str()]) {
        let expected = (key != "a").then_some(key);
        assert_eq!(server.get(key).await.as_deref(), expected);
    }
    assert_eq!(server.store.head(&uri("a/../b")).await, Ok(before));

    for key in server.keys().await {
        server.store.delete(&uri(&key)).await.unwrap();
    }
    let server = server.again().await;
    assert_eq!(server.keys().await, [""; 0]);
    let left = std::fs::read_dir(&root).unwrap();
    let left: BTreeSet<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    let expected = [".catalog.jsonl", ".parts", BUCKET].map(Into::into);
    assert_eq!(left, BTreeSet::from(expected));
    assert_eq!(
        std::fs::read(root.join(".catalog.jsonl")).unwrap(),
        b"",
        "what is known of objects that are gone is forgotten"
    );
    assert_eq!(std::fs::read_dir(root.join(BUCKET)).unwrap().count(), 0);
}

#[tokio::test]
async fn an_older_folder_is_taken_over() {
    // As an older mrdeck wrote it, and by hand.
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("s3").join(BUCKET)).unwrap();
    let older = s3s_fs::FileSystem::new(folder.path().join("s3")).unwrap();
    let input = s3s::dto::PutObjectInput {
        bucket: BUCKET.to_owned(),
        key: "mr/runs/01ABC/plan.json".to_owned(),
        body: Some(s3s::dto::StreamingBlob::wrap(futures_util::stream::iter([
            Ok::<_, io::Error>(bytes::Bytes::from_static(b"plan")),
        ]))),
        metadata: Some([("m".to_owned(), "kept".to_owned())].into()),
        ..s3s::dto::PutObjectInput::default()
    };
    s3s::S3::put_object(&older, internal(input)).await.unwrap();
    let long = format!("By hand/{}.txt", "é".repeat(100));
    std::fs::write(Server::older(&folder, &format!("mrdeck/{long}")), "hand").unwrap();
    std::fs::write(Server::older(&folder, ".upload_id-x.part-1"), "part").unwrap();

    let server = Server::over(folder).await;
    assert_eq!(
        server.keys().await,
        [long.as_str(), "mr/runs/01ABC/plan.json"]
    );
    assert_eq!(server.get(&long).await.as_deref(), Some("hand"));
    let plan = server
        .client
        .head_object()
        .bucket(BUCKET)
        .key("mr/runs/01ABC/plan.json");
    let plan = plan.send().await.unwrap();
    assert_eq!(plan.metadata().unwrap()["m"], "kept");
    assert!(
        !server.folder.path().join("s3").exists(),
        "nothing is left to be moved"
    );

    // An older mrdeck, used once more, does not bring back what was changed since.
    server.put(&long, "newer").await;
    std::fs::write(
        Server::older(&server.folder, &format!("mrdeck/{long}")),
        "older",
    )
    .unwrap();
    let server = server.again().await;
    assert_eq!(server.get(&long).await.as_deref(), Some("newer"));
    assert!(Server::older(&server.folder, &format!("mrdeck/{long}")).exists());
}

/// A request to s3s-fs without HTTP.
fn internal<T>(input: T) -> s3s::S3Request<T> {
    s3s::S3Request {
        input,
        method: http::Method::PUT,
        uri: http::Uri::default(),
        headers: http::HeaderMap::default(),
        extensions: http::Extensions::default(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
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

impl Server {
    /// Puts an object only if `condition` holds, and returns the error's code and status.
    async fn put_if(
        &self,
        key: &str,
        condition: impl FnOnce(PutObjectFluentBuilder) -> PutObjectFluentBuilder,
    ) -> Result<(), (String, u16)> {
        let put = self.client.put_object().bucket(BUCKET).key(key);
        let put = condition(put).body(b"conditional".to_vec().into());
        put.send().await.map(drop).map_err(|error| refusal(&error))
    }
}

fn refusal<E: ProvideErrorMetadata>(
    error: &aws_sdk_s3::error::SdkError<E, aws_sdk_s3::config::http::HttpResponse>,
) -> (String, u16) {
    let status = error.raw_response().unwrap().status().as_u16();
    (error.code().unwrap_or_default().to_owned(), status)
}

#[tokio::test]
async fn what_is_written_on_a_condition_is_written_only_if_it_holds() {
    let server = Server::start().await;
    let failed = Err(("PreconditionFailed".to_owned(), 412));
    let missing = Err(("NoSuchKey".to_owned(), 404));
    assert_eq!(server.put_if("k", |put| put.if_match("*")).await, missing);
    assert_eq!(
        server.put_if("k", |put| put.if_none_match("*")).await,
        Ok(())
    );
    assert_eq!(
        server.put_if("k", |put| put.if_none_match("*")).await,
        failed
    );
    let etag = server.store.head(&uri("k")).await.unwrap().etag.unwrap();
    let other = "\"00000000000000000000000000000000\"";
    assert_eq!(server.put_if("k", |put| put.if_match(other)).await, failed);
    assert_eq!(server.put_if("k", |put| put.if_match(etag)).await, Ok(()));
    server.put("k", "newer").await;
    assert_eq!(server.get("k").await.as_deref(), Some("newer"));
}

/// This is how consoles take a lease.
#[tokio::test]
async fn of_many_who_create_an_object_at_once_one_succeeds() {
    let server = Server::start().await;
    for round in 0..20 {
        let key = format!("lease-{round}");
        let tries = (0..8).map(|_| server.put_if(&key, |put| put.if_none_match("*")));
        let done = futures_util::future::join_all(tries).await;
        let winners = done.iter().filter(|done| done.is_ok()).count();
        assert_eq!(winners, 1, "{done:?}");
    }
}

#[tokio::test]
async fn what_is_read_on_a_condition_is_read_only_if_it_holds() {
    let server = Server::start().await;
    server.put("k", "text").await;
    let head = server.client.head_object().bucket(BUCKET).key("k");
    let head = head.send().await.unwrap();
    let (etag, time) = (head.e_tag().unwrap(), *head.last_modified().unwrap());
    let earlier = DateTime::from_secs(time.secs() - 1);
    let get = || server.client.get_object().bucket(BUCKET).key("k");
    for (request, expected) in [
        (get().if_match(etag), None),
        (get().if_match("\"0\""), Some(412)),
        (get().if_none_match("\"0\""), None),
        (get().if_none_match(etag), Some(304)),
        (get().if_modified_since(earlier), None),
        (get().if_modified_since(time), Some(304)),
        (get().if_unmodified_since(time), None),
        (get().if_unmodified_since(earlier), Some(412)),
        (get().if_match(etag).if_unmodified_since(earlier), None),
        (get().if_none_match("\"0\"").if_modified_since(time), None),
    ] {
        let asked = format!("{request:?}");
        let answer = request.send().await;
        let status = answer.err().map(|error| refusal(&error).1);
        assert_eq!(status, expected, "{asked}");
    }
    let head = server.client.head_object().bucket(BUCKET).key("k");
    let error = head.if_none_match(etag).send().await.unwrap_err();
    assert_eq!(refusal(&error).1, 304);
    let copy = server.client.copy_object().bucket(BUCKET).key("copy");
    let copy = copy.copy_source(format!("{BUCKET}/k"));
    let error = copy
        .copy_source_if_none_match(etag)
        .send()
        .await
        .unwrap_err();
    assert_eq!(refusal(&error).1, 412);
    assert_eq!(server.keys().await, ["k"]);
}

#[tokio::test]
async fn what_was_said_of_an_object_outlives_the_server() {
    let server = Server::start().await;
    let put = server.client.put_object().bucket(BUCKET).key("k");
    let put = put
        .metadata("sha256", "a b")
        .content_type("text/x")
        .body(b"text".to_vec().into());
    put.checksum_algorithm(ChecksumAlgorithm::Sha256)
        .send()
        .await
        .unwrap();
    let copy = server.client.copy_object().bucket(BUCKET).key("copy");
    copy.copy_source(format!("{BUCKET}/k"))
        .send()
        .await
        .unwrap();
    let copy = server.client.copy_object().bucket(BUCKET).key("other");
    let copy = copy.copy_source(format!("{BUCKET}/k"));
    let copy = copy
        .metadata_directive(MetadataDirective::Replace)
        .content_type("text/y");
    copy.send().await.unwrap();
    let heads = async |server: &Server| {
        let mut heads = Vec::new();
        for key in ["k", "copy", "other"] {
            let head = server.client.head_object().bucket(BUCKET).key(key);
            let head = head
                .checksum_mode(ChecksumMode::Enabled)
                .send()
                .await
                .unwrap();
            let metadata = head.metadata().and_then(|all| all.get("sha256")).cloned();
            heads.push((
                head.e_tag().map(str::to_owned),
                head.content_type().map(str::to_owned),
                head.checksum_sha256().map(str::to_owned),
                head.content_length(),
                *head.last_modified().unwrap(),
                metadata,
            ));
        }
        heads
    };
    let before = heads(&server).await;
    // The MD5 and the SHA-256 of "text", by md5sum and sha256sum.
    let etag = "\"1cb251ec0d568de6a929b520c4aed8d1\"".to_owned();
    let sha256 = "mC2ePrmW9VnmM/TRlN7zdh2Qn1o7ZH0ahR/q1nwyydE=".to_owned();
    let (k, other) = (&before[0], &before[2]);
    assert_eq!(k.0, Some(etag));
    assert_eq!(
        (k.1.as_deref(), k.2.as_ref()),
        (Some("text/x"), Some(&sha256))
    );
    assert_eq!((k.3, k.5.as_deref()), (Some(4), Some("a b")));
    assert_eq!(before[1].5, k.5, "a copy has what its source had");
    assert_eq!((other.1.as_deref(), &other.5), (Some("text/y"), &None));
    let server = server.again().await;
    assert_eq!(heads(&server).await, before);
}

/// The folder can be looked through by hand, and so it is changed by hand.
#[tokio::test]
async fn what_is_changed_by_hand_is_noticed() {
    let server = Server::start().await;
    server.put("changed", "before").await;
    server.put("removed", "1").await;
    let folder = server.folder.path().join("objects").join(BUCKET);
    std::fs::write(folder.join("changed%"), "after it").unwrap();
    std::fs::remove_file(folder.join("removed%")).unwrap();
    let head = server.store.head(&uri("changed")).await.unwrap();
    assert_eq!(head.size, 8);
    // By md5sum.
    assert_eq!(
        head.etag.as_deref(),
        Some("\"ffaf835285187d8c6ee15750a43eeb52\"")
    );
    assert_eq!(server.get("changed").await.as_deref(), Some("after it"));
    assert_eq!(server.get("removed").await, None);
    assert_eq!(server.keys().await, ["changed"]);
}

/// It is killed between what it writes of an object and the object itself, or amid a line.
#[tokio::test]
async fn a_killed_server_leaves_the_version_before() {
    let server = Server::start().await;
    server.put("k", "before").await;
    let before = server.store.head(&uri("k")).await.unwrap();
    let catalog = server.folder.path().join("objects/.catalog.jsonl");
    let text = std::fs::read_to_string(&catalog).unwrap();
    let line = text.lines().last().unwrap();
    let newer = line.replace("\"size\":6", "\"size\":7");
    assert_ne!(newer, line);
    std::fs::write(&catalog, format!("{text}\n{newer}\n{}", &line[..20])).unwrap();
    let parts = server.folder.path().join("objects/.parts");
    std::fs::write(parts.join("half"), "half").unwrap();
    let server = server.again().await;
    assert_eq!(server.store.head(&uri("k")).await, Ok(before));
    assert_eq!(server.get("k").await.as_deref(), Some("before"));
    assert_eq!(std::fs::read_dir(parts).unwrap().count(), 0);
}

#[tokio::test]
async fn parts_are_joined_in_their_order_or_refused() {
    let server = Server::start().await;
    let client = &server.client;
    let begun = client.create_multipart_upload().bucket(BUCKET).key("k");
    let id = begun.send().await.unwrap().upload_id().unwrap().to_owned();
    let large = vec![b'a'; 5 << 20];
    server.put("source", "0123456789").await;
    let mut tags = Vec::new();
    for (number, body) in [
        (7, b"end".to_vec()),
        (2, large.clone()),
        (9, b"small".to_vec()),
    ] {
        let part = client.upload_part().bucket(BUCKET).key("k").upload_id(&id);
        let part = part.part_number(number).body(body.into());
        tags.push((
            number,
            part.send().await.unwrap().e_tag().unwrap().to_owned(),
        ));
    }
    let part = client
        .upload_part_copy()
        .bucket(BUCKET)
        .key("k")
        .upload_id(&id);
    let part = part
        .copy_source(format!("{BUCKET}/source"))
        .copy_source_range("bytes=2-4");
    let copied = part.part_number(8).send().await.unwrap();
    let copied = copied
        .copy_part_result()
        .unwrap()
        .e_tag()
        .unwrap()
        .to_owned();
    tags.push((8, copied));
    let tag = |number| {
        tags.iter()
            .find(|(other, _)| *other == number)
            .unwrap()
            .1
            .clone()
    };
    let complete = async |parts: &[(i32, String)]| {
        let parts = parts.iter().map(|(number, tag)| {
            let part = CompletedPart::builder().part_number(*number);
            part.e_tag(tag).build()
        });
        let all = CompletedMultipartUpload::builder().set_parts(Some(parts.collect()));
        let complete = client.complete_multipart_upload().bucket(BUCKET).key("k");
        let complete = complete.upload_id(&id).multipart_upload(all.build());
        let done = complete.send().await;
        done.map(|done| done.e_tag().unwrap().to_owned())
            .map_err(|error| refusal(&error).0)
    };
    for (parts, expected) in [
        (vec![], "MalformedXML"),
        (vec![(7, tag(7)), (2, tag(2))], "InvalidPartOrder"),
        (vec![(2, tag(2)), (2, tag(2))], "InvalidPartOrder"),
        (vec![(2, tag(7))], "InvalidPart"),
        (vec![(3, tag(2))], "InvalidPart"),
        (vec![(7, tag(7)), (8, tag(8))], "EntityTooSmall"),
    ] {
        assert_eq!(
            complete(&parts).await,
            Err(expected.to_owned()),
            "{parts:?}"
        );
    }
    let etag = complete(&[(2, tag(2)), (8, tag(8))]).await.unwrap();
    let expected = [large.as_slice(), b"234"].concat();
    assert!(server.get("k").await.unwrap().as_bytes() == expected);
    assert!(etag.ends_with("-2\""), "{etag}");
    assert_eq!(
        complete(&[(2, tag(2))]).await,
        Err("NoSuchUpload".to_owned())
    );
    let parts = server.folder.path().join("objects/.parts");
    assert_eq!(std::fs::read_dir(parts).unwrap().count(), 0);
}
