//! What the dashboard knows, and how each message changes it. Pure: no I/O, no drawing.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use mrdeck_services::api::SplitMode;
use mrdeck_services::uri::S3Uri;
use tui_input::InputRequest;

use super::command::{self, Command};
use super::event_log::{EventLog, Level};
use super::keys::{self, Action, Mode};
use super::overlay::{LogContent, Overlay, PipelineRow, Purpose, Subject};
use super::rows;
use crate::cluster::{Task, TaskId, TaskList};
use crate::engine::event::{EventKind, RunEvent, RunOptions, RunStatus};
use crate::engine::record::{Record, WorkState};
use crate::figures::plural;
use crate::input::InputChoice;
use crate::trouble::Trouble;

/// Lines that PgUp and PgDn move.
const PAGE: usize = 10;

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

    fn moved(self, steps: usize) -> Self {
        Self::ALL[(self as usize + steps) % Self::ALL.len()]
    }
}

/// The way to the cluster.
#[derive(Debug, Clone)]
pub enum Link {
    Connecting,
    Up(LinkInfo),
    Down(Trouble),
}

/// What is known of a cluster that is up.
#[derive(Debug, Clone)]
pub struct LinkInfo {
    pub cluster: String,
    pub bucket: Option<String>,
    pub default_input: Option<S3Uri>,
    pub can_stop: bool,
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
    LinkLost(Trouble),
    Tasks(TaskList),
    Run(RunEvent),
    /// The engine is through; no more events of this run will come.
    RunEnded,
    /// A run could not even begin.
    StartFailed(Trouble),
    ChartWritten(Result<PathBuf, Trouble>),
    TaskStopped(TaskId, Result<(), Trouble>),
    Logs(TaskId, Result<Vec<String>, Trouble>),
    Copied(String),
}

