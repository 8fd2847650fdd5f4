//! A task's log: where its definition sends it, and its last lines read from `CloudWatch` Logs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecs::types::{ContainerDefinition, LogDriver, Task};
use serde::Deserialize;
use serde_json::json;

use super::definitions::Definitions;
use super::description::id;
use crate::aws::{QueryClient, QueryError, Service};
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::shell::quoted;
use mrdeck_core::task::TaskId;

const LOGS: Service = Service {
    id: "CloudWatch Logs",
    name: "logs",
    host: "logs",
};
/// How it refuses to read a log that does not exist.
const NOT_THERE: &str = "ResourceNotFoundException";
const GET_EVENTS: &str = "Logs_20140328.GetLogEvents";
/// Events asked for; `CloudWatch` gives at most 1 MiB of them.
const EVENTS: u32 = 500;
/// Pages that are turned over before giving up: a page may be empty although there are older events.
const PAGES: u32 = 5;

/// The awslogs options of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogSettings {
    group: String,
    prefix: Option<String>,
    container: String,
    /// Where it differs from the session's.
    region: Option<String>,
}

impl LogSettings {
    /// Returns those of the first container that logs to `CloudWatch`.
    pub(super) fn find(containers: &[ContainerDefinition]) -> Option<Self> {
        containers.iter().find_map(|container| {
            let logs = container.log_configuration()?;
            if *logs.log_driver() != LogDriver::Awslogs {
                return None;
            }
            let option = |name: &str| logs.options()?.get(name).cloned();
            Some(Self {
                group: option("awslogs-group")?,
                prefix: option("awslogs-stream-prefix"),
                container: container.name().unwrap_or_default().to_owned(),
                region: option("awslogs-region"),
            })
        })
    }

    /// Returns the task's stream. Without a prefix it is named by a container id that ECS does not reveal.
    fn stream(&self, task: &str) -> Option<String> {
        let prefix = self.prefix.as_ref()?;
        Some(format!("{prefix}/{}/{task}", self.container))
    }

    /// Returns the command that shows the same log outside of mrdeck.
    pub(super) fn command(&self, task: &str) -> String {
        let mut command = format!("aws logs tail {}", quoted(&self.group));
        if let Some(stream) = self.stream(task) {
            command += &[" --log-stream-names ", &quoted(&stream)].concat();
        }
        if let Some(region) = &self.region {
            command += &[" --region ", &quoted(region)].concat();
        }
        command
    }
}

/// The log settings of every task that is listed.
#[derive(Clone, Default)]
pub(super) struct KnownLogs(Arc<Mutex<HashMap<TaskId, LogSettings>>>);

