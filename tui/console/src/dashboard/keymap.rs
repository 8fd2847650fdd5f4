//! The one table of keys: what each does, when it applies, how it is called. Help and footer come from it.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::model::Overlay;
use super::model::State;

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
    Open,
    Back,
    Filter,
    Command,
    Help,
    Describe,
    Logs,
    Copy,
    Start,
    RerunFailed,
    RunAgain,
    Cancel,
    ExportChart,
    Verify,
    StopTask,
    ChooseInput,
    /// In the browser.
    GoUp,
    TypeInput,
    Refresh,
    Quit,
    Confirm,
}

impl Action {
    /// Does it change something beyond this console?
    pub fn is_a_change(self) -> bool {
        matches!(
            self,
            Self::Start | Self::RerunFailed | Self::RunAgain | Self::StopTask
        )
    }
}

/// What the screen shows decides which keys are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Panels,
    /// Buckets and objects to choose from.
    Browsing,
    /// Help, a description, a log: something to scroll and close.
    Reading,
    /// A question with Yes and No.
    Asking,
    /// A line is being typed.
    Typing,
}

/// One key, without Shift: a capital is its own character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    code: KeyCode,
    ctrl: bool,
}

const fn plain(code: KeyCode) -> Key {
    Key { code, ctrl: false }
}

const fn ch(c: char) -> Key {
    plain(KeyCode::Char(c))
}

const fn ctrl(c: char) -> Key {
    Key {
        code: KeyCode::Char(c),
        ctrl: true,
    }
}

/// One row of the table.
pub struct Binding {
    keys: &'static [Key],
    pub action: Action,
    modes: &'static [Mode],
    /// How the keys are written.
    pub keys_text: &'static str,
    /// For the footer; empty keeps it out.
    pub label: &'static str,
    /// For the help screen.
    pub help: &'static str,
    applies: fn(&State) -> bool,
}

const PANELS: &[Mode] = &[Mode::Panels];
const BROWSING: &[Mode] = &[Mode::Browsing];
const LISTS: &[Mode] = &[Mode::Panels, Mode::Browsing];
const MOVING: &[Mode] = &[Mode::Panels, Mode::Browsing, Mode::Reading];
const READING: &[Mode] = &[Mode::Reading];
const ANYWHERE: &[Mode] = &[Mode::Panels, Mode::Reading, Mode::Asking];
const EVERYWHERE: &[Mode] = &[
    Mode::Panels,
    Mode::Browsing,
    Mode::Reading,
    Mode::Asking,
    Mode::Typing,
];

const fn always(_: &State) -> bool {
    true
}

