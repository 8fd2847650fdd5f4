//! `mrdeck resume`: resumes a run that stopped, from the record on this machine or from what is in S3.

use mrdeck_store::Store;
use tokio_util::sync::CancellationToken;

use super::{connect, execute, fail};
use crate::cli::ResumeArgs;
use crate::config::Config;
use crate::exit::Exit;
use mrdeck_cluster::Connection;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::run_id::RunId;
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::journal::{Journal, JournalError};
use mrdeck_engine::state::RunState;
use mrdeck_engine::{Job, from_s3};

pub async fn resume(config: &Config, args: &ResumeArgs) -> Exit {
    if let Err(exit) = execute::check(config, &args.report) {
        return exit;
    }
    let (connection, cancel) = match connect::connect(config).await {
        Ok(connected) => connected,
        Err(exit) => return exit,
    };
    let exit = resume_connected(config, args, &connection, cancel).await;
    connection.cluster.shutdown().await;
    exit
}

async fn resume_connected(
    config: &Config,
    args: &ResumeArgs,
    connection: &Connection,
    cancel: CancellationToken,
) -> Exit {
    let found = tokio::select! {
        () = cancel.cancelled() => return Exit::Interrupted,
        found = find(config, args.run, connection) => found,
    };
    let job = match found {
        Ok(job) => job,
        Err(diagnostic) => return fail(&diagnostic),
    };
    if let Job::Resume { record, .. } = &job {
        // Of a run that is done, resuming checks that its result still exists.
        if record.status != RunStatus::Done && !record.can_rerun() {
            return execute::conclude(config, &args.report, record, connection).await;
        }
    }
    execute::execute(config, &args.report, job, connection, cancel).await
}

/// Finds the run in this machine's records, else in S3.
async fn find(config: &Config, run: RunId, connection: &Connection) -> Result<Job, Diagnostic> {
    let journal = Journal::new(&config.runs_dir);
    if journal.is_at_work(run) {
        return Err((&JournalError::locked(&journal, run)).into());
    }
    if let Some(events) = journal.read(run)?
        && let Some(record) = RunState::from_events(&events)
    {
        return Ok(Job::Resume {
            record: Box::new(record.stopped()),
            before: Vec::new(),
        });
    }
    let Some(bucket) = &connection.bucket else {
        return Err(Diagnostic::new(
            format!("there is no record of the run {run} on this machine"),
            "name the bucket of its input with --bucket to resume from what is in S3",
        ));
    };
    let store: &dyn Store = connection.store.as_ref();
    Ok(from_s3(store, bucket, run).await?)
}
