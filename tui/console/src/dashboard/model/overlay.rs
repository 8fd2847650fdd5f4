//! What lies over the panels: help, a description, a log, a question, a line being typed.

use tui_input::Input;

use super::completion::Cycle;
use mrdeck_cluster::ScalePlan;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskId;

/// At most one of these is open.
#[derive(Debug, Clone)]
pub enum Overlay {
    Help {
        scroll: usize,
    },
    Describe {
        subject: Subject,
        scroll: usize,
    },
    Logs {
        task: TaskId,
        content: LogContent,
        /// Lines from the end, so that the newest line is what one sees first.
        from_end: usize,
    },
    /// The default is No: only `y` stops the task.
    ConfirmStop {
        task: TaskId,
    },
    /// The default is No here too.
    ConfirmScale {
        plan: ScalePlan,
    },
    Prompt {
        purpose: Purpose,
        input: Input,
        problem: Option<Diagnostic>,
        /// Between one Tab and the next.
        cycle: Option<Cycle>,
        /// How it may go on.
        hints: Vec<String>,
    },
}

/// What is described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Task(TaskId),
    /// A row of the pipeline.
    Row(PipelineRow),
}

/// One line of the pipeline panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PipelineRow {
    Split,
    Map,
    Chunk(usize),
    Reduce,
    Verify,
}

#[derive(Debug, Clone)]
pub enum LogContent {
    Loading,
    Lines(Vec<String>),
    Missing(Diagnostic),
}

/// What a typed line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Input,
    Filter,
    Command,
}

impl Overlay {
    pub fn prompt(purpose: Purpose, initial: &str) -> Self {
        Self::Prompt {
            purpose,
            input: Input::new(initial.to_owned()),
            problem: None,
            cycle: None,
            hints: Vec::new(),
        }
    }
}
