//! What would make as many tasks of a role run as are wanted, given the cluster's services and tasks: pure.

use std::cmp::{Ordering, Reverse};

use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{SchedulingStrategy, Service, Task as EcsTask};

use super::STARTED_BY;
use crate::ecs::description::{family_and_revision, id, role, role_tag};
use crate::scale::{ScalePlan, ScaleRequest, Step};
use crate::settings::EcsSettings;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::plural;
use mrdeck_core::role::Role;
use mrdeck_core::task::TaskId;

/// Tasks that new ones are made like: the first for its settings, the others for the subnets they are in.
const MODELS: usize = 10;

/// Returns what is to be done, or why it can't be.
pub(super) fn plan(
    wanted: ScaleRequest,
    services: &[Service],
    tasks: &[EcsTask],
    settings: &EcsSettings,
) -> Result<ScalePlan, PlanError> {
    let alive: Vec<&EcsTask> = tasks
        .iter()
        .filter(|task| is_alive(task) && role_of(task, settings) == Some(wanted.role))
        .collect();
    let mut serving = services.iter().filter(|service| {
        service.status() == Some("ACTIVE")
            && service_role(service, tasks, settings) == Some(wanted.role)
    });
    match (serving.next(), serving.next()) {
        (None, _) => by_tasks(wanted, &alive),
        (Some(service), None) => by_service(wanted, service, &alive),
        (Some(first), Some(second)) => {
            let names: Vec<&str> = [first, second]
                .into_iter()
                .chain(serving)
                .filter_map(Service::service_name)
                .collect();
            Err(PlanError::SeveralServices {
                role: wanted.role,
                names: names.join(", "),
            })
        }
    }
}

/// Why a role can't be scaled as asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlanError {
    #[error("more than one service runs {role}s: {names}")]
    SeveralServices { role: Role, names: String },
    #[error("service {0} is a daemon: it runs one task on each instance")]
    Daemon(String),
    #[error(
        "{} outside of service {service} already, and {} are wanted",
        plural((*.outside).into(), wanted.role.as_str()),
        wanted.count
    )]
    TooManyOutside {
        service: String,
        outside: u32,
        wanted: ScaleRequest,
    },
    #[error("there is no service and no running task to start more {0}s like")]
    NoModel(Role),
    #[error("no {0} runs yet to start more like it")]
    NoneRuns(Role),
    /// To go that far down would stop tasks of others.
    #[error(
        "{} run and mrdeck started {own} of them: going down to {} would stop {} of somebody else's",
        plural((*.now).into(), wanted.role.as_str()),
        wanted.count,
        now - wanted.count - own
    )]
    NotOurs {
        wanted: ScaleRequest,
        now: u32,
        own: u32,
    },
}

impl From<PlanError> for Diagnostic {
    fn from(error: PlanError) -> Self {
        let advice = match &error {
            PlanError::SeveralServices { .. } => {
                "tag those that are not meant with mrdeck:role=other, or use 'aws ecs update-service'"
            }
            PlanError::Daemon(_) => "add or remove container instances instead",
            PlanError::TooManyOutside { .. } => "stop those with S, or ask for more",
            PlanError::NoModel(_) => {
                "run the first one with 'aws ecs run-task', or make a service for them"
            }
            PlanError::NoneRuns(_) => "wait until the first one runs, then scale again",
            PlanError::NotOurs { now, own, .. } => {
                let advice = format!("ask for {} or more, or stop single tasks with S", now - own);
                return Self::new(error.to_string(), advice);
            }
        };
        Self::new(error.to_string(), advice)
    }
}

fn is_alive(task: &EcsTask) -> bool {
    task.desired_status() != Some("STOPPED") && task.last_status() != Some("STOPPED")
}

fn role_of(task: &EcsTask, settings: &EcsSettings) -> Option<Role> {
    let (family, _) = family_and_revision(task.task_definition_arn().unwrap_or_default());
    role(task.tags(), &family, settings)
}

/// Returns the role that the service's own tag says, else the tasks it runs, else its task definition's family.
fn service_role(service: &Service, tasks: &[EcsTask], settings: &EcsSettings) -> Option<Role> {
    if let Some(text) = role_tag(service.tags()) {
        return text.parse().ok();
    }
    let own = tasks
        .iter()
        .find(|task| is_alive(task) && belongs_to(task, service));
    if let Some(task) = own {
        return role_of(task, settings);
    }
    let (family, _) = family_and_revision(service.task_definition().unwrap_or_default());
    settings.role_of_family(&family)
}

fn belongs_to(task: &EcsTask, service: &Service) -> bool {
    let group = task
        .group()
        .and_then(|group| group.strip_prefix("service:"));
    group.is_some() && group == service.service_name()
}

