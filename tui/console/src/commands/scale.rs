//! `mrdeck scale ROLE=N …`: changes how many tasks of a role run, waits for them, and reports how many do.

use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::confirm::{Consent, confirm};
use super::{fail, print, print_json, refuse};
use crate::cli::{OutputFormat, ScaleArgs};
use crate::config::Config;
use crate::exit::Exit;
use crate::signals;
use crate::stderr;
use mrdeck_cluster::settings::Backend;
use mrdeck_cluster::{Cluster, ScalePlan, ScaleReport, ScaleRequest, Step};
use mrdeck_core::diagnostic::{Diagnostic, read_only};
use mrdeck_core::human::printable;
use mrdeck_core::role::Role;

/// One role as JSON; what does not apply is null.
#[derive(Debug, Serialize)]
struct ScaleRow<'a> {
    role: Role,
    wanted: u32,
    was: u32,
    running: u32,
    /// The ECS service whose desired count was set.
    service: Option<&'a str>,
    error: Option<ScaleError<'a>>,
}

#[derive(Debug, Serialize)]
struct ScaleError<'a> {
    cause: &'a str,
    advice: &'a str,
}

pub async fn scale(config: &Config, args: &ScaleArgs) -> Exit {
    if let Err(diagnostic) = check(config, &args.roles) {
        return refuse(&diagnostic);
    }
    let cancel = CancellationToken::new();
    signals::cancel_on_signal(cancel.clone());
    let work = async {
        let connection = mrdeck_cluster::connect(&config.connect).await?;
        scale_all(connection.cluster.as_ref(), config, args).await
    };
    tokio::select! {
        // What was started keeps running, marked as started by mrdeck.
        () = cancel.cancelled() => Exit::Interrupted,
        done = work => done.unwrap_or_else(|diagnostic| fail(&diagnostic)),
    }
}

/// Refuses what can be refused before AWS is asked anything.
fn check(config: &Config, wanted: &[ScaleRequest]) -> Result<(), Diagnostic> {
    for (index, ScaleRequest { role, .. }) in wanted.iter().enumerate() {
        if wanted[..index].iter().any(|other| other.role == *role) {
            return Err(Diagnostic::new(
                format!("{role} is given twice"),
                "give each role once",
            ));
        }
    }
    if config.connect.read_only {
        return Err(read_only("start or stop tasks"));
    }
    match &config.connect.backend {
        Backend::Ecs(_) => Ok(()),
        Backend::Local { .. } => Err(Diagnostic::new(
            "a local cluster lives only as long as its console",
            "start it with as many mappers as you want, --local=10, or type :scale mapper 10 in its dashboard",
        )),
        Backend::Fixed(_) => Err(Diagnostic::new(
            "services at fixed addresses can't be started or stopped from here",
            "scale them where they were started, or name an ECS cluster with --cluster",
        )),
    }
}

async fn scale_all(
    cluster: &dyn Cluster,
    config: &Config,
    args: &ScaleArgs,
) -> Result<Exit, Diagnostic> {
    // All plans come before the first change, so that a refusal leaves everything as it was.
    let mut plans = Vec::new();
    for wanted in &args.roles {
        plans.push(cluster.plan_scale(*wanted).await?);
    }
    if let Some(exit) = ask(&plans, args.yes).await {
        return Ok(exit);
    }
    let mut all = Vec::new();
    for plan in plans {
        all.push(follow(cluster, plan, Duration::from_secs(args.wait)).await);
    }
    let mut exit = Exit::Done;
    for scaled in &all {
        match scaled.summary() {
            Ok(text) if config.output == OutputFormat::Text => {
                if print(&format!("{text}\n")) == Exit::Failed {
                    exit = Exit::Failed;
                }
            }
            Ok(_) => {}
            Err(diagnostic) => exit = fail(&diagnostic),
        }
    }
    if config.output == OutputFormat::Json {
        let rows: Vec<ScaleRow> = all.iter().map(row).collect();
        if print_json(&rows) != Exit::Done {
            exit = Exit::Failed;
        }
    }
    Ok(exit)
}

/// Asks before tasks are stopped; returns the exit code if the answer is No.
async fn ask(plans: &[ScalePlan], is_yes: bool) -> Option<Exit> {
    let stopping: Vec<String> = plans
        .iter()
        .filter(|plan| plan.stops() > 0)
        .map(ToString::to_string)
        .collect();
    if stopping.is_empty() {
        return None;
    }
    match confirm(&format!("{}. Continue?", stopping.join(", ")), is_yes).await {
        Consent::Given => None,
        Consent::Refused => {
            stderr::line("nothing was changed");
            Some(Exit::Done)
        }
        Consent::NoTerminal => {
            stderr::error(
                &format!("this would stop tasks: {}", stopping.join(", ")),
                "add --yes to stop them without asking",
            );
            Some(Exit::Usage)
        }
    }
}

/// Carries out a plan, with its progress on standard error.
async fn follow(cluster: &dyn Cluster, plan: ScalePlan, patience: Duration) -> ScaleReport {
    let (sender, mut news) = mpsc::channel(16);
    let (scaled, ()) = tokio::join!(cluster.scale(plan, patience, sender), async {
        while let Some(item) = news.recv().await {
            stderr::line(&printable(&item.to_string()));
        }
    });
    scaled
}

fn row(scaled: &ScaleReport) -> ScaleRow<'_> {
    let plan = &scaled.plan;
    ScaleRow {
        role: plan.wanted.role,
        wanted: plan.wanted.count,
        was: plan.now,
        running: scaled.running,
        service: match &plan.step {
            Step::Service { name, .. } => Some(name),
            Step::Keep | Step::Start { .. } | Step::Stop { .. } => None,
        },
        error: scaled.diagnostic.as_ref().map(|diagnostic| ScaleError {
            cause: &diagnostic.cause,
            advice: &diagnostic.advice,
        }),
    }
}
