//! The columns of the table of tasks and their cells, as `mrdeck tasks` prints and the dashboard draws them.

use std::net::IpAddr;

use jiff::Timestamp;

use mrdeck_core::diagnostic::DiagnosticKind;
use mrdeck_core::human::{age, duration};
use mrdeck_core::task::{Probe, Task, TaskList};
use mrdeck_core::unreachable::Unreachable;

/// What a cell shows where there is nothing.
pub const NOTHING: &str = "-";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Role,
    Id,
    /// `FAMILY:REVISION`
    Definition,
    /// The last status, and the desired one where it is another.
    Status,
    Health,
    PrivateIp,
    PublicIp,
    Zone,
    /// CPU units and MiB of memory.
    Size,
    Probe,
    Age,
}

impl Column {
    /// From left to right.
    pub const ALL: [Self; 11] = [
        Self::Role,
        Self::Id,
        Self::Definition,
        Self::Status,
        Self::PrivateIp,
        Self::PublicIp,
        Self::Health,
        Self::Zone,
        Self::Size,
        Self::Probe,
        Self::Age,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Role => "ROLE",
            Self::Id => "ID",
            Self::Definition => "DEFINITION",
            Self::Status => "STATUS",
            Self::Health => "HEALTH",
            Self::PrivateIp => "PRIVATE",
            Self::PublicIp => "PUBLIC",
            Self::Zone => "ZONE",
            Self::Size => "CPU/MEM",
            Self::Probe => "PROBE",
            Self::Age => "AGE",
        }
    }

    /// Returns whether the column is left out if it is empty for all tasks: local tasks are in no zone.
    fn is_left_out_when_empty(self) -> bool {
        matches!(self, Self::Definition | Self::Zone | Self::Size)
    }
}

/// Returns the columns that say something about these tasks.
pub fn columns(list: &TaskList) -> Vec<Column> {
    let says_something = |column: Column| {
        !column.is_left_out_when_empty()
            || list.tasks.iter().any(|task| match column {
                Column::Definition => task.family.is_some(),
                Column::Zone => task.az.is_some(),
                _ => task.size.is_some(),
            })
    };
    let mut columns = Column::ALL.to_vec();
    columns.retain(|column| says_something(*column));
    columns
}

/// Returns the text of a cell, if there is any. Foreign text is not made printable here.
pub fn cell(
    column: Column,
    task: &Task,
    list: &TaskList,
    now: Timestamp,
    with_port: bool,
) -> Option<String> {
    let port = task.port.filter(|_| with_port);
    match column {
        Column::Role => Some(task.role_name().to_owned()),
        Column::Id => Some(task.id.0.clone()),
        Column::Definition => task.definition(),
        Column::Status => Some(task.status()),
        Column::Health => task.health.clone(),
        Column::PrivateIp => task.private_ip.map(|ip| address(ip, port)),
        Column::PublicIp => match task.public_ip {
            Some(ip) => Some(address(ip, port)),
            None => list
                .public_ips
                .as_ref()
                .filter(|_| task.private_ip.is_some())
                .map(|diagnostic| match diagnostic.kind {
                    DiagnosticKind::Denied => "denied".to_owned(),
                    _ => "unknown".to_owned(),
                }),
        },
        Column::Zone => task.az.clone(),
        Column::Size => task.size.map(|size| size.to_string()),
        Column::Probe => match &task.probe {
            Probe::Unknown => None,
            Probe::Reachable { latency, .. } => Some(duration(latency.as_secs_f64() * 1e3)),
            Probe::Unreachable(missed) => match missed.first().map(|miss| &miss.reason) {
                None | Some(Unreachable::NotRunning(_)) => None,
                Some(reason) => Some(reason.word().to_owned()),
            },
        },
        Column::Age => task
            .started_at
            .map(|at| age(now.duration_since(at).as_secs())),
    }
}

fn address(ip: IpAddr, port: Option<u16>) -> String {
    match port {
        None => ip.to_string(),
        Some(port) => std::net::SocketAddr::new(ip, port).to_string(),
    }
}