fn by_service(
    wanted: ScaleRequest,
    service: &Service,
    alive: &[&EcsTask],
) -> Result<ScalePlan, PlanError> {
    let name = service.service_name().unwrap_or_default();
    if service.scheduling_strategy() == Some(&SchedulingStrategy::Daemon) {
        return Err(PlanError::Daemon(name.to_owned()));
    }
    let outside = alive.iter().filter(|task| !belongs_to(task, service));
    let outside = count(outside.count());
    let Some(to) = wanted.count.checked_sub(outside) else {
        return Err(PlanError::TooManyOutside {
            service: name.to_owned(),
            outside,
            wanted,
        });
    };
    let from = u32::try_from(service.desired_count()).unwrap_or(0);
    Ok(ScalePlan {
        wanted,
        now: from + outside,
        step: Step::Service {
            name: name.to_owned(),
            from,
            to,
        },
    })
}

/// Plans without a service: starts tasks like those that run, or stops those that were started from here.
fn by_tasks(wanted: ScaleRequest, alive: &[&EcsTask]) -> Result<ScalePlan, PlanError> {
    let now = count(alive.len());
    let mut newest_first: Vec<&EcsTask> = alive.to_vec();
    newest_first.sort_by_key(|task| Reverse(task.created_at().map(DateTime::secs)));
    let step = match wanted.count.cmp(&now) {
        Ordering::Greater => Step::Start {
            count: wanted.count - now,
            like: models(wanted.role, &newest_first)?,
        },
        Ordering::Less => Step::Stop {
            tasks: ours(wanted, now, &newest_first)?,
        },
        Ordering::Equal => Step::Keep,
    };
    Ok(ScalePlan { wanted, now, step })
}

/// Returns those that run, the newest first: a task on its way may have no network interface yet.
fn models(role: Role, newest_first: &[&EcsTask]) -> Result<Vec<TaskId>, PlanError> {
    let running = |task: &&&EcsTask| task.last_status() == Some("RUNNING");
    let models: Vec<TaskId> = newest_first
        .iter()
        .filter(running)
        .take(MODELS)
        .map(|task| id(task))
        .collect();
    if !models.is_empty() {
        return Ok(models);
    }
    Err(if newest_first.is_empty() {
        PlanError::NoModel(role)
    } else {
        PlanError::NoneRuns(role)
    })
}