impl KnownLogs {
    /// Takes the settings of these tasks from their definitions, and forgets those of all others.
    pub(super) fn replace(&self, tasks: &[Task], definitions: &Definitions) {
        let settings = |task: &Task| {
            let definition = definitions.get(task.task_definition_arn()?)?;
            Some((id(task), definition.logs.clone()?))
        };
        let known = tasks.iter().filter_map(settings).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    fn get(&self, task: &TaskId) -> Option<LogSettings> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(task).cloned()
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    events: Vec<Event>,
    #[serde(rename = "nextBackwardToken")]
    older: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Event {
    #[serde(default)]
    message: String,
}

/// Returns the last lines that a task logged, oldest first.
pub(super) async fn last_lines(
    aws: &QueryClient,
    known: &KnownLogs,
    task: &TaskId,
) -> Result<Vec<String>, LogError> {
    let settings = known
        .get(task)
        .ok_or_else(|| LogError::NoGroup { task: task.clone() })?;
    let command = settings.command(&task.0);
    let Some(stream) = settings.stream(&task.0) else {
        return Err(LogError::NoStream {
            task: task.clone(),
            group: settings.group,
            command,
        });
    };
    let aws = match &settings.region {
        Some(region) => aws.in_region(region),
        None => aws.clone(),
    };
    let lines = read(&aws, &settings.group, &stream).await;
    lines.map_err(|source| LogError::Unread {
        group: settings.group,
        stream,
        command,
        source,
    })
}

/// Why a task's log can't be shown, and which command shows it outside of mrdeck.
#[derive(Debug, thiserror::Error)]
pub(super) enum LogError {
    #[error("the task definition of {task} names no CloudWatch log group")]
    NoGroup { task: TaskId },
    #[error("which log stream of {group} is {task}'s is not known")]
    NoStream {
        task: TaskId,
        group: String,
        command: String,
    },
    #[error("the log {stream} in {group} can't be read")]
    Unread {
        group: String,
        stream: String,
        command: String,
        source: QueryError,
    },
}

async fn read(aws: &QueryClient, group: &str, stream: &str) -> Result<Vec<String>, QueryError> {
    let mut token: Option<String> = None;
    for _ in 0..PAGES {
        let mut request = json!({"logGroupName": group, "logStreamName": stream,
            "limit": EVENTS, "startFromHead": false});
        if let Some(token) = &token {
            request["nextToken"] = token.as_str().into();
        }
        let answer: Answer = aws.json(LOGS, GET_EVENTS, &request).await?;
        // The same token again says that there is nothing older.
        if !answer.events.is_empty() || answer.older.is_none() || answer.older == token {
            let messages = answer.events.iter().map(|event| &event.message);
            return Ok(messages
                .flat_map(|message| message.lines().map(str::to_owned))
                .collect());
        }
        token = answer.older;
    }
    Ok(Vec::new())
}

impl From<LogError> for Diagnostic {
    fn from(error: LogError) -> Self {
        let text = error.to_string();
        match error {
            LogError::NoGroup { .. } => Self::new(text, "set its logConfiguration to awslogs"),
            LogError::NoStream { command, .. } => Self::new(
                text,
                format!(
                    "set awslogs-stream-prefix in its logConfiguration; all streams: {command}"
                ),
            ),
            LogError::Unread {
                group,
                stream,
                command,
                source,
            } => unread(source, &group, &stream, &command),
        }
    }
}

fn unread(error: QueryError, group: &str, stream: &str, command: &str) -> Diagnostic {
    match error {
        QueryError::Refused { code, message } if code == NOT_THERE => Diagnostic::new(
            format!("CloudWatch has no log {stream} in {group}: {message}"),
            format!(
                "a task that is starting has logged nothing yet; else check that the group is there and that the \
                 task's execution role may write to it: {command}"
            ),
        ),
        error if error.is_throttled() => Diagnostic::new(
            format!(
                "CloudWatch asks to slow down ({})",
                error.code().unwrap_or_default()
            ),
            "read it again in a moment, with ctrl-r",
        ),
        error => {
            let diagnostic = Diagnostic::from(error.doing("read the log (logs:GetLogEvents)"));
            if diagnostic.kind == DiagnosticKind::Credentials {
                return diagnostic;
            }
            let advice = format!("{}; outside of mrdeck: {command}", diagnostic.advice);
            Diagnostic {
                advice,
                ..diagnostic
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use aws_sdk_ecs::types::LogConfiguration;

    use super::*;

    fn container(name: &str, driver: LogDriver, options: &[(&str, &str)]) -> ContainerDefinition {
        let logs = LogConfiguration::builder().log_driver(driver);
        let logs = options
            .iter()
            .fold(logs, |logs, (name, value)| logs.options(*name, *value));
        ContainerDefinition::builder()
            .name(name)
            .log_configuration(logs.build().unwrap())
            .build()
    }

    #[test]
    fn the_stream_is_the_prefix_the_container_and_the_task() {
        let containers = [
            container("side", LogDriver::Fluentd, &[("awslogs-group", "/no")]),
            container(
                "map",
                LogDriver::Awslogs,
                &[
                    ("awslogs-group", "/mr"),
                    ("awslogs-stream-prefix", "ecs"),
                    ("awslogs-region", "eu-west-1"),
                ],
            ),
        ];
        let settings = LogSettings::find(&containers).unwrap();
        assert_eq!(settings.stream("7f3c").unwrap(), "ecs/map/7f3c");
        assert_eq!(
            settings.command("7f3c"),
            "aws logs tail /mr --log-stream-names ecs/map/7f3c --region eu-west-1"
        );
        assert_eq!(LogSettings::find(&containers[..1]), None);
    }

    #[test]
    fn without_a_prefix_there_is_no_stream() {
        let plain = [container(
            "map",
            LogDriver::Awslogs,
            &[("awslogs-group", "/mr")],
        )];
        let settings = LogSettings::find(&plain).unwrap();
        assert_eq!(settings.stream("7f3c"), None);
        assert_eq!(settings.command("7f3c"), "aws logs tail /mr");
    }

    #[test]
    fn a_prefix_with_a_space_stays_one_word_of_the_command() {
        let options = [
            ("awslogs-group", "/mr"),
            ("awslogs-stream-prefix", "my mappers"),
        ];
        let settings = LogSettings::find(&[container("map", LogDriver::Awslogs, &options)]);
        assert_eq!(
            settings.unwrap().command("7f3c"),
            "aws logs tail /mr --log-stream-names 'my mappers/map/7f3c'"
        );
    }
}
