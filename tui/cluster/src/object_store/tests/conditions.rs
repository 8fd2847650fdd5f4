//! What is read or written on a condition.

use super::*;

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
