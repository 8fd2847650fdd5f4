//! What the next run reads, and how.

use mrdeck_engine::event::{RunOptions, SplitChoice};

use super::feedback::Feedback;
use super::log::Level;
use super::message::Effect;
use crate::input::InputChoice;

/// What a run is like where nothing else was chosen.
const DEFAULTS: RunOptions = RunOptions {
    chunks: None,
    split: SplitChoice::Auto,
    verify: false,
    as_bytes: false,
};

#[derive(Debug, Clone, Default)]
pub struct NextRun {
    input: Option<InputChoice>,
    /// The cluster's own, where none was chosen.
    default_input: Option<InputChoice>,
    options: Chosen,
}

/// The options that were chosen; the others are the run's own.
#[derive(Debug, Clone, Default)]
struct Chosen {
    chunks: Option<Chunks>,
    split: Option<SplitChoice>,
    verify: Option<bool>,
    as_bytes: Option<bool>,
}

#[derive(Debug, Clone, Copy)]
enum Chunks {
    AsManyAsFit,
    Exactly(u32),
}

impl From<Option<u32>> for Chunks {
    fn from(given: Option<u32>) -> Self {
        given.map_or(Self::AsManyAsFit, Self::Exactly)
    }
}

impl Chosen {
    fn over(&self, own: &RunOptions) -> RunOptions {
        RunOptions {
            chunks: match self.chunks {
                None => own.chunks,
                Some(Chunks::AsManyAsFit) => None,
                Some(Chunks::Exactly(count)) => Some(count),
            },
            split: self.split.unwrap_or(own.split),
            verify: self.verify.unwrap_or(own.verify),
            as_bytes: self.as_bytes.unwrap_or(own.as_bytes),
        }
    }
}

impl NextRun {
    /// Returns the input; `None` until the cluster names its default or one is chosen.
    pub fn input(&self) -> Option<&InputChoice> {
        self.input.as_ref().or(self.default_input.as_ref())
    }

    /// Returns the input if it was chosen.
    pub(super) fn chosen_input(&self) -> Option<&InputChoice> {
        self.input.as_ref()
    }

    pub fn options(&self) -> RunOptions {
        self.options.over(&DEFAULTS)
    }

    /// Returns the options of a run that is done again: what was chosen holds, the rest is as it was.
    pub(super) fn options_again(&self, before: &RunOptions) -> RunOptions {
        self.options.over(before)
    }

    /// Takes the cluster's default unless an input was chosen.
    pub(super) fn set_default(&mut self, input: Option<InputChoice>) {
        if self.default_input.is_none() {
            self.default_input = input;
        }
    }

    pub(super) fn choose(&mut self, input: InputChoice, feedback: &mut Feedback) {
        feedback.show(Level::Info, format!("input is {input}: s starts a run"));
        self.input = Some(input);
    }

    pub(super) fn set_chunks(&mut self, chunks: Option<u32>, feedback: &mut Feedback) {
        let text = chunks.map_or("as many as fit the input".to_owned(), |n| n.to_string());
        feedback.show(Level::Info, format!("chunks: {text}"));
        self.options.chunks = Some(chunks.into());
    }

    pub(super) fn set_split(&mut self, split: SplitChoice, feedback: &mut Feedback) {
        let how = match split {
            SplitChoice::Auto => "byte ranges if every mapper is mrdeck's, else copies",
            SplitChoice::Copy => "copies, one object each",
            SplitChoice::Range => "byte ranges of the input",
        };
        feedback.show(Level::Info, format!("chunks will be {how}"));
        self.options.split = Some(split);
    }

    pub(super) fn set_verify(&mut self, verify: bool, feedback: &mut Feedback) {
        let text = if verify {
            "every run is verified"
        } else {
            "runs are not verified"
        };
        feedback.show(Level::Info, text);
        self.options.verify = Some(verify);
    }

    pub(super) fn set_as_bytes(&mut self, as_bytes: bool, feedback: &mut Feedback) {
        let text = if as_bytes {
            "inputs are counted as they are, even if they are not text"
        } else {
            "inputs that are not text are refused"
        };
        feedback.show(Level::Info, text);
        self.options.as_bytes = Some(as_bytes);
    }

    /// Asks for the run; `None` without an input.
    pub(super) fn start(&self, feedback: &mut Feedback) -> Option<Effect> {
        let input = self.input().cloned()?;
        if matches!(input, InputChoice::Local(_)) {
            // The header says how far it is; a status line would outlive it.
            feedback.log_text(Level::Info, format!("reading {input}"));
        }
        let options = self.options();
        Some(Effect::Start { input, options })
    }
}
