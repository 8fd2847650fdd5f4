//! The panels: which one has the focus, and each one's filter and cursor.

use super::action::Action;
use super::motion::moved;
use super::rows::PipelineRow;
use mrdeck_core::task::TaskId;

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

    /// Returns the digit that goes to it.
    pub const fn number(self) -> char {
        ['1', '2', '3', '4', '5'][self as usize]
    }

    fn moved(self, steps: usize) -> Self {
        Self::ALL[(self as usize + steps) % Self::ALL.len()]
    }
}

/// A cursor that stays on the last line while lines are added.
const FOLLOWING: usize = usize::MAX;

#[derive(Debug, Clone)]
pub struct Panels {
    focus: Panel,
    is_zoomed: bool,
    filters: [String; Panel::ALL.len()],
    cursors: [usize; Panel::ALL.len()],
    /// The row of the pipeline panel that the cursor stays on while the others change places; `None` at the top.
    chosen_work: Option<PipelineRow>,
    /// The task that the cursor stays on likewise: a key must not stop another one.
    chosen_task: Option<TaskId>,
}

impl Default for Panels {
    fn default() -> Self {
        let mut cursors = [0; Panel::ALL.len()];
        cursors[Panel::Events as usize] = FOLLOWING;
        Self {
            focus: Panel::Tasks,
            is_zoomed: false,
            filters: Default::default(),
            cursors,
            chosen_work: None,
            chosen_task: None,
        }
    }
}

impl Panels {
    pub fn focus(&self) -> Panel {
        self.focus
    }

    /// Returns whether the panel with the focus takes the whole screen.
    pub fn is_zoomed(&self) -> bool {
        self.is_zoomed
    }

    pub fn filter(&self, panel: Panel) -> &str {
        &self.filters[panel as usize]
    }

    /// Returns the line the cursor was put on; there may be fewer lines now.
    pub(super) fn cursor(&self, panel: Panel) -> usize {
        self.cursors[panel as usize]
    }

    pub(super) fn chosen_work(&self) -> Option<PipelineRow> {
        self.chosen_work
    }

    pub(super) fn chosen_task(&self) -> Option<&TaskId> {
        self.chosen_task.as_ref()
    }

    pub(super) fn choose_task(&mut self, task: Option<TaskId>) {
        self.chosen_task = task;
    }

    pub(super) fn choose_work(&mut self, row: Option<PipelineRow>) {
        self.chosen_work = row;
    }

    pub(super) fn filter_mut(&mut self) -> &mut String {
        &mut self.filters[self.focus as usize]
    }

    pub(super) fn reset_cursor(&mut self, panel: Panel) {
        self.cursors[panel as usize] = 0;
        match panel {
            Panel::Tasks => self.chosen_task = None,
            Panel::Pipeline => self.chosen_work = None,
            Panel::Latency | Panel::Results | Panel::Events => {}
        }
    }

    pub(super) fn focus_on(&mut self, panel: Panel) {
        self.focus = panel;
    }

    pub(super) fn focus_next(&mut self) {
        self.focus = self.focus.moved(1);
    }

    pub(super) fn focus_previous(&mut self) {
        self.focus = self.focus.moved(Panel::ALL.len() - 1);
    }

    pub(super) fn toggle_zoom(&mut self) {
        self.is_zoomed = !self.is_zoomed;
    }

    /// Leaves the zoom, or drops the filter.
    pub(super) fn back(&mut self) {
        if self.is_zoomed {
            self.is_zoomed = false;
        } else {
            self.filter_mut().clear();
        }
    }

    /// Moves the cursor of the panel with the focus, which has `count` lines, from line `at`.
    pub(super) fn move_cursor(&mut self, action: Action, at: usize, count: usize) {
        let Some(to) = moved(action, at, count) else {
            return;
        };
        let is_last = to >= count.saturating_sub(1);
        self.cursors[self.focus as usize] = if is_last && self.focus == Panel::Events {
            FOLLOWING
        } else {
            to
        };
    }
}
