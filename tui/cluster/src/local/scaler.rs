//! Scaling the local cluster: more or fewer processes of a role, while the console runs.

use std::cmp::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::error::LocalError;
use super::supervisor::Supervisor;
use crate::scale::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest, Step};
use crate::settings::MAX_LOCAL_MAPPERS;
use mrdeck_core::task::TaskList;

/// Plans what would make as many processes run as are wanted.
pub(super) async fn plan(
    supervisor: &Supervisor,
    wanted: ScaleRequest,
) -> Result<ScalePlan, LocalError> {
    if wanted.count > MAX_LOCAL_MAPPERS {
        let ScaleRequest { role, count } = wanted;
        return Err(LocalError::TooMany { role, count });
    }
    let now = supervisor.replicas(wanted.role).await;
    let step = match wanted.count.cmp(&now) {
        Ordering::Greater => Step::Start {
            count: wanted.count - now,
            like: Vec::new(),
        },
        Ordering::Less => Step::Stop {
            tasks: supervisor.newest(wanted.role, now - wanted.count),
        },
        Ordering::Equal => Step::Keep,
    };
    Ok(ScalePlan { wanted, now, step })
}

/// Does what was planned, and waits until as many processes listen.
pub(super) async fn scale(
    supervisor: &Supervisor,
    plan: ScalePlan,
    limit: Duration,
    events: mpsc::Sender<ScaleEvent>,
) -> ScaleReport {
    // The listener may be gone.
    let _ = events.send(ScaleEvent::Begun(plan.clone())).await;
    let ScaleRequest { role, count } = plan.wanted;
    supervisor.scale(role, count);
    let mut tasks = supervisor.tasks();
    let running = |list: &TaskList| u32::try_from(list.usable(role).count()).unwrap_or(u32::MAX);
    let done = timeout(limit, tasks.wait_for(|list| running(list) == count)).await;
    let diagnostic = done.err().map(|_| LocalError::Late(limit).into());
    let running = running(&supervisor.tasks().borrow());
    ScaleReport {
        plan,
        running,
        diagnostic,
    }
}