/// Every key there is. The order is the footer's and the help screen's.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = &[
    Binding { keys: &[ch('s')], action: Action::Start, modes: PANELS, keys_text: "s", label: "start",
        help: "start a run over the chosen input", applies: State::can_start },
    Binding { keys: &[ch('r')], action: Action::RerunFailed, modes: PANELS, keys_text: "r", label: "rerun failed",
        help: "rerun the failed mappers, then the reduce; what was counted is kept", applies: State::can_rerun },
    Binding { keys: &[ch('x')], action: Action::Cancel, modes: PANELS, keys_text: "x", label: "cancel",
        help: "cancel the run in flight", applies: State::can_cancel },
    Binding { keys: &[ch('R')], action: Action::RunAgain, modes: PANELS, keys_text: "R", label: "run again",
        help: "run again from the start: the last run's input, with its settings", applies: State::can_run_again },
    Binding { keys: &[ch('v')], action: Action::Verify, modes: PANELS, keys_text: "v", label: "verify",
        help: "recount the whole input in one process and compare both ways", applies: State::can_verify },
    Binding { keys: &[ch('e')], action: Action::ExportChart, modes: PANELS, keys_text: "e", label: "export chart",
        help: "export the latency chart as a PNG in the current folder", applies: State::can_export },
    Binding { keys: &[ch('o')], action: Action::ChooseInput, modes: PANELS, keys_text: "o", label: "input",
        help: "choose an input: browse buckets and objects, or type a local file", applies: always },
    Binding { keys: &[plain(KeyCode::Enter), ch('l'), plain(KeyCode::Right)], action: Action::Open, modes: BROWSING, keys_text: "Enter l", label: "open",
        help: "browsing: open the bucket or the folder; choose the object", applies: always },
    Binding { keys: &[plain(KeyCode::Esc), ch('h'), plain(KeyCode::Left), plain(KeyCode::Backspace)], action: Action::GoUp, modes: BROWSING, keys_text: "Esc h", label: "up",
        help: "browsing: drop the filter, or go a level up; at the top, close", applies: always },
    Binding { keys: &[ch('i')], action: Action::TypeInput, modes: BROWSING, keys_text: "i", label: "type it",
        help: "browsing: type s3://BUCKET/KEY or a file's path (Tab completes it)", applies: always },
    Binding { keys: &[ch('d')], action: Action::Describe, modes: PANELS, keys_text: "d", label: "describe",
        help: "describe the selected task or chunk, with every attempt", applies: State::can_describe },
    Binding { keys: &[ch('l')], action: Action::Logs, modes: PANELS, keys_text: "l", label: "logs",
        help: "show the selected task's log", applies: State::can_show_logs },
    Binding { keys: &[ch('S')], action: Action::StopTask, modes: PANELS, keys_text: "S", label: "stop task",
        help: "stop the selected task (asks first)", applies: State::can_stop_task },
    Binding { keys: &[ch('c')], action: Action::Copy, modes: PANELS, keys_text: "c", label: "copy",
        help: "copy the selected address, output or line to the clipboard", applies: State::can_copy },
    Binding { keys: &[ch('/')], action: Action::Filter, modes: LISTS, keys_text: "/", label: "filter",
        help: "show only the lines that contain a text", applies: always },
    Binding { keys: &[ch(':')], action: Action::Command, modes: LISTS, keys_text: ":", label: "",
        help: "type a command, for instance :scale, :cluster, :profile, :region (Tab completes)", applies: always },
    Binding { keys: &[ctrl('r')], action: Action::Refresh, modes: MOVING, keys_text: "ctrl-r", label: "",
        help: "refresh the tasks, or the open list or log; reach a lost cluster again", applies: always },
    Binding { keys: &[plain(KeyCode::Tab)], action: Action::NextPanel, modes: PANELS, keys_text: "Tab", label: "",
        help: "go to the next panel (Shift-Tab: the previous one)", applies: always },
    Binding { keys: &[plain(KeyCode::BackTab)], action: Action::PreviousPanel, modes: PANELS, keys_text: "", label: "",
        help: "", applies: always },
    Binding { keys: &[plain(KeyCode::Enter)], action: Action::Open, modes: PANELS, keys_text: "Enter", label: "",
        help: "give the panel the whole screen", applies: always },
    Binding { keys: &[plain(KeyCode::Esc)], action: Action::Back, modes: ANYWHERE, keys_text: "Esc", label: "",
        help: "go back: close what is open, drop the filter", applies: always },
    Binding { keys: &[ch('j'), plain(KeyCode::Down)], action: Action::Down, modes: MOVING, keys_text: "j ↓", label: "",
        help: "down", applies: always },
    Binding { keys: &[ch('k'), plain(KeyCode::Up)], action: Action::Up, modes: MOVING, keys_text: "k ↑", label: "",
        help: "up", applies: always },
    Binding { keys: &[ch('g'), plain(KeyCode::Home)], action: Action::First, modes: MOVING, keys_text: "g Home", label: "",
        help: "to the first line", applies: always },
    Binding { keys: &[ch('G'), plain(KeyCode::End)], action: Action::Last, modes: MOVING, keys_text: "G End", label: "",
        help: "to the last line", applies: always },
    Binding { keys: &[plain(KeyCode::PageDown)], action: Action::PageDown, modes: MOVING, keys_text: "PgDn", label: "",
        help: "a page down", applies: always },
    Binding { keys: &[plain(KeyCode::PageUp)], action: Action::PageUp, modes: MOVING, keys_text: "PgUp", label: "",
        help: "a page up", applies: always },
    Binding { keys: &[ch('y'), ch('Y')], action: Action::Confirm, modes: &[Mode::Asking], keys_text: "", label: "",
        help: "", applies: always },
    Binding { keys: &[ch('n'), ch('N'), ch('q'), plain(KeyCode::Enter)], action: Action::Back, modes: &[Mode::Asking],
        keys_text: "", label: "", help: "", applies: always },
    Binding { keys: &[ch('q'), ch('?'), plain(KeyCode::Enter)], action: Action::Back, modes: READING, keys_text: "", label: "",
        help: "", applies: always },
    Binding { keys: &[ch('q')], action: Action::Back, modes: BROWSING, keys_text: "", label: "", help: "", applies: always },
    Binding { keys: &[ch('?')], action: Action::Help, modes: LISTS, keys_text: "?", label: "help",
        help: "show or close this help", applies: always },
    Binding { keys: &[ch('q')], action: Action::Quit, modes: PANELS, keys_text: "q", label: "quit",
        help: "quit (in a view: close it)", applies: always },
    Binding { keys: &[ctrl('c')], action: Action::Quit, modes: EVERYWHERE, keys_text: "ctrl-c", label: "",
        help: "quit from anywhere", applies: always },
];

