//! Where tasks come from: what every backend can do, and the table of backends.
//!
//! | module | job |
//! |---|---|
//! | [`settings`] | which cluster to reach, and with what |
//! | [`probe`] | asks each task's `/health`, and adds what it finds to the list |
//! | `scale` | what a scaling is to do, reports meanwhile, and how it ended |
//! | [`object_store`] | the S3 server of the local cluster: objects as files |
//! | `ecs`, `local`, `fixed` | the backends: Amazon ECS, processes of this machine, addresses given by hand |
//! | [`aws`] | credentials, signed calls, and what AWS's refusals mean |
//! | [`deploy`] | puts the services on ECS and takes them down again |
//!
//! Below this edge errors are typed; a [`Diagnostic`] is built from them where one is shown or recorded.

pub mod aws;
pub mod deploy;
mod ecs;
mod fixed;
mod local;
pub mod object_store;
pub mod probe;
mod scale;
pub mod settings;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::Store;
use tokio::sync::{mpsc, watch};

use crate::settings::{Backend, ConnectOptions};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::{Probe, TaskId, TaskList};

pub use ecs::may_look_up_public_ips;
pub use scale::{
    MAX_TASKS, SCALE_TIMEOUT, ScaleEvent, ScalePlan, ScaleReport, ScaleRequest, ScaleRequestError,
    Step,
};

/// A source of tasks. No method blocks for long: lists come through the watch.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// Returns what the header calls it.
    fn name(&self) -> String;
    /// Returns the tasks as the backend knows them, without probes.
    fn tasks(&self) -> watch::Receiver<TaskList>;
    /// Returns the AWS region it is in.
    fn region(&self) -> Option<String> {
        None
    }
    /// Asks for a fresh list before its time.
    fn refresh(&self) {}
    /// Returns whether tasks can be stopped from here.
    fn can_stop(&self) -> bool {
        false
    }
    /// Stops a task.
    async fn stop(&self, task: &TaskId) -> Result<(), Diagnostic> {
        Err(Diagnostic::new(
            format!("{task} can't be stopped from here"),
            "stop it where it was started",
        ))
    }
    /// Plans what would make as many tasks run as are wanted. Nothing is changed yet.
    async fn plan_scale(&self, wanted: ScaleRequest) -> Result<ScalePlan, Diagnostic> {
        Err(scale::unsupported(wanted))
    }
    /// Does what was planned, waits for it within `limit`, and returns how far it came.
    async fn scale(
        &self,
        plan: ScalePlan,
        _limit: Duration,
        _events: mpsc::Sender<ScaleEvent>,
    ) -> ScaleReport {
        let diagnostic = scale::unsupported(plan.wanted);
        plan.failed(diagnostic)
    }
    /// Returns the last lines the task logged, oldest first.
    async fn logs(&self, task: &TaskId) -> Result<Vec<String>, Diagnostic> {
        Err(Diagnostic::new(
            format!("the logs of {task} are not kept here"),
            "look for them where the task was started",
        ))
    }
    /// Ends what was started with the cluster.
    async fn shutdown(&self) {}
}

/// A cluster that is up: its tasks with their probes, and the S3 beside it.
#[derive(Clone)]
pub struct Connection {
    pub cluster: Arc<dyn Cluster>,
    /// The tasks with the latest probe of each.
    pub tasks: watch::Receiver<TaskList>,
    pub prober: probe::Prober,
    pub store: Arc<dyn Store>,
    /// Where local files are uploaded to.
    pub bucket: Option<String>,
    /// What a run reads when nothing else was chosen.
    pub default_input: Option<S3Uri>,
}

impl Connection {
    /// Returns the tasks once each was probed; a probe that takes longer than `limit` stays unknown.
    pub async fn probed(&self, limit: Duration) -> TaskList {
        let mut tasks = self.tasks.clone();
        let probed = tasks.wait_for(|list| {
            list.at.is_some()
                && list
                    .tasks
                    .iter()
                    .all(|task| !task.is_usable() || task.probe != Probe::Unknown)
        });
        let _ = tokio::time::timeout(limit, probed).await;
        self.tasks.borrow().clone()
    }
}

/// Brings the cluster up or reaches it.
///
/// # Errors
///
/// Returns why it can't be used, and what to do about that.
pub async fn connect(options: &ConnectOptions) -> Result<Connection, Diagnostic> {
    match &options.backend {
        Backend::Local { mappers, data } => Ok(local::connect(*mappers, data).await?),
        Backend::Fixed(addresses) => fixed::connect(addresses, options).await,
        Backend::Ecs(settings) => ecs::connect(settings, options).await,
    }
}
