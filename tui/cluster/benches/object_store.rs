//! What the embedded S3 server takes for an object, through the AWS SDK: `cargo bench -p mrdeck-cluster --bench object_store`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong ends the benchmark"
)]

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_s3::Client;
use bytes::Bytes;
use divan::Bencher;
use divan::counter::BytesCount;
use mrdeck_cluster::object_store::{self, ObjectStore};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const BUCKET: &str = "mrdeck";
const SMALL: usize = 1 << 10;
const LARGE: usize = 64 << 20;

struct Server {
    runtime: Runtime,
    client: Client,
    _objects: ObjectStore,
    _folder: TempDir,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("objects");
    std::fs::create_dir_all(root.join(BUCKET)).unwrap();
    let objects = runtime.block_on(object_store::start(&root, &folder.path().join("s3")));
    let objects = objects.unwrap();
    Server {
        runtime,
        client: objects.client(),
        _objects: objects,
        _folder: folder,
    }
});

impl Server {
    async fn put(&self, key: &str, body: Bytes) {
        let put = self.client.put_object().bucket(BUCKET).key(key);
        put.metadata("sha256", "0")
            .body(body.into())
            .send()
            .await
            .unwrap();
    }

    async fn get(&self, key: &str) -> usize {
        let get = self.client.get_object().bucket(BUCKET).key(key);
        let mut body = get.send().await.unwrap().body;
        let mut length = 0;
        while let Some(piece) = body.next().await {
            length += piece.unwrap().len();
        }
        length
    }
}

fn main() {
    divan::main();
}

#[divan::bench(args = [SMALL, LARGE])]
fn put(bencher: Bencher<'_, '_>, size: usize) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let body = Bytes::from(vec![b'a'; size]);
    bencher.counter(BytesCount::new(size)).bench(|| {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Few, so that the disk is not what is measured.
        let key = format!("put/{size}/{}", number % 8);
        SERVER.runtime.block_on(SERVER.put(&key, body.clone()));
    });
}

#[divan::bench(args = [SMALL, LARGE])]
fn get(bencher: Bencher<'_, '_>, size: usize) {
    let key = format!("get/{size}");
    let body = Bytes::from(vec![b'a'; size]);
    SERVER.runtime.block_on(SERVER.put(&key, body));
    bencher
        .counter(BytesCount::new(size))
        .bench(|| assert_eq!(SERVER.runtime.block_on(SERVER.get(&key)), size));
}

#[divan::bench]
fn head(bencher: Bencher<'_, '_>) {
    SERVER.runtime.block_on(SERVER.put("head", Bytes::new()));
    bencher.bench(|| {
        let head = SERVER.client.head_object().bucket(BUCKET).key("head");
        SERVER.runtime.block_on(head.send()).unwrap();
    });
}
