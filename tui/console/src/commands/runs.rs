//! `mrdeck runs`: what is recorded on this machine of past runs. No cluster is asked.

use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::run_id::RunId;
use mrdeck_engine::journal::Journal;
use mrdeck_engine::state::RunState;

use super::{fail, print, print_json};
use crate::cli::value::RunName;
use crate::cli::{
    OutputFormat, RunsArgs, RunsCommand, RunsCompareArgs, RunsExportArgs, RunsListArgs,
    RunsShowArgs,
};
use crate::config::Config;
use crate::exit::Exit;
use crate::report::comparison::{self, Comparison, are_counts_the_same};
use crate::report::list::{self, Recorded, RunRow};
use crate::report::{RunReport, chart, text};
use crate::stderr;

/// How many runs are listed where nothing else is said.
const LISTED: u32 = 20;

pub fn runs(config: &Config, args: &RunsArgs) -> Exit {
    let whole_list = RunsListArgs {
        last: LISTED,
        all: false,
        status: None,
    };
    let done = match &args.command {
        None => list(config, &whole_list),
        Some(RunsCommand::List(args)) => list(config, args),
        Some(RunsCommand::Show(args)) => show(config, args),
        Some(RunsCommand::Export(args)) => export(config, args),
        Some(RunsCommand::Compare(args)) => compare(config, args),
    };
    done.unwrap_or_else(|diagnostic| fail(&diagnostic))
}

fn list(config: &Config, args: &RunsListArgs) -> Result<Exit, Diagnostic> {
    let journal = Journal::new(&config.runs_dir);
    let most = if args.all {
        usize::MAX
    } else {
        args.last as usize
    };
    let mut listed: Vec<Recorded> = Vec::new();
    let runs = journal.runs()?;
    let mut left = runs.iter();
    while listed.len() < most
        && let Some(run) = left.next()
    {
        // A record without its first line is none yet.
        let Some(state) = journal.state(*run).transpose() else {
            continue;
        };
        let is_wanted = match (&state, args.status) {
            (_, None) => true,
            (Ok(state), Some(wanted)) => state.status == wanted.into(),
            (Err(_), Some(_)) => false,
        };
        if is_wanted {
            listed.push((*run, state.map_err(Diagnostic::from)));
        }
    }
    if config.output == OutputFormat::Json {
        let rows: Vec<RunRow> = listed.iter().map(RunRow::new).collect();
        return Ok(print_json(&rows));
    }
    if listed.is_empty() {
        let folder = config.runs_dir.display();
        return Ok(print(&format!("no such runs are recorded in {folder}\n")));
    }
    let printed = print(&list::table(&listed));
    for (_, state) in &listed {
        if let Err(unreadable) = state {
            stderr::error(&unreadable.cause, &unreadable.advice);
        }
    }
    let more = left.len();
    if more > 0 && args.status.is_none() {
        stderr::line(&format!("{more} older ones: --all lists them"));
    }
    Ok(printed)
}

fn show(config: &Config, args: &RunsShowArgs) -> Result<Exit, Diagnostic> {
    let run = find(config, args.run)?;
    let top = usize::from(args.top);
    let printed = match config.output {
        OutputFormat::Text => print(&text::render(&run, top)),
        OutputFormat::Json => print_json(&RunReport::new(&run, top)),
    };
    if let (OutputFormat::Text, Some(diagnostic)) = (config.output, &run.diagnostic) {
        stderr::error(&diagnostic.cause, &diagnostic.advice);
    }
    Ok(printed)
}

fn export(config: &Config, args: &RunsExportArgs) -> Result<Exit, Diagnostic> {
    let run = find(config, args.run)?;
    chart::check_path(&args.chart, false).map_err(Diagnostic::from)?;
    chart::write_chart(&run, &args.chart, false)?;
    Ok(Exit::Done)
}

fn compare(config: &Config, args: &RunsCompareArgs) -> Result<Exit, Diagnostic> {
    let (base, other) = (find(config, args.base)?, find(config, args.other)?);
    let printed = match config.output {
        OutputFormat::Text => print(&comparison::render(&base, &other)),
        OutputFormat::Json => print_json(&Comparison::new(&base, &other)),
    };
    if are_counts_the_same(&base, &other) == Some(false) {
        return Err(Diagnostic::new(
            format!(
                "the runs {} and {} counted the same input differently",
                base.run, other.run
            ),
            "one of them is wrong: count once more with --verify",
        )
        .of_kind(DiagnosticKind::Refused));
    }
    Ok(printed)
}

/// Finds a run among the records of this machine.
fn find(config: &Config, name: RunName) -> Result<RunState, Diagnostic> {
    let journal = Journal::new(&config.runs_dir);
    let folder = config.runs_dir.display();
    let none = |what: String| Diagnostic::new(what, "'mrdeck runs' lists those that are recorded");
    let run: RunId = match name {
        RunName::Id(run) => run,
        RunName::Last => *journal
            .runs()?
            .first()
            .ok_or_else(|| none(format!("no run is recorded in {folder}")))?,
    };
    let found = journal.state(run)?;
    found.ok_or_else(|| none(format!("there is no record of the run {run} in {folder}")))
}
