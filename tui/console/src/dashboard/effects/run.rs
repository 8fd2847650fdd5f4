//! A run, from the key that asks for it to its last event.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use url::Url;

use super::Link;
use super::outbox::Outbox;
use crate::config::Config;
use crate::dashboard::model::Msg;
use crate::input::{InputChoice, Resolved};
use crate::job::RunningJob;
use crate::upload::settle;
use mrdeck_client::Client;
use mrdeck_cluster::Connection;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_engine::Job;
use mrdeck_engine::event::RunOptions;

/// What is asked for.
pub(super) enum Wanted {
    New(InputChoice, RunOptions),
    Job(Job),
}

/// Prepares the run and runs it; its events come as messages, and its end as the last one.
pub(super) async fn run(
    link: Link,
    wanted: Wanted,
    config: Arc<Config>,
    cancel: CancellationToken,
    outbox: Outbox,
) -> Msg {
    let connection = match link {
        Ok(connection) => connection,
        Err(diagnostic) => return Msg::StartFailed(diagnostic),
    };
    let task_proxy = config.connect.task_proxy.as_ref();
    let preparing = cancel.run_until_cancelled(prepare(wanted, &connection, &outbox, task_proxy));
    let prepared = preparing.await.unwrap_or_else(|| {
        let cause = "cancelled before the run began, nothing was written";
        Err(Diagnostic::new(cause, ""))
    });
    // An upload that was given up is cleared away before it is said to be over.
    let cleared = settle(connection.store.as_ref()).await;
    match prepared {
        Err(diagnostic) => Msg::StartFailed(cleared.err().map_or(diagnostic, Diagnostic::from)),
        Ok((job, client)) => {
            follow(job, client, &config, &connection, cancel, &outbox).await;
            Msg::RunEnded
        }
    }
}

/// Does everything before the first event: uploads the input if it is local.
async fn prepare(
    wanted: Wanted,
    connection: &Connection,
    outbox: &Outbox,
    task_proxy: Option<&Url>,
) -> Result<(Job, Client), Diagnostic> {
    let job = match wanted {
        Wanted::Job(job) => job,
        Wanted::New(input, options) => {
            let told = |progress| outbox.send(Msg::Uploading(progress));
            let bucket = connection.bucket.as_deref();
            let store = connection.store.as_ref();
            let resolving = input.resolve(store, bucket, options.as_bytes, &told);
            let Resolved { input, note } = resolving.await?;
            if let Some(note) = note {
                outbox.send(Msg::Converted(note));
            }
            Job::New { input, options }
        }
    };
    Ok((job, Client::new(task_proxy)?))
}

async fn follow(
    job: Job,
    client: Client,
    config: &Config,
    connection: &Connection,
    cancel: CancellationToken,
    outbox: &Outbox,
) {
    let mut running = RunningJob::start(job, client, config, connection, cancel);
    while let Some(event) = running.next_event().await {
        outbox.send(Msg::Run(event));
    }
    running.finish().await;
}
