//! Waits until as many tasks as each ECS service wants run and answer, and reports how far it is.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ecs::Client;
use tokio::time::{Instant, sleep_until};

use super::stack::Stack;
use super::stack_plan::count_of;
use super::stack_template::{SERVICES, Service};
use super::{DeployError, Reporter};
use crate::Connection;
use crate::aws::AwsError;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::printable;
use mrdeck_core::task::{Probe, Task, TaskId, TaskList};

/// How long nothing may change before waiting is given up: a Fargate task takes a minute or two to start.
const STALL_TIMEOUT: Duration = Duration::from_mins(3);

/// How many tasks of one service there are to be, run, and answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Progress {
    service: &'static str,
    wanted: usize,
    running: usize,
    answering: usize,
}

pub struct Rollout<'a> {
    stack: &'a str,
    connection: &'a Connection,
    /// Tasks that had stopped before, or were reported.
    reported: BTreeSet<TaskId>,
    /// Why the list may be stale, as it was reported.
    problem: Option<Diagnostic>,
}

impl<'a> Rollout<'a> {
    pub fn new(stack: &'a str, connection: &'a Connection) -> Self {
        let tasks = connection.tasks.borrow();
        let stopped = tasks
            .tasks
            .iter()
            .filter(|task| task.stopped_reason.is_some());
        let reported = stopped.map(|task| task.id.clone()).collect();
        drop(tasks);
        Self {
            stack,
            connection,
            reported,
            problem: None,
        }
    }

    /// Reports tasks that stop, until it is dropped: a stack that waits for its services does not say why.
    pub async fn report_stopped(&mut self, report: Reporter<'_>) {
        let mut tasks = self.connection.tasks.clone();
        loop {
            let list = tasks.borrow_and_update().clone();
            self.report_news(&list, report);
            if tasks.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits until every service has its tasks.
    ///
    /// # Errors
    ///
    /// Returns why the tasks don't come up.
    pub async fn wait(
        &mut self,
        ecs: &Client,
        stack: &Stack,
        report: Reporter<'_>,
    ) -> Result<(), DeployError> {
        let wanted = self.wanted(ecs).await?;
        self.report_scaled(&wanted, stack, report);
        let mut tasks = self.connection.tasks.clone();
        let mut seen = Vec::new();
        let mut deadline = Instant::now() + STALL_TIMEOUT;
        loop {
            let list = tasks.borrow_and_update().clone();
            self.report_news(&list, report);
            let progress = self.progress(&wanted, &list);
            if progress != seen {
                for service in &progress {
                    report(&service.to_string());
                }
                deadline = Instant::now() + STALL_TIMEOUT;
                seen.clone_from(&progress);
            }
            if progress
                .iter()
                .all(|service| service.answering >= service.wanted)
            {
                return Ok(());
            }
            tokio::select! {
                changed = tasks.changed() => if changed.is_err() { return Err(self.stalled(&list)) },
                () = sleep_until(deadline) => return Err(self.stalled(&list)),
            }
        }
    }

    /// Asks what ECS wants of each service: the stack's number, or what it was scaled to since.
    async fn wanted(&self, ecs: &Client) -> Result<Vec<(&'static Service, usize)>, AwsError> {
        let names = SERVICES.iter().map(|service| service.name.to_owned());
        let answer = ecs
            .describe_services()
            .cluster(self.stack)
            .set_services(Some(names.collect()))
            .send()
            .await
            .map_err(|error| AwsError::ecs("describe the services", self.stack, error))?;
        let wanted = SERVICES.iter().filter_map(|service| {
            let found = answer.services().iter();
            let mut found = found.filter(|ecs| ecs.service_name() == Some(service.name));
            let count = usize::try_from(found.next()?.desired_count()).ok()?;
            Some((service, count))
        });
        Ok(wanted.collect())
    }

    /// Reports what was scaled since: it is not undone, but it may be forgotten.
    fn report_scaled(&self, wanted: &[(&Service, usize)], stack: &Stack, report: Reporter<'_>) {
        for (service, wanted) in wanted {
            let (name, count) = (service.name, count_of(stack, service));
            if usize::try_from(count).is_ok_and(|count| count != *wanted) {
                let cluster = self.stack;
                report(&format!(
                    "  {name}: scaled to {wanted}; 'mrdeck scale {name}={count} --cluster {cluster}' brings it back to {count}"
                ));
            }
        }
    }

    fn progress(&self, wanted: &[(&'static Service, usize)], list: &TaskList) -> Vec<Progress> {
        wanted
            .iter()
            .filter(|(_, wanted)| *wanted > 0)
            .map(|(service, wanted)| {
                let service = service.name;
                let tasks = list.tasks.iter().filter(|task| self.is_of(task, service));
                let running = tasks.filter(|task| task.is_usable());
                let answers = |task: &&Task| matches!(task.probe, Probe::Reachable { .. });
                Progress {
                    service,
                    wanted: *wanted,
                    running: running.clone().count(),
                    answering: running.filter(answers).count(),
                }
            })
            .collect()
    }

    fn is_of(&self, task: &Task, service: &str) -> bool {
        let family = task
            .family
            .as_deref()
            .and_then(|family| family.strip_prefix(self.stack));
        family.and_then(|rest| rest.strip_prefix('-')) == Some(service)
    }

    fn report_news(&mut self, list: &TaskList, report: Reporter<'_>) {
        if list.problem != self.problem {
            if let Some(problem) = &list.problem {
                report(&format!("  {}", printable(&problem.to_string())));
            }
            self.problem.clone_from(&list.problem);
        }
        for task in list.tasks.iter() {
            if let Some(reason) = &task.stopped_reason
                && self.reported.insert(task.id.clone())
            {
                let family = task.family.as_deref().unwrap_or("a task");
                report(&format!(
                    "  {} {} stopped: {}",
                    printable(family),
                    printable(&task.id.0),
                    printable(reason)
                ));
            }
        }
    }

    /// Returns why it takes too long, as far as the tasks say.
    fn stalled(&self, list: &TaskList) -> DeployError {
        let silent = list
            .tasks
            .iter()
            .filter(|task| task.is_usable())
            .find_map(|task| Some((task, task.probe.diagnostic()?)));
        let cluster = self.stack.to_owned();
        match silent {
            Some((task, diagnostic)) => DeployError::Silent {
                cluster,
                role: task.role_name(),
                cause: diagnostic.cause,
            },
            None => DeployError::Stalled {
                cluster,
                minutes: STALL_TIMEOUT.as_secs() / 60,
            },
        }
    }
}

impl std::fmt::Display for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "  {}: {} of {} running, {} answering",
            self.service, self.running, self.wanted, self.answering
        )
    }
}
