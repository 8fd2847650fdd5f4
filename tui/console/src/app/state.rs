//! What the dashboard knows, and how each message changes it. Pure: no I/O, no drawing.

use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use mrdeck_core::api::SplitMode;
use mrdeck_core::uri::S3Uri;

use super::browse::{Browser, ListRequest, Listed};
use super::completion::Known;
use super::event_log::{EventLog, Level};
use super::overlay::{LogContent, Overlay, PipelineRow};
use super::paths::PathCompletion;
use super::rows;
use super::scaling::Scaling;
use crate::input::InputChoice;
use crate::switch::{Place, Switch};
use crate::upload::Progress;
use mrdeck_cluster::aws::lookup::NameSource;
use mrdeck_cluster::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::{Task, TaskId, TaskList};
use mrdeck_engine::event::{RunEvent, RunOptions};
use mrdeck_engine::state::Record;

/// A run's times are shown to a tenth of a second.
const TICK_OF_A_RUN: Duration = Duration::from_millis(100);

/// The panels, in the order Tab visits them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panel {
    Tasks,
    Pipeline,
    Latency,
    Results,
    Events,
}

impl Panel {
    pub const ALL: [Self; 5] = [
        Self::Tasks,
        Self::Pipeline,
        Self::Latency,
        Self::Results,
        Self::Events,
    ];

    pub(super) fn moved(self, steps: usize) -> Self {
        Self::ALL[(self as usize + steps) % Self::ALL.len()]
    }
}

/// The way to the cluster.
#[derive(Debug, Clone)]
pub enum Link {
    Connecting,
    Up(LinkInfo),
    Down {
        diagnostic: Diagnostic,
        /// It is tried again without being asked.
        is_retried: bool,
    },
}

/// What is known of a cluster that is up.
#[derive(Debug, Clone)]
pub struct LinkInfo {
    pub cluster: String,
    pub bucket: Option<String>,
    pub default_input: Option<S3Uri>,
    pub can_stop: bool,
    pub region: Option<String>,
}

/// Something that happened outside: a key, news of the cluster, news of the run.
#[derive(Debug)]
pub enum Msg {
    Key(KeyEvent),
    Paste(String),
    /// The terminal's size changed.
    Resized,
    /// Time passed while a run is in flight.
    Tick,
    Linked(LinkInfo),
    LinkLost {
        diagnostic: Diagnostic,
        is_retried: bool,
    },
    Tasks(TaskList),
    /// A run that stopped before its end, as this machine's record has it.
    Left(Box<Record>),
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
    /// The names that were looked up.
    Named(NameSource, Result<Vec<String>, Diagnostic>),
    Logs(TaskId, Result<Vec<String>, Diagnostic>),
    Copied(String),
    /// A page of the browser's list came, or did not.
    Listed(ListRequest, Listed),
    Completed(PathCompletion),
    Uploading(Progress),
}

/// What the loop is to do. Nothing here has happened yet.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Connect,
    Refresh,
    Start {
        input: InputChoice,
        options: RunOptions,
    },
    /// Does what is missing of a run.
    Resume(Box<Record>),
    Verify(Box<Record>),
    Cancel,
    ExportChart(Box<Record>),
    StopTask(TaskId),
    PlanScale(ScaleRequest),
    Scale(ScalePlan),
    Switch(Switch),
    LookUp(NameSource),
    FetchLogs(TaskId),
    Copy(String),
    List(ListRequest),
    /// Asks how the path that begins so may go on.
    Complete(String),
    Quit,
}

/// Is a run under way? It is from the key that asked for it until the engine is through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    Idle,
    /// Asked for, and not begun: a local file is being uploaded.
    Preparing,
    Busy,
    Cancelling,
}

/// What the status line says about the last thing that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    pub level: Level,
    pub text: String,
}

#[derive(Debug, Clone)]
pub struct State {
    pub now: Timestamp,
    pub link: Link,
    pub read_only: bool,
    pub place: Place,
    /// Where the way to the cluster was last open.
    pub(super) last_up: Option<Place>,
    pub known: Known,
    pub(super) scaling: Option<Scaling>,
    pub tasks: TaskList,
    pub run: Option<Record>,
    pub activity: Activity,
    pub log: EventLog,
    /// What a new run reads; `None` until the cluster named its default or a person chose.
    pub input: Option<InputChoice>,
    pub options: RunOptions,
    pub focus: Panel,
    pub is_zoomed: bool,
    pub filters: [String; Panel::ALL.len()],
    pub(super) cursors: [usize; Panel::ALL.len()],
    pub overlay: Option<Overlay>,
    /// Instead of the panels, and below what lies over them.
    pub browser: Option<Browser>,
    /// How far the local file is that a run waits for, and since when it is uploaded.
    pub upload: Option<(Progress, Timestamp)>,
    pub flash: Option<Flash>,
}

impl State {
    pub fn new(now: Timestamp, read_only: bool) -> Self {
        let mut cursors = [0; Panel::ALL.len()];
        // The newest event is what one wants to see.
        cursors[Panel::Events as usize] = usize::MAX;
        Self {
            now,
            link: Link::Connecting,
            read_only,
            place: Place::default(),
            last_up: None,
            known: Known::default(),
            scaling: None,
            tasks: TaskList::default(),
            run: None,
            activity: Activity::Idle,
            log: EventLog::default(),
            input: None,
            options: RunOptions {
                chunks: None,
                split: SplitMode::Copy,
                verify: false,
            },
            focus: Panel::Tasks,
            is_zoomed: false,
            filters: Default::default(),
            cursors,
            overlay: None,
            browser: None,
            upload: None,
            flash: None,
        }
    }

