//! A task: something that serves one role, wherever it runs.

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

/// A task's short id: the last part of an ECS task's ARN, or a local name such as `mapper-1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub String);

/// `mapper-2` comes before `mapper-10`: shorter ids first.
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

/// A task's place in its life, as ECS names it.
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
    /// A status ECS may add one day.
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

/// What the last `GET /health` found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Probe {
    /// Not asked yet, or nothing to ask.
    #[default]
    Unknown,
    Reachable {
        latency: Duration,
        /// The address that answered.
        via: Url,
        /// What the service calls itself; ours say `mrdeck-services/VERSION ROLE`.
        service: Option<String>,
        /// The addresses that were preferred and did not answer.
        missed: Vec<FailedProbe>,
    },
    /// Every address that was asked, or why there is none to ask.
    Unreachable(Vec<FailedProbe>),
}

impl Probe {
    /// Why the task can't be reached: every address with its reason, and what to do about the first.
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

/// An address that did not answer as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedProbe {
    /// `None` where there was no address to ask.
    pub at: Option<Url>,
    pub reason: Unreachable,
}

/// What a task may use, as ECS counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskSize {
    /// 1,024 are one CPU.
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
    /// What it serves; `None` for every other task in the cluster.
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
    /// Why it ends or has ended.
    pub stopped_reason: Option<String>,
    /// Where requests go; `None` while there is no way to reach the task.
    pub base: Option<Url>,
    /// Every address it may be reached at, the preferred one first.
    pub candidates: Vec<Url>,
    /// What else the backend knows, for the describe view.
    pub details: Vec<(String, String)>,
    pub probe: Probe,
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

    /// Can it be sent work?
    pub fn is_usable(&self) -> bool {
        self.last_status == TaskStatus::Running && self.base.is_some()
    }

    /// `FAMILY:REVISION` of the task definition.
    pub fn definition(&self) -> Option<String> {
        let family = self.family.as_ref()?;
        Some(match self.revision {
            Some(revision) => format!("{family}:{revision}"),
            None => family.clone(),
        })
    }

    /// `RUNNING`, or `RUNNING→STOPPED` for a task that is to become something else.
    pub fn status(&self) -> String {
        match &self.desired_status {
            Some(desired) if *desired != self.last_status => {
                format!("{}→{desired}", self.last_status)
            }
            _ => self.last_status.to_string(),
        }
    }

    /// Which of its addresses a URL is: `public` or `private`.
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

    /// `IP:PORT` (or `HOST:PORT`) of the address requests go to.
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
}

impl TaskList {
    pub fn new(mut tasks: Vec<Task>) -> Self {
        tasks.sort_by(|a, b| (a.role_rank(), &a.id).cmp(&(b.role_rank(), &b.id)));
        Self {
            tasks: tasks.into(),
            at: Some(Timestamp::now()),
            problem: None,
            public_ips: None,
        }
    }

    /// The tasks of a role that can be sent work.
    pub fn usable(&self, role: Role) -> impl Iterator<Item = &Task> {
        self.tasks
            .iter()
            .filter(move |task| task.role == Some(role) && task.is_usable())
    }
}