/// Returns the newest of those that were started from here; never a task that others started.
fn ours(
    wanted: ScaleRequest,
    now: u32,
    newest_first: &[&EcsTask],
) -> Result<Vec<TaskId>, PlanError> {
    let ours: Vec<&&EcsTask> = newest_first
        .iter()
        .filter(|task| task.started_by() == Some(STARTED_BY))
        .collect();
    let surplus = now - wanted.count;
    let own = count(ours.len());
    if surplus > own {
        return Err(PlanError::NotOurs { wanted, now, own });
    }
    Ok(ours
        .iter()
        .take(surplus as usize)
        .map(|task| id(task))
        .collect())
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use aws_sdk_ecs::types::Tag;

    use super::*;
    use crate::settings::AddressChoice;

    fn settings() -> EcsSettings {
        EcsSettings {
            cluster: "mr".to_owned(),
            address: AddressChoice::Auto,
            families: Role::ALL.map(|role| (role, role.to_string())),
        }
    }

    fn mappers(count: u32) -> ScaleRequest {
        ScaleRequest {
            role: Role::Mapper,
            count,
        }
    }

    /// A running mapper; the later the number, the newer.
    fn task(number: i64, started_by: &str, group: &str) -> EcsTask {
        EcsTask::builder()
            .task_arn(format!("arn:aws:ecs:r:1:task/mr/t{number}"))
            .task_definition_arn("arn:aws:ecs:r:1:task-definition/mr-mapper:3")
            .desired_status("RUNNING")
            .last_status("RUNNING")
            .started_by(started_by)
            .group(group)
            .created_at(DateTime::from_secs(number))
            .build()
    }

    fn service(name: &str, family: &str, desired: i32) -> Service {
        Service::builder()
            .service_name(name)
            .status("ACTIVE")
            .task_definition(format!("arn:aws:ecs:r:1:task-definition/{family}:3"))
            .desired_count(desired)
            .build()
    }

    fn step(wanted: u32, services: &[Service], tasks: &[EcsTask]) -> Result<Step, String> {
        plan(mappers(wanted), services, tasks, &settings())
            .map(|plan| plan.step)
            .map_err(|error| Diagnostic::from(error).to_string())
    }

    fn ids(numbers: &[i64]) -> Vec<TaskId> {
        let id = |number: &i64| TaskId(format!("t{number}"));
        numbers.iter().map(id).collect()
    }

    const FAMILY: &str = "family:mr-mapper";

    #[test]
    fn without_a_service_tasks_are_started_like_the_newest() {
        let tasks = [task(1, "me", FAMILY), task(2, "me", FAMILY)];
        let expected = Step::Start {
            count: 8,
            like: ids(&[2, 1]),
        };
        assert_eq!(step(10, &[], &tasks), Ok(expected));
        assert_eq!(step(2, &[], &tasks), Ok(Step::Keep));
    }

    #[test]
    fn a_task_that_stops_or_serves_another_role_does_not_count() {
        let mut tasks = vec![task(1, "me", FAMILY), task(2, "me", FAMILY)];
        tasks[1].desired_status = Some("STOPPED".to_owned());
        let mut other = task(3, "me", FAMILY);
        other.task_definition_arn = Some("arn:aws:ecs:r:1:task-definition/mr-reducer:1".to_owned());
        tasks.push(other);
        assert_eq!(step(1, &[], &tasks), Ok(Step::Keep));
    }

    #[test]
    fn only_our_own_are_stopped_and_the_newest_first() {
        let tasks = [
            task(1, "somebody", FAMILY),
            task(2, STARTED_BY, FAMILY),
            task(3, STARTED_BY, FAMILY),
            task(4, "somebody", FAMILY),
            task(5, STARTED_BY, FAMILY),
        ];
        let stop = |numbers: &[i64]| {
            Ok(Step::Stop {
                tasks: ids(numbers),
            })
        };
        assert_eq!(step(4, &[], &tasks), stop(&[5]));
        assert_eq!(step(2, &[], &tasks), stop(&[5, 3, 2]));
        let refused = step(1, &[], &tasks).unwrap_err();
        for text in [
            "5 mappers",
            "started 3",
            "down to 1",
            "stop 1 of",
            "2 or more",
        ] {
            assert!(refused.contains(text), "'{text}' is not in: {refused}");
        }
    }

    #[test]
    fn nothing_to_copy_is_said_with_what_to_do() {
        assert!(step(1, &[], &[]).unwrap_err().contains("run-task"));
        let mut pending = task(1, "me", FAMILY);
        pending.last_status = Some("PROVISIONING".to_owned());
        assert!(step(2, &[], &[pending]).unwrap_err().contains("wait"));
        assert_eq!(step(0, &[], &[]), Ok(Step::Keep));
    }

    #[test]
    fn a_service_is_found_by_its_tag_its_tasks_or_its_family() {
        let to = |name: &str, from, to| {
            let name = name.to_owned();
            Ok(Step::Service { name, from, to })
        };
        let by_family = [service("a", "mr-mapper", 2), service("b", "mr-reducer", 1)];
        assert_eq!(step(5, &by_family, &[]), to("a", 2, 5));
        let by_tasks = [service("workers", "work", 2)];
        let mut own = task(1, "ecs-svc/1", "service:workers");
        own.tags = Some(vec![
            Tag::builder().key("mrdeck:role").value("mapper").build(),
        ]);
        assert_eq!(step(5, &by_tasks, &[own]), to("workers", 2, 5));
        let mut tagged = service("work", "mr-reducer", 2);
        tagged.tags = Some(vec![
            Tag::builder().key("mrdeck:role").value("mapper").build(),
        ]);
        assert_eq!(step(0, &[tagged], &[]), to("work", 2, 0));
        let mut gone = service("old", "mr-mapper", 0);
        gone.status = Some("INACTIVE".to_owned());
        assert_eq!(step(0, &[gone], &[]), Ok(Step::Keep));
    }

    #[test]
    fn tasks_outside_of_the_service_count_too() {
        let services = [service("workers", "mr-mapper", 2)];
        let tasks = [
            task(1, "ecs-svc/1", "service:workers"),
            task(2, "ecs-svc/1", "service:workers"),
            task(3, "me", FAMILY),
        ];
        let name = "workers".to_owned();
        let expected = Step::Service {
            name,
            from: 2,
            to: 4,
        };
        assert_eq!(step(5, &services, &tasks), Ok(expected));
        let refused = step(0, &services, &tasks).unwrap_err();
        assert!(refused.contains("outside of service workers"), "{refused}");
    }

    #[test]
    fn which_of_two_services_is_meant_is_not_guessed() {
        let two = [service("a", "mr-mapper", 1), service("b", "my-mapper", 1)];
        let refused = step(3, &two, &[]).unwrap_err();
        assert!(refused.contains("a, b"), "{refused}");
        let mut daemon = service("d", "mr-mapper", 1);
        daemon.scheduling_strategy = Some(SchedulingStrategy::Daemon);
        assert!(step(3, &[daemon], &[]).unwrap_err().contains("daemon"));
    }
}
