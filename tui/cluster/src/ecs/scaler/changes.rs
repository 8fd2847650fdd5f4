//! The changes that scaling makes, each tried again while that may help.

use ulid::Ulid;

use super::api::{RunTasks, ScalingApi};
use super::error::ScaleError;
use super::pauses::Pauses;
use super::progress::Progress;
use super::task_template::TaskTemplate;
use crate::scale::ScaleEvent;
use mrdeck_core::task::TaskId;

/// Tasks that one call starts at most.
const RUN_TASK: u32 = 10;

/// What became of starting tasks.
#[derive(Debug, Default)]
pub(super) struct Started {
    pub(super) tasks: Vec<TaskId>,
    /// Why some are missing.
    pub(super) error: Option<ScaleError>,
}

/// Sets a service's desired count.
pub(super) async fn update_service(
    api: &ScalingApi,
    name: &str,
    count: u32,
    progress: &Progress,
) -> Result<(), ScaleError> {
    let mut pauses = Pauses::until(progress.until);
    while let Err(error) = api.update_service(name, count).await {
        progress.retry(error, &mut pauses).await?;
    }
    Ok(())
}

/// Stops each of the tasks; a task that can't be stopped does not keep the others from it.
pub(super) async fn stop(
    api: &ScalingApi,
    tasks: &[TaskId],
    progress: &Progress,
) -> Result<(), ScaleError> {
    let mut outcome = Ok(());
    let mut pauses = Pauses::until(progress.until);
    for task in tasks {
        match stop_one(api, task, progress, &mut pauses).await {
            Ok(()) => pauses.reset(),
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

async fn stop_one(
    api: &ScalingApi,
    task: &TaskId,
    progress: &Progress,
    pauses: &mut Pauses,
) -> Result<(), ScaleError> {
    while let Err(error) = api.stop_task(task).await {
        progress.retry(error, pauses).await?;
    }
    Ok(())
}

/// Starts tasks, ten a call, until all are on their way or ECS has no more room for too long.
pub(super) async fn start(
    api: &ScalingApi,
    count: u32,
    template: &TaskTemplate,
    progress: &Progress,
) -> Started {
    let mut tasks = Vec::new();
    let mut missing = count;
    let mut pauses = Pauses::until(progress.until);
    let mut token = fresh_token();
    while missing > 0 {
        let RunTasks { started, error } =
            api.run_tasks(missing.min(RUN_TASK), &token, template).await;
        if let Some(batch) = started {
            // ECS gave an answer: with the same token it would only give that one again. Without an answer the
            // token is kept, so that tasks which were started all the same are not started twice.
            token = fresh_token();
            let got = u32::try_from(batch.len()).unwrap_or(u32::MAX);
            missing = missing.saturating_sub(got);
            tasks.extend(batch);
            if got > 0 {
                pauses.reset();
                let (started, of) = (count - missing, count);
                progress.report(ScaleEvent::Started { started, of }).await;
            }
        }
        if let Some(error) = error
            && let Err(error) = progress.retry(error, &mut pauses).await
        {
            let error = Some(error);
            return Started { tasks, error };
        }
    }
    Started { tasks, error: None }
}

/// Returns a name for one request, however often it has to be made.
fn fresh_token() -> String {
    format!("mrdeck-{}", Ulid::generate())
}
