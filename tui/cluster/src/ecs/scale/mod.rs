//! Scaling on ECS: a service's desired count, or single tasks started and stopped, and what comes of it.

mod change;
mod pauses;
mod plan;
mod setback;
mod template;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{Service, ServiceField};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use self::change::Started;
use self::pauses::Pauses;
use self::setback::Setback;
use super::describe;
use super::limiter::RateLimiter;
use crate::aws::QueryClient;
use crate::aws::failure::ecs_diagnostic;
use crate::scale::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest, Step};
use crate::settings::EcsSettings;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskList;

/// In each task started from here, so that no other is ever stopped to scale down.
const STARTED_BY: &str = "mrdeck";
/// `DescribeServices` takes at most so many.
const SERVICES: usize = 10;

pub(super) struct Scaler {
    settings: EcsSettings,
    /// For what changes nothing, with the SDK's own retries.
    reader: Client,
    /// For changes: whether and how one is made again is decided here.
    writer: Client,
    ec2: QueryClient,
    /// What the poller finds: waiting for tasks costs no calls of its own.
    tasks: watch::Sender<TaskList>,
    wake: Arc<Notify>,
    limiter: RateLimiter,
}

/// Scaling on its way.
struct Progress {
    news: mpsc::Sender<ScaleEvent>,
    until: Instant,
    patience: Duration,
}

impl Progress {
    async fn say(&self, news: ScaleEvent) {
        // Nobody has to listen.
        let _ = self.news.send(news).await;
    }

    /// Says why it did not work and waits before the next try; `false` if there is none.
    async fn put_off(&self, setback: &Setback, pauses: &mut Pauses) -> bool {
        if !setback.may_pass {
            return false;
        }
        let Some(retry_in) = pauses.next(Instant::now()) else {
            return false;
        };
        let reason = setback.diagnostic.cause.clone();
        self.say(ScaleEvent::PutOff { reason, retry_in }).await;
        tokio::time::sleep(retry_in).await;
        true
    }
}

impl Scaler {
    /// `writer` makes no retries of its own.
    pub(super) fn new(
        settings: &EcsSettings,
        reader: Client,
        writer: Client,
        ec2: QueryClient,
        tasks: watch::Sender<TaskList>,
        wake: Arc<Notify>,
        limiter: RateLimiter,
    ) -> Self {
        Self {
            settings: settings.clone(),
            reader,
            writer,
            ec2,
            tasks,
            wake,
            limiter,
        }
    }

    pub(super) async fn plan(&self, wanted: ScaleRequest) -> Result<ScalePlan, Diagnostic> {
        let services = self.services().await?;
        self.limiter.until_ready().await;
        let tasks = describe::all_tasks(&self.reader, self.cluster()).await?;
        plan::plan(wanted, &services, &tasks, &self.settings)
    }

    pub(super) async fn scale(
        &self,
        plan: ScalePlan,
        patience: Duration,
        news: mpsc::Sender<ScaleEvent>,
    ) -> ScaleReport {
        let progress = Progress {
            news,
            until: Instant::now() + patience,
            patience,
        };
        progress.say(ScaleEvent::Begun(plan.clone())).await;
        let changed = match &plan.step {
            Step::Service { name, from, to } if from != to => {
                let updated = self.update_service(name, *to, &progress).await;
                updated.map(|()| Started::default())
            }
            Step::Keep | Step::Service { .. } => Ok(Started::default()),
            Step::Stop { tasks } => {
                let stopped = self.stop(tasks, &progress).await;
                stopped.map(|()| Started::default())
            }
            Step::Start { count, like } => match self.template(like).await {
                Err(diagnostic) => Err(diagnostic),
                Ok(template) => Ok(self.start(*count, &template, &progress).await),
            },
        };
        self.wake.notify_one();
        self.wait(plan, changed, &progress).await
    }

    fn cluster(&self) -> &str {
        &self.settings.cluster
    }

    async fn services(&self) -> Result<Vec<Service>, Diagnostic> {
        self.limiter.until_ready().await;
        let names: Vec<String> = self
            .reader
            .list_services()
            .cluster(self.cluster())
            .into_paginator()
            .items()
            .send()
            .try_collect()
            .await
            .map_err(|error| ecs_diagnostic("list the services", self.cluster(), &error))?;
        let mut services = Vec::new();
        for batch in names.chunks(SERVICES) {
            services.extend(self.describe_services(batch.to_vec()).await?);
        }
        Ok(services)
    }

    async fn describe_services(&self, names: Vec<String>) -> Result<Vec<Service>, Diagnostic> {
        self.limiter.until_ready().await;
        let answer = self
            .reader
            .describe_services()
            .cluster(self.cluster())
            .set_services(Some(names))
            .include(ServiceField::Tags)
            .send()
            .await
            .map_err(|error| ecs_diagnostic("describe the services", self.cluster(), &error))?;
        Ok(answer.services.unwrap_or_default())
    }
}
