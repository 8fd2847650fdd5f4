//! What a key can ask for, and which keys are read when.

use super::panels::Panel;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Down,
    Up,
    First,
    Last,
    PageDown,
    PageUp,
    NextPanel,
    PreviousPanel,
    /// Goes to a panel.
    Focus(Panel),
    /// Goes to the next cell of the chunks' heat map.
    NextChunk,
    PreviousChunk,
    /// Shows half of the time, or twice as much.
    ZoomIn,
    ZoomOut,
    /// Shows earlier times, or later ones.
    PanLeft,
    PanRight,
    /// Shows the latest times, and goes on with them.
    Follow,
    /// Shows the tasks' other columns in place of the time, or the time again.
    ToggleTimeline,
    Open,
    Back,
    Filter,
    Command,
    Help,
    Describe,
    Logs,
    Copy,
    Start,
    Resume,
    RunAgain,
    Cancel,
    ExportChart,
    Verify,
    StopTask,
    ChooseInput,
    /// Marks an object in the browser, or takes the mark away.
    Mark,
    /// Leaves a level of the browser.
    GoUp,
    TypeInput,
    Refresh,
    Quit,
    /// Quits without a question.
    QuitNow,
    Confirm,
    /// Goes back to the shell that started the console, for a while.
    Suspend,
}

impl Action {
    /// Returns whether it does the same whatever is open.
    pub fn is_of_anywhere(self) -> bool {
        matches!(self, Self::QuitNow | Self::Suspend)
    }

    /// Returns whether it begins a run, or reads what one wrote.
    pub(super) fn is_run(self) -> bool {
        matches!(
            self,
            Self::Start | Self::Resume | Self::RunAgain | Self::Verify
        )
    }

    /// Returns whether it changes something beyond this console.
    pub fn is_change(self) -> bool {
        matches!(
            self,
            Self::Start | Self::Resume | Self::RunAgain | Self::StopTask
        )
    }
}

/// What the screen shows decides which keys are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Panels,
    /// Buckets and objects to choose from.
    Browsing,
    /// Help, a description or a log, to be scrolled and closed.
    Reading,
    /// A question with Yes and No.
    Asking,
    /// A line is typed.
    Typing,
}
