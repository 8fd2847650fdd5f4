//! The run that is shown: what its events made of it, and what can be done with it.

use jiff::Timestamp;

use super::feedback::Feedback;
use super::log::Level;
use super::message::Effect;
use super::next_run::NextRun;
use crate::input::InputChoice;
use crate::upload::UploadProgress;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::{age, duration, plural};
use mrdeck_engine::event::{EventKind, RunEvent, RunStatus, Verification};
use mrdeck_engine::state::{RunState, WorkStatus};

/// Whether a run is under way, from the key that asks for it until the engine is through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Activity {
    #[default]
    Idle,
    /// Asked for and not begun: a local file is uploaded first.
    Preparing,
    Busy,
    Cancelling,
}

#[derive(Debug, Clone, Default)]
pub struct RunModel {
    record: Option<RunState>,
    activity: Activity,
    /// How far the local file is that the run waits for, and since when it is uploaded.
    upload: Option<(UploadProgress, Timestamp)>,
}

impl RunModel {
    pub fn record(&self) -> Option<&RunState> {
        self.record.as_ref()
    }

    pub fn activity(&self) -> Activity {
        self.activity
    }

    pub fn upload(&self) -> Option<(UploadProgress, Timestamp)> {
        self.upload
    }

    pub fn is_idle(&self) -> bool {
        self.activity == Activity::Idle
    }

    /// Returns whether something of a run would be lost by quitting. Once it has ended only its record is closed, which
    /// quitting waits for.
    pub(super) fn is_under_way(&self) -> bool {
        match self.activity {
            Activity::Idle => false,
            Activity::Preparing => true,
            Activity::Busy | Activity::Cancelling => {
                self.record.as_ref().is_none_or(RunState::is_running)
            }
        }
    }

    pub fn can_resume(&self) -> bool {
        self.record().is_some_and(RunState::can_rerun)
    }

    pub fn can_verify(&self) -> bool {
        self.record()
            .is_some_and(|run| run.status == RunStatus::Done && run.verification.is_none())
    }

    pub fn can_cancel(&self) -> bool {
        matches!(self.activity, Activity::Preparing | Activity::Busy)
    }

    pub fn can_export(&self) -> bool {
        self.is_idle() && self.record.is_some()
    }

    // ---- what keys ask for ----

    pub(super) fn prepare(&mut self) {
        self.activity = Activity::Preparing;
    }

    /// Asks for a run over the same input from its start.
    pub(super) fn again(&mut self, next: &NextRun) -> Option<Effect> {
        let run = self.record.as_ref()?;
        let effect = Effect::Start {
            input: InputChoice::S3(run.input.clone()),
            options: next.options_again(&run.options),
        };
        self.prepare();
        Some(effect)
    }

    /// Asks for what is missing of the run, or for its verification.
    pub(super) fn go_on(&mut self, effect: fn(Box<RunState>) -> Effect) -> Option<Effect> {
        let run = self.record.clone()?;
        self.prepare();
        Some(effect(Box::new(run)))
    }

    pub(super) fn cancel(&mut self, feedback: &mut Feedback) -> Effect {
        self.activity = Activity::Cancelling;
        feedback.show(Level::Warning, "cancelling");
        Effect::Cancel
    }

    pub(super) fn export(&self, feedback: &mut Feedback) -> Option<Effect> {
        if !self.can_export() {
            feedback.show(Level::Warning, "no finished run to export");
            return None;
        }
        self.record.clone().map(Box::new).map(Effect::ExportChart)
    }

    /// Checks that no run would be left behind by a switch.
    pub(super) fn permit_switch(&self) -> Result<(), Diagnostic> {
        if self.is_idle() {
            return Ok(());
        }
        Err(Diagnostic::new(
            "a run is in flight",
            "switch when it is done, or cancel it with x",
        ))
    }

    /// Checks that no run could miss what is removed.
    pub(super) fn permit_clean(&self) -> Result<(), Diagnostic> {
        if self.is_idle() {
            return Ok(());
        }
        Err(Diagnostic::new(
            "a run is in flight",
            "clean when it is done, or cancel it with x",
        ))
    }

    // ---- what happens to it ----

