//! The calls that change something: `UpdateService`, `RunTask`, `StopTask`, each made again while that may help.

use aws_sdk_ecs::types::{Task as EcsTask, TaskField};
use ulid::Ulid;

use super::pauses::Pauses;
use super::setback::Setback;
use super::template::Template;
use super::{Progress, STARTED_BY, Scaler};
use crate::aws::failure::ecs_diagnostic;
use crate::ecs::{describe, eni};
use crate::scale::ScaleEvent;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskId;

/// ECS starts at most so many tasks a call.
const RUN_TASK: u32 = 10;
const GROUPS: &str =
    "look up the security groups to start tasks in (ec2:DescribeNetworkInterfaces)";

/// What became of starting tasks.
#[derive(Debug, Default)]
pub(super) struct Started {
    pub(super) tasks: Vec<TaskId>,
    /// Why these are not all.
    pub(super) diagnostic: Option<Diagnostic>,
}

impl Scaler {
    pub(super) async fn update_service(
        &self,
        name: &str,
        count: u32,
        progress: &Progress,
    ) -> Result<(), Diagnostic> {
        let mut pauses = Pauses::until(progress.until);
        loop {
            self.limiter.until_ready().await;
            let updated = self
                .writer
                .update_service()
                .cluster(self.cluster())
                .service(name)
                .desired_count(count.cast_signed())
                .send()
                .await;
            let Err(error) = updated else {
                return Ok(());
            };
            let setback = Setback::of_error("scale the service", self.cluster(), &error);
            if !progress.put_off(&setback, &mut pauses).await {
                return Err(setback.diagnostic);
            }
        }
    }

    /// Stops each of them; one that can't be stopped does not keep the others.
    pub(super) async fn stop(
        &self,
        tasks: &[TaskId],
        progress: &Progress,
    ) -> Result<(), Diagnostic> {
        let mut diagnostic = Ok(());
        let mut pauses = Pauses::until(progress.until);
        for task in tasks {
            loop {
                self.limiter.until_ready().await;
                let stopped = self
                    .writer
                    .stop_task()
                    .cluster(self.cluster())
                    .task(&task.0)
                    .reason("scaled down from mrdeck")
                    .send()
                    .await;
                let Err(error) = stopped else {
                    pauses.reset();
                    break;
                };
                let setback = Setback::of_error("stop the task", self.cluster(), &error);
                if !progress.put_off(&setback, &mut pauses).await {
                    diagnostic = Err(setback.diagnostic);
                    break;
                }
            }
        }
        diagnostic
    }

    /// How tasks like these are started.
    pub(super) async fn template(&self, like: &[TaskId]) -> Result<Template, Diagnostic> {
        let models = self.models(like).await?;
        let Some(model) = models.first() else {
            return Err(Diagnostic::new(
                "the tasks to start more like have gone",
                "scale again",
            ));
        };
        let interface = match describe::interface(model) {
            None => None,
            Some(id) => {
                let found = eni::describe(&self.ec2, &[&id]).await;
                let found = found.map_err(|error| error.diagnostic(GROUPS))?;
                let gone = || {
                    Diagnostic::new(
                        format!("the network interface {id} of a running task has gone"),
                        "scale again",
                    )
                };
                Some(found.into_iter().next().ok_or_else(gone)?)
            }
        };
        Template::like(model, &models, interface.as_ref()).ok_or_else(|| {
            Diagnostic::new(
                "ECS does not say how the running tasks were started",
                "start one more with 'aws ecs run-task'",
            )
        })
    }

    /// The tasks in the order asked for.
    async fn models(&self, like: &[TaskId]) -> Result<Vec<EcsTask>, Diagnostic> {
        self.limiter.until_ready().await;
        let ids = like.iter().map(|id| id.0.clone()).collect();
        let answer = self
            .reader
            .describe_tasks()
            .cluster(self.cluster())
            .set_tasks(Some(ids))
            .include(TaskField::Tags)
            .send()
            .await
            .map_err(|error| ecs_diagnostic("describe the tasks", self.cluster(), &error))?;
        let mut models = answer.tasks.unwrap_or_default();
        models.sort_by_key(|task| like.iter().position(|id| *id == describe::id(task)));
        Ok(models)
    }

    /// Starts tasks, ten a call, until all are on their way or ECS has no more room for too long.
    pub(super) async fn start(
        &self,
        count: u32,
        template: &Template,
        progress: &Progress,
    ) -> Started {
        let mut started = Started::default();
        let mut missing = count;
        let mut pauses = Pauses::until(progress.until);
        let mut token = fresh_token();
        while missing > 0 {
            let (batch, setback) = self
                .run_tasks(missing.min(RUN_TASK), &token, template)
                .await;
            if let Some(batch) = batch {
                // ECS gave an answer: with the same token it would only give that one again. Without an answer
                // the token is kept, so that tasks which were started all the same are not started twice.
                token = fresh_token();
                let got = u32::try_from(batch.len()).unwrap_or(u32::MAX);
                missing = missing.saturating_sub(got);
                started.tasks.extend(batch);
                if got > 0 {
                    pauses.reset();
                    let (started, of) = (count - missing, count);
                    progress.say(ScaleEvent::Started { started, of }).await;
                }
            }
            if let Some(setback) = setback
                && !progress.put_off(&setback, &mut pauses).await
            {
                started.diagnostic = Some(setback.diagnostic);
                break;
            }
        }
        started
    }

    /// One call: the tasks it started, if there was an answer, and what was in the way of the others.
    async fn run_tasks(
        &self,
        count: u32,
        token: &str,
        template: &Template,
    ) -> (Option<Vec<TaskId>>, Option<Setback>) {
        self.limiter.until_ready().await;
        let request = self
            .writer
            .run_task()
            .cluster(self.cluster())
            .count(count.cast_signed())
            .client_token(token)
            .started_by(STARTED_BY);
        match template.apply(request).send().await {
            Ok(answer) => {
                let setback = match answer.failures() {
                    [] if answer.tasks().is_empty() => Some(Setback::unexplained()),
                    failures => failures.first().map(Setback::of_failure),
                };
                let tasks = answer.tasks().iter().map(describe::id).collect();
                (Some(tasks), setback)
            }
            Err(error) => {
                let setback = Setback::of_error("start tasks", self.cluster(), &error);
                (None, Some(setback))
            }
        }
    }
}

/// Names one request, however often it has to be made.
fn fresh_token() -> String {
    format!("mrdeck-{}", Ulid::generate())
}
