//! What the news of a run do to the state: its upload, its events, and what is said when it ends.

use super::log::Level;
use super::{Activity, Panel, State};
use crate::upload::Progress;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::{age, plural};
use mrdeck_engine::event::{EventKind, RunEvent, RunStatus, Verification};
use mrdeck_engine::state::{Record, WorkState};

impl State {
    pub(super) fn uploading(&mut self, progress: Progress) {
        // After a cancel there is nothing to follow any more.
        if self.activity == Activity::Preparing {
            let since = self.upload.map_or(self.now, |(_, since)| since);
            self.upload = Some((progress, since));
        }
    }

    /// Shows a run that stopped before its end, so that `r` goes on with it.
    pub(super) fn offer(&mut self, record: Record) {
        // Whoever has begun something since has other plans.
        if self.run.is_some() || self.activity != Activity::Idle {
            return;
        }
        let done = record.chunks_in(WorkState::Committed);
        let chunks = plural(record.chunks.len() as u64, "chunk");
        let ago = age(self.now.duration_since(record.started_at).as_secs());
        let text = format!(
            "a run begun {ago} ago stopped with {done} of {chunks} mapped: r goes on with it"
        );
        self.log.add(self.now, Level::Warning, text.clone());
        self.flash(Level::Warning, text);
        self.run = Some(record);
    }

    pub(super) fn run_event(&mut self, event: &RunEvent) {
        self.upload = None;
        if self.activity == Activity::Preparing {
            self.activity = Activity::Busy;
        }
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
    }

    pub(super) fn say_how_it_ended(&mut self) {
        let Some(run) = &self.run else {
            return;
        };
        let failed = run.chunks_in(WorkState::Failed);
        let (level, text) = match run.status {
            RunStatus::Running => return,
            // It was not taken up, and why was said last.
            RunStatus::Stopped => match run.notices.last() {
                Some(diagnostic) => (Level::Warning, diagnostic.to_string()),
                None => return,
            },
            RunStatus::Failed if failed > 0 => {
                let chunks = plural(failed as u64, "chunk");
                let text = format!("the run failed: r reruns the failed mappers ({chunks})");
                (Level::Error, text)
            }
            RunStatus::Failed => {
                let diagnostic = run.diagnostic.as_ref();
                let text = diagnostic.map_or("the run failed".to_owned(), Diagnostic::to_string);
                (Level::Error, text)
            }
            RunStatus::Cancelled => {
                let text = "cancelled: r does what is missing, R all of it";
                (Level::Warning, text.to_owned())
            }
            RunStatus::Done
                if run
                    .verification
                    .as_ref()
                    .is_some_and(Verification::is_exact) =>
            {
                let text = "done and verified: e exports the chart";
                (Level::Good, text.to_owned())
            }
            RunStatus::Done => {
                let text = "done: e exports the chart, v verifies";
                (Level::Good, text.to_owned())
            }
        };
        self.flash(level, text);
    }
}