    pub(super) fn uploading(&mut self, progress: UploadProgress, now: Timestamp) {
        // After a cancel there is nothing to follow any more.
        if self.activity == Activity::Preparing {
            let since = self.upload.map_or(now, |(_, since)| since);
            self.upload = Some((progress, since));
        }
    }

    /// Shows a run that stopped before its end, unless there is another run already.
    pub(super) fn offer(&mut self, record: RunState, now: Timestamp, feedback: &mut Feedback) {
        if self.record.is_some() || !self.is_idle() {
            return;
        }
        let done = record.chunks_in(WorkStatus::Committed);
        let chunks = plural(record.chunks.len() as u64, "chunk");
        let ago = age(now.duration_since(record.started_at).as_secs());
        let text =
            format!("unfinished run from {ago} ago ({done} of {chunks} mapped): r resumes it");
        feedback.announce(Level::Warning, text);
        self.record = Some(record);
    }

    /// Takes an event in; returns whether it began another run.
    pub(super) fn take_event(&mut self, event: &RunEvent, feedback: &mut Feedback) -> bool {
        self.upload = None;
        if self.activity == Activity::Preparing {
            self.activity = Activity::Busy;
        }
        // A run that is done is verified, not resumed.
        let is_verification = matches!(event.kind, EventKind::RunResumed { .. })
            && self
                .record()
                .is_some_and(|run| run.status == RunStatus::Done);
        if !is_verification {
            feedback.log_event(event);
        }
        match (&mut self.record, &event.kind) {
            (record, EventKind::RunStarted { .. }) => {
                *record = RunState::begin(event);
                return true;
            }
            (Some(record), kind) => {
                record.apply(event);
                if let EventKind::RunFinished { wall_ms, .. } = kind {
                    say_whole_time(record, *wall_ms, feedback);
                }
            }
            (None, _) => {}
        }
        false
    }

    /// The engine is through: says how the run ended, now that the keys apply that this names.
    pub(super) fn ended(&mut self, feedback: &mut Feedback) {
        self.activity = Activity::Idle;
        self.upload = None;
        if let Some((level, text)) = self.record.as_ref().and_then(outcome) {
            feedback.show(level, text);
        }
    }

    /// The run could not begin. After a cancel that is no error.
    pub(super) fn start_failed(&mut self, diagnostic: &Diagnostic, feedback: &mut Feedback) {
        let level = match self.activity {
            Activity::Cancelling => Level::Warning,
            Activity::Idle | Activity::Preparing | Activity::Busy => Level::Error,
        };
        self.activity = Activity::Idle;
        self.upload = None;
        feedback.announce_diagnostic(level, diagnostic);
    }
}

/// After a pass that was not the first one, says how long all of them took: that is what the header and the chart show.
fn say_whole_time(run: &RunState, pass_ms: f64, feedback: &mut Feedback) {
    if run.wall_ms > pass_ms {
        let whole = duration(run.wall_ms);
        let text = format!("{whole} with the passes before");
        feedback.log_text(Level::Info, text);
    }
}

/// How a run ended, and the keys that help now.
fn outcome(run: &RunState) -> Option<(Level, String)> {
    let failed = run.chunks_in(WorkStatus::Failed);
    match run.status {
        RunStatus::Running => None,
        // It was not resumed, and the last notice says why.
        RunStatus::Stopped => {
            let notice = run.notices.last()?;
            Some((Level::Warning, notice.to_string()))
        }
        RunStatus::Failed if failed > 0 => {
            let chunks = plural(failed as u64, "chunk");
            let text = format!("the run failed: r reruns the failed mappers ({chunks})");
            Some((Level::Error, text))
        }
        RunStatus::Failed => {
            let diagnostic = run.diagnostic.as_ref();
            let text = diagnostic.map_or("the run failed".to_owned(), Diagnostic::to_string);
            Some((Level::Error, text))
        }
        RunStatus::Cancelled => {
            let text = "cancelled: r resumes it, R starts over";
            Some((Level::Warning, text.to_owned()))
        }
        RunStatus::Done => {
            let is_verified = run
                .verification
                .as_ref()
                .is_some_and(Verification::is_exact);
            let text = if is_verified {
                "done and verified: e exports the chart"
            } else {
                "done: e exports the chart, v verifies"
            };
            Some((Level::Good, text.to_owned()))
        }
    }
}
