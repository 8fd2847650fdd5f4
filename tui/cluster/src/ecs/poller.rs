//! Lists the cluster's tasks again and again, and publishes each list.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ecs::Client;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::definitions::Definitions;
use super::description::interface;
use super::limiter::RateLimiter;
use super::list_tasks::all_tasks;
use super::logs::KnownLogs;
use super::poll_interval::PollInterval;
use super::public_ips::PublicIpCache;
use super::task_row::task_row;
use crate::aws::credentials::Renewal;
use crate::aws::error::no_credentials;
use crate::aws::{AwsError, QueryClient};
use crate::settings::EcsSettings;
use mrdeck_core::diagnostic::{CHECK_NETWORK, Diagnostic, DiagnosticKind};
use mrdeck_core::task::TaskList;

/// A list must be complete within this, or the cluster counts as out of reach.
const LIST_DEADLINE: Duration = Duration::from_secs(30);
/// A list that takes longer than this is reported as late.
const LATE: Duration = Duration::from_secs(5);
/// Between a key that asks for a refresh and the refresh: a key held down is one refresh.
const AFTER_KEY: Duration = Duration::from_millis(500);

/// Asks ECS for the tasks, again and again.
pub(super) struct Poller {
    settings: EcsSettings,
    client: Client,
    definitions: Definitions,
    public_ips: PublicIpCache,
    logs: KnownLogs,
    interval: PollInterval,
    limiter: RateLimiter,
    renewal: Renewal,
    wake: Arc<Notify>,
}

impl Poller {
    /// `client` makes no retries of its own: the interval between two lists grows instead.
    pub(super) fn new(
        settings: &EcsSettings,
        client: Client,
        aws: QueryClient,
        limiter: RateLimiter,
        renewal: Renewal,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            settings: settings.clone(),
            definitions: Definitions::new(client.clone()),
            client,
            public_ips: PublicIpCache::new(aws),
            logs: KnownLogs::default(),
            interval: PollInterval::default(),
            limiter,
            renewal,
            wake,
        }
    }

    /// Returns the log settings of the tasks that were listed last.
    pub(super) fn logs(&self) -> KnownLogs {
        self.logs.clone()
    }

    /// Keeps the list fresh until nothing holds it any more. A failure keeps the last list, with its reason.
    pub(super) async fn follow(mut self, sender: watch::Sender<TaskList>) {
        loop {
            tokio::select! {
                () = self.next_refresh() => {}
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
                            list.problem.get_or_insert_with(|| ListError::Late(LATE).into());
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
                    self.interval.reset();
                    sender.send_replace(list);
                }
                Err(error) => {
                    self.interval.back_off();
                    let mut problem = Diagnostic::from(error);
                    if problem.kind == DiagnosticKind::Credentials
                        && let Err(setting) = self.renewal.renew().await
                    {
                        problem = setting.into();
                    }
                    sender.send_modify(|list| list.problem = Some(problem));
                }
            }
        }
    }

    /// Returns when it is time for a refresh, or soon after one was asked for; the limit holds for both.
    async fn next_refresh(&self) {
        tokio::select! {
            () = sleep(self.interval.pause()) => {}
            () = self.wake.notified() => sleep(AFTER_KEY).await,
        }
        self.limiter.until_ready().await;
    }

    /// Lists the tasks once.
    pub(super) async fn list_in_time(&mut self) -> Result<TaskList, ListError> {
        // What gives credentials may wait for a person: that is not ECS's delay.
        self.renewal.ready().await?;
        let listed = timeout(LIST_DEADLINE, self.list()).await;
        Ok(listed.map_err(|_| ListError::Late(LIST_DEADLINE))??)
    }

    /// Lists every task of the cluster, with its addresses.
    async fn list(&mut self) -> Result<TaskList, AwsError> {
        let found = all_tasks(&self.client, &self.settings.cluster).await?;
        self.definitions.learn(&found).await;
        self.logs.replace(&found, &self.definitions);

        let interfaces: Vec<String> = found.iter().filter_map(interface).collect();
        let public = self.public_ips.look_up(&interfaces).await;
        let tasks = found
            .iter()
            .map(|task| task_row(task, &self.settings, &self.definitions, &public))
            .collect();
        let mut list = TaskList::new(tasks);
        list.public_ips = public.diagnostic;
        Ok(list)
    }
}

/// Why there is no fresh list.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListError {
    #[error("ECS has not answered for {} s", .0.as_secs())]
    Late(Duration),
    #[error("there are no valid AWS credentials")]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl From<ListError> for Diagnostic {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Late(_) => Self::new(error.to_string(), CHECK_NETWORK),
            ListError::Credentials(error) => no_credentials(&error),
            ListError::Aws(error) => error.into(),
        }
    }
}
