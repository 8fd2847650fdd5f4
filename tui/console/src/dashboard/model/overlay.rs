//! What lies over the panels: help, a description, a log, a question, a line being typed.

use super::action::Mode;
use super::prompt::Prompt;
use super::rows::PipelineRow;
use super::scroll::Scroll;
use crate::clean::Inventory;
use mrdeck_cluster::ScalePlan;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskId;

/// At most one of these is open.
#[derive(Debug, Clone)]
pub enum Overlay {
    Help {
        scroll: Scroll,
    },
    Describe {
        subject: Subject,
        scroll: Scroll,
    },
    Logs {
        task: TaskId,
        content: LogContent,
        scroll: Scroll,
    },
    /// The default is No: only `y` stops the task.
    ConfirmStop {
        task: TaskId,
    },
    /// Asked amid a run. The default is No here too.
    ConfirmQuit,
    /// The default is No here too.
    ConfirmScale {
        plan: ScalePlan,
    },
    /// And here.
    ConfirmClean {
        found: Inventory,
    },
    Prompt(Prompt),
}

/// What is described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Task(TaskId),
    /// A row of the pipeline.
    Row(PipelineRow),
}

#[derive(Debug, Clone)]
pub enum LogContent {
    Loading,
    Lines(Vec<String>),
    Missing(Diagnostic),
}

impl Overlay {
    pub(super) fn help() -> Self {
        let scroll = Scroll::from_start();
        Self::Help { scroll }
    }

    pub(super) fn describe(subject: Subject) -> Self {
        let scroll = Scroll::from_start();
        Self::Describe { subject, scroll }
    }

    /// A log whose lines are on their way.
    pub(super) fn logs(task: TaskId) -> Self {
        Self::Logs {
            task,
            content: LogContent::Loading,
            scroll: Scroll::from_end(),
        }
    }

    /// Returns which keys are read.
    pub fn mode(&self) -> Mode {
        match self {
            Self::Help { .. } | Self::Describe { .. } | Self::Logs { .. } => Mode::Reading,
            Self::ConfirmStop { .. }
            | Self::ConfirmQuit
            | Self::ConfirmScale { .. }
            | Self::ConfirmClean { .. } => Mode::Asking,
            Self::Prompt(_) => Mode::Typing,
        }
    }

    pub(super) fn scroll_mut(&mut self) -> Option<&mut Scroll> {
        match self {
            Self::Help { scroll } | Self::Describe { scroll, .. } | Self::Logs { scroll, .. } => {
                Some(scroll)
            }
            Self::ConfirmStop { .. }
            | Self::ConfirmQuit
            | Self::ConfirmScale { .. }
            | Self::ConfirmClean { .. }
            | Self::Prompt(_) => None,
        }
    }

    /// Takes the lines of a log in, unless the log of another task is open.
    pub(super) fn take_logs(&mut self, of: &TaskId, result: Result<Vec<String>, Diagnostic>) {
        if let Self::Logs { task, content, .. } = self
            && task == of
        {
            *content = match result {
                Ok(lines) => LogContent::Lines(lines),
                Err(diagnostic) => LogContent::Missing(diagnostic),
            };
        }
    }
}
