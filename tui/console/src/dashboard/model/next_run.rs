//! What the next run reads, and how.

use mrdeck_core::api::SplitMode;
use mrdeck_engine::event::RunOptions;

use super::feedback::Feedback;
use super::log::Level;
use super::message::Effect;
use crate::input::InputChoice;

#[derive(Debug, Clone)]
pub struct NextRun {
    /// `None` until the cluster names its default or an input is chosen.
    input: Option<InputChoice>,
    options: RunOptions,
}

impl Default for NextRun {
    fn default() -> Self {
        Self {
            input: None,
            options: RunOptions {
                chunks: None,
                split: SplitMode::Copy,
                verify: false,
                as_bytes: false,
            },
        }
    }
}

impl NextRun {
    pub fn input(&self) -> Option<&InputChoice> {
        self.input.as_ref()
    }

    pub fn options(&self) -> &RunOptions {
        &self.options
    }

    /// Takes the cluster's default unless an input was chosen.
    pub(super) fn set_default(&mut self, input: Option<InputChoice>) {
        if self.input.is_none() {
            self.input = input;
        }
    }

    pub(super) fn choose(&mut self, input: InputChoice, feedback: &mut Feedback) {
        feedback.show(Level::Info, format!("input is {input}: s starts a run"));
        self.input = Some(input);
    }

    pub(super) fn set_chunks(&mut self, chunks: Option<u32>, feedback: &mut Feedback) {
        let text = chunks.map_or("as many as fit the input".to_owned(), |n| n.to_string());
        feedback.show(Level::Info, format!("chunks: {text}"));
        self.options.chunks = chunks;
    }

    pub(super) fn set_split(&mut self, split: SplitMode, feedback: &mut Feedback) {
        let how = match split {
            SplitMode::Copy => "copies, one object each",
            SplitMode::Range => "byte ranges of the input",
        };
        feedback.show(Level::Info, format!("chunks will be {how}"));
        self.options.split = split;
    }

    pub(super) fn set_verify(&mut self, verify: bool, feedback: &mut Feedback) {
        let text = if verify {
            "every run is verified"
        } else {
            "runs are not verified"
        };
        feedback.show(Level::Info, text);
        self.options.verify = verify;
    }

    pub(super) fn set_as_bytes(&mut self, as_bytes: bool, feedback: &mut Feedback) {
        let text = if as_bytes {
            "inputs are counted as they are, even if they are not text"
        } else {
            "inputs that are not text are refused"
        };
        feedback.show(Level::Info, text);
        self.options.as_bytes = as_bytes;
    }

    /// Asks for the run; `None` without an input.
    pub(super) fn start(&self, feedback: &mut Feedback) -> Option<Effect> {
        let input = self.input.clone()?;
        if matches!(input, InputChoice::File(_)) {
            // The header says how far it is; a status line would outlive it.
            feedback.log_text(Level::Info, format!("reading {input}"));
        }
        let options = self.options.clone();
        Some(Effect::Start { input, options })
    }
}
