//! Waits for what was asked of ECS, by the poller's list and by what the service says of itself.

use std::time::Duration;

use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::Service;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::api::ScalingApi;
use super::changes::Started;
use super::error::ScaleError;
use super::progress::Progress;
use crate::scale::{ScaleEvent, ScalePlan, ScaleRequest, Step};
use mrdeck_core::role::Role;
use mrdeck_core::task::{Task, TaskId, TaskList, TaskStatus};

/// Between two looks at a service.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Longer than the poller takes to list a cluster that was just changed.
const ONE_MORE_LIST: Duration = Duration::from_secs(10);

/// How many tasks run in the end, and why these are not as many as wanted.
pub(super) struct Outcome {
    pub(super) running: u32,
    pub(super) error: Option<ScaleError>,
}

/// Waits until as many tasks run as are wanted, or it is clear that they will not.
pub(super) async fn for_tasks(
    plan: &ScalePlan,
    started: Started,
    mut tasks: watch::Receiver<TaskList>,
    progress: &Progress,
) -> Outcome {
    // What was changed last is still seen, even if trying took all the time there was.
    let until = progress.until.max(Instant::now() + ONE_MORE_LIST);
    let settled = settle(plan, &started.tasks, &mut tasks, progress);
    let is_in_time = timeout_at(until, settled).await.is_ok();
    let list = tasks.borrow().clone();
    let running = running(&list, plan.wanted.role);
    let error = if let Some(error) = started.error {
        Some(error)
    } else if running == plan.wanted.count {
        None
    } else if let Some(reason) = end_of(&list, &started.tasks) {
        Some(ScaleError::Stopped(reason))
    } else if is_in_time {
        Some(ScaleError::Changed)
    } else {
        let late = ScaleError::Late(progress.timeout);
        Some(list.problem.map_or(late, ScaleError::Stale))
    };
    Outcome { running, error }
}

/// Follows the list until every task that was started runs or has ended, and every task that was to end has.
async fn settle(
    plan: &ScalePlan,
    started: &[TaskId],
    tasks: &mut watch::Receiver<TaskList>,
    progress: &Progress,
) {
    let ScaleRequest { role, count } = plan.wanted;
    let mut reported = None;
    loop {
        let list = tasks.borrow_and_update().clone();
        let now = running(&list, role);
        // The caller reports the end.
        if reported != Some(now) && now != count {
            reported = Some(now);
            let event = ScaleEvent::Running {
                role,
                running: now,
                wanted: count,
            };
            progress.report(event).await;
        }
        let find = |id: &TaskId| list.tasks.iter().find(|task| task.id == *id);
        let is_settled = match &plan.step {
            Step::Stop { tasks } => !tasks.iter().filter_map(find).any(is_running),
            Step::Start { .. } => started
                .iter()
                .all(|id| find(id).is_some_and(|task| is_running(task) || has_ended(task))),
            Step::Keep | Step::Service { .. } => now >= count,
        };
        if is_settled || tasks.changed().await.is_err() {
            return;
        }
    }
}

/// Waits until the service runs as many tasks as are wanted of it.
pub(super) async fn for_service(
    api: &ScalingApi,
    name: &str,
    wanted: u32,
    progress: &Progress,
) -> Outcome {
    let began = Timestamp::now().as_second();
    let mut reported = None;
    let mut complained: Option<String> = None;
    let mut running = 0;
    loop {
        let found = api.describe_services(vec![name.to_owned()]).await;
        let problem = match found.as_deref() {
            Ok([service, ..]) => {
                running = u32::try_from(service.running_count()).unwrap_or(0);
                if running == wanted && service.pending_count() == 0 {
                    return Outcome {
                        running,
                        error: None,
                    };
                }
                if reported != Some(running) {
                    reported = Some(running);
                    let text = format!("service {name}: {running} of {wanted} run");
                    progress.report(ScaleEvent::Service(text)).await;
                }
                let new = complaint(service, began);
                if let Some(text) = &new
                    && new != complained
                {
                    progress.report(ScaleEvent::Service(text.clone())).await;
                    complained = new;
                }
                None
            }
            Ok([]) => {
                return Outcome {
                    running: 0,
                    error: Some(ScaleError::ServiceGone(name.to_owned())),
                };
            }
            Err(_) => found.err().map(ScaleError::Aws),
        };
        if Instant::now() + LOOK_EVERY > progress.until {
            let late = || ScaleError::Late(progress.timeout);
            let complaint = complained.map(ScaleError::Complaint);
            let error = problem.or(complaint).unwrap_or_else(late);
            return Outcome {
                running,
                error: Some(error),
            };
        }
        sleep(LOOK_EVERY).await;
    }
}

fn is_running(task: &Task) -> bool {
    task.last_status == TaskStatus::Running && task.desired_status != Some(TaskStatus::Stopped)
}

fn has_ended(task: &Task) -> bool {
    task.desired_status == Some(TaskStatus::Stopped)
}

/// Returns how many tasks of the role run.
pub(super) fn running(list: &TaskList, role: Role) -> u32 {
    let of_role = |task: &&Task| task.role == Some(role) && is_running(task);
    u32::try_from(list.tasks.iter().filter(of_role).count()).unwrap_or(u32::MAX)
}

/// Returns why a task that was started has ended.
fn end_of(list: &TaskList, started: &[TaskId]) -> Option<String> {
    let ended = |task: &&Task| started.contains(&task.id) && has_ended(task);
    let reason = &list.tasks.iter().find(ended)?.stopped_reason;
    let reason = reason.as_deref().unwrap_or("no reason given");
    Some(reason.to_owned())
}

/// Returns what the service says since then of tasks that it can't place or start.
fn complaint(service: &Service, since: i64) -> Option<String> {
    let new = service.events().iter().find(|event| {
        let at = event.created_at().map(DateTime::secs);
        at.is_some_and(|at| at >= since)
            && event
                .message()
                .is_some_and(|text| text.contains("unable to"))
    });
    new.and_then(|event| event.message()).map(str::to_owned)
}
