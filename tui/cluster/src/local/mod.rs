//! The embedded cluster: an S3 server in this process, the services as child processes of this binary.

mod actor;
mod child;
mod error;
mod lifecycle;
mod scaler;
mod supervisor;

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{Store, StoreError};
use tokio::sync::{mpsc, watch};

use self::child::Launcher;
use self::error::LocalError;
use self::supervisor::Supervisor;
use super::scale::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest};
use super::{Cluster, Connection, probe};
use crate::object_store::{self, ObjectStore};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::{TaskId, TaskList};

/// The bucket that is always there.
const BUCKET: &str = "mrdeck";
/// What a run reads unless another input was chosen: Cicero's Liber Primus, which the `lipsum` crate ships.
const SAMPLE_KEY: &str = "liber-primus.txt";
/// Starting a child takes milliseconds; this is for a machine under load.
const START_DEADLINE: Duration = Duration::from_secs(20);

struct LocalCluster {
    supervisor: Supervisor,
    /// Serves until it is dropped.
    _objects: ObjectStore,
    /// Held while this process uses the data folder.
    _lock: File,
}

#[async_trait]
impl Cluster for LocalCluster {
    fn name(&self) -> String {
        "local".to_owned()
    }

    fn tasks(&self) -> watch::Receiver<TaskList> {
        self.supervisor.tasks()
    }

    fn can_stop(&self) -> bool {
        true
    }

    async fn stop(&self, task: &TaskId) -> Result<(), Diagnostic> {
        Ok(self.supervisor.kill(task).await?)
    }

    async fn plan_scale(&self, wanted: ScaleRequest) -> Result<ScalePlan, Diagnostic> {
        Ok(scaler::plan(&self.supervisor, wanted).await?)
    }

    async fn scale(
        &self,
        plan: ScalePlan,
        limit: Duration,
        events: mpsc::Sender<ScaleEvent>,
    ) -> ScaleReport {
        scaler::scale(&self.supervisor, plan, limit, events).await
    }

    async fn logs(&self, task: &TaskId) -> Result<Vec<String>, Diagnostic> {
        Ok(self.supervisor.logs(task).await?)
    }

    async fn shutdown(&self) {
        self.supervisor.shutdown().await;
    }
}

/// Brings the cluster up, and returns once every service listens.
pub(super) async fn connect(mappers: u32, data: &Path) -> Result<Connection, LocalError> {
    let (objects, older) = (data.join("objects"), data.join("s3"));
    let logs_dir = data.join("logs");
    for folder in [&objects.join(BUCKET), &logs_dir] {
        std::fs::create_dir_all(folder).map_err(|error| data_error(data, error))?;
    }
    let lock = lock(data)?;
    let server = object_store::start(&objects, &older).await?;
    let store: Arc<dyn Store> = Arc::new(server.store());
    seed(store.as_ref()).await.map_err(LocalError::Sample)?;

    let supervisor = Supervisor::new(Launcher {
        program: std::env::current_exe().map_err(LocalError::Program)?,
        environment: server.environment(),
        logs_dir,
    });
    supervisor.start(Role::Splitter, 1);
    supervisor.start(Role::Mapper, mappers);
    supervisor.start(Role::Reducer, 1);
    supervisor.wait_until_up(START_DEADLINE).await?;

    let (tasks, prober) = probe::follow(supervisor.tasks(), mrdeck_client::http_client(None)?);
    Ok(Connection {
        cluster: Arc::new(LocalCluster {
            supervisor,
            _objects: server,
            _lock: lock,
        }),
        tasks,
        prober,
        store,
        bucket: Some(BUCKET.to_owned()),
        default_input: S3Uri::new(BUCKET, SAMPLE_KEY).ok(),
    })
}

/// Locks the data folder for this process.
fn lock(data: &Path) -> Result<File, LocalError> {
    let file = File::create(data.join("lock")).map_err(|error| data_error(data, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LocalError::Locked(data.to_owned())),
        Err(TryLockError::Error(error)) => Err(data_error(data, error)),
    }
}

fn data_error(data: &Path, source: io::Error) -> LocalError {
    let folder = data.to_owned();
    LocalError::Data { folder, source }
}

/// Puts the sample text where it is not there yet.
async fn seed(store: &dyn Store) -> Result<(), StoreError> {
    let Ok(sample) = S3Uri::new(BUCKET, SAMPLE_KEY) else {
        return Ok(());
    };
    match store.head(&sample).await {
        Ok(_) => Ok(()),
        Err(StoreError::NoSuchKey { .. }) => {
            store
                .put(&sample, Bytes::from_static(lipsum::LIBER_PRIMUS.as_bytes()))
                .await
        }
        Err(error) => Err(error),
    }
}