/// What the loop is to do. Nothing here has happened yet.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Connect,
    Probe,
    Start {
        input: InputChoice,
        options: RunOptions,
    },
    Continue(Box<Record>),
    Verify(Box<Record>),
    Cancel,
    ExportChart(Box<Record>),
    StopTask(TaskId),
    FetchLogs(TaskId),
    Copy(String),
    Quit,
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
    pub tasks: TaskList,
    pub run: Option<Record>,
    /// From asking for a run until the engine is through.
    pub is_busy: bool,
    pub cancelling: bool,
    pub log: EventLog,
    /// What a new run reads; `None` until the cluster named its default or a person chose.
    pub input: Option<InputChoice>,
    pub options: RunOptions,
    pub focus: Panel,
    pub is_zoomed: bool,
    pub filters: [String; Panel::ALL.len()],
    cursors: [usize; Panel::ALL.len()],
    pub overlay: Option<Overlay>,
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
            tasks: TaskList::default(),
            run: None,
            is_busy: false,
            cancelling: false,
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
            flash: None,
        }
    }

    /// Takes a message in; gives what is to be done about it.
    pub fn apply(&mut self, msg: Msg, now: Timestamp) -> Vec<Effect> {
        self.now = now;
        match msg {
            Msg::Key(key) => return self.key(&key),
            Msg::Paste(text) => self.paste(&text),
            Msg::Resized | Msg::Tick => {}
            Msg::Linked(info) => self.linked(info),
            Msg::LinkLost(trouble) => {
                self.log.add_trouble(now, Level::Error, &trouble);
                self.link = Link::Down(trouble);
            }
            Msg::Tasks(list) => self.tasks = list,
            Msg::Run(event) => self.run_event(&event),
            Msg::RunEnded => {
                self.is_busy = false;
                self.cancelling = false;
            }
            Msg::StartFailed(trouble) => {
                self.is_busy = false;
                self.log.add_trouble(now, Level::Error, &trouble);
                self.flash(Level::Error, trouble.to_string());
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
            Msg::ChartWritten(Err(trouble)) | Msg::TaskStopped(_, Err(trouble)) => {
                self.log.add_trouble(now, Level::Error, &trouble);
                self.flash(Level::Error, trouble.to_string());
            }
            Msg::Logs(task, result) => self.logs(&task, result),
            Msg::Copied(text) => self.flash(Level::Good, format!("copied {text}")),
        }
        Vec::new()
    }

    /// Does time alone change what is shown?
    pub fn is_ticking(&self) -> bool {
        self.run.as_ref().is_some_and(Record::is_running)
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

    // ---- when a key applies ----

    pub fn can_start(&self) -> bool {
        matches!(self.link, Link::Up(_)) && !self.is_busy
    }

    pub fn can_rerun(&self) -> bool {
        self.can_start() && self.run.as_ref().is_some_and(Record::can_rerun)
    }

    pub fn can_run_again(&self) -> bool {
        self.can_start() && self.run.is_some()
    }

    pub fn can_cancel(&self) -> bool {
        self.is_busy && !self.cancelling
    }

    pub fn can_verify(&self) -> bool {
        self.can_start()
            && self
                .run
                .as_ref()
                .is_some_and(|run| run.status == RunStatus::Done && run.verification.is_none())
    }

    pub fn can_export(&self) -> bool {
        !self.is_busy && self.run.is_some()
    }

    pub fn can_describe(&self) -> bool {
        match self.focus {
            Panel::Tasks => self.selected_task().is_some(),
            Panel::Pipeline => self.selected_row().is_some(),
            _ => false,
        }
    }

    pub fn can_show_logs(&self) -> bool {
        self.focus == Panel::Tasks && self.selected_task().is_some()
    }

    pub fn can_stop_task(&self) -> bool {
        let possible = matches!(&self.link, Link::Up(info) if info.can_stop);
        possible
            && !self.read_only
            && self.focus == Panel::Tasks
            && self.selected_task().is_some_and(Task::is_usable)
    }

    pub fn can_copy(&self) -> bool {
        self.copy_text().is_some()
    }

    // ---- messages ----

    fn flash(&mut self, level: Level, text: impl Into<String>) {
        self.flash = Some(Flash {
            level,
            text: text.into(),
        });
    }

    fn linked(&mut self, info: LinkInfo) {
        let text = format!("connected to {}", info.cluster);
        self.log.add(self.now, Level::Good, text);
        if self.input.is_none() {
            self.input = info.default_input.clone().map(InputChoice::Object);
        }
        self.link = Link::Up(info);
    }

    fn run_event(&mut self, event: &RunEvent) {
        self.log.add_event(event);
        match (&mut self.run, &event.kind) {
            (run, EventKind::RunStarted { .. }) => {
                *run = Record::begin(event);
                self.cursors[Panel::Pipeline as usize] = 0;
                self.cursors[Panel::Results as usize] = 0;
            }
            (Some(run), _) => run.apply(event),
            (None, _) => {}
        }
        if let EventKind::RunFinished { status, .. } = event.kind {
            self.say_how_it_ended(status);
        }
    }

    fn say_how_it_ended(&mut self, status: RunStatus) {
        let failed = self
            .run
            .as_ref()
            .map_or(0, |run| run.chunks_in(WorkState::Failed));
        match status {
            RunStatus::Failed if failed > 0 => {
                let mappers = plural(failed as u64, "failed mapper");
                self.flash(Level::Error, format!("the run failed: r reruns {mappers}"));
            }
            RunStatus::Failed => {
                let cause = self.run.as_ref().and_then(|run| run.trouble.as_ref());
                let text = cause.map_or("the run failed".to_owned(), Trouble::to_string);
                self.flash(Level::Error, text);
            }
            RunStatus::Cancelled => {
                self.flash(
                    Level::Warning,
                    "cancelled: r does what is missing, R all of it",
                );
            }
            RunStatus::Done => self.flash(Level::Good, "done: e exports the chart, v verifies"),
            RunStatus::Running => {}
        }
    }

    fn logs(&mut self, task: &TaskId, result: Result<Vec<String>, Trouble>) {
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
                Err(trouble) => LogContent::Missing(trouble),
            };
        }
    }

    // ---- keys ----

    fn key(&mut self, key: &KeyEvent) -> Vec<Effect> {
        let action = keys::action_for(self, key);
        match (keys::mode(self), action) {
            (_, Some(Action::Quit)) => vec![Effect::Quit],
            (Mode::Typing, _) => self.typed(key),
            (Mode::Asking, Some(action)) => self.answer(action),
            (Mode::Reading, Some(action)) => {
                self.read(action);
                Vec::new()
            }
            (Mode::Panels, Some(action)) => {
                self.flash = None;
                self.act(action)
            }
            (_, None) => Vec::new(),
        }
    }

    fn act(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Down => self.move_cursor(|at, _| at.saturating_add(1)),
            Action::Up => self.move_cursor(|at, _| at.saturating_sub(1)),
            Action::PageDown => self.move_cursor(|at, _| at.saturating_add(PAGE)),
            Action::PageUp => self.move_cursor(|at, _| at.saturating_sub(PAGE)),
            Action::First => self.move_cursor(|_, _| 0),
            Action::Last => self.move_cursor(|_, rows| rows),
            Action::NextPanel => self.focus = self.focus.moved(1),
            Action::PreviousPanel => self.focus = self.focus.moved(Panel::ALL.len() - 1),
            Action::Open => self.is_zoomed = !self.is_zoomed,
            Action::Back => self.back(),
            Action::Filter => {
                let current = self.filter(self.focus).to_owned();
                self.overlay = Some(Overlay::prompt(Purpose::Filter, &current));
            }
            Action::Command => self.overlay = Some(Overlay::prompt(Purpose::Command, "")),
            Action::ChooseInput => {
                let current = self.input.as_ref().map(InputChoice::to_string);
                let current = current.unwrap_or_default();
                self.overlay = Some(Overlay::prompt(Purpose::Input, &current));
            }
            Action::Help => self.overlay = Some(Overlay::Help { scroll: 0 }),
            Action::Describe => self.describe(),
            Action::Logs => return self.open_logs(),
            Action::Copy => return self.copy_text().map(Effect::Copy).into_iter().collect(),
            Action::StopTask => {
                let task = self.selected_task().map(|task| task.id.clone());
                self.overlay = task.map(|task| Overlay::ConfirmStop { task });
            }
            Action::Start => return self.start(),
            Action::RunAgain => return self.run_again(),
            Action::RerunFailed => return self.with_run(Effect::Continue),
            Action::Verify => return self.with_run(Effect::Verify),
            Action::Cancel => {
                self.cancelling = true;
                self.flash(Level::Warning, "cancelling");
                return vec![Effect::Cancel];
            }
            Action::ExportChart => {
                let run = self.run.clone().map(Box::new);
                return run.map(Effect::ExportChart).into_iter().collect();
            }
            Action::Refresh => return self.refresh(),
            Action::Quit => return vec![Effect::Quit],
            Action::Confirm => {}
        }
        Vec::new()
    }

    fn move_cursor(&mut self, to: impl Fn(usize, usize) -> usize) {
        let rows = rows::count(self, self.focus);
        let at = to(self.cursor(self.focus), rows);
        let last = rows.saturating_sub(1);
        // Past the last line stays there as lines are added: that is how the events follow.
        self.cursors[self.focus as usize] = if at >= last && self.focus == Panel::Events {
            usize::MAX
        } else {
            at.min(last)
        };
    }

    fn back(&mut self) {
        if self.is_zoomed {
            self.is_zoomed = false;
        } else {
            self.filters[self.focus as usize].clear();
        }
    }

    fn describe(&mut self) {
        let subject = match self.focus {
            Panel::Tasks => self
                .selected_task()
                .map(|task| Subject::Task(task.id.clone())),
            _ => self.selected_row().map(Subject::Row),
        };
        self.overlay = subject.map(|subject| Overlay::Describe { subject, scroll: 0 });
    }

    fn open_logs(&mut self) -> Vec<Effect> {
        let Some(task) = self.selected_task().map(|task| task.id.clone()) else {
            return Vec::new();
        };
        self.overlay = Some(Overlay::Logs {
            task: task.clone(),
            content: LogContent::Loading,
            from_end: 0,
        });
        vec![Effect::FetchLogs(task)]
    }

    fn copy_text(&self) -> Option<String> {
        match self.focus {
            Panel::Tasks => {
                let task = self.selected_task()?;
                Some(task.address().unwrap_or_else(|| task.id.to_string()))
            }
            Panel::Events => {
                let line = rows::events(self).nth(self.cursor(Panel::Events))?;
                Some(line.text.clone())
            }
            _ => {
                let result = self.run.as_ref()?.result.as_ref()?;
                Some(result.out.to_string())
            }
        }
    }

    fn start(&mut self) -> Vec<Effect> {
        let Some(input) = self.input.clone() else {
            self.overlay = Some(Overlay::prompt(Purpose::Input, ""));
            return Vec::new();
        };
        let options = self.options.clone();
        self.is_busy = true;
        vec![Effect::Start { input, options }]
    }

    fn run_again(&mut self) -> Vec<Effect> {
        let Some(run) = &self.run else {
            return Vec::new();
        };
        let effect = Effect::Start {
            input: InputChoice::Object(run.input.clone()),
            options: run.options.clone(),
        };
        self.is_busy = true;
        vec![effect]
    }

    fn with_run(&mut self, effect: fn(Box<Record>) -> Effect) -> Vec<Effect> {
        let Some(run) = self.run.clone() else {
            return Vec::new();
        };
        self.is_busy = true;
        vec![effect(Box::new(run))]
    }

    fn refresh(&mut self) -> Vec<Effect> {
        match self.link {
            Link::Up(_) => vec![Effect::Probe],
            Link::Connecting => Vec::new(),
            Link::Down(_) => {
                self.link = Link::Connecting;
                vec![Effect::Connect]
            }
        }
    }

    fn answer(&mut self, action: Action) -> Vec<Effect> {
        let asked = self.overlay.take();
        match (action, asked) {
            (Action::Confirm, Some(Overlay::ConfirmStop { task })) => vec![Effect::StopTask(task)],
            _ => Vec::new(),
        }
    }

    fn read(&mut self, action: Action) {
        let Some(overlay) = &mut self.overlay else {
            return;
        };
        let (position, is_from_end) = match overlay {
            Overlay::Help { scroll } | Overlay::Describe { scroll, .. } => (scroll, false),
            Overlay::Logs { from_end, .. } => (from_end, true),
            _ => return,
        };
        let forward = |by: usize, position: usize| {
            if is_from_end {
                position.saturating_sub(by)
            } else {
                position.saturating_add(by)
            }
        };
        let backward = |by: usize, position: usize| {
            if is_from_end {
                position.saturating_add(by)
            } else {
                position.saturating_sub(by)
            }
        };
        *position = match action {
            Action::Down => forward(1, *position),
            Action::Up => backward(1, *position),
            Action::PageDown => forward(PAGE, *position),
            Action::PageUp => backward(PAGE, *position),
            Action::First if is_from_end => usize::MAX,
            Action::First => 0,
            Action::Last if is_from_end => 0,
            Action::Last => usize::MAX,
            Action::Back => {
                self.overlay = None;
                return;
            }
            _ => *position,
        };
    }

    /// Keeps a scroll position within what is shown, so that the next key moves at once.
    pub fn clamp_scroll(&mut self, most: usize) {
        if let Some(
            Overlay::Help { scroll: position }
            | Overlay::Describe {
                scroll: position, ..
            }
            | Overlay::Logs {
                from_end: position, ..
            },
        ) = &mut self.overlay
        {
            *position = (*position).min(most);
        }
    }

    fn paste(&mut self, text: &str) {
        if let Some(Overlay::Prompt { input, .. }) = &mut self.overlay {
            for c in text.chars().filter(|c| !c.is_control()) {
                input.handle(InputRequest::InsertChar(c));
            }
        }
    }

    fn typed(&mut self, key: &KeyEvent) -> Vec<Effect> {
        let Some(Overlay::Prompt {
            purpose,
            input,
            problem,
        }) = &mut self.overlay
        else {
            return Vec::new();
        };
        let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let request = match key.code {
            KeyCode::Esc => {
                self.overlay = None;
                return Vec::new();
            }
            KeyCode::Enter => {
                let (purpose, line) = (*purpose, input.value().to_owned());
                return self.entered(purpose, &line);
            }
            KeyCode::Backspace => InputRequest::DeletePrevChar,
            KeyCode::Delete => InputRequest::DeleteNextChar,
            KeyCode::Left => InputRequest::GoToPrevChar,
            KeyCode::Right => InputRequest::GoToNextChar,
            KeyCode::Home => InputRequest::GoToStart,
            KeyCode::End => InputRequest::GoToEnd,
            KeyCode::Char('a') if is_ctrl => InputRequest::GoToStart,
            KeyCode::Char('e') if is_ctrl => InputRequest::GoToEnd,
            KeyCode::Char('w') if is_ctrl => InputRequest::DeletePrevWord,
            KeyCode::Char('u') if is_ctrl => InputRequest::DeleteLine,
            KeyCode::Char('k') if is_ctrl => InputRequest::DeleteTillEnd,
            KeyCode::Char(c) if !is_ctrl => InputRequest::InsertChar(c),
            _ => return Vec::new(),
        };
        *problem = None;
        input.handle(request);
        if *purpose == Purpose::Filter {
            input
                .value()
                .clone_into(&mut self.filters[self.focus as usize]);
        }
        Vec::new()
    }

    fn entered(&mut self, purpose: Purpose, line: &str) -> Vec<Effect> {
        let done = match purpose {
            Purpose::Filter => {
                line.clone_into(&mut self.filters[self.focus as usize]);
                Ok(Vec::new())
            }
            Purpose::Input => {
                InputChoice::parse(line).map(|input| self.command(Command::Input(input)))
            }
            Purpose::Command if line.trim().is_empty() => Ok(Vec::new()),
            Purpose::Command => command::parse(line).map(|command| self.command(command)),
        };
        match done {
            Ok(effects) => {
                if matches!(self.overlay, Some(Overlay::Prompt { .. })) {
                    self.overlay = None;
                }
                effects
            }
            Err(trouble) => {
                if let Some(Overlay::Prompt { problem, .. }) = &mut self.overlay {
                    *problem = Some(trouble);
                }
                Vec::new()
            }
        }
    }

    fn command(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Input(input) => {
                self.flash(Level::Info, format!("s runs over {input}"));
                self.input = Some(input);
            }
            Command::Chunks(chunks) => {
                let text = chunks.map_or("as many as suits".to_owned(), |n| n.to_string());
                self.flash(Level::Info, format!("chunks: {text}"));
                self.options.chunks = chunks;
            }
            Command::Split(split) => {
                self.flash(Level::Info, "the next run is split so");
                self.options.split = split;
            }
            Command::Verify(verify) => {
                let text = if verify {
                    "every run is verified"
                } else {
                    "runs are not verified"
                };
                self.flash(Level::Info, text);
                self.options.verify = verify;
            }
            Command::Export if self.can_export() => return self.act(Action::ExportChart),
            Command::Export => self.flash(Level::Warning, "there is no finished run to draw"),
            Command::Help => self.overlay = Some(Overlay::Help { scroll: 0 }),
            Command::Quit => return vec![Effect::Quit],
        }
        Vec::new()
    }
}
