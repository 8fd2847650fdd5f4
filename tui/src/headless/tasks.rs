//! `mrdeck tasks`: every task with its addresses, once.

use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{complain, print, print_json};
use crate::cli::OutputFormat;
use crate::cluster::{self, Probe, Role, Task, TaskList, TaskStatus};
use crate::config::Config;
use crate::exit::Exit;
use crate::figures::{age, millis, printable};

/// Longer than a probe takes to give up.
const PROBE_PATIENCE: Duration = Duration::from_secs(4);

/// One task as JSON; what is not there is null.
#[derive(Debug, Serialize)]
struct TaskRow<'a> {
    id: &'a str,
    role: Role,
    family: Option<&'a str>,
    revision: Option<i32>,
    last_status: &'a TaskStatus,
    desired_status: Option<&'a TaskStatus>,
    health: Option<&'a str>,
    private_ip: Option<IpAddr>,
    public_ip: Option<IpAddr>,
    port: Option<u16>,
    az: Option<&'a str>,
    started_at: Option<Timestamp>,
    reachable: Option<bool>,
}

pub async fn tasks(config: &Config) -> Exit {
    let connection = match cluster::connect(config).await {
        Ok(connection) => connection,
        Err(trouble) => return complain(&trouble),
    };
    let mut tasks = connection.tasks.clone();
    let probed = tasks.wait_for(|list| {
        list.at.is_some()
            && list
                .tasks
                .iter()
                .all(|task| !task.is_usable() || task.probe != Probe::Unknown)
    });
    // A probe that is still out after this is shown as unknown.
    let _ = tokio::time::timeout(PROBE_PATIENCE, probed).await;
    let list = connection.tasks.borrow().clone();
    let exit = match config.output {
        OutputFormat::Text => {
            print(&table(&list));
            Exit::Done
        }
        OutputFormat::Json => {
            let rows: Vec<TaskRow> = list.tasks.iter().map(row).collect();
            print_json(&rows)
        }
    };
    connection.cluster.shutdown().await;
    exit
}

fn row(task: &Task) -> TaskRow<'_> {
    TaskRow {
        id: &task.id.0,
        role: task.role,
        family: task.family.as_deref(),
        revision: task.revision,
        last_status: &task.last_status,
        desired_status: task.desired_status.as_ref(),
        health: task.health.as_deref(),
        private_ip: task.private_ip,
        public_ip: task.public_ip,
        port: task.port,
        az: task.az.as_deref(),
        started_at: task.started_at,
        reachable: match task.probe {
            Probe::Unknown => None,
            Probe::Reachable { .. } => Some(true),
            Probe::Unreachable(_) => Some(false),
        },
    }
}

fn table(list: &TaskList) -> String {
    if list.tasks.is_empty() {
        return "no tasks\n".to_owned();
    }
    let header = [
        "ROLE",
        "ID",
        "STATUS",
        "PRIVATE IP",
        "PUBLIC IP",
        "PORT",
        "AGE",
        "PROBE",
    ]
    .map(str::to_owned);
    let now = Timestamp::now();
    let rows: Vec<[String; 8]> = std::iter::once(header)
        .chain(list.tasks.iter().map(|task| columns(task, now)))
        .collect();
    let mut text = String::new();
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            let width = rows.iter().map(|row| row[column].chars().count()).max();
            let is_last = column + 1 == row.len();
            let width = if is_last { 0 } else { width.unwrap_or(0) + 2 };
            // Writing to a String can't fail.
            let _ = write!(text, "{cell:width$}");
        }
        text.push('\n');
    }
    text
}

fn columns(task: &Task, now: Timestamp) -> [String; 8] {
    let ip = |ip: Option<IpAddr>| ip.map_or("-".to_owned(), |ip| ip.to_string());
    [
        task.role.to_string(),
        printable(&task.id.0).into_owned(),
        printable(&task.last_status.to_string()).into_owned(),
        ip(task.private_ip),
        ip(task.public_ip),
        task.port.map_or("-".to_owned(), |port| port.to_string()),
        task.started_at
            .map_or("-".to_owned(), |at| age(now.duration_since(at).as_secs())),
        match &task.probe {
            Probe::Unknown => "-".to_owned(),
            Probe::Reachable { latency, .. } => millis(latency.as_secs_f64() * 1e3),
            Probe::Unreachable(trouble) => trouble.cause.clone(),
        },
    ]
}
