//! A task: a service of one role, wherever it runs.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::diagnostic::Diagnostic;
use crate::role::Role;
use crate::unreachable::Unreachable;

/// The short id of a task: the last part of an ECS task's ARN, or a local name such as `mapper-1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub String);

/// Shorter ids come first, so that `mapper-2` precedes `mapper-10`.
impl Ord for TaskId {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for TaskId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The status in a task's life cycle, as ECS names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TaskStatus {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
    /// A status that this version does not know.
    #[serde(untagged)]
    Unknown(String),
}

impl From<&str> for TaskStatus {
    fn from(text: &str) -> Self {
        match text {
            "PROVISIONING" => Self::Provisioning,
            "PENDING" => Self::Pending,
            "ACTIVATING" => Self::Activating,
            "RUNNING" => Self::Running,
            "DEACTIVATING" => Self::Deactivating,
            "STOPPING" => Self::Stopping,
            "DEPROVISIONING" => Self::Deprovisioning,
            "STOPPED" => Self::Stopped,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Activating => "ACTIVATING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Deprovisioning => "DEPROVISIONING",
            Self::Stopped => "STOPPED",
            Self::Unknown(text) => text,
        })
    }
}

/// The result of the last `GET /health`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Probe {
    /// Not probed yet, or nothing to probe.
    #[default]
    Unknown,
    Reachable {
        latency: Duration,
        /// The address that answered.
        via: Url,
        /// The name that the service gives itself; mrdeck's send `mrdeck-services/VERSION ROLE`.
        service: Option<String>,
        /// The preferred addresses that did not answer.
        missed: Vec<FailedProbe>,
    },
    /// Every address that was probed, or why there is none.
    Unreachable(Vec<FailedProbe>),
}

impl Probe {
    /// Returns why the task can't be reached: every address with its reason, and what to do about the first.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        let Self::Unreachable(missed) = self else {
            return None;
        };
        let causes: Vec<String> = missed
            .iter()
            .map(|FailedProbe { at, reason }| match at {
                Some(at) => format!("{at}: {}", reason.diagnostic().cause),
                None => reason.diagnostic().cause,
            })
            .collect();
        let first = missed.first()?.reason.diagnostic();
        Some(Diagnostic {
            cause: causes.join(", "),
            ..first
        })
    }
}

/// An address that did not answer as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedProbe {
    /// `None` if there was no address to probe.
    pub at: Option<Url>,
    pub reason: Unreachable,
}

/// The CPU and memory of a task, as ECS counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskSize {
    /// One CPU is 1,024 units.
    pub cpu_units: u32,
    pub memory_mib: u32,
}

impl fmt::Display for TaskSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}/{}", self.cpu_units, self.memory_mib);
        f.pad(&text)
    }
}

/// One row of the task list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub id: TaskId,
    /// `None` for a task that serves none of the roles.
    pub role: Option<Role>,
    pub family: Option<String>,
    pub revision: Option<i32>,
    pub last_status: TaskStatus,
    pub desired_status: Option<TaskStatus>,
    /// ECS's own health check: `HEALTHY`, `UNHEALTHY`, `UNKNOWN`.
    pub health: Option<String>,
    pub private_ip: Option<IpAddr>,
    pub public_ip: Option<IpAddr>,
    pub port: Option<u16>,
    pub az: Option<String>,
    pub size: Option<TaskSize>,
    pub started_at: Option<Timestamp>,
    /// Why the task is stopping or has stopped.
    pub stopped_reason: Option<String>,
    /// The address for requests; `None` while the task can't be reached.
    pub base: Option<Url>,
    /// Every address at which the task may be reached, the preferred first.
    pub candidates: Vec<Url>,
    /// More facts from the backend, for the describe view.
    pub details: Vec<(String, String)>,
    pub probe: Probe,
}

impl Task {
    /// Makes a task of which nothing else is known yet.
    pub fn new(id: TaskId, role: impl Into<Option<Role>>, last_status: TaskStatus) -> Self {
        Self {
            id,
            role: role.into(),
            family: None,
            revision: None,
            last_status,
            desired_status: None,
            health: None,
            private_ip: None,
            public_ip: None,
            port: None,
            az: None,
            size: None,
            started_at: None,
            stopped_reason: None,
            base: None,
            candidates: Vec::new(),
            details: Vec::new(),
            probe: Probe::Unknown,
        }
    }
}

impl Task {
    /// Returns the role's name, or `other`.
    pub fn role_name(&self) -> &'static str {
        self.role.map_or("other", Role::as_str)
    }

    /// Orders tasks by role, those without one last.
    fn role_rank(&self) -> (bool, Option<Role>) {
        (self.role.is_none(), self.role)
    }

    /// Returns whether the task can be sent work.
    pub fn is_usable(&self) -> bool {
        self.last_status == TaskStatus::Running && self.base.is_some()
    }

    /// Returns the task definition as `FAMILY:REVISION`.
    pub fn definition(&self) -> Option<String> {
        let family = self.family.as_ref()?;
        Some(match self.revision {
            Some(revision) => format!("{family}:{revision}"),
            None => family.clone(),
        })
    }

    /// Returns the status, or `RUNNING→STOPPED` for a task whose desired status differs.
    pub fn status(&self) -> String {
        match &self.desired_status {
            Some(desired) if *desired != self.last_status => {
                format!("{}→{desired}", self.last_status)
            }
            _ => self.last_status.to_string(),
        }
    }

    /// Returns which of the addresses a URL has: `public` or `private`.
    pub fn path(&self, url: &Url) -> Option<&'static str> {
        let host: IpAddr = url.host_str()?.trim_matches(['[', ']']).parse().ok()?;
        if self.public_ip == Some(host) {
            Some("public")
        } else if self.private_ip == Some(host) {
            Some("private")
        } else {
            None
        }
    }

    /// Returns the address for requests as `IP:PORT` or `HOST:PORT`.
    pub fn address(&self) -> Option<String> {
        let base = self.base.as_ref()?;
        let host = base.host_str()?;
        Some(match base.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    }
}

/// The tasks as last seen.
#[derive(Debug, Clone, Default)]
pub struct TaskList {
    pub tasks: Arc<[Task]>,
    /// When the list was true; `None` before the first answer.
    pub at: Option<Timestamp>,
    /// Why the list may be stale.
    pub problem: Option<Diagnostic>,
    /// Why public IPs are missing from it; nothing else is.
    pub public_ips: Option<Diagnostic>,
    /// Why fewer tasks run than should.
    pub short: Option<Diagnostic>,
}

impl TaskList {
    pub fn new(mut tasks: Vec<Task>) -> Self {
        tasks.sort_by(|a, b| (a.role_rank(), &a.id).cmp(&(b.role_rank(), &b.id)));
        Self {
            tasks: tasks.into(),
            at: Some(Timestamp::now()),
            problem: None,
            public_ips: None,
            short: None,
        }
    }

    /// The tasks of a role that can be sent work.
    pub fn usable(&self, role: Role) -> impl Iterator<Item = &Task> {
        self.tasks
            .iter()
            .filter(move |task| task.role == Some(role) && task.is_usable())
    }
}
