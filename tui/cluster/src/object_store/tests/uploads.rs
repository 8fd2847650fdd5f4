//! Uploads in parts.

use super::*;

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
