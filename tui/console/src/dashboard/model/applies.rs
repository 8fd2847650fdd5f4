//! When a key applies: what the table of keys asks of the state.

use super::{Activity, Link, Panel, State};
use mrdeck_core::task::Task;
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::state::Record;

impl State {
    /// A run writes objects: with --read-only there is none.
    pub fn can_start(&self) -> bool {
        self.is_ready() && !self.read_only
    }

    fn is_ready(&self) -> bool {
        matches!(self.link, Link::Up(_)) && self.activity == Activity::Idle
    }

    pub fn can_rerun(&self) -> bool {
        self.can_start() && self.run.as_ref().is_some_and(Record::can_rerun)
    }

    pub fn can_run_again(&self) -> bool {
        self.can_start() && self.run.is_some()
    }

    pub fn can_cancel(&self) -> bool {
        matches!(self.activity, Activity::Preparing | Activity::Busy)
    }

    pub fn can_verify(&self) -> bool {
        self.is_ready()
            && self
                .run
                .as_ref()
                .is_some_and(|run| run.status == RunStatus::Done && run.verification.is_none())
    }

    pub fn can_export(&self) -> bool {
        self.activity == Activity::Idle && self.run.is_some()
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
}