fn pressed(event: &KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release || event.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    Some(Key {
        code: event.code,
        ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
    })
}

/// What a key press asks for now; `None` for a key that means nothing here.
pub fn action_for(state: &State, event: &KeyEvent) -> Option<Action> {
    let pressed = pressed(event)?;
    let mode = mode(state);
    BINDINGS
        .iter()
        .find(|row| {
            row.modes.contains(&mode) && row.keys.contains(&pressed) && (row.applies)(state)
        })
        .map(|row| row.action)
}

/// The row of a key that is in the table but does not apply now: so that it can be said.
pub fn not_applying(event: &KeyEvent) -> Option<&'static Binding> {
    let pressed = pressed(event)?;
    help().find(|row| row.modes.contains(&Mode::Panels) && row.keys.contains(&pressed))
}

/// The rows for the footer: those that would do something now.
pub fn footer(state: &State) -> impl Iterator<Item = &'static Binding> {
    let mode = mode(state);
    BINDINGS.iter().filter(move |row| {
        !row.label.is_empty() && row.modes.contains(&mode) && (row.applies)(state)
    })
}

/// The rows for the help screen.
pub fn help() -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(|row| !row.keys_text.is_empty())
}

pub fn mode(state: &State) -> Mode {
    match &state.overlay {
        None if state.browser.is_some() => Mode::Browsing,
        None => Mode::Panels,
        Some(Overlay::Help { .. } | Overlay::Describe { .. } | Overlay::Logs { .. }) => {
            Mode::Reading
        }
        Some(Overlay::ConfirmStop { .. } | Overlay::ConfirmScale { .. }) => Mode::Asking,
        Some(Overlay::Prompt { .. }) => Mode::Typing,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_means_two_things() {
        for mode in EVERYWHERE {
            let mut seen = HashSet::new();
            for row in BINDINGS.iter().filter(|row| row.modes.contains(mode)) {
                for key in row.keys {
                    assert!(seen.insert(format!("{key:?}")), "{mode:?} {key:?}");
                }
            }
        }
    }

    #[test]
    fn the_readme_lists_the_same_keys() {
        let readme = include_str!("../../../../README.md");
        for row in help() {
            let line = format!("| `{}` | {} |", row.keys_text, row.help);
            assert!(readme.contains(&line), "missing: {line}");
        }
    }

    #[test]
    fn ctrl_d_does_nothing() {
        assert!(BINDINGS.iter().all(|row| !row.keys.contains(&ctrl('d'))));
    }
}
