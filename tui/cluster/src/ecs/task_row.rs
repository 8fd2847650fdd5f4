//! A row of the task list, from everything that is known of an ECS task.

use std::net::{IpAddr, SocketAddr};

use aws_sdk_ecs::types::Task as EcsTask;
use jiff::Timestamp;
use url::Url;

use super::definitions::Definitions;
use super::description::{family_and_revision, id, interface, interface_detail, role};
use super::public_ips::PublicIps;
use crate::settings::{AddressChoice, EcsSettings};
use mrdeck_core::task::{FailedProbe, Probe, Task, TaskSize, TaskStatus};
use mrdeck_core::unreachable::Unreachable;

/// Where a service listens when its task definition names no port.
const DEFAULT_PORT: u16 = 8080;

/// Returns the row of a task.
pub(super) fn task_row(
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

/// Returns why there is no address to ask.
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

/// Reads both numbers, which ECS gives as text.
fn size(task: &EcsTask) -> Option<TaskSize> {
    Some(TaskSize {
        cpu_units: task.cpu()?.parse().ok()?,
        memory_mib: task.memory()?.parse().ok()?,
    })
}

/// Returns the addresses to try, in the order of preference.
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
        .filter_map(|ip| Url::parse(&format!("http://{}", SocketAddr::new(ip, port))).ok())
        .collect()
}

fn timestamp(at: &aws_sdk_ecs::primitives::DateTime) -> Option<Timestamp> {
    Timestamp::from_second(at.secs()).ok()
}

/// Returns why the task ends or has ended. A task that runs may have an empty reason.
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

    use super::*;

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
