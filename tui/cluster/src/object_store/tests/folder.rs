//! What the folder keeps: over a restart, a kill, an older version, and changes by hand.

use super::keys::TRICKY;
use super::*;

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
