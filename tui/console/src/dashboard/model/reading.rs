//! What keys do while something lies over the panels: scrolling, closing, answering a question.

use super::overlay::Overlay;
use super::panels::PAGE;
use super::{Effect, State};
use crate::dashboard::keymap::Action;

impl State {
    pub(super) fn answer(&mut self, action: Action) -> Vec<Effect> {
        let asked = self.overlay.take();
        match (action, asked) {
            (Action::Confirm, Some(Overlay::ConfirmStop { task })) => vec![Effect::StopTask(task)],
            (action, Some(Overlay::ConfirmScale { plan })) => {
                self.answer_scale(plan, action == Action::Confirm)
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn read(&mut self, action: Action) -> Vec<Effect> {
        let Some(overlay) = &mut self.overlay else {
            return Vec::new();
        };
        if let (Overlay::Logs { task, .. }, Action::Refresh) = (&*overlay, action) {
            // What is shown stays until the newer lines are there.
            return vec![Effect::FetchLogs(task.clone())];
        }
        let (position, is_from_end) = match overlay {
            Overlay::Help { scroll } | Overlay::Describe { scroll, .. } => (scroll, false),
            Overlay::Logs { from_end, .. } => (from_end, true),
            _ => return Vec::new(),
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
                return Vec::new();
            }
            _ => *position,
        };
        Vec::new()
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
}