    /// Takes a message in; gives what is to be done about it.
    pub fn apply(&mut self, msg: Msg, now: Timestamp) -> Vec<Effect> {
        self.now = now;
        let effects = self.take_in(msg);
        self.ask_about_scaling();
        effects
    }

    fn take_in(&mut self, msg: Msg) -> Vec<Effect> {
        let now = self.now;
        match msg {
            Msg::Key(key) => return self.key(&key),
            Msg::Paste(text) => return self.paste(&text),
            Msg::Resized | Msg::Tick => {}
            Msg::Linked(info) => self.linked(info),
            Msg::LinkLost {
                diagnostic,
                is_retried,
            } => {
                // It is tried again and again; what is known already need not be said again.
                let is_known = matches!(&self.link, Link::Down { diagnostic: known, .. } if *known == diagnostic);
                if !is_known {
                    self.log.add_diagnostic(now, Level::Error, &diagnostic);
                    self.say_the_way_back(&diagnostic);
                }
                self.link = Link::Down {
                    diagnostic,
                    is_retried,
                };
            }
            Msg::Tasks(list) => {
                let before = &self.tasks;
                for (problem, before) in [
                    (&list.problem, &before.problem),
                    (&list.public_ips, &before.public_ips),
                ] {
                    if let Some(diagnostic) = problem
                        && problem != before
                    {
                        self.log.add_diagnostic(now, Level::Warning, diagnostic);
                    }
                }
                self.tasks = list;
            }
            Msg::Left(record) => self.offer(*record),
            Msg::Run(event) => self.run_event(&event),
            Msg::RunEnded => {
                self.activity = Activity::Idle;
                self.upload = None;
                // Only now do the keys apply that it speaks of.
                self.say_how_it_ended();
            }
            Msg::StartFailed(diagnostic) => {
                // What one asked for oneself is no error.
                let level = match self.activity {
                    Activity::Cancelling => Level::Warning,
                    _ => Level::Error,
                };
                self.activity = Activity::Idle;
                self.upload = None;
                self.log.add_diagnostic(now, level, &diagnostic);
                self.flash(level, diagnostic.to_string());
            }
            Msg::ChartWritten(Ok(path)) => {
                let text = format!("chart written to {}", path.display());
                self.log.add(now, Level::Good, text.clone());
                self.flash(Level::Good, text);
            }
            Msg::TaskStopped(task, Ok(())) => {
                self.log
                    .add(now, Level::Info, format!("{task} is being stopped"));
            }
            Msg::ChartWritten(Err(diagnostic)) | Msg::TaskStopped(_, Err(diagnostic)) => {
                self.log.add_diagnostic(now, Level::Error, &diagnostic);
                self.flash(Level::Error, diagnostic.to_string());
            }
            Msg::ScalePlanned(plan) => return self.scale_planned(plan),
            Msg::ScaleEvent(news) => self.scale_news(&news),
            Msg::Scaled(scaled) => self.scaled(&scaled),
            Msg::Named(places, names) => self.named(places, names),
            Msg::Logs(task, result) => self.logs(&task, result),
            Msg::Copied(text) => self.flash(Level::Good, format!("copied {text}")),
            Msg::Listed(request, listed) => return self.listed(&request, listed),
            Msg::Completed(completion) => self.completed(completion),
            Msg::Uploading(progress) => self.uploading(progress),
        }
        Vec::new()
    }

    /// How often time alone changes what is shown; `None` while nothing but news does.
    pub fn tick(&self) -> Option<Duration> {
        if self.run.as_ref().is_some_and(Record::is_running) {
            Some(TICK_OF_A_RUN)
        } else {
            // The age of the list and of an upload, in seconds.
            let is_aging = self.tasks.problem.is_some() || self.upload.is_some();
            is_aging.then_some(Duration::from_secs(1))
        }
    }

    // ---- what is selected ----

    pub fn cursor(&self, panel: Panel) -> usize {
        self.cursors[panel as usize].min(rows::count(self, panel).saturating_sub(1))
    }

    pub fn filter(&self, panel: Panel) -> &str {
        &self.filters[panel as usize]
    }

    pub fn selected_task(&self) -> Option<&Task> {
        rows::tasks(self).nth(self.cursor(Panel::Tasks))
    }

    pub fn selected_row(&self) -> Option<PipelineRow> {
        rows::pipeline(self)
            .get(self.cursor(Panel::Pipeline))
            .copied()
    }

    // ---- messages ----

    pub(super) fn flash(&mut self, level: Level, text: impl Into<String>) {
        self.flash = Some(Flash {
            level,
            text: text.into(),
        });
    }

    fn linked(&mut self, info: LinkInfo) {
        self.last_up = Some(self.place.clone());
        let text = format!("connected to {}", info.cluster);
        self.log.add(self.now, Level::Good, text);
        if self.input.is_none() {
            self.input = info.default_input.clone().map(InputChoice::Object);
        }
        self.link = Link::Up(info);
    }

    fn logs(&mut self, task: &TaskId, result: Result<Vec<String>, Diagnostic>) {
        // The view may have been closed, or opened for another task, while the log was on its way.
        if let Some(Overlay::Logs {
            task: open,
            content,
            ..
        }) = &mut self.overlay
            && open == task
        {
            *content = match result {
                Ok(lines) => LogContent::Lines(lines),
                Err(diagnostic) => LogContent::Missing(diagnostic),
            };
        }
    }
}
