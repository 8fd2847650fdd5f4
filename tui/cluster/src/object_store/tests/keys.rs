//! Any key is taken literally, and lists are in the order of keys.

use super::*;

/// Keys that are trouble for folders and files, for URLs, or for XML.
pub(super) const TRICKY: [&str; 42] = [
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
