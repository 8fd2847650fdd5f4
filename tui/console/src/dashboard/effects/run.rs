//! A run from the key that asked for it to its last event, as the dashboard makes one.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::News;
use crate::config::Config;
use crate::dashboard::model::Msg;
use crate::input::InputChoice;
use mrdeck_client::Client;
use mrdeck_cluster::Connection;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_engine::event::RunOptions;
use mrdeck_engine::journal::Journal;
use mrdeck_engine::{Context, Job};

/// What a run begins with.
pub(super) enum Begin {
    New(InputChoice, RunOptions),
    At(Job),
}

/// Everything before the first event: the input uploaded if it is a local file.
pub(super) async fn prepare(
    begin: Begin,
    connection: &Connection,
    news: &mpsc::Sender<News>,
) -> Result<(Job, Client), Diagnostic> {
    let job = match begin {
        Begin::At(job) => job,
        Begin::New(input, options) => {
            let store = connection.store.as_ref();
            let told = |progress| {
                // With no room for it the next one tells as much.
                let _ = news.try_send(News::Msg(Msg::Uploading(progress)));
            };
            let bucket = connection.bucket.as_deref();
            let input = input.resolve(store, bucket, &told).await?;
            Job::New { input, options }
        }
    };
    Ok((job, Client::new()?))
}

/// Runs the job; its events become news.
pub(super) async fn run(
    job: Job,
    client: Client,
    config: &Config,
    connection: Connection,
    cancel: CancellationToken,
    news: &mpsc::Sender<News>,
) {
    let (events, mut received) = mpsc::unbounded_channel();
    let context = Context {
        cluster: connection.cluster.name(),
        tasks: connection.tasks,
        store: connection.store,
        client,
        attempt_limit: config.attempt_limit,
        journal: Some(Journal::new(&config.runs_dir)),
        events,
        cancel,
    };
    // A task of its own: a terminal that stalls the dashboard must not stall the run.
    let running = tokio::spawn(mrdeck_engine::run(job, context));
    while let Some(event) = received.recv().await {
        let _ = news.send(News::Msg(Msg::Run(event))).await;
    }
    if let Err(error) = running.await {
        std::panic::resume_unwind(error.into_panic());
    }
}
