//! `mrdeck tasks`: lists every task with its addresses.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{fail, print, print_json};
use crate::cli::OutputFormat;
use crate::config::Config;
use crate::exit::Exit;
use crate::report::text_table;
use crate::task_table::{NOTHING, cell, columns};
use mrdeck_core::human::printable;
use mrdeck_core::task::{Probe, Task, TaskList, TaskStatus};

/// Longer than the timeout of a probe.
const PROBE_PATIENCE: Duration = Duration::from_secs(4);

/// One task as JSON; what is unknown is null.
#[derive(Debug, Serialize)]
struct TaskRow<'a> {
    id: &'a str,
    role: &'static str,
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
    let connection = match mrdeck_cluster::connect(&config.connect).await {
        Ok(connection) => connection,
        Err(diagnostic) => return fail(&diagnostic),
    };
    let list = connection.probed(PROBE_PATIENCE).await;
    let exit = match config.output {
        OutputFormat::Text => print(&table(&list)),
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
        role: task.role_name(),
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
    let columns = columns(list);
    let now = Timestamp::now();
    let titles = columns.iter().map(|column| column.title().to_owned());
    let mut rows: Vec<Vec<String>> = vec![titles.collect()];
    rows.extend(list.tasks.iter().map(|task| {
        let cells = columns.iter().map(|column| {
            let text = cell(*column, task, list, now, true);
            let text = text.unwrap_or_else(|| NOTHING.to_owned());
            printable(&text).into_owned()
        });
        cells.collect()
    }));
    text_table::render(&rows)
}
