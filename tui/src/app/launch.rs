//! A run from the key that asked for it to its last event, as the dashboard makes one.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::perform::News;
use super::state::Msg;
use crate::cluster::Connection;
use crate::config::Config;
use crate::engine::client::Client;
use crate::engine::event::RunOptions;
use crate::engine::journal::Journal;
use crate::engine::{self, Context, Job};
use crate::input::InputChoice;
use crate::trouble::Trouble;

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
) -> Result<(Job, Client), Trouble> {
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
    let (events, mut received) = mpsc::channel(256);
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
    tokio::join!(engine::run(job, context), async {
        while let Some(event) = received.recv().await {
            let _ = news.send(News::Msg(Msg::Run(event))).await;
        }
    });
}
