//! The tasks: how many there are by status, whether each role has one, and which of them answer.

use std::collections::BTreeMap;

use url::Url;

use super::finding::Finding;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::{duration, plural, printable, thousands};
use mrdeck_core::role::Role;
use mrdeck_core::task::{Probe, Task, TaskList, TaskStatus};

const TASKS: &str = "tasks";
const ROLES: &str = "roles";
const ADDRESS: &str = "address";
/// With more tasks than this, those that answer share a line.
const LINES: usize = 20;
/// The roles of which a run needs at least one task each.
const NEEDED: [Role; 3] = [Role::Splitter, Role::Mapper, Role::Reducer];

/// Returns `mapper 7f3c…`; a local task's id contains its role already.
fn name(task: &Task) -> String {
    let id = printable(&task.id.0);
    let role = task.role_name().to_owned();
    if id.starts_with(&role) {
        id.into_owned()
    } else {
        format!("{role} {id}")
    }
}

fn is_running(task: &Task) -> bool {
    task.last_status == TaskStatus::Running
}

/// Returns whether the task has stopped or is about to.
fn is_ending(task: &Task) -> bool {
    matches!(
        task.last_status,
        TaskStatus::Deactivating
            | TaskStatus::Stopping
            | TaskStatus::Deprovisioning
            | TaskStatus::Stopped
    )
}

/// Counts the tasks by status. What stopped by itself can't be told from what was stopped, so the reason is shown.
pub(super) fn by_status(list: &TaskList) -> Finding {
    if list.tasks.is_empty() {
        return Finding::failed(
            TASKS,
            Diagnostic::new(
                "there are no tasks",
                "start tasks of the services, and check --cluster and --region",
            ),
        );
    }
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for task in list.tasks.iter() {
        *counts.entry(task.last_status.to_string()).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(status, count)| format!("{} {}", thousands(*count), printable(status)))
        .collect();
    let counts = counts.join(", ");
    let mut ended = list
        .tasks
        .iter()
        .filter(|task| task.role.is_some() && is_ending(task));
    let Some(first) = ended.next() else {
        return Finding::ok(TASKS, counts);
    };
    let reason = first
        .stopped_reason
        .as_ref()
        .map_or(String::new(), |reason| {
            format!(" because: {}", printable(reason))
        });
    let more = match ended.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    Finding::warning(
        TASKS,
        Diagnostic::new(
            format!(
                "{counts}; {} is {}{reason}{more}",
                name(first),
                first.last_status
            ),
            "ignore this if it was intended; otherwise see its log: select it in the dashboard and press l",
        ),
    )
}

/// Checks that at least one splitter, one mapper and one reducer are running.
pub(super) fn roles(list: &TaskList) -> Finding {
    let count = |role: Role| {
        let of_role = list.tasks.iter().filter(|task| task.role == Some(role));
        of_role.filter(|task| is_running(task)).count()
    };
    let found: Vec<String> = NEEDED
        .iter()
        .map(|role| match count(*role) {
            0 => format!("no {role}"),
            some => plural(some as u64, &role.to_string()),
        })
        .collect();
    let found = found.join(", ");
    let mut missing = NEEDED.into_iter().filter(|role| count(*role) == 0);
    let Some(first) = missing.next() else {
        return Finding::ok(ROLES, found);
    };
    let on_its_way = list
        .tasks
        .iter()
        .find(|task| task.role == Some(first) && !is_ending(task));
    let advice = match on_its_way {
        Some(task) => format!(
            "wait until {} is RUNNING: it is {}",
            name(task),
            printable(&task.last_status.to_string())
        ),
        None => format!(
            "start a {first}; if one is running, tag it mrdeck:role={first}, \
             or set what its family's name contains in the configuration file ([families])"
        ),
    };
    Finding::failed(ROLES, Diagnostic::new(format!("{found} running"), advice))
}

/// Reports which address of each task answered, or why none did.
pub(super) fn addresses(list: &TaskList) -> Vec<Finding> {
    let of_a_role: Vec<&Task> = list
        .tasks
        .iter()
        .filter(|task| task.role.is_some() && !is_ending(task))
        .collect();
    let (answered, rest): (Vec<&Task>, Vec<&Task>) = of_a_role
        .iter()
        .partition(|task| matches!(task.probe, Probe::Reachable { .. }));
    if of_a_role.len() <= LINES {
        return of_a_role.into_iter().map(address).collect();
    }
    let shown = rest.len().min(LINES);
    let mut findings: Vec<Finding> = rest[..shown].iter().map(|task| address(task)).collect();
    if !answered.is_empty() {
        let found = format!("{} answered", plural(answered.len() as u64, "task"));
        findings.push(Finding::ok(ADDRESS, found));
    }
    if rest.len() > shown {
        let more = plural((rest.len() - shown) as u64, "more task");
        let diagnostic = Diagnostic::new(
            format!("{more} did not answer"),
            "'mrdeck tasks' lists them all",
        );
        findings.push(Finding::failed(ADDRESS, diagnostic));
    }
    findings
}

fn address(task: &Task) -> Finding {
    let name = name(task);
    if !is_running(task) {
        let status = task.last_status.to_string();
        return Finding::warning(
            ADDRESS,
            Diagnostic::new(
                format!("{name} is {} and can't be asked", printable(&status)),
                "wait until it is RUNNING",
            ),
        );
    }
    let at = |url: &Url| match task.path(url) {
        Some(path) => format!("{url} ({path})"),
        None => url.to_string(),
    };
    match &task.probe {
        Probe::Reachable {
            latency,
            via,
            missed,
            ..
        } => {
            let latency = duration(latency.as_secs_f64() * 1e3);
            let mut found = format!("{name} answered at {} in {latency}", at(via));
            for miss in missed {
                let url = miss.at.as_ref().map(at).unwrap_or_default();
                found.push_str(&["; not at ", &url, ": ", miss.reason.word()].concat());
            }
            Finding::ok(ADDRESS, found)
        }
        Probe::Unreachable(_) | Probe::Unknown => match task.probe.diagnostic() {
            Some(Diagnostic { cause, advice, .. }) => {
                Finding::failed(ADDRESS, Diagnostic::new(format!("{name}: {cause}"), advice))
            }
            None => Finding::warning(
                ADDRESS,
                Diagnostic::new(
                    format!("{name} was not asked because the others took too long"),
                    "try again",
                ),
            ),
        },
    }
}
