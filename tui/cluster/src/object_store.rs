//! The S3 server inside this process (s3s in front of a folder), on a loopback port the system chose.

mod api;
mod body;
mod catalog;
mod conditions;
mod description;
mod fields;
mod file_name;
mod folders;
mod index;
mod listing;
mod objects;
mod older_layout;
mod receive;
#[cfg(test)]
mod tests;
mod uploads;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use mrdeck_store::aws::{self, Credentials};
use mrdeck_store::s3::S3Store;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use self::api::Api;
use self::objects::Objects;

/// After a failed `accept`, so that waiting for file descriptors does not take them all the time there is.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const REGION: &str = "us-east-1";

/// Why the server can't start.
#[derive(Debug, thiserror::Error)]
#[error("the embedded S3 server can't start: {0}")]
pub struct StartError(#[from] io::Error);

/// A running server and the keys to it, which are new at each start.
pub struct ObjectStore {
    address: SocketAddr,
    access_key: String,
    secret_key: String,
    _server: AbortOnDropHandle<()>,
}

/// Serves the buckets below `root`, to which it moves the objects of an older layout.
///
/// # Errors
///
/// If the folder can't be used, or there is no port.
pub async fn start(root: &Path, older: &Path) -> Result<ObjectStore, StartError> {
    let (to_open, older) = (root.to_owned(), older.to_owned());
    let opened = spawn_blocking(move || {
        older_layout::take_over(&older, &to_open)?;
        Objects::open(&to_open)
    });
    let objects = opened.await.map_err(io::Error::from)??;
    let access_key = random_key(20);
    let secret_key = random_key(40);
    let mut builder = S3ServiceBuilder::new(Api::new(objects));
    builder.set_auth(SimpleAuth::from_single(
        access_key.clone(),
        secret_key.clone(),
    ));
    let service = builder.build();

    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let http = Builder::new(TokioExecutor::new());
        loop {
            // `accept` fails here only for lack of file descriptors, which passes.
            let Ok((socket, _)) = listener.accept().await else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            // Without it each small answer waits 40 ms for the client's delayed acknowledgement.
            let _ = socket.set_nodelay(true);
            let connection = http
                .serve_connection(TokioIo::new(socket), service.clone())
                .into_owned();
            tokio::spawn(async move {
                // A client that went away reports that itself.
                let _ = connection.await;
            });
        }
    });
    Ok(ObjectStore {
        address,
        access_key,
        secret_key,
        _server: AbortOnDropHandle::new(server),
    })
}

impl ObjectStore {
    fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns this process's own client.
    pub fn store(&self) -> S3Store {
        S3Store::new(self.client())
    }

    /// Returns an SDK client.
    pub fn client(&self) -> aws_sdk_s3::Client {
        let (key, secret) = (&self.access_key, &self.secret_key);
        let credentials = Credentials::new(key, secret, None, None, "embedded");
        aws::fixed_client(&self.endpoint(), REGION, credentials)
    }

    /// Returns what a service needs in its environment to use this server, and nothing else.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let nowhere = if cfg!(windows) { "NUL" } else { "/dev/null" };
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", self.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_key.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_CONFIG_FILE", nowhere.to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", nowhere.to_owned()),
        ]
    }
}

/// Returns random letters and digits. They keep out only processes of this user, which could read the data anyway.
fn random_key(length: usize) -> String {
    let mut random = fastrand::Rng::new();
    std::iter::repeat_with(|| random.alphanumeric())
        .take(length)
        .collect()
}
