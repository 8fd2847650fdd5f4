//! What answers at the tasks' addresses: which service, and of which version.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use mrdeck_services::api;
use reqwest::Client;

use super::finding::Finding;
use super::tasks::name;
use crate::cluster::{Probe, Role, Task, TaskList};
use crate::figures::{plural, printable};
use crate::trouble::Trouble;

const CHECK: &str = "services";
/// Tasks asked at once.
const CONCURRENCY: usize = 16;
/// What our services call themselves, before their version.
const OURS: &str = "mrdeck-services/";
const HERE: &str = env!("CARGO_PKG_VERSION");

/// What a task said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    /// `mrdeck-services/VERSION ROLE`
    Ours {
        version: String,
        role: String,
    },
    Another,
    /// `/health` is 200, but not `ok`.
    Strange,
}

pub(super) async fn check(http: &Client, list: &TaskList) -> Vec<Finding> {
    let asked = list.tasks.iter().filter_map(|task| match &task.probe {
        Probe::Reachable { via, .. } if task.role != Role::Other => {
            Some((task, via.join(api::HEALTH).ok()?))
        }
        _ => None,
    });
    let asked: Vec<_> = asked
        .map(|(task, url)| async move {
            let answer = http.get(url).send().await.ok()?;
            let header = answer.headers().get(api::SERVICE_HEADER).cloned();
            let header = header.and_then(|value| value.to_str().map(str::to_owned).ok());
            let body = answer.text().await.ok()?;
            Some((task, read(header.as_deref(), &body)))
        })
        .collect();
    let said: Vec<_> = stream::iter(asked)
        .buffered(CONCURRENCY)
        .filter_map(async |said| said)
        .collect()
        .await;
    judge(&said)
}

fn read(header: Option<&str>, body: &str) -> Said {
    let ours = header.and_then(|header| header.strip_prefix(OURS)?.split_once(' '));
    match ours {
        Some((version, role)) => Said::Ours {
            version: version.to_owned(),
            role: role.to_owned(),
        },
        None if body.trim() == "ok" => Said::Another,
        None => Said::Strange,
    }
}

fn judge(said: &[(&Task, Said)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut versions: BTreeMap<&str, u64> = BTreeMap::new();
    let mut others = 0;
    for (task, said) in said {
        let at = || format!("{} at {}", name(task), task.address().unwrap_or_default());
        match said {
            Said::Ours { version, role } => {
                *versions.entry(version).or_default() += 1;
                if *role != task.role.to_string() {
                    let cause = format!("{} is a {}", at(), printable(role));
                    let advice = "check the address, or what the family's name says of its role";
                    findings.push(Finding::failed(CHECK, Trouble::new(cause, advice)));
                }
            }
            Said::Another => others += 1,
            Said::Strange => {
                others += 1;
                let cause = format!("{} answers /health with something other than 'ok'", at());
                let advice = "check that a service of this interface listens there";
                findings.push(Finding::warning(CHECK, Trouble::new(cause, advice)));
            }
        }
    }
    findings.extend(summary(&versions, others));
    findings
}

fn summary(versions: &BTreeMap<&str, u64>, others: u64) -> Option<Finding> {
    let ours = versions.iter().map(|(version, count)| {
        let version = printable(version);
        format!("mrdeck-services {version} on {}", plural(*count, "task"))
    });
    let another =
        (others > 0).then(|| format!("another implementation on {}", plural(others, "task")));
    let found: Vec<String> = ours.chain(another).collect();
    if found.is_empty() {
        return None;
    }
    let found = found.join(", ");
    if versions.keys().all(|version| *version == HERE) {
        return Some(Finding::ok(CHECK, found));
    }
    let cause = format!("{found}; this console is {HERE}");
    let advice = "deploy services of one version, that of the console";
    Some(Finding::warning(CHECK, Trouble::new(cause, advice)))
}
