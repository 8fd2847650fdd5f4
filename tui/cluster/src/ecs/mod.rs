//! Tasks on Amazon ECS: listed again and again, within a budget of calls, and never in anyone's way.

mod definitions;
mod describe;
mod eni;
mod logs;
mod pace;
mod scale;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_ecs::Client;
use mrdeck_store::Store;
use mrdeck_store::aws;
use mrdeck_store::s3::S3Store;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep, timeout};

use self::definitions::Definitions;
use self::eni::Interfaces;
pub use self::eni::may_look_up_public_ips;
use self::logs::KnownLogs;
use self::pace::Pace;
use self::scale::Scaler;
use super::scale::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest};
use super::{Cluster, Connection, probe};
use crate::aws::Caller;
use crate::aws::credentials::{self, Renewal};
use crate::aws::failure::ecs_diagnostic;
use crate::settings::{ConnectOptions, EcsSettings};
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind, read_only};
use mrdeck_core::task::{TaskId, TaskList};

/// A list must be there within this, or the cluster counts as out of reach.
const LIST_DEADLINE: Duration = Duration::from_secs(30);
/// A list that takes longer than this is said to be late.
const LATE: Duration = Duration::from_secs(5);

struct EcsCluster {
    settings: EcsSettings,
    client: Client,
    aws: Caller,
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
        patience: Duration,
        news: mpsc::Sender<ScaleEvent>,
    ) -> ScaleReport {
        if self.read_only {
            return plan.undone(read_only("start or stop tasks"));
        }
        self.scaler.scale(plan, patience, news).await
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
            .map_err(|error| ecs_diagnostic("stop the task", &self.settings.cluster, &error))?;
        self.wake.notify_one();
        Ok(())
    }

    async fn logs(&self, task: &TaskId) -> Result<Vec<String>, Diagnostic> {
        logs::last_lines(&self.aws, &self.logs, task).await
    }
}

/// Reaches the cluster: returns with its first list of tasks, or says why there is none.
pub(super) async fn connect(
    settings: &EcsSettings,
    options: &ConnectOptions,
) -> Result<Connection, Diagnostic> {
    let (sdk, renewal) = credentials::session(&options.aws).await;
    let http = mrdeck_client::http_client()?;
    let mut poller = Poller::new(settings, &sdk, renewal, http.clone());
    let first = poller.list_in_time().await?;
    let wake = poller.wake.clone();
    let client = poller.client.clone();
    let logs = poller.logs.clone();
    let aws = Caller::new(&sdk, http.clone());
    // Before the poller begins: it ends when nobody holds a receiver.
    let (sender, listed) = watch::channel(first);
    let scaler = Scaler::new(
        settings,
        &sdk,
        client.clone(),
        aws.clone(),
        sender.clone(),
        wake.clone(),
        poller.spent.clone(),
    );
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
    let store: Arc<dyn Store> =
        Arc::new(S3Store::new(aws::s3_client(&sdk, aws::Retries::Standard)));
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

/// Asks ECS for the tasks, again and again.
struct Poller {
    settings: EcsSettings,
    client: Client,
    definitions: Definitions,
    interfaces: Interfaces,
    logs: KnownLogs,
    pace: Pace,
    renewal: Renewal,
    wake: Arc<Notify>,
    /// Calls that others made, to be made up for by a longer pause.
    spent: Arc<AtomicU32>,
}

impl Poller {
    fn new(
        settings: &EcsSettings,
        sdk: &SdkConfig,
        renewal: Renewal,
        http: reqwest::Client,
    ) -> Self {
        // Retries are the poller's own, so that the budget counts every call.
        let config = aws_sdk_ecs::config::Builder::from(sdk).retry_config(RetryConfig::disabled());
        let client = Client::from_conf(config.build());
        Self {
            settings: settings.clone(),
            definitions: Definitions::new(client.clone()),
            client,
            interfaces: Interfaces::new(Caller::new(sdk, http)),
            logs: KnownLogs::default(),
            pace: Pace::default(),
            renewal,
            wake: Arc::new(Notify::new()),
            spent: Arc::default(),
        }
    }

    /// Keeps the list fresh until nobody holds it any more. A failure keeps the last list, with its reason.
    async fn follow(mut self, sender: watch::Sender<TaskList>) {
        loop {
            let pause = self.pace.pause();
            tokio::select! {
                () = sleep(pause) => {}
                () = self.wake.notified() => sleep(self.pace.least_pause()).await,
                () = sender.closed() => return,
            }
            let listed = {
                let mut listing = std::pin::pin!(self.list_in_time());
                tokio::select! {
                    listed = &mut listing => listed,
                    () = sender.closed() => return,
                    () = sleep(LATE) => {
                        // An older reason says more.
                        sender.send_modify(|list| {
                            list.problem.get_or_insert_with(|| late(LATE));
                        });
                        tokio::select! {
                            listed = listing => listed,
                            () = sender.closed() => return,
                        }
                    }
                }
            };
            match listed {
                Ok(list) => {
                    sender.send_replace(list);
                }
                Err(diagnostic) => {
                    self.pace.slow_down();
                    if diagnostic.kind == DiagnosticKind::Credentials {
                        self.renewal.renew().await;
                    }
                    sender.send_modify(|list| list.problem = Some(diagnostic));
                }
            }
        }
    }

    async fn list_in_time(&mut self) -> Result<TaskList, Diagnostic> {
        timeout(LIST_DEADLINE, self.list())
            .await
            .unwrap_or_else(|_| Err(late(LIST_DEADLINE)))
    }

    /// One refresh: every task of the cluster, with its addresses.
    async fn list(&mut self) -> Result<TaskList, Diagnostic> {
        let mut calls = 0;
        let found = describe::all_tasks(&self.client, &self.settings.cluster, &mut calls).await?;
        self.definitions.learn(&found, &mut calls).await;
        self.logs.replace(describe::logs(&found, &self.definitions));
        self.pace
            .refreshed(calls + self.spent.swap(0, Ordering::Relaxed));

        let interfaces: Vec<String> = found.iter().filter_map(describe::interface).collect();
        let public = self.interfaces.public_ips(&interfaces).await;
        let tasks = found
            .iter()
            .map(|task| describe::task(task, &self.settings, &self.definitions, &public))
            .collect();
        let mut list = TaskList::new(tasks);
        list.public_ips = public.diagnostic;
        Ok(list)
    }
}

fn late(after: Duration) -> Diagnostic {
    Diagnostic::new(
        format!("ECS has not answered for {} s", after.as_secs()),
        "check the network, the region and --endpoint-url",
    )
}
