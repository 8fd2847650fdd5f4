//! The calls to ECS that scaling takes, each when the limit allows it.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{Service, ServiceField, Task};

use super::STARTED_BY;
use super::error::ScaleError;
use super::task_template::TaskTemplate;
use crate::aws::AwsError;
use crate::ecs::description::id;
use crate::ecs::limiter::RateLimiter;
use crate::ecs::list_tasks;
use mrdeck_core::task::TaskId;

/// Services that `DescribeServices` takes at most.
const SERVICES: usize = 10;

/// Makes the calls.
pub(in crate::ecs) struct ScalingApi {
    pub(in crate::ecs) cluster: String,
    /// For what changes nothing, with the SDK's own retries.
    pub(in crate::ecs) reader: Client,
    /// For changes, without retries: whether and how one is made again is decided elsewhere.
    pub(in crate::ecs) writer: Client,
    pub(in crate::ecs) limiter: RateLimiter,
}

impl ScalingApi {
    /// Describes every service of the cluster.
    pub(super) async fn services(&self) -> Result<Vec<Service>, AwsError> {
        self.limiter.until_ready().await;
        let names: Vec<String> = self
            .reader
            .list_services()
            .cluster(&self.cluster)
            .into_paginator()
            .items()
            .send()
            .try_collect()
            .await
            .map_err(|error| AwsError::ecs("list the services", &self.cluster, error))?;
        let mut services = Vec::new();
        for batch in names.chunks(SERVICES) {
            services.extend(self.describe_services(batch.to_vec()).await?);
        }
        Ok(services)
    }

    /// Describes these services, at most as many as one call takes.
    pub(super) async fn describe_services(
        &self,
        names: Vec<String>,
    ) -> Result<Vec<Service>, AwsError> {
        self.limiter.until_ready().await;
        let answer = self
            .reader
            .describe_services()
            .cluster(&self.cluster)
            .set_services(Some(names))
            .include(ServiceField::Tags)
            .send()
            .await
            .map_err(|error| AwsError::ecs("describe the services", &self.cluster, error))?;
        Ok(answer.services.unwrap_or_default())
    }

    /// Describes every task of the cluster.
    pub(super) async fn tasks(&self) -> Result<Vec<Task>, AwsError> {
        self.limiter.until_ready().await;
        list_tasks::all_tasks(&self.reader, &self.cluster).await
    }

    /// Describes these tasks, in this order and without those that are gone.
    pub(super) async fn describe_tasks(&self, ids: &[TaskId]) -> Result<Vec<Task>, AwsError> {
        self.limiter.until_ready().await;
        let names = ids.iter().map(|id| id.0.clone()).collect();
        let mut tasks = list_tasks::describe(&self.reader, &self.cluster, names).await?;
        tasks.sort_by_key(|task| ids.iter().position(|wanted| *wanted == id(task)));
        Ok(tasks)
    }

    /// Sets how many tasks a service is to run.
    pub(super) async fn update_service(&self, name: &str, count: u32) -> Result<(), ScaleError> {
        self.limiter.until_ready().await;
        self.writer
            .update_service()
            .cluster(&self.cluster)
            .service(name)
            .desired_count(count.cast_signed())
            .send()
            .await
            .map_err(|error| AwsError::ecs("scale the service", &self.cluster, error))?;
        Ok(())
    }

    /// Stops a task.
    pub(super) async fn stop_task(&self, task: &TaskId) -> Result<(), ScaleError> {
        self.limiter.until_ready().await;
        self.writer
            .stop_task()
            .cluster(&self.cluster)
            .task(&task.0)
            .reason("scaled down from mrdeck")
            .send()
            .await
            .map_err(|error| AwsError::ecs("stop the task", &self.cluster, error))?;
        Ok(())
    }

    /// Starts tasks by one call. `token` names the request: made again with the same, it starts nothing twice.
    pub(super) async fn run_tasks(
        &self,
        count: u32,
        token: &str,
        template: &TaskTemplate,
    ) -> RunTasks {
        self.limiter.until_ready().await;
        let request = self
            .writer
            .run_task()
            .cluster(&self.cluster)
            .count(count.cast_signed())
            .client_token(token)
            .started_by(STARTED_BY);
        match template.apply(request).send().await {
            Ok(answer) => RunTasks {
                error: match answer.failures() {
                    [] if answer.tasks().is_empty() => Some(ScaleError::Unexplained),
                    failures => failures.first().map(ScaleError::from),
                },
                started: Some(answer.tasks().iter().map(id).collect()),
            },
            Err(error) => RunTasks {
                started: None,
                error: Some(AwsError::ecs("start tasks", &self.cluster, error).into()),
            },
        }
    }
}

/// What became of one call that starts tasks.
pub(super) struct RunTasks {
    /// Those that were started; `None` without an answer.
    pub(super) started: Option<Vec<TaskId>>,
    /// What was in the way of the others.
    pub(super) error: Option<ScaleError>,
}
