//! Task definitions: described once each, since a revision never changes.

use std::collections::{HashMap, HashSet};

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{Task, TaskDefinition};

use super::logs::LogSettings;

/// What is of interest in a task definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Definition {
    /// The first port that a container maps.
    pub(super) port: Option<u16>,
    pub(super) logs: Option<LogSettings>,
}

/// By the definition's ARN, which names its revision.
pub(super) struct Definitions {
    client: Client,
    known: HashMap<String, Definition>,
}

impl Definitions {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            known: HashMap::new(),
        }
    }

    pub(super) fn get(&self, arn: &str) -> Option<&Definition> {
        self.known.get(arn)
    }

    /// Describes the definitions that are new. A definition that can't be described is asked for again next time.
    pub(super) async fn learn(&mut self, tasks: &[Task]) {
        let new: HashSet<&str> = tasks
            .iter()
            .filter_map(Task::task_definition_arn)
            .filter(|arn| !self.known.contains_key(*arn))
            .collect();
        for arn in new {
            let described = self
                .client
                .describe_task_definition()
                .task_definition(arn)
                .send()
                .await;
            if let Ok(answer) = described
                && let Some(definition) = answer.task_definition()
            {
                self.known.insert(arn.to_owned(), read(definition));
            }
        }
    }
}

fn read(definition: &TaskDefinition) -> Definition {
    let containers = definition.container_definitions();
    let port = containers
        .iter()
        .flat_map(aws_sdk_ecs::types::ContainerDefinition::port_mappings)
        .find_map(|mapping| u16::try_from(mapping.container_port()?).ok());
    let logs = LogSettings::find(containers);
    Definition { port, logs }
}
