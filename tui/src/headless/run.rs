//! `mrdeck run`: one run, reported as text or JSON, with the chart and the counts saved on request.

use std::path::Path;

use mrdeck_services::api::{MAX_CHUNKS, SplitMode};
use mrdeck_services::uri::S3Uri;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::progress::Progress;
use super::uploading::Uploading;
use super::{complain, print, print_json};
use crate::cli::{OutputFormat, RunArgs, SplitArg};
use crate::cluster::{self, Connection};
use crate::config::Config;
use crate::engine::client::Client;
use crate::engine::event::{RunOptions, RunStatus};
use crate::engine::journal::Journal;
use crate::engine::record::Record;
use crate::engine::{self, Context, Job, objects};
use crate::exit::Exit;
use crate::input::InputChoice;
use crate::report::{RunReport, chart, text};
use crate::trouble::{Trouble, read_only};
use crate::upload::settle;
use crate::{save, signals};

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
    if config.read_only {
        let refused = read_only("run anything, since a run writes objects");
        crate::complain(&refused.cause, &refused.advice);
        return Exit::Usage;
    }
    let (input, options) = match check(args) {
        Ok(checked) => checked,
        Err(error) => {
            crate::complain(&error.to_string(), "");
            return Exit::Usage;
        }
    };
    let cancel = CancellationToken::new();
    signals::cancel_on_signal(cancel.clone());
    let connection = tokio::select! {
        () = cancel.cancelled() => return Exit::Interrupted,
        connected = cluster::connect(config) => match connected {
            Ok(connection) => connection,
            Err(trouble) => return complain(&trouble),
        },
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
            Some(parsed.map_err(|trouble| UsageError::Target(trouble.to_string()))?)
        }
    };
    if let Some(path) = &args.chart {
        chart::check_path(path, false).map_err(|error| UsageError::Target(error.to_string()))?;
    }
    if let Some(path) = &args.save {
        save::check(path, false).map_err(|error| UsageError::Target(error.to_string()))?;
    }
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
        crate::complain(&UsageError::NoInput.to_string(), "");
        return Exit::Usage;
    };
    let job = match upload(&input, connection, &cancel).await {
        None => return Exit::Interrupted,
        Some(Ok(input)) => Job::New { input, options },
        Some(Err(trouble)) => return complain(&trouble),
    };
    let record = match follow(config, job, connection, cancel).await {
        Ok(record) => record,
        Err(trouble) => return complain(&trouble),
    };
    report(config, args, &record);
    let files = write_files(args, &record, connection).await;
    match (record.status, files) {
        (RunStatus::Done, Ok(())) => Exit::Done,
        (RunStatus::Done, Err(trouble)) => complain(&trouble),
        (RunStatus::Cancelled, _) => Exit::Interrupted,
        (_, files) => {
            if let Err(trouble) = files {
                complain(&trouble);
            }
            record.trouble.as_ref().map_or(Exit::Failed, complain)
        }
    }
}

/// The object to run on, after the upload of a local file; `None` if that was cancelled.
async fn upload(
    input: &InputChoice,
    connection: &Connection,
    cancel: &CancellationToken,
) -> Option<Result<S3Uri, Trouble>> {
    let uploading = Uploading::new(input);
    let store = connection.store.as_ref();
    let told = |progress| uploading.show(progress);
    let resolved = tokio::select! {
        () = cancel.cancelled() => None,
        resolved = input.resolve(store, connection.bucket.as_deref(), &told) => Some(resolved),
    };
    drop(uploading);
    if let Err(trouble) = settle(store).await {
        complain(&trouble);
    }
    resolved
}

/// Runs the job and shows its progress.
async fn follow(
    config: &Config,
    job: Job,
    connection: &Connection,
    cancel: CancellationToken,
) -> Result<Record, Trouble> {
    let (events, mut received) = mpsc::channel(256);
    let context = Context {
        cluster: connection.cluster.name(),
        tasks: connection.tasks.clone(),
        store: connection.store.clone(),
        client: Client::new()?,
        attempt_limit: config.attempt_limit,
        journal: Some(Journal::new(&config.runs_dir)),
        events,
        cancel,
    };
    let mut progress = Progress::new();
    let (record, ()) = tokio::join!(engine::run(job, context), async {
        while let Some(event) = received.recv().await {
            progress.show(&event);
        }
    });
    Ok(record)
}

fn report(config: &Config, args: &RunArgs, record: &Record) {
    match config.output {
        OutputFormat::Text => print(&text::render(record, usize::from(args.top))),
        OutputFormat::Json => {
            let report = RunReport::new(record, usize::from(args.top));
            // The exit code tells how the run came out.
            let _ = print_json(&report);
        }
    }
}

/// The chart, also of a run that failed; the counts only of one that is done.
async fn write_files(
    args: &RunArgs,
    record: &Record,
    connection: &Connection,
) -> Result<(), Trouble> {
    if let Some(path) = &args.chart {
        chart::write_chart(record, path, false)
            .map_err(|error| Trouble::new(error.to_string(), ""))?;
    }
    if let (Some(path), RunStatus::Done, Some(result)) = (&args.save, record.status, &record.result)
    {
        save_counts(
            path,
            &objects::read_all(connection.store.as_ref(), &result.out).await?,
        )?;
    }
    Ok(())
}

fn save_counts(path: &Path, counts: &[u8]) -> Result<(), Trouble> {
    save::write(path, counts, false).map_err(|error| Trouble::new(error.to_string(), ""))
}
