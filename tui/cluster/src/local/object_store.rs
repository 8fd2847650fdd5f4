//! The S3 server inside this process (s3s over a folder), on a loopback port the system chose.

mod body;
mod file_name;
mod keys;
mod literal;
mod older_layout;
#[cfg(test)]
mod tests;

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

use self::keys::Keys;
use self::literal::LiteralKeys;
use super::error::LocalError;

/// After a failed `accept`, so that waiting for file descriptors does not take them all the time there is.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const REGION: &str = "us-east-1";

/// A running server and the keys to it, which are new at each start.
pub(super) struct ObjectStore {
    address: SocketAddr,
    access_key: String,
    secret_key: String,
    _server: AbortOnDropHandle<()>,
}

/// Serves the buckets below `root`, to which it moves the objects of an older layout.
pub(super) async fn start(root: &Path, older: &Path) -> Result<ObjectStore, LocalError> {
    let broken = LocalError::ObjectStore;
    let (to_open, older) = (root.to_owned(), older.to_owned());
    let opened = spawn_blocking(move || {
        older_layout::take_over(&older, &to_open)?;
        older_layout::remove_broken_uploads(&to_open)?;
        Keys::find(&to_open)
    });
    let keys = opened.await.map_err(|error| broken(error.to_string()))?;
    let keys = keys.map_err(|error| broken(error.to_string()))?;
    let files = s3s_fs::FileSystem::new(root).map_err(|error| broken(format!("{error:?}")))?;
    let access_key = random_key(20);
    let secret_key = random_key(40);
    let mut builder = S3ServiceBuilder::new(LiteralKeys::new(files, keys));
    builder.set_auth(SimpleAuth::from_single(
        access_key.clone(),
        secret_key.clone(),
    ));
    let service = builder.build();

    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .map_err(|error| broken(error.to_string()))?;
    let address = listener
        .local_addr()
        .map_err(|error| broken(error.to_string()))?;
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
    pub(super) fn store(&self) -> S3Store {
        S3Store::new(self.client())
    }

    fn client(&self) -> aws_sdk_s3::Client {
        let (key, secret) = (&self.access_key, &self.secret_key);
        let credentials = Credentials::new(key, secret, None, None, "embedded");
        aws::fixed_client(&self.endpoint(), REGION, credentials)
    }

    /// Returns what a service needs in its environment to use this server, and nothing else.
    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
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
