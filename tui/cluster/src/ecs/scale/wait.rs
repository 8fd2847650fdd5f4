//! Waiting for what was asked of ECS, by the poller's list and by what the service says of itself.

use std::time::Duration;

use aws_sdk_ecs::types::Service;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::change::Started;
use super::{Progress, Scaler};
use crate::scale::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest, Step};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::{Task, TaskId, TaskList, TaskStatus};

/// Between two looks at a service.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Longer than the poller takes to list a cluster that was just changed.
const ONE_MORE_LIST: Duration = Duration::from_secs(10);

impl Scaler {
    /// Waits until as many tasks run as are wanted, or it is clear that they will not.
    pub(super) async fn wait(
        &self,
        plan: ScalePlan,
        changed: Result<Started, Diagnostic>,
        progress: &Progress,
    ) -> ScaleReport {
        let started = match changed {
            Ok(started) => started,
            Err(diagnostic) => {
                let running = running(&self.tasks.borrow(), plan.wanted.role);
                let diagnostic = Some(diagnostic);
                return ScaleReport {
                    plan,
                    running,
                    diagnostic,
                };
            }
        };
        if let Step::Service { name, to, .. } = &plan.step {
            let outside = plan.wanted.count - to;
            let (own, diagnostic) = self.wait_for_service(name, *to, progress).await;
            let running = own + outside;
            return ScaleReport {
                plan,
                running,
                diagnostic,
            };
        }
        let mut tasks = self.tasks.subscribe();
        let settled = self.settle(&plan, &started.tasks, &mut tasks, progress);
        // What was changed last is still seen, even if trying took all the time there was.
        let until = progress.until.max(Instant::now() + ONE_MORE_LIST);
        let is_in_time = timeout_at(until, settled).await.is_ok();
        let list = tasks.borrow().clone();
        let running = running(&list, plan.wanted.role);
        let diagnostic = if let Some(diagnostic) = started.diagnostic {
            Some(diagnostic)
        } else if running == plan.wanted.count {
            None
        } else if let Some(reason) = end_of(&list, &started.tasks) {
            Some(Diagnostic::new(
                format!("a task that was started has stopped: {reason}"),
                "d on the task says more, and so does its log",
            ))
        } else if is_in_time {
            Some(Diagnostic::new(
                "others started or stopped tasks meanwhile",
                "scale again",
            ))
        } else {
            Some(list.problem.unwrap_or_else(|| late(progress)))
        };
        ScaleReport {
            plan,
            running,
            diagnostic,
        }
    }

    /// Follows the list until every task that was started runs or has ended, and every one that was to end has.
    async fn settle(
        &self,
        plan: &ScalePlan,
        started: &[TaskId],
        tasks: &mut watch::Receiver<TaskList>,
        progress: &Progress,
    ) {
        let ScaleRequest { role, count } = plan.wanted;
        let mut told = None;
        loop {
            let list = tasks.borrow_and_update().clone();
            let now = running(&list, role);
            // The end is told by whoever asked.
            if told != Some(now) && now != count {
                told = Some(now);
                let news = ScaleEvent::Running {
                    role,
                    running: now,
                    wanted: count,
                };
                progress.say(news).await;
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

    /// How many tasks the service runs in the end, and why these are not all.
    async fn wait_for_service(
        &self,
        name: &str,
        wanted: u32,
        progress: &Progress,
    ) -> (u32, Option<Diagnostic>) {
        let began = Timestamp::now().as_second();
        let mut told = None;
        let mut said: Option<String> = None;
        let mut running = 0;
        loop {
            let found = self.describe_services(vec![name.to_owned()]).await;
            let problem = match found.as_deref() {
                Ok([service, ..]) => {
                    running = u32::try_from(service.running_count()).unwrap_or(0);
                    if running == wanted && service.pending_count() == 0 {
                        return (running, None);
                    }
                    if told != Some(running) {
                        told = Some(running);
                        let text = format!("service {name}: {running} of {wanted} run");
                        progress.say(ScaleEvent::Service(text)).await;
                    }
                    let new = complaint(service, began);
                    if new.is_some() && new != said {
                        said = new;
                        progress
                            .say(ScaleEvent::Service(said.clone().unwrap_or_default()))
                            .await;
                    }
                    None
                }
                Ok([]) => {
                    return (
                        0,
                        Some(Diagnostic::new(
                            format!("service {name} has gone"),
                            "scale again",
                        )),
                    );
                }
                Err(diagnostic) => Some(diagnostic.clone()),
            };
            if Instant::now() + LOOK_EVERY > progress.until {
                let diagnostic = problem.unwrap_or_else(|| match said {
                    Some(said) => Diagnostic::new(said, late(progress).advice),
                    None => late(progress),
                });
                return (running, Some(diagnostic));
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

fn late(progress: &Progress) -> Diagnostic {
    Diagnostic::new(
        format!("not more in {} s", progress.patience.as_secs()),
        "the others may still come: 'mrdeck tasks' shows them, and --wait SECONDS waits longer",
    )
}

fn is_running(task: &Task) -> bool {
    task.last_status == TaskStatus::Running && task.desired_status != Some(TaskStatus::Stopped)
}

fn has_ended(task: &Task) -> bool {
    task.desired_status == Some(TaskStatus::Stopped)
}

fn running(list: &TaskList, role: Role) -> u32 {
    let of_role = |task: &&Task| task.role == Some(role) && is_running(task);
    u32::try_from(list.tasks.iter().filter(of_role).count()).unwrap_or(u32::MAX)
}

/// Why one of those that were started has ended.
fn end_of(list: &TaskList, started: &[TaskId]) -> Option<String> {
    let ended = |task: &&Task| started.contains(&task.id) && has_ended(task);
    let task = list.tasks.iter().find(ended)?;
    let reason = task.stopped_reason.as_deref();
    Some(reason.unwrap_or("no reason given").to_owned())
}

/// What the service says since then of tasks that it can't place or start.
fn complaint(service: &Service, since: i64) -> Option<String> {
    let new = service.events().iter().find(|event| {
        let at = event
            .created_at()
            .map(aws_sdk_ecs::primitives::DateTime::secs);
        at.is_some_and(|at| at >= since)
            && event
                .message()
                .is_some_and(|text| text.contains("unable to"))
    });
    new.and_then(|event| event.message()).map(str::to_owned)
}
