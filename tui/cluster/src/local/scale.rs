//! More or fewer processes of a role, while the console runs.

use std::cmp::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::supervisor::Supervisor;
use crate::scale::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest, Step};
use crate::settings::MAX_LOCAL_MAPPERS;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskList;

pub(super) async fn plan(
    supervisor: &Supervisor,
    wanted: ScaleRequest,
) -> Result<ScalePlan, Diagnostic> {
    if wanted.count > MAX_LOCAL_MAPPERS {
        return Err(Diagnostic::new(
            format!("{} processes would only measure this machine", wanted.count),
            format!(
                "the local cluster runs {MAX_LOCAL_MAPPERS} {}s at most",
                wanted.role
            ),
        ));
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

pub(super) async fn scale(
    supervisor: &Supervisor,
    plan: ScalePlan,
    patience: Duration,
    news: mpsc::Sender<ScaleEvent>,
) -> ScaleReport {
    // Nobody has to listen.
    let _ = news.send(ScaleEvent::Begun(plan.clone())).await;
    let ScaleRequest { role, count } = plan.wanted;
    supervisor.scale(role, count);
    let mut tasks = supervisor.tasks();
    let running = |list: &TaskList| u32::try_from(list.usable(role).count()).unwrap_or(u32::MAX);
    let done = timeout(patience, tasks.wait_for(|list| running(list) == count)).await;
    let diagnostic = done.is_err().then(|| {
        Diagnostic::new(
            format!("not more in {} s", patience.as_secs()),
            "l on a task shows its log",
        )
    });
    let running = running(&supervisor.tasks().borrow());
    ScaleReport {
        plan,
        running,
        diagnostic,
    }
}
