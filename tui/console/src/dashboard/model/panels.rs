//! What each key does on the panels.

use super::browser::Place;
use super::log::Level;
use super::overlay::{LogContent, Overlay, Purpose, Subject};
use super::rows;
use super::{Activity, Effect, Link, Panel, State};
use crate::dashboard::keymap::{self, Action, Mode};
use crate::input::InputChoice;
use crossterm::event::KeyEvent;
use mrdeck_core::diagnostic::read_only;
use mrdeck_engine::state::Record;

/// How many lines a page is, for the keys that move by pages.
pub(super) const PAGE: usize = 10;

impl State {
    pub(super) fn key(&mut self, key: &KeyEvent) -> Vec<Effect> {
        let action = keymap::action_for(self, key);
        match (keymap::mode(self), action) {
            (_, Some(Action::Quit)) => vec![Effect::Quit],
            (Mode::Typing, _) => self.typed(key),
            (Mode::Asking, Some(action)) => self.answer(action),
            (Mode::Reading, Some(action)) => self.read(action),
            (Mode::Browsing, Some(action)) => {
                self.flash = None;
                self.browse_key(action)
            }
            (Mode::Panels, Some(action)) => {
                self.flash = None;
                self.act(action)
            }
            (Mode::Panels, None) => {
                if let Some(binding) = keymap::not_applying(key) {
                    let (key, help) = (binding.keys_text, binding.help);
                    let (level, text) = if self.read_only && binding.action.is_a_change() {
                        let refused = read_only(help);
                        (Level::Warning, refused.to_string())
                    } else {
                        let text = format!("{key} does nothing now: it would {help}");
                        (Level::Info, text)
                    };
                    self.flash(level, text);
                }
                Vec::new()
            }
            (_, None) => Vec::new(),
        }
    }

    pub(super) fn act(&mut self, action: Action) -> Vec<Effect> {
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
            Action::Command => self.type_command(),
            Action::ChooseInput => return self.browse(Place::Buckets),
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
            Action::RerunFailed => return self.with_run(Effect::Resume),
            Action::Verify => return self.with_run(Effect::Verify),
            Action::Cancel => {
                self.activity = Activity::Cancelling;
                self.flash(Level::Warning, "cancelling");
                return vec![Effect::Cancel];
            }
            Action::ExportChart => {
                let run = self.run.clone().map(Box::new);
                return run.map(Effect::ExportChart).into_iter().collect();
            }
            Action::Refresh => return self.refresh(),
            Action::Quit => return vec![Effect::Quit],
            Action::Confirm | Action::GoUp | Action::TypeInput => {}
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

    pub(super) fn copy_text(&self) -> Option<String> {
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
            return self.browse(Place::Buckets);
        };
        let options = self.options.clone();
        if matches!(input, InputChoice::File(_)) {
            let text = format!("uploading {input}");
            self.log.add(self.now, Level::Info, text.clone());
            self.flash(Level::Info, text);
        }
        self.activity = Activity::Preparing;
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
        self.activity = Activity::Preparing;
        vec![effect]
    }

    fn with_run(&mut self, effect: fn(Box<Record>) -> Effect) -> Vec<Effect> {
        let Some(run) = self.run.clone() else {
            return Vec::new();
        };
        self.activity = Activity::Preparing;
        vec![effect(Box::new(run))]
    }

    fn refresh(&mut self) -> Vec<Effect> {
        match self.link {
            Link::Up(_) => vec![Effect::Refresh],
            Link::Connecting => Vec::new(),
            Link::Down { .. } => {
                self.link = Link::Connecting;
                vec![Effect::Connect]
            }
        }
    }
}
