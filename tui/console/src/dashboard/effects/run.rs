//! A run from the key that asked for it to its last event, as the dashboard makes one.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::News;
use crate::config::Config;
use crate::dashboard::model::Msg;
use crate::input::InputChoice;
use crate::job::RunningJob;
use mrdeck_client::Client;
use mrdeck_cluster::Connection;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_engine::Job;
use mrdeck_engine::event::RunOptions;

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
    let mut running = RunningJob::start(job, client, config, &connection, cancel);
    while let Some(event) = running.next_event().await {
        let _ = news.send(News::Msg(Msg::Run(event))).await;
    }
    running.finish().await;
}
