//! The calls that list a cluster's tasks and describe them.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{DesiredStatus, Task, TaskField};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::aws::AwsError;

/// Tasks that `DescribeTasks` takes at most.
const BATCH: usize = 100;
/// Batches described at once.
const CONCURRENCY: usize = 4;
const DESCRIBE: &str = "describe the tasks";

/// Describes every task that runs or was stopped lately.
pub(super) async fn all_tasks(client: &Client, cluster: &str) -> Result<Vec<Task>, AwsError> {
    let mut arns = Vec::new();
    for desired in [DesiredStatus::Running, DesiredStatus::Stopped] {
        arns.extend(list(client, cluster, desired).await?);
    }
    let batches: Vec<Vec<String>> = arns.chunks(BATCH).map(<[String]>::to_vec).collect();
    let described: Vec<Vec<Task>> = stream::iter(batches)
        .map(|batch| describe(client, cluster, batch))
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    Ok(described.into_iter().flatten().collect())
}

/// Describes these tasks, at most as many as one call takes. A task that is gone is not among them.
pub(super) async fn describe(
    client: &Client,
    cluster: &str,
    tasks: Vec<String>,
) -> Result<Vec<Task>, AwsError> {
    let answer = client
        .describe_tasks()
        .cluster(cluster)
        .set_tasks(Some(tasks))
        .include(TaskField::Tags)
        .send()
        .await
        .map_err(|error| AwsError::ecs(DESCRIBE, cluster, error))?;
    Ok(answer.tasks.unwrap_or_default())
}

async fn list(
    client: &Client,
    cluster: &str,
    desired: DesiredStatus,
) -> Result<Vec<String>, AwsError> {
    client
        .list_tasks()
        .cluster(cluster)
        .desired_status(desired)
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(|error| AwsError::ecs("list the tasks", cluster, error))
}
