//! The reasons why a task can't be reached, each with a word for a column and a message for people.

use crate::diagnostic::Diagnostic;
use crate::task::TaskStatus;

/// Why a task can't be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreachable {
    /// The task is not running, so it has no address.
    NotRunning(TaskStatus),
    /// The network interface has no public IP.
    NoPublicIp,
    /// The task has no network interface: only tasks in the network mode `awsvpc` have their own.
    NoPrivateIp,
    /// The public IP could not be looked up.
    PublicIpUnknown(Diagnostic),
    /// No answer came within this number of seconds.
    TimedOut(u64),
    /// The machine answers, but nothing listens at the port.
    Refused,
    /// Something other than the expected service answers.
    WrongService(String),
    /// The connection failed in another way.
    Lost(String),
}

impl Unreachable {
    /// Returns the reason in a word or two, for a column.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotRunning(_) => "-",
            Self::NoPublicIp => "no public IP",
            Self::NoPrivateIp => "no IP",
            Self::PublicIpUnknown(_) => "IP unknown",
            Self::TimedOut(_) => "timed out",
            Self::Refused => "refused",
            Self::WrongService(_) => "wrong service",
            Self::Lost(_) => "lost",
        }
    }

    /// Returns the reason and what to do about it.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::NotRunning(status) => not_running(status),
            Self::NoPublicIp => Diagnostic::new(
                "its network interface has no public IP",
                "start the task with assignPublicIp ENABLED in a public subnet, or use --address private from \
                 inside the VPC",
            ),
            Self::NoPrivateIp => Diagnostic::new(
                "it has no network interface of its own",
                "run it in the network mode awsvpc: only then has a task an address of its own",
            ),
            Self::PublicIpUnknown(diagnostic) => Diagnostic::new(
                format!("its public IP is not known: {}", diagnostic.cause),
                diagnostic.advice.clone(),
            ),
            Self::TimedOut(seconds) => Diagnostic::new(
                format!("no answer in {seconds} s"),
                "the security group may not let this machine in (it must allow the task's port from here), or the \
                 task is stuck",
            ),
            Self::Refused => Diagnostic::new(
                "the connection is refused: nothing listens at the port",
                "see the task's logs, and check that the service's ADDR is the port of the task definition",
            ),
            Self::WrongService(what) => Diagnostic::new(
                format!("something else answers there: {what}"),
                "check which image the task runs, or tag it mrdeck:role if it is another kind of task",
            ),
            Self::Lost(detail) => Diagnostic::new(
                format!("the connection broke: {detail}"),
                "see the task's status and logs",
            ),
        }
    }
}

fn not_running(status: &TaskStatus) -> Diagnostic {
    match status {
        TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => Diagnostic::new(
            format!("it is only starting ({status}): its network interface is being attached"),
            "wait for it to run",
        ),
        TaskStatus::Stopped => Diagnostic::new("it has stopped", "see why below, and its logs"),
        _ => Diagnostic::new(
            format!("it is not running ({status})"),
            "use another task of its role",
        ),
    }
}
