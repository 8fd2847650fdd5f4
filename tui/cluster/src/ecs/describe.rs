//! The calls that list a cluster's tasks, and what each task's description says.

use std::collections::HashMap;
use std::net::IpAddr;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{DesiredStatus, Tag, Task as EcsTask, TaskField};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use url::Url;

use super::definitions::Definitions;
use super::eni::PublicIps;
use super::logs::LogSettings;
use crate::aws::arn::resource_name;
use crate::aws::failure::ecs_diagnostic;
use crate::settings::{AddressChoice, EcsSettings};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::{FailedProbe, Probe, Task, TaskId, TaskSize, TaskStatus};
use mrdeck_core::unreachable::Unreachable;

/// `DescribeTasks` takes at most so many.
const BATCH: usize = 100;
/// Batches described at once.
const CONCURRENCY: usize = 4;
/// Where a service listens when its task definition names no port.
const DEFAULT_PORT: u16 = 8080;
/// The kind of attachment that is the task's network interface; there are others.
const INTERFACE: &str = "ElasticNetworkInterface";

/// Describes every task that runs or was stopped lately.
pub(super) async fn all_tasks(client: &Client, cluster: &str) -> Result<Vec<EcsTask>, Diagnostic> {
    let mut arns = Vec::new();
    for desired in [DesiredStatus::Running, DesiredStatus::Stopped] {
        arns.extend(list(client, cluster, desired).await?);
    }
    let batches: Vec<Vec<String>> = arns.chunks(BATCH).map(<[String]>::to_vec).collect();
    let described: Vec<Vec<EcsTask>> = stream::iter(batches)
        .map(|batch| async move {
            let answer = client
                .describe_tasks()
                .cluster(cluster)
                .set_tasks(Some(batch))
                .include(TaskField::Tags)
                .send()
                .await
                .map_err(|error| ecs_diagnostic("describe the tasks", cluster, &error))?;
            // A task that ended since it was listed is among the failures: it is gone, and that is all.
            Ok::<_, Diagnostic>(answer.tasks.unwrap_or_default())
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    Ok(described.into_iter().flatten().collect())
}

async fn list(
    client: &Client,
    cluster: &str,
    desired: DesiredStatus,
) -> Result<Vec<String>, Diagnostic> {
    client
        .list_tasks()
        .cluster(cluster)
        .desired_status(desired)
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(|error| ecs_diagnostic("list the tasks", cluster, &error))
}

/// The id of the task's network interface; a task that is being provisioned has none yet.
pub(super) fn interface(task: &EcsTask) -> Option<String> {
    interface_detail(task, "networkInterfaceId")
}

pub(super) fn interface_detail(task: &EcsTask, name: &str) -> Option<String> {
    task.attachments()
        .iter()
        .filter(|attachment| attachment.r#type() == Some(INTERFACE))
        .flat_map(aws_sdk_ecs::types::Attachment::details)
        .find(|detail| detail.name() == Some(name))
        .and_then(|detail| detail.value())
        .map(str::to_owned)
}

/// A row of the task list, from everything that is known of the task.
pub(super) fn task(
    ecs: &EcsTask,
    settings: &EcsSettings,
    definitions: &Definitions,
    public: &PublicIps,
) -> Task {
    let definition_arn = ecs.task_definition_arn().unwrap_or_default();
    let (family, revision) = family_and_revision(definition_arn);
    let definition = definitions.get(definition_arn);
    let port = definition.and_then(|definition| definition.port);
    let port = port.unwrap_or(DEFAULT_PORT);
    let private_ip = interface_detail(ecs, "privateIPv4Address").and_then(|ip| ip.parse().ok());
    let public_ip = interface(ecs).and_then(|id| public.by_interface.get(&id).copied());
    let last_status = TaskStatus::from(ecs.last_status().unwrap_or("UNKNOWN"));
    let id = id(ecs);
    let addresses = candidates(settings.address, public_ip, private_ip, port);
    let candidates = if last_status == TaskStatus::Running {
        addresses
    } else {
        Vec::new()
    };
    let probe = match candidates.first() {
        Some(_) => Probe::Unknown,
        None => Probe::Unreachable(vec![FailedProbe {
            at: None,
            reason: why_unreachable(&last_status, settings.address, private_ip, public),
        }]),
    };
    Task {
        role: role(ecs.tags(), &family, settings),
        family: Some(family).filter(|family| !family.is_empty()),
        revision,
        desired_status: ecs.desired_status().map(TaskStatus::from),
        health: ecs.health_status().map(|status| status.as_str().to_owned()),
        private_ip,
        public_ip,
        port: Some(port),
        az: ecs.availability_zone().map(str::to_owned),
        size: size(ecs),
        started_at: ecs.started_at().and_then(timestamp),
        stopped_reason: stopped_reason(ecs),
        base: candidates.first().cloned(),
        candidates,
        details: details(
            ecs,
            definition
                .and_then(|definition| definition.logs.as_ref())
                .map(|logs| logs.command(&id.0)),
        ),
        probe,
        last_status,
        id,
    }
}

/// Why there is no address to ask.
fn why_unreachable(
    status: &TaskStatus,
    choice: AddressChoice,
    private_ip: Option<IpAddr>,
    public: &PublicIps,
) -> Unreachable {
    if *status != TaskStatus::Running {
        return Unreachable::NotRunning(status.clone());
    }
    if private_ip.is_none() || choice == AddressChoice::Private {
        return Unreachable::NoPrivateIp;
    }
    match &public.diagnostic {
        Some(diagnostic) => Unreachable::PublicIpUnknown(diagnostic.clone()),
        None => Unreachable::NoPublicIp,
    }
}

/// ECS gives both numbers as text.
fn size(task: &EcsTask) -> Option<TaskSize> {
    Some(TaskSize {
        cpu_units: task.cpu()?.parse().ok()?,
        memory_mib: task.memory()?.parse().ok()?,
    })
}

/// The addresses to try, in the order of preference.
fn candidates(
    choice: AddressChoice,
    public: Option<IpAddr>,
    private: Option<IpAddr>,
    port: u16,
) -> Vec<Url> {
    let order = match choice {
        // From outside only the public one works, and from inside it usually does as well.
        AddressChoice::Auto => vec![public, private],
        AddressChoice::Public => vec![public],
        AddressChoice::Private => vec![private],
    };
    order
        .into_iter()
        .flatten()
        .filter_map(|ip| {
            Url::parse(&format!("http://{}", std::net::SocketAddr::new(ip, port))).ok()
        })
        .collect()
}

/// Returns the role that the tag `mrdeck:role` says, else the one of the family's name.
pub(super) fn role(tags: &[Tag], family: &str, settings: &EcsSettings) -> Option<Role> {
    match role_tag(tags) {
        Some(text) => text.parse().ok(),
        None => settings.role_of_family(family),
    }
}

pub(super) fn role_tag(tags: &[Tag]) -> Option<&str> {
    let tag = tags.iter().find(|tag| tag.key() == Some("mrdeck:role"));
    tag.and_then(Tag::value)
}

/// `arn:…:task-definition/FAMILY:REVISION`
pub(super) fn family_and_revision(arn: &str) -> (String, Option<i32>) {
    let name = resource_name(arn);
    match name.rsplit_once(':') {
        Some((family, revision)) => (family.to_owned(), revision.parse().ok()),
        None => (name.to_owned(), None),
    }
}

pub(super) fn id(task: &EcsTask) -> TaskId {
    TaskId(resource_name(task.task_arn().unwrap_or_default()).to_owned())
}

/// Where each task logs, by its id.
pub(super) fn logs(tasks: &[EcsTask], definitions: &Definitions) -> HashMap<String, LogSettings> {
    let settings = |task: &EcsTask| {
        let id = resource_name(task.task_arn()?).to_owned();
        let definition = definitions.get(task.task_definition_arn()?)?;
        Some((id, definition.logs.clone()?))
    };
    tasks.iter().filter_map(settings).collect()
}

fn timestamp(at: &aws_sdk_ecs::primitives::DateTime) -> Option<Timestamp> {
    Timestamp::from_second(at.secs()).ok()
}

/// A task that runs may have an empty one.
fn stopped_reason(task: &EcsTask) -> Option<String> {
    let reason = task.stopped_reason().filter(|reason| !reason.is_empty());
    reason.map(str::to_owned)
}

fn details(task: &EcsTask, logs: Option<String>) -> Vec<(String, String)> {
    let image = task
        .containers()
        .first()
        .and_then(|container| container.image())
        .map(str::to_owned);
    [
        ("image", image),
        (
            "launch type",
            task.launch_type().map(|kind| kind.as_str().to_owned()),
        ),
        ("started by", task.started_by().map(str::to_owned)),
        ("interface", interface(task)),
        ("logs", logs),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use aws_sdk_ecs::types::{Attachment, KeyValuePair};

    use super::*;

    fn attachment(kind: &str, name: &str, value: &str) -> Attachment {
        let detail = KeyValuePair::builder().name(name).value(value).build();
        Attachment::builder().r#type(kind).details(detail).build()
    }

    #[test]
    fn only_the_network_interface_counts() {
        let volume = attachment("AmazonElasticBlockStorage", "networkInterfaceId", "vol-1");
        let provisioning = EcsTask::builder().attachments(volume.clone()).build();
        assert_eq!(interface(&provisioning), None);
        let with_both = EcsTask::builder()
            .attachments(volume)
            .attachments(attachment(INTERFACE, "networkInterfaceId", "eni-1"))
            .build();
        assert_eq!(interface(&with_both).as_deref(), Some("eni-1"));
    }

    #[test]
    fn a_definition_is_a_family_and_a_revision() {
        let arn = "arn:aws:ecs:us-east-1:1:task-definition/mr-mapper:12";
        assert_eq!(family_and_revision(arn), ("mr-mapper".to_owned(), Some(12)));
        assert_eq!(family_and_revision(""), (String::new(), None));
    }

    #[test]
    fn the_choice_of_address_is_kept() {
        let public: IpAddr = "54.1.2.3".parse().unwrap();
        let private: IpAddr = "10.0.0.7".parse().unwrap();
        let hosts = |choice| -> Vec<String> {
            candidates(choice, Some(public), Some(private), 8080)
                .iter()
                .map(|url| url.host_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(hosts(AddressChoice::Auto), ["54.1.2.3", "10.0.0.7"]);
        assert_eq!(hosts(AddressChoice::Public), ["54.1.2.3"]);
        assert_eq!(hosts(AddressChoice::Private), ["10.0.0.7"]);
        assert!(candidates(AddressChoice::Public, None, Some(private), 1).is_empty());
    }
}
