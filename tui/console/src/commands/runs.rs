//! `mrdeck runs`: what is recorded on this machine of past runs. No cluster is asked.

use std::path::PathBuf;

use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::run_id::RunId;
use mrdeck_engine::journal::Journal;
use mrdeck_engine::state::RunState;

use super::{fail, print, print_json, refuse};
use crate::cli::value::RunName;
use crate::cli::{
    CommonArgs, OutputFormat, RunsArgs, RunsCommand, RunsCompareArgs, RunsExportArgs, RunsListArgs,
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

/// The records on this machine, in one folder or two.
struct Records {
    folders: Vec<PathBuf>,
    output: OutputFormat,
}

pub fn runs(common: &CommonArgs, args: &RunsArgs) -> Exit {
    let records = match Config::record_folders(common) {
        Ok(folders) => Records {
            folders,
            output: common.output,
        },
        Err(error) => return refuse(&(&error).into()),
    };
    let newest = RunsListArgs {
        last: LISTED,
        all: false,
        status: None,
    };
    let done = match &args.command {
        None => list(&records, &newest),
        Some(RunsCommand::List(args)) => list(&records, args),
        Some(RunsCommand::Show(args)) => show(&records, args),
        Some(RunsCommand::Export(args)) => export(&records, args),
        Some(RunsCommand::Compare(args)) => compare(&records, args),
    };
    done.unwrap_or_else(|diagnostic| fail(&diagnostic))
}

impl Records {
    /// Returns all runs, the newest first.
    fn all(&self) -> Result<Vec<(RunId, Journal)>, Diagnostic> {
        let mut all = Vec::new();
        for folder in &self.folders {
            let journal = Journal::new(folder);
            let runs = journal.runs()?;
            all.extend(runs.into_iter().map(|run| (run, journal.clone())));
        }
        all.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
        Ok(all)
    }

    fn find(&self, name: RunName) -> Result<RunState, Diagnostic> {
        let mut all = self.all()?.into_iter();
        let found = match name {
            RunName::Last => all.next(),
            RunName::Id(run) => all.find(|(other, _)| *other == run),
        };
        let state = found
            .map(|(run, journal)| journal.state(run))
            .transpose()?
            .flatten();
        state.ok_or_else(|| {
            let what = match name {
                RunName::Last => format!("no run is recorded in {}", self.places()),
                RunName::Id(run) => {
                    format!("there is no record of the run {run} in {}", self.places())
                }
            };
            Diagnostic::new(what, "'mrdeck runs' lists those that are recorded")
        })
    }

    /// Returns the folders as text.
    fn places(&self) -> String {
        let places = self
            .folders
            .iter()
            .map(|folder| folder.display().to_string());
        places.collect::<Vec<_>>().join(" or ")
    }
}

fn list(records: &Records, args: &RunsListArgs) -> Result<Exit, Diagnostic> {
    let most = if args.all {
        usize::MAX
    } else {
        args.last as usize
    };
    let mut listed: Vec<Recorded> = Vec::new();
    let all = records.all()?;
    let mut left = all.iter();
    while listed.len() < most
        && let Some((run, journal)) = left.next()
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
    if records.output == OutputFormat::Json {
        let rows: Vec<RunRow> = listed.iter().map(RunRow::new).collect();
        return Ok(print_json(&rows));
    }
    if listed.is_empty() {
        let what = if all.is_empty() {
            "no runs are"
        } else {
            "no such runs are"
        };
        return Ok(print(&format!("{what} recorded in {}\n", records.places())));
    }
    let printed = print(&list::table(&listed));
    for (_, state) in &listed {
        if let Err(unreadable) = state {
            stderr::error(&unreadable.cause, &unreadable.advice);
        }
    }
    let older = left.len();
    if older > 0 && args.status.is_none() {
        stderr::line(&format!(
            "and {older} older: 'mrdeck runs list --all' lists them"
        ));
    }
    Ok(printed)
}

fn show(records: &Records, args: &RunsShowArgs) -> Result<Exit, Diagnostic> {
    let run = records.find(args.run)?;
    let top = usize::from(args.top);
    let printed = match records.output {
        OutputFormat::Text => print(&text::render(&run, top)),
        OutputFormat::Json => print_json(&RunReport::new(&run, top)),
    };
    if let (OutputFormat::Text, Some(diagnostic)) = (records.output, &run.diagnostic) {
        stderr::error(&diagnostic.cause, &diagnostic.advice);
    }
    Ok(printed)
}

fn export(records: &Records, args: &RunsExportArgs) -> Result<Exit, Diagnostic> {
    let run = records.find(args.run)?;
    chart::write_chart(&run, &args.chart, false)?;
    Ok(Exit::Done)
}

fn compare(records: &Records, args: &RunsCompareArgs) -> Result<Exit, Diagnostic> {
    let (base, other) = (records.find(args.base)?, records.find(args.other)?);
    let printed = match records.output {
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
