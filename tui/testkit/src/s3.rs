//! A real S3 server over a folder, in the test's own process, and a client of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::aws::{self, Credentials};
use mrdeck_store::s3::S3Store;
use mrdeck_store::{ReadOptions, Store as _};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::runtime;

/// The bucket that is there.
pub const BUCKET: &str = "lab";
pub const ACCESS_KEY: &str = "id-of-the-tests";
pub const SECRET_KEY: &str = "secret-of-the-tests";

pub struct ObjectStore {
    pub address: SocketAddr,
    client: S3Store,
    root: TempDir,
    _server: AbortOnDropHandle<()>,
}

impl ObjectStore {
    pub fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join(BUCKET)).unwrap();
        let files = s3s_fs::FileSystem::new(root.path()).unwrap();
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let (listener, client) = runtime().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let client = client_of(&url, ACCESS_KEY, SECRET_KEY);
            (listener, client)
        });
        let address = listener.local_addr().unwrap();
        let server = runtime().spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let http = Builder::new(TokioExecutor::new());
                let connection = http
                    .serve_connection(TokioIo::new(socket), service.clone())
                    .into_owned();
                tokio::spawn(async move {
                    // A client that went away is what some tests are about.
                    let _ = connection.await;
                });
            }
        });
        Self {
            address,
            client,
            root,
            _server: AbortOnDropHandle::new(server),
        }
    }

    /// Writes an object; gives its address.
    pub fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) -> String {
        let uri = S3Uri::new(BUCKET, key).unwrap();
        let put = self.client.put(&uri, Bytes::from(bytes.into()));
        runtime().block_on(put).unwrap();
        uri.to_string()
    }

    pub fn get(&self, uri: &str) -> Vec<u8> {
        runtime().block_on(async {
            let uri = uri.parse().unwrap();
            let object = self.client.get(&uri, ReadOptions::default()).await.unwrap();
            object.body.try_collect::<Vec<_>>().await.unwrap().concat()
        })
    }

    pub fn has(&self, key: &str) -> bool {
        self.file(key).is_file()
    }

    /// Where the server keeps an object's bytes: what is changed there is changed behind its back.
    pub fn file(&self, key: &str) -> PathBuf {
        self.root.path().join(BUCKET).join(key)
    }

    /// The keys below a prefix that is a folder, in order.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let bucket = self.root.path().join(BUCKET);
        let mut keys = Vec::new();
        collect_keys(&bucket, &bucket.join(prefix), &mut keys);
        keys.sort();
        keys
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a process needs in its environment to use this server.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        Self::environment_at(self.url())
    }

    /// The same for one that reaches it at another address, through a proxy.
    pub fn environment_at(url: String) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", url),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }
}

/// A client of any server that speaks S3.
pub fn client_of(url: &str, access_key: &str, secret_key: &str) -> S3Store {
    let credentials = Credentials::new(access_key, secret_key, None, None, "tests");
    S3Store::new(aws::fixed_client(url, "us-east-1", credentials))
}

fn collect_keys(bucket: &Path, folder: &Path, keys: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_keys(bucket, &path, keys);
        } else {
            let key = path.strip_prefix(bucket).unwrap();
            keys.push(key.to_str().unwrap().to_owned());
        }
    }
}
