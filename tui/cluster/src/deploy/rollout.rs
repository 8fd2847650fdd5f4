//! Waits until as many tasks as each ECS service wants run and answer, and tells how far it is.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ecs::Client;
use tokio::time::{Instant, sleep_until};

use super::Tell;
use super::plan::count_of;
use super::stack::Stack;
use super::template::{SERVICES, Service};
use crate::Connection;
use crate::aws::failure::ecs_diagnostic;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::printable;
use mrdeck_core::task::{Probe, Task, TaskId, TaskList};

/// How long nothing may change before it is given up: a Fargate task takes one minute or two to start.
const PATIENCE: Duration = Duration::from_mins(3);

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
    /// Tasks that had stopped before, or were told of.
    told: BTreeSet<TaskId>,
    /// Why the list may be stale, as it was told.
    problem: Option<Diagnostic>,
}

impl<'a> Rollout<'a> {
    pub fn new(stack: &'a str, connection: &'a Connection) -> Self {
        let tasks = connection.tasks.borrow();
        let stopped = tasks
            .tasks
            .iter()
            .filter(|task| task.stopped_reason.is_some());
        let told = stopped.map(|task| task.id.clone()).collect();
        drop(tasks);
        Self {
            stack,
            connection,
            told,
            problem: None,
        }
    }

    /// Tells of tasks that stop, for as long as it is asked to: a stack that waits for its services does not say why.
    pub async fn tell_stopped(&mut self, tell: Tell<'_>) {
        let mut tasks = self.connection.tasks.clone();
        loop {
            let list = tasks.borrow_and_update().clone();
            self.tell_news(&list, tell);
            if tasks.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits until every service has its tasks.
    pub async fn wait(
        &mut self,
        ecs: &Client,
        stack: &Stack,
        tell: Tell<'_>,
    ) -> Result<(), Diagnostic> {
        let wanted = self.wanted(ecs).await?;
        self.tell_scaled(&wanted, stack, tell);
        let mut tasks = self.connection.tasks.clone();
        let mut seen = Vec::new();
        let mut deadline = Instant::now() + PATIENCE;
        loop {
            let list = tasks.borrow_and_update().clone();
            self.tell_news(&list, tell);
            let progress = self.progress(&wanted, &list);
            if progress != seen {
                for service in &progress {
                    tell(&service.to_string());
                }
                deadline = Instant::now() + PATIENCE;
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

    /// What ECS wants of each service: the stack's number, or what it was scaled to since.
    async fn wanted(&self, ecs: &Client) -> Result<Vec<(&'static Service, usize)>, Diagnostic> {
        let names = SERVICES.iter().map(|service| service.name.to_owned());
        let answer = ecs
            .describe_services()
            .cluster(self.stack)
            .set_services(Some(names.collect()))
            .send()
            .await
            .map_err(|error| ecs_diagnostic("describe the services", self.stack, &error))?;
        let wanted = SERVICES.iter().filter_map(|service| {
            let found = answer.services().iter();
            let mut found = found.filter(|ecs| ecs.service_name() == Some(service.name));
            let count = usize::try_from(found.next()?.desired_count()).ok()?;
            Some((service, count))
        });
        Ok(wanted.collect())
    }

    /// Scaling is not undone, but it may be forgotten.
    fn tell_scaled(&self, wanted: &[(&Service, usize)], stack: &Stack, tell: Tell<'_>) {
        for (service, wanted) in wanted {
            let (name, count) = (service.name, count_of(stack, service));
            if usize::try_from(count).is_ok_and(|count| count != *wanted) {
                let cluster = self.stack;
                tell(&format!(
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

    fn tell_news(&mut self, list: &TaskList, tell: Tell<'_>) {
        if list.problem != self.problem {
            if let Some(problem) = &list.problem {
                tell(&format!("  {}", printable(&problem.to_string())));
            }
            self.problem.clone_from(&list.problem);
        }
        for task in list.tasks.iter() {
            if let Some(reason) = &task.stopped_reason
                && self.told.insert(task.id.clone())
            {
                let family = task.family.as_deref().unwrap_or("a task");
                tell(&format!(
                    "  {} {} stopped: {}",
                    printable(family),
                    printable(&task.id.0),
                    printable(reason)
                ));
            }
        }
    }

    /// Why it takes too long, as far as the tasks tell.
    fn stalled(&self, list: &TaskList) -> Diagnostic {
        let silent = list
            .tasks
            .iter()
            .filter(|task| task.is_usable())
            .find_map(|task| Some((task, task.probe.diagnostic()?)));
        match silent {
            Some((task, diagnostic)) => Diagnostic::new(
                format!(
                    "the tasks run, but they do not answer: {} at {}",
                    task.role_name(),
                    diagnostic.cause
                ),
                format!(
                    "if your address has changed (curl https://checkip.amazonaws.com), run 'mrdeck up --allow-from' with the new one; 'mrdeck tasks --cluster {}' asks again",
                    self.stack
                ),
            ),
            None => Diagnostic::new(
                format!(
                    "nothing has changed for {} minutes and not all tasks run",
                    PATIENCE.as_secs() / 60
                ),
                format!(
                    "'aws ecs describe-services --cluster {} --services mapper' shows why; then run 'mrdeck up' again",
                    self.stack
                ),
            ),
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
