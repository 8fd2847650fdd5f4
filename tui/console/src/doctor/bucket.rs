//! Whether the bucket can be read and written, tried with one small object that is removed again.

use bytes::Bytes;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{Store, StoreError};
use ulid::Ulid;

use super::finding::Finding;
use super::within;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_engine::read_all;

const READABLE: &str = "bucket readable";
const WRITABLE: &str = "bucket writable";
const CONTENT: &[u8] = b"written by mrdeck doctor, which removes it again\n";

pub(super) async fn check(
    store: &dyn Store,
    bucket: Option<&str>,
    is_read_only: bool,
) -> Vec<Finding> {
    let Some(bucket) = bucket else {
        return vec![Finding::warning(
            "bucket",
            Diagnostic::new(
                "none is named, so none was checked: local files can't be uploaded",
                "name one with --bucket NAME, or as bucket in the configuration file",
            ),
        )];
    };
    let free = || S3Uri::new(bucket, &format!("mrdeck/doctor/{}", Ulid::generate()));
    let (nothing, small) = match (free(), free()) {
        (Ok(nothing), Ok(small)) => (nothing, small),
        (Err(error), _) | (_, Err(error)) => {
            let diagnostic = Diagnostic::new(error.to_string(), "check --bucket");
            return vec![Finding::failed("bucket", diagnostic)];
        }
    };
    let read = within(READABLE, readable(store, &nothing));
    if is_read_only {
        let left_out = Finding::ok(WRITABLE, "not checked because of --read-only");
        return vec![read.await, left_out];
    }
    let (read, write) = tokio::join!(read, within(WRITABLE, writable(store, &small)));
    vec![read, write]
}

/// Asks for an object that does not exist: S3 only says so to callers that may list the bucket and read it.
async fn readable(store: &dyn Store, nothing: &S3Uri) -> Finding {
    match store.head(nothing).await {
        Ok(_) | Err(StoreError::NoSuchKey { .. }) => {
            let bucket = nothing.bucket();
            let place = store.other_region(bucket).map_or(String::new(), |region| {
                format!(", in {region}, another region than the cluster's")
            });
            Finding::ok(READABLE, format!("s3://{bucket}{place}"))
        }
        Err(StoreError::Denied { detail, .. }) => Finding::failed(
            READABLE,
            Diagnostic::new(
                format!("access to s3://{} is denied: {detail}", nothing.bucket()),
                "ask for s3:ListBucket on it and s3:GetObject in it, or use another --profile",
            ),
        ),
        Err(error) => Finding::failed(READABLE, Diagnostic::from(&error)),
    }
}

async fn writable(store: &dyn Store, small: &S3Uri) -> Finding {
    if let Err(error) = store.put(small, Bytes::from_static(CONTENT)).await {
        let diagnostic = match error {
            StoreError::Denied { detail, .. } => Diagnostic::new(
                format!("writing to s3://{} is denied: {detail}", small.bucket()),
                "ask for s3:PutObject in it, or use another --profile",
            ),
            error => Diagnostic::from(&error),
        };
        return Finding::failed(WRITABLE, diagnostic);
    }
    let read = read_all(store, small).await;
    let removed = store.delete(small).await;
    match (read, removed) {
        (Ok(read), _) if read != CONTENT => Finding::failed(
            WRITABLE,
            Diagnostic::new(
                format!("{small} was written, but read back as something else"),
                "check what --endpoint-url leads to",
            ),
        ),
        (Err(error), _) => {
            let why = Diagnostic::from(&error);
            let cause = format!("{small} was written, but can't be read: {}", why.cause);
            Finding::failed(WRITABLE, Diagnostic { cause, ..why })
        }
        (Ok(_), Err(error)) => Finding::warning(
            WRITABLE,
            Diagnostic::new(
                format!("written and read, but {small} can't be removed again: {error}"),
                "remove it by hand; mrdeck needs s3:DeleteObject for nothing else",
            ),
        ),
        (Ok(_), Ok(())) => Finding::ok(WRITABLE, "a small object was written, read and removed"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use mrdeck_store::memory::{Call, MemoryStore};

    use super::*;
    use crate::doctor::CheckStatus;

    fn denied() -> StoreError {
        StoreError::Denied {
            at: (&S3Uri::new("b", "k").unwrap()).into(),
            detail: "AccessDenied".to_owned(),
        }
    }

    fn statuses(findings: &[Finding]) -> Vec<(&str, CheckStatus)> {
        findings.iter().map(|f| (f.check, f.status)).collect()
    }

    #[tokio::test]
    async fn a_good_bucket_is_left_as_it_was() {
        let store = MemoryStore::with_bucket("b");
        let findings = check(&store, Some("b"), false).await;
        let expected = [(READABLE, CheckStatus::Ok), (WRITABLE, CheckStatus::Ok)];
        assert_eq!(statuses(&findings), expected);
        assert!(store.keys("b").is_empty());
    }

    #[tokio::test]
    async fn nothing_is_written_when_that_is_refused() {
        let store = MemoryStore::with_bucket("b");
        store.fail_next(Call::Put, denied());
        let findings = check(&store, Some("b"), true).await;
        assert_eq!(statuses(&findings)[1], (WRITABLE, CheckStatus::Ok));
        assert!(findings[1].found.contains("--read-only"));
    }

    #[tokio::test]
    async fn each_permission_that_is_missing_is_named() {
        for (call, at, status, word) in [
            (Call::Head, 0, CheckStatus::Failed, "s3:ListBucket"),
            (Call::Put, 1, CheckStatus::Failed, "s3:PutObject"),
            (Call::Get, 1, CheckStatus::Failed, "read and write"),
            (Call::Delete, 1, CheckStatus::Warning, "s3:DeleteObject"),
        ] {
            let store = MemoryStore::with_bucket("b");
            store.fail_next(call, denied());
            let findings = check(&store, Some("b"), false).await;
            assert_eq!(findings[at].status, status, "{call:?}");
            let advice = findings[at].advice.as_deref().unwrap();
            assert!(advice.contains(word), "{call:?}: {advice}");
        }
    }

    #[tokio::test]
    async fn without_a_bucket_there_is_a_warning() {
        let store = MemoryStore::with_bucket("b");
        let findings = check(&store, None, false).await;
        assert_eq!(statuses(&findings), [("bucket", CheckStatus::Warning)]);
    }
}
