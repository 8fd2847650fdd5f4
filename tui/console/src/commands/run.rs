//! `mrdeck run`: one run, reported as text or JSON, with the chart and the counts saved on request.

use mrdeck_core::api::{MAX_CHUNKS, SplitMode};
use mrdeck_core::uri::S3Uri;
use tokio_util::sync::CancellationToken;

use super::upload_progress::UploadProgress;
use super::{connect, execute, fail, usage};
use crate::cli::{RunArgs, SplitArg};
use crate::config::Config;
use crate::exit::Exit;
use crate::input::InputChoice;
use crate::stderr;
use crate::upload::settle;
use mrdeck_cluster::Connection;
use mrdeck_core::diagnostic::{Diagnostic, read_only};
use mrdeck_engine::Job;
use mrdeck_engine::event::RunOptions;

/// What is wrong with the command line of `run`.
#[derive(Debug, thiserror::Error)]
enum UsageError {
    #[error("--chunks {0} is not a number of chunks: give one from 1 to {MAX_CHUNKS}")]
    Chunks(String),
    #[error("no input was named: give s3://BUCKET/KEY or the path of a local file")]
    NoInput,
    #[error("{0}")]
    Target(String),
}

pub async fn run(config: &Config, args: &RunArgs) -> Exit {
    if config.connect.read_only {
        let refused = read_only("run anything, since a run writes objects");
        stderr::error(&refused.cause, &refused.advice);
        return Exit::Usage;
    }
    let (input, options) = match check(args) {
        Ok(checked) => checked,
        Err(error) => return usage(&error),
    };
    let (connection, cancel) = match connect::connect(config).await {
        Ok(connected) => connected,
        Err(exit) => return exit,
    };
    let exit = run_connected(config, args, input, options, &connection, cancel).await;
    connection.cluster.shutdown().await;
    exit
}

/// Everything that can be refused before anything is started.
fn check(args: &RunArgs) -> Result<(Option<InputChoice>, RunOptions), UsageError> {
    let chunks = match &args.chunks {
        None => None,
        Some(text) => Some(
            text.parse()
                .ok()
                .filter(|chunks| (1..=MAX_CHUNKS).contains(chunks))
                .ok_or_else(|| UsageError::Chunks(text.clone()))?,
        ),
    };
    let input = match &args.input {
        None => None,
        Some(text) => {
            let parsed = InputChoice::parse(text);
            Some(parsed.map_err(|diagnostic| UsageError::Target(diagnostic.to_string()))?)
        }
    };
    execute::check(&args.report).map_err(UsageError::Target)?;
    let options = RunOptions {
        chunks,
        split: match args.split {
            SplitArg::Copy => SplitMode::Copy,
            SplitArg::Range => SplitMode::Range,
        },
        verify: args.verify,
    };
    Ok((input, options))
}

async fn run_connected(
    config: &Config,
    args: &RunArgs,
    input: Option<InputChoice>,
    options: RunOptions,
    connection: &Connection,
    cancel: CancellationToken,
) -> Exit {
    let Some(input) = input.or_else(|| connection.default_input.clone().map(InputChoice::Object))
    else {
        return usage(&UsageError::NoInput);
    };
    let job = match upload(&input, connection, &cancel).await {
        None => return Exit::Interrupted,
        Some(Ok(input)) => Job::New { input, options },
        Some(Err(diagnostic)) => return fail(&diagnostic),
    };
    execute::execute(config, &args.report, job, connection, cancel).await
}

/// The object to run on, after the upload of a local file; `None` if that was cancelled.
async fn upload(
    input: &InputChoice,
    connection: &Connection,
    cancel: &CancellationToken,
) -> Option<Result<S3Uri, Diagnostic>> {
    let uploading = UploadProgress::new(input);
    let store = connection.store.as_ref();
    let told = |progress| uploading.show(progress);
    let resolved = tokio::select! {
        () = cancel.cancelled() => None,
        resolved = input.resolve(store, connection.bucket.as_deref(), &told) => Some(resolved),
    };
    drop(uploading);
    if let Err(diagnostic) = settle(store).await {
        fail(&diagnostic);
    }
    resolved
}
