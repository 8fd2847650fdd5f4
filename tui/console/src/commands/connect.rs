//! Connects a command to its cluster, and gives up at ctrl-c or a signal.

use tokio_util::sync::CancellationToken;

use super::fail;
use crate::config::Config;
use crate::exit::Exit;
use crate::signals;
use mrdeck_cluster::Connection;

/// Returns the cluster, and the token that ctrl-c or a signal cancels from now on; else the exit code.
pub(super) async fn connect(config: &Config) -> Result<(Connection, CancellationToken), Exit> {
    let cancel = CancellationToken::new();
    signals::cancel_on_signal(cancel.clone());
    tokio::select! {
        () = cancel.cancelled() => Err(Exit::Interrupted),
        connected = mrdeck_cluster::connect(&config.connect) => match connected {
            Ok(connection) => {
                tracing::info!(cluster = connection.cluster.name(), "connected");
                Ok((connection, cancel))
            }
            Err(diagnostic) => Err(fail(&diagnostic)),
        },
    }
}
