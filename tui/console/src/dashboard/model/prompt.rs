//! A line being typed: edited key by key, completed by Tab.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use super::completion::{self, Completion};
use super::path_completion::{PathCompletion, fill};
use super::session::Names;
use mrdeck_core::diagnostic::Diagnostic;

/// What comes before the path in a command.
const INPUT_COMMAND: &str = "input ";

/// What a typed line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Input,
    Filter,
    Command,
}

/// Where Tab is among the candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cycle {
    /// What was typed.
    stem: String,
    at: usize,
}

#[derive(Debug, Clone)]
pub struct Prompt {
    purpose: Purpose,
    input: Input,
    problem: Option<Diagnostic>,
    cycle: Option<Cycle>,
    /// How the line may go on.
    hints: Vec<String>,
}

/// What a key made of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typed {
    Nothing,
    Changed,
    /// A candidate was filled in.
    Completed,
    /// The line is a path, and the file system has to say how it may go on.
    AskPath(String),
    Entered,
    Cancelled,
}

impl Prompt {
    pub(super) fn new(purpose: Purpose, initial: &str) -> Self {
        Self {
            purpose,
            input: Input::new(initial.to_owned()),
            problem: None,
            cycle: None,
            hints: Vec::new(),
        }
    }

    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    pub fn line(&self) -> &str {
        self.input.value()
    }

    /// Returns how many characters are left out at the line's beginning in `width` columns, and the cursor's column.
    pub fn window(&self, width: usize) -> (usize, usize) {
        let scroll = self.input.visual_scroll(width);
        (scroll, self.input.visual_cursor().saturating_sub(scroll))
    }

    /// Returns what is wrong with the line.
    pub fn problem(&self) -> Option<&Diagnostic> {
        self.problem.as_ref()
    }

    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// Returns what the command could become, and which of the candidates is filled in.
    pub fn completion(&self, names: &Names) -> Option<(Completion, Option<usize>)> {
        if self.purpose != Purpose::Command {
            return None;
        }
        let at = self.cycle.as_ref().map(|cycle| cycle.at);
        Some((completion::complete(self.stem(), names), at))
    }

    fn stem(&self) -> &str {
        match &self.cycle {
            Some(cycle) => &cycle.stem,
            None => self.line(),
        }
    }

    /// Inserts one line, without the line end that often comes with it. Several lines are refused: joined, they would
    /// be a name that nothing has.
    pub(super) fn paste(&mut self, text: &str) {
        self.changed();
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let cause = if line.contains(['\n', '\r']) {
            "the pasted text has several lines"
        } else if line.contains(char::is_control) {
            "the pasted text has control characters"
        } else {
            for c in line.chars() {
                self.input.handle(InputRequest::InsertChar(c));
            }
            return;
        };
        self.problem = Some(Diagnostic::new(cause, "paste one line"));
    }

    pub(super) fn type_key(&mut self, key: &KeyEvent, names: &Names) -> Typed {
        let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let request = match key.code {
            KeyCode::Esc => return Typed::Cancelled,
            KeyCode::Enter => return Typed::Entered,
            KeyCode::Tab => return self.complete(true, names),
            KeyCode::BackTab => return self.complete(false, names),
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
            _ => return Typed::Nothing,
        };
        self.input.handle(request);
        self.changed();
        Typed::Changed
    }

    /// Drops what was said of the line before: the new one may be right.
    fn changed(&mut self) {
        self.problem = None;
        self.cycle = None;
        self.hints.clear();
    }

    pub(super) fn refuse(&mut self, problem: Diagnostic) {
        self.problem = Some(problem);
    }

    /// Tab fills in the first candidate, then the next ones; Shift-Tab goes back.
    fn complete(&mut self, is_forward: bool, names: &Names) -> Typed {
        if let Some(path) = self.path() {
            return if path.contains("://") {
                Typed::Nothing
            } else {
                Typed::AskPath(path.to_owned())
            };
        }
        if self.purpose != Purpose::Command {
            return Typed::Nothing;
        }
        let stem = self.stem().to_owned();
        let completion = completion::complete(&stem, names);
        let count = completion.candidates.len();
        let at = match &self.cycle {
            None if is_forward => 0,
            None => count.saturating_sub(1),
            Some(cycle) if is_forward => (cycle.at + 1) % count.max(1),
            Some(cycle) => (cycle.at + count.max(1) - 1) % count.max(1),
        };
        let Some(line) = completion.filled(at) else {
            return Typed::Nothing;
        };
        self.input = Input::new(line);
        self.problem = None;
        // The only candidate counts as typed: what follows it is completed next.
        self.cycle = (count > 1).then_some(Cycle { stem, at });
        Typed::Completed
    }

    /// Returns the path in the line, if the line is for one.
    fn path(&self) -> Option<&str> {
        match self.purpose {
            Purpose::Input => Some(self.line()),
            Purpose::Command => self.line().strip_prefix(INPUT_COMMAND),
            Purpose::Filter => None,
        }
    }

    /// Takes the answer of the file system in, unless something else was typed meanwhile.
    pub(super) fn path_completed(&mut self, completion: PathCompletion) {
        if self.path() != Some(&completion.typed) {
            return;
        }
        match completion.found {
            Err(diagnostic) => self.problem = Some(diagnostic),
            Ok(found) => {
                let filled = fill(&completion.typed, &found);
                if let Some(path) = filled.path {
                    let line = self.line();
                    let before = &line[..line.len() - completion.typed.len()];
                    self.input = Input::new(format!("{before}{path}"));
                }
                if !filled.hints.is_empty() {
                    self.hints = filled.hints;
                }
            }
        }
    }
}
