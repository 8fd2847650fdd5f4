//! The ECS cluster itself, and the permission to look up public IPs.

use aws_config::SdkConfig;

use super::finding::Finding;
use mrdeck_cluster::aws::{AwsError, QueryClient, ecs_client};
use mrdeck_cluster::may_look_up_public_ips;
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::human::plural;

const CLUSTER: &str = "cluster";
const PUBLIC_IPS: &str = "public IPs";

/// Checks that the cluster exists and accepts tasks.
pub(super) async fn cluster(sdk: &SdkConfig, name: &str) -> Finding {
    let what = "describe the cluster (ecs:DescribeClusters)";
    let asked = ecs_client(sdk)
        .describe_clusters()
        .clusters(name)
        .send()
        .await;
    let answer = match asked {
        Ok(answer) => answer,
        Err(error) => {
            let diagnostic = Diagnostic::from(AwsError::ecs(what, name, error));
            // Only this check needs the permission; whether tasks can be listed shows below.
            return match diagnostic.kind {
                DiagnosticKind::Denied => Finding::warning(CLUSTER, diagnostic),
                _ => Finding::failed(CLUSTER, diagnostic),
            };
        }
    };
    let Some(cluster) = answer.clusters().first() else {
        // ECS reports it as a failure with the reason MISSING.
        return Finding::failed(CLUSTER, AwsError::no_cluster(what, name).into());
    };
    let status = cluster.status().unwrap_or("UNKNOWN");
    if status == "ACTIVE" {
        let (running, pending) = (cluster.running_tasks_count(), cluster.pending_tasks_count());
        let found = format!(
            "{name} is ACTIVE: {} running, {pending} pending",
            plural(u64::try_from(running).unwrap_or_default(), "task")
        );
        return Finding::ok(CLUSTER, found);
    }
    let advice = match status {
        "INACTIVE" => "it was deleted: create it again, or choose another one with --cluster",
        "FAILED" => {
            "its capacity providers could not be set up: see the cluster in the ECS console"
        }
        _ => "wait until it is ACTIVE",
    };
    Finding::failed(
        CLUSTER,
        Diagnostic::new(format!("{name} is {status}"), advice),
    )
}

/// Checks the permission to look up public IPs. Without it nothing else fails.
pub(super) async fn public_ips(aws: &QueryClient) -> Finding {
    match may_look_up_public_ips(aws).await {
        Ok(()) => Finding::ok(PUBLIC_IPS, "EC2 may be asked for them"),
        Err(error) => {
            let diagnostic = Diagnostic::from(error);
            let advice = format!("{}; private IPs work without it", diagnostic.advice);
            let kind = diagnostic.kind;
            Finding::warning(
                PUBLIC_IPS,
                Diagnostic::new(diagnostic.cause, advice).of_kind(kind),
            )
        }
    }
}
