//! Why a task can't be reached: each reason by name, with a word for a column and a sentence for a person.

use super::task::TaskStatus;
use crate::trouble::Trouble;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// It has no address before it runs, and none after.
    NotRunning(TaskStatus),
    /// Its network interface has none.
    NoPublicIp,
    /// It has no network interface: only tasks in the network mode `awsvpc` have one.
    NoPrivateIp,
    /// Nobody may or could say which it has.
    PublicIpUnknown(Trouble),
    /// Nothing came back within so many seconds.
    TimedOut(u64),
    /// The machine is there, and nothing listens at the port.
    Refused,
    /// Something answers that is not the service it should be.
    WrongService(String),
    /// The connection broke otherwise.
    Lost(String),
}

impl Obstacle {
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

    pub fn trouble(&self) -> Trouble {
        match self {
            Self::NotRunning(status) => not_running(status),
            Self::NoPublicIp => Trouble::new(
                "its network interface has no public IP",
                "start the task with assignPublicIp ENABLED in a public subnet, or use --address private from \
                 inside the VPC",
            ),
            Self::NoPrivateIp => Trouble::new(
                "it has no network interface of its own",
                "run it in the network mode awsvpc: only then has a task an address of its own",
            ),
            Self::PublicIpUnknown(trouble) => Trouble::new(
                format!("its public IP is not known: {}", trouble.cause),
                trouble.advice.clone(),
            ),
            Self::TimedOut(seconds) => Trouble::new(
                format!("no answer in {seconds} s"),
                "the security group may not let this machine in (it must allow the task's port from here), or the \
                 task is stuck",
            ),
            Self::Refused => Trouble::new(
                "the connection is refused: nothing listens at the port",
                "see the task's logs, and check that the service's ADDR is the port of the task definition",
            ),
            Self::WrongService(what) => Trouble::new(
                format!("something else answers there: {what}"),
                "check which image the task runs, or tag it mrdeck:role if it is another kind of task",
            ),
            Self::Lost(detail) => Trouble::new(
                format!("the connection broke: {detail}"),
                "see the task's status and logs",
            ),
        }
    }
}

fn not_running(status: &TaskStatus) -> Trouble {
    match status {
        TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => Trouble::new(
            format!("it is only starting ({status}): its network interface is being attached"),
            "wait for it to run",
        ),
        TaskStatus::Stopped => Trouble::new("it has stopped", "see why below, and its logs"),
        _ => Trouble::new(
            format!("it is not running ({status})"),
            "use another task of its role",
        ),
    }
}
