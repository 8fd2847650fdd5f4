//! Scaling on ECS: a service's desired count, or single tasks started and stopped, and what comes of it.

mod api;
mod changes;
mod error;
mod model;
mod pauses;
mod planner;
mod progress;
mod task_template;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};

pub(super) use self::api::ScalingApi;
use self::changes::Started;
use self::error::ScaleError;
use self::progress::Progress;
use self::wait::Outcome;
use crate::aws::QueryClient;
use crate::scale::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest, Step};
use crate::settings::EcsSettings;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskList;

/// In each task started from here, so that no other is ever stopped to scale down.
const STARTED_BY: &str = "mrdeck";

/// Starts and stops tasks of a cluster.
pub(super) struct Scaler {
    pub(super) settings: EcsSettings,
    pub(super) api: ScalingApi,
    pub(super) ec2: QueryClient,
    /// What the poller finds: waiting for tasks costs no calls of its own.
    pub(super) tasks: watch::Sender<TaskList>,
    pub(super) wake: Arc<Notify>,
}

impl Scaler {
    /// Plans what would make as many tasks run as are wanted.
    pub(super) async fn plan(&self, wanted: ScaleRequest) -> Result<ScalePlan, Diagnostic> {
        let services = self.api.services().await?;
        let tasks = self.api.tasks().await?;
        Ok(planner::plan(wanted, &services, &tasks, &self.settings)?)
    }

    /// Does what was planned, and waits for what comes of it.
    pub(super) async fn scale(
        &self,
        plan: ScalePlan,
        timeout: Duration,
        events: mpsc::Sender<ScaleEvent>,
    ) -> ScaleReport {
        let progress = Progress::new(events, timeout);
        progress.report(ScaleEvent::Begun(plan.clone())).await;
        let changed = self.change(&plan, &progress).await;
        self.wake.notify_one();
        let Outcome { running, error } = match changed {
            Ok(started) => self.wait(&plan, started, &progress).await,
            Err(error) => Outcome {
                running: wait::running(&self.tasks.borrow(), plan.wanted.role),
                error: Some(error),
            },
        };
        ScaleReport {
            plan,
            running,
            diagnostic: error.map(Diagnostic::from),
        }
    }

    async fn change(&self, plan: &ScalePlan, progress: &Progress) -> Result<Started, ScaleError> {
        match &plan.step {
            Step::Service { name, from, to } if from != to => {
                changes::update_service(&self.api, name, *to, progress).await?;
            }
            Step::Keep | Step::Service { .. } => {}
            Step::Stop { tasks } => changes::stop(&self.api, tasks, progress).await?,
            Step::Start { count, like } => {
                let template = model::template(&self.api, &self.ec2, like).await?;
                return Ok(changes::start(&self.api, *count, &template, progress).await);
            }
        }
        Ok(Started::default())
    }

    async fn wait(&self, plan: &ScalePlan, started: Started, progress: &Progress) -> Outcome {
        let Step::Service { name, to, .. } = &plan.step else {
            return wait::for_tasks(plan, started, self.tasks.subscribe(), progress).await;
        };
        let outside = plan.wanted.count - to;
        let own = wait::for_service(&self.api, name, *to, progress).await;
        Outcome {
            running: own.running + outside,
            ..own
        }
    }
}
