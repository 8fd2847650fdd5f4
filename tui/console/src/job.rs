//! A job in the engine, started the same way by the dashboard and by the commands.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use mrdeck_client::Client;
use mrdeck_cluster::Connection;
use mrdeck_engine::event::RunEvent;
use mrdeck_engine::journal::Journal;
use mrdeck_engine::state::RunState;
use mrdeck_engine::{Context, Job};

/// A run in progress. It never waits for its events to be read.
pub struct RunningJob {
    events: mpsc::UnboundedReceiver<RunEvent>,
    running: JoinHandle<RunState>,
}

impl RunningJob {
    /// Starts the job in a task of its own: a terminal that stalls its reader must not stall the run.
    pub fn start(
        job: Job,
        client: Client,
        config: &Config,
        connection: &Connection,
        cancel: CancellationToken,
    ) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let context = Context {
            cluster: connection.cluster.name(),
            tasks: connection.tasks.clone(),
            store: connection.store.clone(),
            client,
            attempt_limit: config.attempt_limit,
            journal: Some(Journal::new(&config.runs_dir)),
            events: sender,
            cancel,
        };
        let running = tokio::spawn(mrdeck_engine::run(job, context));
        Self { events, running }
    }

    /// Returns the next event; `None` after the last one.
    pub async fn next_event(&mut self) -> Option<RunEvent> {
        self.events.recv().await
    }

    /// Returns the run as its events left it.
    ///
    /// # Panics
    ///
    /// If the run panicked.
    pub async fn finish(self) -> RunState {
        match self.running.await {
            Ok(state) => state,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
