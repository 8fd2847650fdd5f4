//! Runs a job without the dashboard: progress, report, files, and the exit code.

use mrdeck_core::digest::Digest;
use tokio_util::sync::CancellationToken;

use super::run_progress::RunDisplay;
use super::{fail, print, print_json, refuse};
use crate::atomic_file;
use crate::cli::{OutputFormat, ReportArgs};
use crate::config::Config;
use crate::exit::Exit;
use crate::job::RunningJob;
use crate::report::{RunReport, chart, text};
use crate::resume_command;
use crate::stderr;
use mrdeck_client::Client;
use mrdeck_cluster::Connection;
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind, read_only};
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::state::RunState;
use mrdeck_engine::{Job, read_all};

/// Refuses what can be refused before anything is started; gives the exit code then.
pub(super) fn check(config: &Config, args: &ReportArgs) -> Result<(), Exit> {
    if config.connect.read_only {
        let refused = read_only("run anything, since a run writes objects");
        return Err(refuse(&refused));
    }
    if let Some(path) = &args.chart {
        chart::check_path(path, false).map_err(|error| refuse(&error.into()))?;
    }
    if let Some(path) = &args.save {
        atomic_file::check(path, false).map_err(|error| refuse(&error.into()))?;
    }
    Ok(())
}

pub(super) async fn execute(
    config: &Config,
    args: &ReportArgs,
    job: Job,
    connection: &Connection,
    cancel: CancellationToken,
) -> Exit {
    match follow(config, job, connection, cancel).await {
        Ok(record) => conclude(config, args, &record, connection).await,
        Err(diagnostic) => fail(&diagnostic),
    }
}

/// Reports how the run ended, and returns the exit code.
pub(super) async fn conclude(
    config: &Config,
    args: &ReportArgs,
    record: &RunState,
    connection: &Connection,
) -> Exit {
    let reported = report(config, args, record);
    let files = write_files(args, record, connection).await;
    let written = files.map_or_else(|diagnostic| fail(&diagnostic), |()| Exit::Done);
    if let (RunStatus::Running | RunStatus::Failed, Some(diagnostic)) =
        (record.status, &record.diagnostic)
    {
        fail(diagnostic);
    }
    if record.can_resume() {
        let command = resume_command::for_run(config, record);
        stderr::line(&format!("  resume with: {command}"));
    }
    // What kept a run that is done from being reported or saved decides; a run that is not done decides itself.
    match Exit::of_run(record) {
        Exit::Done if written != Exit::Done => written,
        Exit::Done => reported,
        of_run => of_run,
    }
}

/// Runs the job and shows its progress.
async fn follow(
    config: &Config,
    job: Job,
    connection: &Connection,
    cancel: CancellationToken,
) -> Result<RunState, Diagnostic> {
    let mut progress = RunDisplay::of(&job);
    let mut running = RunningJob::start(
        job,
        Client::new(config.connect.task_proxy.as_ref())?,
        config,
        connection,
        cancel,
    );
    while let Some(event) = running.next_event().await {
        progress.show(&event);
    }
    Ok(running.finish().await)
}

fn report(config: &Config, args: &ReportArgs, record: &RunState) -> Exit {
    match config.output {
        OutputFormat::Text => print(&text::render(record, usize::from(args.top))),
        OutputFormat::Json => print_json(&RunReport::new(record, usize::from(args.top))),
    }
}

/// Writes the chart, even of a run that failed, and the counts of one that is done.
async fn write_files(
    args: &ReportArgs,
    record: &RunState,
    connection: &Connection,
) -> Result<(), Diagnostic> {
    if let Some(path) = &args.chart {
        chart::write_chart(record, path, false)?;
    }
    if let (Some(path), RunStatus::Done, Some(result)) = (&args.save, record.status, &record.result)
    {
        let counts = read_all(connection.store.as_ref(), &result.out).await?;
        let found = Digest::of(&counts).to_string();
        if !result.sha256.is_empty() && found != result.sha256 {
            return Err(Diagnostic::new(
                format!("the counts {} changed after the run read them", result.out),
                "nothing is saved: find out what else writes to this bucket",
            )
            .of_kind(DiagnosticKind::Refused));
        }
        atomic_file::write(path, &counts, false)?;
    }
    Ok(())
}
