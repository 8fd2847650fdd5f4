//! More or fewer processes of a role, while the console runs.

use std::cmp::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::supervisor::Supervisor;
use crate::cluster::TaskList;
use crate::cluster::scale::{ScaleNews, ScalePlan, Scaled, Step, Wanted};
use crate::config::MAX_LOCAL_MAPPERS;
use crate::trouble::Trouble;

pub(super) fn plan(supervisor: &Supervisor, wanted: Wanted) -> Result<ScalePlan, Trouble> {
    if wanted.count > MAX_LOCAL_MAPPERS {
        return Err(Trouble::new(
            format!("{} processes would only measure this machine", wanted.count),
            format!(
                "the local cluster runs {MAX_LOCAL_MAPPERS} {}s at most",
                wanted.role
            ),
        ));
    }
    let now = supervisor.kept(wanted.role);
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
    news: mpsc::Sender<ScaleNews>,
) -> Scaled {
    // Nobody has to listen.
    let _ = news.send(ScaleNews::Begun(plan.clone())).await;
    let Wanted { role, count } = plan.wanted;
    supervisor.scale(role, count);
    let mut tasks = supervisor.tasks();
    let running = |list: &TaskList| u32::try_from(list.usable(role).count()).unwrap_or(u32::MAX);
    let done = timeout(patience, tasks.wait_for(|list| running(list) == count)).await;
    let trouble = done.is_err().then(|| {
        Trouble::new(
            format!("not more in {} s", patience.as_secs()),
            "l on a task shows its log",
        )
    });
    let running = running(&supervisor.tasks().borrow());
    Scaled {
        plan,
        running,
        trouble,
    }
}
