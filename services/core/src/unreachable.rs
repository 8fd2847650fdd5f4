//! Why a task can't be reached: each reason by name, with a word for a column and a sentence for a person.

use crate::diagnostic::Diagnostic;
use crate::task::TaskStatus;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreachable {
    /// It has no address before it runs, and none after.
    NotRunning(TaskStatus),
    /// Its network interface has none.
    NoPublicIp,
    /// It has no network interface: only tasks in the network mode `awsvpc` have one.
    NoPrivateIp,
    /// Nobody may or could say which it has.
    PublicIpUnknown(Diagnostic),
    /// Nothing came back within so many seconds.
    TimedOut(u64),
    /// The machine is there, and nothing listens at the port.
    Refused,
    /// Something answers that is not the service it should be.
    WrongService(String),
    /// The connection broke otherwise.
    Lost(String),
}

impl Unreachable {
    /// For a column.
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
