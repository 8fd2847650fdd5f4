//! Reaching the cluster, again and again while it can't be: credentials are renewed, networks come back.

use std::time::Duration;

use tokio::time::sleep;

use super::outbox::Outbox;
use crate::dashboard::model::Msg;
use mrdeck_cluster::settings::{Backend, ConnectOptions};

/// Between two attempts to reach an ECS cluster.
const RECONNECT_PAUSE: Duration = Duration::from_secs(10);

pub(super) async fn connect(options: ConnectOptions, outbox: Outbox) {
    let is_retried = matches!(options.backend, Backend::Ecs(_));
    loop {
        match mrdeck_cluster::connect(&options).await {
            Ok(connection) => return outbox.connected(connection),
            Err(diagnostic) => outbox.send(Msg::LinkLost {
                diagnostic,
                is_retried,
            }),
        }
        if !is_retried {
            return;
        }
        sleep(RECONNECT_PAUSE).await;
    }
}
