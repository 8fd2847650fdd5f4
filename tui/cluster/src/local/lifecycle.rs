//! The life of one local task: its process is started, listened to, and ended.

use std::net::SocketAddr;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::child::{Launcher, LogBuffer};
use mrdeck_core::role::Role;

/// Where a task listens, and as which process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listening {
    pub(super) address: SocketAddr,
    pub(super) pid: u32,
}

/// How a task ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) reason: String,
    /// Whether it ever listened.
    pub(super) did_listen: bool,
}

/// What ends a task from outside.
pub(super) struct Stops {
    pub(super) kill: mpsc::Receiver<()>,
    pub(super) shutdown: CancellationToken,
}

impl Stops {
    /// Waits until the task is to end, and returns why.
    async fn asked(&mut self) -> String {
        let reason = tokio::select! {
            _ = self.kill.recv() => "stopped from the console",
            () = self.shutdown.cancelled() => "the console ended",
        };
        reason.to_owned()
    }
}

/// Runs a task from its start to its end, and calls `listening` once it listens.
pub(super) async fn run(
    launcher: &Launcher,
    role: Role,
    log: &LogBuffer,
    mut stops: Stops,
    listening: impl FnOnce(Listening),
) -> Ended {
    let ended = |did_listen: bool, reason: String| Ended { reason, did_listen };
    let mut child = match launcher.spawn(role, log) {
        Ok(child) => child,
        Err(error) => return ended(false, format!("it can't be started: {error}")),
    };
    let address = tokio::select! {
        address = child.address() => address.ok_or("it ended before it listened".to_owned()),
        reason = stops.asked() => Err(reason),
    };
    let (did_listen, reason) = match address {
        Err(reason) => (false, reason),
        Ok(address) => {
            let pid = child.pid;
            listening(Listening { address, pid });
            let reason = tokio::select! {
                status = child.wait() => match status {
                    Ok(status) => status.to_string(),
                    Err(error) => error.to_string(),
                },
                reason = stops.asked() => reason,
            };
            (true, reason)
        }
    };
    child.kill().await;
    ended(did_listen, reason)
}
