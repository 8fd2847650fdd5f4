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

mod bodies;
mod conditions;
mod folder;
mod keys;
mod uploads;

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

fn refusal<E: ProvideErrorMetadata>(
    error: &aws_sdk_s3::error::SdkError<E, aws_sdk_s3::config::http::HttpResponse>,
) -> (String, u16) {
    let status = error.raw_response().unwrap().status().as_u16();
    (error.code().unwrap_or_default().to_owned(), status)
}
