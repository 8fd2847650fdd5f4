//! A line being typed: edited key by key, then understood as an input, a filter or a command.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use mrdeck_core::api::SplitMode;
use tui_input::{Input, InputRequest};

use super::command::{self, Command};
use super::completion::{self, Cycle};
use super::log::Level;
use super::overlay::{Overlay, Purpose};
use super::place::Kind;
use super::{Effect, State};
use crate::dashboard::keymap::Action;
use crate::input::InputChoice;
use mrdeck_core::diagnostic::Diagnostic;

impl State {
    pub(super) fn paste(&mut self, text: &str) -> Vec<Effect> {
        let Some(Overlay::Prompt { input, .. }) = &mut self.overlay else {
            return Vec::new();
        };
        for c in text.chars().filter(|c| !c.is_control()) {
            input.handle(InputRequest::InsertChar(c));
        }
        self.line_changed()
    }

    /// Whatever was wrong with the line may be right now; a filter shows what it does, a command what it could be.
    fn line_changed(&mut self) -> Vec<Effect> {
        let Some(Overlay::Prompt {
            purpose,
            input,
            problem,
            cycle,
            hints,
        }) = &mut self.overlay
        else {
            return Vec::new();
        };
        *problem = None;
        *cycle = None;
        hints.clear();
        match purpose {
            Purpose::Filter => {
                let filter = input.value().to_owned();
                *self.filter_mut() = filter;
                Vec::new()
            }
            Purpose::Command => {
                let line = input.value().to_owned();
                self.look_up(&line)
            }
            Purpose::Input => Vec::new(),
        }
    }

    pub(super) fn type_command(&mut self) {
        self.known.ask_again();
        self.overlay = Some(Overlay::prompt(Purpose::Command, ""));
    }

    /// Asks for the names that a line could end with, once while it is typed.
    fn look_up(&mut self, line: &str) -> Vec<Effect> {
        let Some(places) = completion::places(line).filter(|_| self.place.kind != Kind::Local)
        else {
            return Vec::new();
        };
        let names = self.known.of_mut(places);
        if names.is_asked {
            return Vec::new();
        }
        names.is_asked = true;
        vec![Effect::LookUp(places)]
    }

    /// Tab: fills in the first candidate, then the next ones; Shift-Tab goes back.
    fn complete(&mut self, is_forward: bool) -> Vec<Effect> {
        if self.typed_path().is_some() {
            return self.complete_path();
        }
        let Some(Overlay::Prompt {
            purpose: Purpose::Command,
            input,
            cycle,
            ..
        }) = &self.overlay
        else {
            return Vec::new();
        };
        let stem = cycle
            .as_ref()
            .map_or(input.value(), |cycle| &cycle.stem)
            .to_owned();
        let completion = completion::complete(self, &stem);
        let count = completion.candidates.len();
        let at = match cycle {
            None if is_forward => 0,
            None => count.saturating_sub(1),
            Some(cycle) if is_forward => (cycle.at + 1) % count.max(1),
            Some(cycle) => (cycle.at + count.max(1) - 1) % count.max(1),
        };
        let Some(line) = completion.filled(at) else {
            return Vec::new();
        };
        // The only one there is counts as typed: what follows it is completed next.
        let next = (count > 1).then_some(Cycle { stem, at });
        if let Some(Overlay::Prompt {
            input,
            problem,
            cycle,
            ..
        }) = &mut self.overlay
        {
            *input = Input::new(line.clone());
            *problem = None;
            *cycle = next;
        }
        self.look_up(&line)
    }

    pub(super) fn typed(&mut self, key: &KeyEvent) -> Vec<Effect> {
        let Some(Overlay::Prompt { purpose, input, .. }) = &mut self.overlay else {
            return Vec::new();
        };
        let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let request = match key.code {
            KeyCode::Esc => {
                let is_filter = *purpose == Purpose::Filter;
                self.overlay = None;
                if is_filter {
                    self.filter_mut().clear();
                }
                return Vec::new();
            }
            KeyCode::Enter => {
                let (purpose, line) = (*purpose, input.value().to_owned());
                return self.entered(purpose, &line);
            }
            KeyCode::Tab => return self.complete(true),
            KeyCode::BackTab => return self.complete(false),
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
        input.handle(request);
        self.line_changed()
    }

    fn entered(&mut self, purpose: Purpose, line: &str) -> Vec<Effect> {
        let done = match purpose {
            Purpose::Filter => {
                line.clone_into(self.filter_mut());
                Ok(self.filter_entered())
            }
            Purpose::Input => command::parse_input(line).and_then(|command| self.command(command)),
            Purpose::Command if line.trim().is_empty() => Ok(Vec::new()),
            Purpose::Command => command::parse(line).and_then(|command| self.command(command)),
        };
        match done {
            Ok(effects) => {
                if matches!(self.overlay, Some(Overlay::Prompt { .. })) {
                    self.overlay = None;
                }
                effects
            }
            Err(diagnostic) => {
                if let Some(Overlay::Prompt { problem, .. }) = &mut self.overlay {
                    *problem = Some(diagnostic);
                }
                Vec::new()
            }
        }
    }

    pub(super) fn choose_input(&mut self, input: InputChoice) {
        self.browser = None;
        self.flash(Level::Info, format!("s runs over {input}"));
        self.input = Some(input);
    }

    fn command(&mut self, command: Command) -> Result<Vec<Effect>, Diagnostic> {
        match command {
            Command::Browse(place) => {
                self.overlay = None;
                return Ok(self.browse(place));
            }
            Command::Input(input) => self.choose_input(input),
            Command::Chunks(chunks) => {
                let text = chunks.map_or("as many as suits".to_owned(), |n| n.to_string());
                self.flash(Level::Info, format!("chunks: {text}"));
                self.options.chunks = chunks;
            }
            Command::Split(split) => {
                let how = match split {
                    SplitMode::Copy => "copies, an object each",
                    SplitMode::Range => "byte ranges, nothing copied",
                };
                self.flash(Level::Info, format!("chunks will be {how}"));
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
            Command::Scale(wanted) => return self.plan_scale(wanted),
            Command::Switch(switch) => return self.switch(switch),
            Command::Export if self.can_export() => return Ok(self.act(Action::ExportChart)),
            Command::Export => self.flash(Level::Warning, "there is no finished run to draw"),
            Command::Help => self.overlay = Some(Overlay::Help { scroll: 0 }),
            Command::Quit => return Ok(vec![Effect::Quit]),
        }
        Ok(Vec::new())
    }
}
