//! What can happen to the dashboard, and what it asks to be done.

use std::path::PathBuf;

use crossterm::event::KeyEvent;

use super::action::Action;
use super::browser::{ListAnswer, ListRequest, Whole};
use super::log::Level;
use super::path_completion::PathCompletion;
use super::session::{LinkInfo, Switch};
use crate::clean::{Inventory, Removed};
use crate::input::InputChoice;
use crate::upload::UploadProgress;
use mrdeck_cluster::aws::lookup::NameSource;
use mrdeck_cluster::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::{TaskId, TaskList};
use mrdeck_engine::event::{RunEvent, RunOptions};
use mrdeck_engine::input::ObjectPattern;
use mrdeck_engine::state::RunState;
use mrdeck_store::aws::ProcessNews;

/// Something that happened outside: a key, news of the cluster, news of the run.
#[derive(Debug)]
pub enum Msg {
    /// A key that applies now.
    Act(Action),
    /// A key on an open page, which can be scrolled by `limit` lines.
    Read {
        action: Action,
        limit: usize,
    },
    /// A key that does not apply now, and why.
    Refused(Level, String),
    /// A key while a line is typed.
    Type(KeyEvent),
    Paste(String),
    /// The terminal's size changed.
    Resized,
    /// Time passed while something is shown that ages.
    Tick,
    Linked(LinkInfo),
    LinkLost {
        diagnostic: Diagnostic,
        is_retried: bool,
    },
    Tasks(TaskList),
    /// News of the command that gives the credentials.
    Process(ProcessNews),
    /// A run that stopped before its end, as this machine's record has it.
    Unfinished(Box<RunState>),
    Run(RunEvent),
    /// The engine is through; no more events of this run will come.
    RunEnded,
    /// A run could not even begin.
    StartFailed(Diagnostic),
    ChartWritten(Result<PathBuf, Diagnostic>),
    TaskStopped(TaskId, Result<(), Diagnostic>),
    ScalePlanned(Result<ScalePlan, Diagnostic>),
    ScaleEvent(ScaleEvent),
    Scaled(ScaleReport),
    /// What there is to remove.
    OldFound(Result<Inventory, Diagnostic>),
    /// What was removed, from which bucket.
    OldRemoved(String, Result<Removed, Diagnostic>),
    /// The names that were looked up.
    Named(NameSource, Result<Vec<String>, Diagnostic>),
    Logs(TaskId, Result<Vec<String>, Diagnostic>),
    Copied(String, Clipboard),
    NotCopied(Diagnostic),
    /// The answer to a page of the browser's list.
    Listed(ListRequest, ListAnswer),
    /// How many objects are below a folder of the browser.
    Counted(ObjectPattern, Whole),
    Completed(PathCompletion),
    Uploading(UploadProgress),
    /// What was done to a local file to make text of it.
    Converted(String),
}

/// Where a copied text went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clipboard {
    /// To the terminal, which does not say what becomes of it.
    Terminal,
    /// The same, since tmux has not taken it; with `setting`, tmux passes on what programs send to the terminal.
    TerminalFor {
        refused: String,
        setting: &'static str,
    },
    /// Into tmux's buffer. What is `missing` keeps it from the system's clipboard.
    Tmux { missing: Option<&'static str> },
}

/// Something to be done outside. Nothing of it has happened yet.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Connect,
    Refresh,
    Start {
        input: InputChoice,
        options: RunOptions,
    },
    /// Does what is missing of a run.
    Resume(Box<RunState>),
    Verify(Box<RunState>),
    Cancel,
    ExportChart(Box<RunState>),
    StopTask(TaskId),
    PlanScale(ScaleRequest),
    Scale(ScalePlan),
    /// Looks for old uploads and runs.
    FindOld,
    RemoveOld(Inventory),
    Switch(Switch),
    LookUp(NameSource),
    FetchLogs(TaskId),
    Copy(String),
    List(ListRequest),
    CountObjects(ObjectPattern),
    /// Asks how the path that begins so may go on.
    Complete(String),
    /// Gives the terminal back to the shell until it lets the console go on.
    Suspend,
    Quit,
}
