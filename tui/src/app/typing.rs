//! A line being typed: edited key by key, then understood as an input, a filter or a command.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use mrdeck_services::api::SplitMode;
use tui_input::InputRequest;

use super::command::{self, Command};
use super::event_log::Level;
use super::keys::Action;
use super::overlay::{Overlay, Purpose};
use super::state::{Effect, State};

impl State {
    pub(super) fn paste(&mut self, text: &str) {
        if let Some(Overlay::Prompt { input, .. }) = &mut self.overlay {
            for c in text.chars().filter(|c| !c.is_control()) {
                input.handle(InputRequest::InsertChar(c));
            }
            self.line_changed();
        }
    }

    /// Whatever was wrong with the line may be right now; a filter shows what it does.
    fn line_changed(&mut self) {
        if let Some(Overlay::Prompt {
            purpose,
            input,
            problem,
            hints,
        }) = &mut self.overlay
        {
            *problem = None;
            hints.clear();
            if *purpose == Purpose::Filter {
                let filter = input.value().to_owned();
                *self.filter_mut() = filter;
            }
        }
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
            KeyCode::Tab => return self.complete(),
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
        self.line_changed();
        Vec::new()
    }

    fn entered(&mut self, purpose: Purpose, line: &str) -> Vec<Effect> {
        let done = match purpose {
            Purpose::Filter => {
                line.clone_into(self.filter_mut());
                Ok(self.filter_entered())
            }
            Purpose::Input => command::parse_input(line).map(|command| self.command(command)),
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

    pub(super) fn command(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Browse(place) => {
                self.overlay = None;
                return self.browse(place);
            }
            Command::Input(input) => {
                self.browser = None;
                self.flash(Level::Info, format!("s runs over {input}"));
                self.input = Some(input);
            }
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
            Command::Export if self.can_export() => return self.act(Action::ExportChart),
            Command::Export => self.flash(Level::Warning, "there is no finished run to draw"),
            Command::Help => self.overlay = Some(Overlay::Help { scroll: 0 }),
            Command::Quit => return vec![Effect::Quit],
        }
        Vec::new()
    }
}
