//! What is asked of the cluster: a task's log, an end, another number of tasks.

use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use super::Link;
use super::log_text::readable;
use super::outbox::Outbox;
use crate::dashboard::model::Msg;
use mrdeck_cluster::{SCALE_TIMEOUT, ScalePlan, ScaleReport, ScaleRequest};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskId;

pub(super) async fn stop_task(link: Link, task: TaskId) -> Msg {
    let stopped = async { link?.cluster.stop(&task).await };
    let stopped = stopped.await;
    Msg::TaskStopped(task, stopped)
}

pub(super) async fn fetch_logs(link: Link, task: TaskId) -> Msg {
    let lines = async { link?.cluster.logs(&task).await };
    let lines = lines.await.map(|lines| {
        let timezone = TimeZone::system();
        lines.iter().map(|line| readable(line, &timezone)).collect()
    });
    Msg::Logs(task, lines)
}

pub(super) async fn plan_scale(link: Link, request: ScaleRequest) -> Msg {
    let plan = async { link?.cluster.plan_scale(request).await };
    Msg::ScalePlanned(plan.await)
}

/// Scales, and says how far it is on the way.
pub(super) async fn scale(link: Link, plan: ScalePlan, outbox: Outbox) -> Msg {
    let connection = match link {
        Ok(connection) => connection,
        Err(diagnostic) => return Msg::Scaled(not_scaled(plan, diagnostic)),
    };
    let (sender, mut events) = mpsc::channel(16);
    let scaling = connection.cluster.scale(plan, SCALE_TIMEOUT, sender);
    let (report, ()) = tokio::join!(scaling, async {
        while let Some(event) = events.recv().await {
            outbox.send(Msg::ScaleEvent(event));
        }
    });
    Msg::Scaled(report)
}

fn not_scaled(plan: ScalePlan, diagnostic: Diagnostic) -> ScaleReport {
    ScaleReport {
        running: plan.now,
        plan,
        diagnostic: Some(diagnostic),
    }
}
