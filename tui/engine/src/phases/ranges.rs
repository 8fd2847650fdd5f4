//! Whether the mappers read byte ranges, so that nothing has to be copied for them.

use std::time::Duration;

use mrdeck_core::role::Role;
use mrdeck_core::task::{Probe, TaskList};
use tokio::time::timeout;

use crate::run::Run;

/// How long to wait until every mapper has been asked what it is.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// Returns whether every mapper says of itself that it is one of mrdeck's, which read byte ranges.
pub(super) async fn all_know_ranges(run: &Run) -> bool {
    let mut tasks = run.tasks.clone();
    let is_asked = |list: &TaskList| {
        let mut mappers = list.usable(Role::Mapper);
        mappers.all(|mapper| mapper.probe != Probe::Unknown)
    };
    let Ok(Ok(list)) = timeout(PROBE_TIMEOUT, tasks.wait_for(is_asked)).await else {
        return false;
    };
    let mut reachable = list
        .usable(Role::Mapper)
        .filter_map(|mapper| match &mapper.probe {
            Probe::Reachable { service, .. } => Some(service.is_some()),
            Probe::Unknown | Probe::Unreachable(_) => None,
        })
        .peekable();
    reachable.peek().is_some() && reachable.all(|names_itself| names_itself)
}
