//! Looks up how running tasks were started, so that more like them can be.

use super::api::ScalingApi;
use super::error::ScaleError;
use super::task_template::TaskTemplate;
use crate::aws::{AwsError, QueryClient};
use crate::ecs::description;
use crate::ecs::interfaces::{self, Interface};
use mrdeck_core::task::TaskId;

const GROUPS: &str =
    "look up the security groups to start tasks in (ec2:DescribeNetworkInterfaces)";

/// Returns how tasks like these are started, above all like the first of them.
pub(super) async fn template(
    api: &ScalingApi,
    ec2: &QueryClient,
    like: &[TaskId],
) -> Result<TaskTemplate, ScaleError> {
    let models = api.describe_tasks(like).await?;
    let model = models.first().ok_or(ScaleError::ModelsGone)?;
    let interface = match description::interface(model) {
        None => None,
        Some(id) => {
            let found = describe(ec2, &id).await?;
            Some(found.ok_or(ScaleError::InterfaceGone(id))?)
        }
    };
    TaskTemplate::like(model, &models, interface.as_ref()).ok_or(ScaleError::NoTemplate)
}

async fn describe(ec2: &QueryClient, id: &String) -> Result<Option<Interface>, AwsError> {
    let found = interfaces::describe(ec2, &[id]).await;
    let found = found.map_err(|error| error.doing(GROUPS))?;
    Ok(found.into_iter().next())
}
