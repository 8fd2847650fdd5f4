//! `mrdeck run`: one run, reported as text or JSON, with the chart and the counts saved on request.

use tokio_util::sync::CancellationToken;

use super::upload_progress::UploadDisplay;
use super::{connect, execute, fail, refuse};
use crate::cli::RunArgs;
use crate::config::Config;
use crate::exit::Exit;
use crate::input::{InputChoice, InputError, ResolveError, Resolved};
use crate::stderr;
use crate::upload::settle;
use mrdeck_cluster::Connection;
use mrdeck_core::human::printable;
use mrdeck_engine::Job;
use mrdeck_engine::event::RunOptions;

pub async fn run(config: &Config, args: &RunArgs) -> Exit {
    if let Err(exit) = execute::check(config, &args.report) {
        return exit;
    }
    let (connection, cancel) = match connect::connect(config).await {
        Ok(connected) => connected,
        Err(exit) => return exit,
    };
    let exit = run_connected(config, args, &connection, cancel).await;
    connection.cluster.shutdown().await;
    exit
}

async fn run_connected(
    config: &Config,
    args: &RunArgs,
    connection: &Connection,
    cancel: CancellationToken,
) -> Exit {
    let default = || connection.default_input.clone().map(InputChoice::from);
    let Some(input) = InputChoice::of(&args.inputs).or_else(default) else {
        return refuse(&InputError::Missing.into());
    };
    let options = RunOptions {
        chunks: args.chunks,
        split: args.split.into(),
        verify: args.verify,
        as_bytes: args.as_bytes,
    };
    let job = match upload(&input, args.as_bytes, connection, &cancel).await {
        None => return Exit::Interrupted,
        Some(Ok(Resolved { input, note })) => {
            if let Some(note) = note {
                stderr::line(&printable(&note));
            }
            Job::New { input, options }
        }
        Some(Err(error)) => return fail(&error.into()),
    };
    execute::execute(config, &args.report, job, connection, cancel).await
}

/// Returns what to run on, after uploading local files; `None` if that was cancelled.
async fn upload(
    input: &InputChoice,
    as_bytes: bool,
    connection: &Connection,
    cancel: &CancellationToken,
) -> Option<Result<Resolved, ResolveError>> {
    let uploading = UploadDisplay::new(input);
    let store = connection.store.as_ref();
    let on_progress = |progress| uploading.show(progress);
    let bucket = connection.bucket.as_deref();
    let resolving = input.resolve(store, bucket, as_bytes, &on_progress);
    let resolved = cancel.run_until_cancelled(resolving).await;
    drop(uploading);
    if let Err(error) = settle(store).await {
        fail(&error.into());
    }
    resolved
}
