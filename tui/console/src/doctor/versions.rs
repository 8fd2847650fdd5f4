//! Whether the services at the tasks' addresses have one version, that of this console.

use std::collections::BTreeMap;

use super::finding::Finding;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::{plural, printable};
use mrdeck_core::task::{Probe, TaskList};

const CHECK: &str = "services";
/// How our services identify themselves, before their version and their role.
const OURS: &str = "mrdeck-services/";
const HERE: &str = env!("CARGO_PKG_VERSION");

/// Compares the versions; `None` if no task answered.
pub(super) fn check(list: &TaskList) -> Option<Finding> {
    let said = list.tasks.iter().filter_map(|task| match &task.probe {
        Probe::Reachable { service, .. } if task.role.is_some() => Some(service.as_deref()),
        _ => None,
    });
    judge(said)
}

fn judge<'a>(said: impl Iterator<Item = Option<&'a str>>) -> Option<Finding> {
    let mut versions: BTreeMap<&str, u64> = BTreeMap::new();
    let mut others = 0;
    for service in said {
        match service.and_then(version) {
            Some(version) => *versions.entry(version).or_default() += 1,
            None => others += 1,
        }
    }
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
    let advice = "deploy the services in this console's version";
    Some(Finding::warning(CHECK, Diagnostic::new(cause, advice)))
}

/// Returns VERSION of `mrdeck-services/VERSION ROLE`.
fn version(service: &str) -> Option<&str> {
    service.strip_prefix(OURS)?.split(' ').next()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::doctor::CheckStatus;

    #[test]
    fn other_versions_are_a_warning_and_other_implementations_are_not() {
        let ours = format!("{OURS}{HERE} mapper");
        for (said, status, words) in [
            (
                vec![Some(&*ours), Some(&*ours)],
                CheckStatus::Ok,
                "on 2 tasks",
            ),
            (
                vec![Some(&*ours), None, Some("nginx")],
                CheckStatus::Ok,
                "another implementation on 2 tasks",
            ),
            (
                vec![Some(&*ours), Some("mrdeck-services/9.9.9 reducer")],
                CheckStatus::Warning,
                "mrdeck-services 9.9.9 on 1 task; this console is",
            ),
        ] {
            let finding = judge(said.into_iter()).unwrap();
            assert_eq!(finding.status, status, "{}", finding.found);
            assert!(finding.found.contains(words), "{}", finding.found);
        }
        assert_eq!(judge(std::iter::empty()), None);
    }
}
