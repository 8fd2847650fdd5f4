//! Tasks on Amazon ECS: the cluster that the console connects to.

mod definitions;
mod description;
mod interfaces;
mod limiter;
mod list_tasks;
mod logs;
mod poll_interval;
mod poller;
mod public_ips;
mod scaler;
mod task_row;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::Builder;
use mrdeck_store::Store;
use mrdeck_store::aws::{self, CallLog};
use mrdeck_store::regional::RegionalStore;
use tokio::sync::{Notify, mpsc, watch};

pub use self::interfaces::may_look_up_public_ips;
use self::limiter::RateLimiter;
use self::logs::KnownLogs;
use self::poller::Poller;
use self::scaler::{Scaler, ScalingApi};
use super::scale::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest};
use super::{Cluster, Connection, probe};
use crate::aws::credentials;
use crate::aws::http::http_client;
use crate::aws::{AwsError, QueryClient};
use crate::settings::{ConnectOptions, EcsSettings};
use mrdeck_core::diagnostic::{Diagnostic, read_only};
use mrdeck_core::task::{TaskId, TaskList};

struct EcsCluster {
    settings: EcsSettings,
    client: Client,
    aws: QueryClient,
    logs: KnownLogs,
    tasks: watch::Sender<TaskList>,
    wake: Arc<Notify>,
    scaler: Scaler,
    region: String,
    read_only: bool,
}

#[async_trait]
impl Cluster for EcsCluster {
    fn name(&self) -> String {
        self.settings.cluster.clone()
    }

    fn tasks(&self) -> watch::Receiver<TaskList> {
        self.tasks.subscribe()
    }

    fn refresh(&self) {
        self.wake.notify_one();
    }

    fn region(&self) -> Option<String> {
        Some(self.region.clone())
    }

    fn can_stop(&self) -> bool {
        !self.read_only
    }

    async fn plan_scale(&self, wanted: ScaleRequest) -> Result<ScalePlan, Diagnostic> {
        self.scaler.plan(wanted).await
    }

    async fn scale(
        &self,
        plan: ScalePlan,
        limit: Duration,
        events: mpsc::Sender<ScaleEvent>,
    ) -> ScaleReport {
        if self.read_only {
            return plan.failed(read_only("start or stop tasks"));
        }
        self.scaler.scale(plan, limit, events).await
    }

    async fn stop(&self, task: &TaskId) -> Result<(), Diagnostic> {
        if self.read_only {
            return Err(read_only("stop a task"));
        }
        self.client
            .stop_task()
            .cluster(&self.settings.cluster)
            .task(&task.0)
            .reason("stopped from mrdeck")
            .send()
            .await
            .map_err(|error| AwsError::ecs("stop the task", &self.settings.cluster, error))?;
        self.wake.notify_one();
        Ok(())
    }

    async fn logs(&self, task: &TaskId) -> Result<Vec<String>, Diagnostic> {
        Ok(logs::last_lines(&self.aws, &self.logs, task).await?)
    }
}

/// Reaches the cluster, and returns with its first list of tasks or why there is none.
pub(super) async fn connect(
    settings: &EcsSettings,
    options: &ConnectOptions,
) -> Result<Connection, Diagnostic> {
    let (sdk, renewal) = credentials::session(&options.aws).await?;
    let aws = QueryClient::new(&sdk, http_client(&options.aws)?);
    let limiter = RateLimiter::new();
    let ecs_config = || {
        let config = Builder::from(&sdk).interceptor(CallLog);
        config.interceptor(limiter.clone())
    };
    let reader = Client::from_conf(ecs_config().build());
    // Whether and when a call is made again is decided here, not by the SDK.
    let client = Client::from_conf(ecs_config().retry_config(RetryConfig::disabled()).build());
    let wake = Arc::new(Notify::new());
    let mut poller = Poller::new(
        settings,
        client.clone(),
        aws.clone(),
        limiter.clone(),
        renewal,
        wake.clone(),
    );
    let first = poller.list_in_time().await?;
    let logs = poller.logs();
    // Before the poller begins: it ends when there is no receiver any more.
    let (sender, listed) = watch::channel(first);
    let scaler = Scaler {
        settings: settings.clone(),
        api: ScalingApi {
            cluster: settings.cluster.clone(),
            reader,
            writer: client.clone(),
            limiter,
        },
        ec2: aws.clone(),
        tasks: sender.clone(),
        wake: wake.clone(),
    };
    tokio::spawn(poller.follow(sender.clone()));
    let cluster = EcsCluster {
        settings: settings.clone(),
        client,
        region: aws.region().to_owned(),
        aws,
        logs,
        tasks: sender,
        wake,
        scaler,
        read_only: options.read_only,
    };
    let store: Arc<dyn Store> = Arc::new(RegionalStore::new(aws::s3_client(
        &sdk,
        aws::Retries::Standard,
    )));
    let http = mrdeck_client::http_client(options.task_proxy.as_ref())?;
    let (tasks, prober) = probe::follow(listed, http);
    Ok(Connection {
        cluster: Arc::new(cluster),
        tasks,
        prober,
        store,
        bucket: options.bucket.clone(),
        default_input: None,
    })
}
