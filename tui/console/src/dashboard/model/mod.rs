//! What the dashboard knows. Pure: no I/O, no drawing.
//!
//! ```text
//! Msg ──▶ update ──▶ Model ──▶ view
//!            │
//!            └─────▶ Effect ──▶ effects ──▶ Msg
//! ```
//!
//! [`Model`] is a few parts, each of which owns its rules; `update.rs` takes each message to the part that it concerns.

mod access;
mod action;
mod browser;
mod cleaning;
mod command;
mod completion;
mod feedback;
mod filter;
mod histogram;
mod log;
mod message;
mod motion;
mod next_run;
mod overlay;
mod panels;
mod path_completion;
mod prompt;
mod rows;
mod run;
mod scaling;
mod scroll;
mod session;
mod timeline;
mod update;

pub use self::access::Access;
pub use self::action::{Action, Mode};
pub use self::browser::{Browser, Item, ListAnswer, ListRequest, Listing, Location, Status, Whole};
pub use self::completion::{Candidate, Completion};
pub use self::feedback::{Feedback, StatusLine};
pub use self::histogram::{Histogram, Latencies};
pub use self::log::{EventLog, Level, LogLine};
pub use self::message::{Clipboard, Effect, Msg};
pub use self::next_run::NextRun;
pub use self::overlay::{LogContent, Overlay, Subject};
pub use self::panels::{Panel, Panels};
pub use self::path_completion::PathCompletion;
pub use self::prompt::{Prompt, Purpose};
pub use self::rows::{PanelRows, PipelineRow, Rows, Selected, status_word};
pub use self::run::{Activity, RunModel};
pub use self::scroll::Scroll;
pub use self::session::{Link, LinkInfo, Session, Switch, Target, TargetKind};
pub use self::timeline::{Axis, Block, Cell, Lane, Timeline};

use std::time::Duration;

use jiff::Timestamp;

use self::cleaning::Cleaning;
use self::scaling::Scaling;
use mrdeck_core::task::Task;
use mrdeck_engine::state::RunState;

/// How often the times of a run are drawn.
const RUN_TICK: Duration = Duration::from_millis(100);
/// How often the age of a list or of an upload is drawn.
const AGE_TICK: Duration = Duration::from_secs(1);

/// Everything that is shown, and everything that decides what a key does.
#[derive(Debug, Clone)]
pub struct Model {
    now: Timestamp,
    access: Access,
    pub session: Session,
    pub run: RunModel,
    pub next_run: NextRun,
    pub panels: Panels,
    pub timeline: Timeline,
    /// Takes the place of the panels.
    pub browser: Option<Browser>,
    /// Lies over the panels or the browser.
    pub overlay: Option<Overlay>,
    pub feedback: Feedback,
    scaling: Scaling,
    cleaning: Cleaning,
}

impl Model {
    pub fn new(now: Timestamp, access: Access, target: Target) -> Self {
        Self {
            now,
            access,
            session: Session::new(target),
            run: RunModel::default(),
            next_run: NextRun::default(),
            panels: Panels::default(),
            timeline: Timeline::default(),
            browser: None,
            overlay: None,
            feedback: Feedback::new(now),
            scaling: Scaling::default(),
            cleaning: Cleaning::default(),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn access(&self) -> Access {
        self.access
    }

    /// Returns which keys are read.
    pub fn mode(&self) -> Mode {
        match &self.overlay {
            Some(overlay) => overlay.mode(),
            None if self.browser.is_some() => Mode::Browsing,
            None => Mode::Panels,
        }
    }

    /// Returns how often time alone changes what is shown; `None` while only messages do.
    pub fn tick(&self) -> Option<Duration> {
        if self.run.record().is_some_and(RunState::is_running) {
            return Some(RUN_TICK);
        }
        let is_aging = self.session.tasks().problem.is_some() || self.run.upload().is_some();
        is_aging.then_some(AGE_TICK)
    }

    /// Returns the time of the run that is shown beside the tasks; `None` where their other columns are.
    pub fn time_axis(&self) -> Option<Axis> {
        let run = self.run.record().filter(|_| !self.timeline.is_hidden())?;
        Axis::of(run, self.now)
    }

    /// Returns the rows of the panels, each panel's computed when it is first asked for.
    pub fn rows(&self) -> PanelRows<'_> {
        PanelRows::new(self)
    }

    pub fn selected_task(&self) -> Option<&Task> {
        rows::tasks(self).selected().copied()
    }

    /// Returns the text that the copy key takes.
    pub fn copy_text(&self, selected: &Selected) -> Option<String> {
        match selected {
            Selected::Task(task) => Some(task.address().unwrap_or_else(|| task.id.to_string())),
            Selected::Event(line) => Some(line.text.clone()),
            Selected::Work(_) | Selected::Nothing => match self.panels.focus() {
                Panel::Tasks | Panel::Events => None,
                Panel::Pipeline | Panel::Latency | Panel::Results => {
                    let result = self.run.record()?.result.as_ref()?;
                    Some(result.out.to_string())
                }
            },
        }
    }
}
