//! The one table of keys: what each does, when it applies, how it is called. Help and footer come from it.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::model::{Action, Level, Mode, Model, Msg, Panel, Selected};

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
    /// How the keys are written; empty for a twin of a row that is shown.
    pub keys_text: &'static str,
    /// For the footer; empty keeps it out.
    pub label: &'static str,
    /// For the help screen.
    pub help: &'static str,
    applies: fn(&Model, &Selected) -> Applies,
}

/// Why a key does nothing now.
type Applies = Result<(), &'static str>;

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

// ---- when keys apply ----

fn unless(holds: bool, reason: &'static str) -> Applies {
    if holds { Ok(()) } else { Err(reason) }
}

const ALWAYS: fn(&Model, &Selected) -> Applies = |_, _| Ok(());

/// One run at a time, and none without a cluster.
fn is_ready(model: &Model, _: &Selected) -> Applies {
    unless(model.session.is_up(), "not connected to a cluster")?;
    unless(model.run.is_idle(), "a run is in flight")
}

fn can_resume(model: &Model, selected: &Selected) -> Applies {
    is_ready(model, selected)?;
    unless(model.run.can_resume(), "nothing to resume")
}

fn can_run_again(model: &Model, selected: &Selected) -> Applies {
    is_ready(model, selected)?;
    unless(model.run.record().is_some(), "nothing to run again")
}

fn can_verify(model: &Model, selected: &Selected) -> Applies {
    is_ready(model, selected)?;
    unless(model.run.can_verify(), "nothing to verify")
}

fn can_cancel(model: &Model, _: &Selected) -> Applies {
    unless(model.run.can_cancel(), "nothing to cancel")
}

fn can_export(model: &Model, _: &Selected) -> Applies {
    unless(model.run.can_export(), "no finished run to export")
}

fn can_describe(_: &Model, selected: &Selected) -> Applies {
    let is_described = matches!(selected, Selected::Task(_) | Selected::Work(_));
    unless(is_described, "nothing to describe here")
}

fn can_show_logs(_: &Model, selected: &Selected) -> Applies {
    unless(matches!(selected, Selected::Task(_)), "no task is selected")
}

fn can_stop_task(model: &Model, selected: &Selected) -> Applies {
    let is_usable = matches!(selected, Selected::Task(task) if task.is_usable());
    unless(is_usable, "no running task is selected")?;
    unless(
        model.session.can_stop_tasks(),
        "tasks can't be stopped from here",
    )
}

fn can_filter(model: &Model, _: &Selected) -> Applies {
    let has_lines = model.browser.is_some() || model.panels.focus() != Panel::Latency;
    unless(has_lines, "there are no lines to filter here")
}

fn has_run(model: &Model, _: &Selected) -> Applies {
    unless(model.run.record().is_some(), "there is no run yet")
}

fn has_timeline(model: &Model, selected: &Selected) -> Applies {
    has_run(model, selected)?;
    unless(
        !model.timeline.is_hidden(),
        "the run's time is hidden: w shows it",
    )
}

fn can_step_chunk(model: &Model, _: &Selected) -> Applies {
    unless(
        model.panels.focus() == Panel::Pipeline,
        "← and → go through the chunks of the pipeline panel (2)",
    )?;
    let run = model.run.record();
    let has_chunks = run.is_some_and(|run| !run.chunks.is_empty());
    unless(has_chunks, "there are no chunks yet")
}

fn can_copy(model: &Model, selected: &Selected) -> Applies {
    let text = model.copy_text(selected);
    unless(text.is_some(), "nothing to copy here")
}

/// Every key there is. The order is the footer's and the help screen's.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = &[
    Binding { keys: &[ch('s')], action: Action::Start, modes: PANELS, keys_text: "s", label: "start",
        help: "start a run over the chosen input", applies: is_ready },
    Binding { keys: &[ch('r')], action: Action::Resume, modes: PANELS, keys_text: "r", label: "resume",
        help: "resume: rerun the failed mappers, then the reduce; finished chunks stay", applies: can_resume },
    Binding { keys: &[ch('x')], action: Action::Cancel, modes: PANELS, keys_text: "x", label: "cancel",
        help: "cancel the run in flight", applies: can_cancel },
    Binding { keys: &[ch('R')], action: Action::RunAgain, modes: PANELS, keys_text: "R", label: "run again",
        help: "run the last input again from the start; what was set since holds", applies: can_run_again },
    Binding { keys: &[ch('v')], action: Action::Verify, modes: PANELS, keys_text: "v", label: "verify",
        help: "recount the whole input in one process and compare both ways", applies: can_verify },
    Binding { keys: &[ch('e')], action: Action::ExportChart, modes: PANELS, keys_text: "e", label: "export chart",
        help: "export the latency chart as a PNG in the current folder", applies: can_export },
    Binding { keys: &[ch('o')], action: Action::ChooseInput, modes: PANELS, keys_text: "o", label: "input",
        help: "choose an input: browse buckets and objects, or type a local file", applies: ALWAYS },
    Binding { keys: &[plain(KeyCode::Enter), ch('l'), plain(KeyCode::Right)], action: Action::Open, modes: BROWSING, keys_text: "Enter l", label: "open",
        help: "browsing: open the bucket or the folder; choose the object, or all that are marked", applies: ALWAYS },
    Binding { keys: &[ch(' ')], action: Action::Mark, modes: BROWSING, keys_text: "space", label: "mark",
        help: "browsing: mark an object, to count several as one", applies: ALWAYS },
    Binding { keys: &[plain(KeyCode::Esc), ch('h'), plain(KeyCode::Left), plain(KeyCode::Backspace)], action: Action::GoUp, modes: BROWSING, keys_text: "Esc h", label: "up",
        help: "browsing: clear the filter, or go up a level; at the top, close", applies: ALWAYS },
    Binding { keys: &[ch('i')], action: Action::TypeInput, modes: BROWSING, keys_text: "i", label: "type path",
        help: "browsing: type s3://BUCKET/KEY or a file's path (Tab completes it)", applies: ALWAYS },
    Binding { keys: &[ch('d')], action: Action::Describe, modes: PANELS, keys_text: "d", label: "describe",
        help: "describe the selected task or chunk, with every attempt", applies: can_describe },
    Binding { keys: &[ch('l')], action: Action::Logs, modes: PANELS, keys_text: "l", label: "logs",
        help: "show the selected task's log", applies: can_show_logs },
    Binding { keys: &[ch('S')], action: Action::StopTask, modes: PANELS, keys_text: "S", label: "stop task",
        help: "stop the selected task (asks first)", applies: can_stop_task },
    Binding { keys: &[ch('c')], action: Action::Copy, modes: PANELS, keys_text: "c", label: "copy",
        help: "copy the selected address, output or line to the clipboard", applies: can_copy },
    Binding { keys: &[ch('/')], action: Action::Filter, modes: LISTS, keys_text: "/", label: "filter",
        help: "show only lines with the text, without it (!text), column:text, a regular expression", applies: can_filter },
    Binding { keys: &[ch(':')], action: Action::Command, modes: LISTS, keys_text: ":", label: "",
        help: "type a command, for instance :scale, :cluster, :profile, :region (Tab completes)", applies: ALWAYS },
    Binding { keys: &[ctrl('r')], action: Action::Refresh, modes: MOVING, keys_text: "ctrl-r", label: "",
        help: "refresh the tasks, or the open list or log; reconnect to a lost cluster", applies: ALWAYS },
    Binding { keys: &[plain(KeyCode::Tab)], action: Action::NextPanel, modes: PANELS, keys_text: "Tab", label: "",
        help: "go to the next panel (Shift-Tab: the previous one)", applies: ALWAYS },
    Binding { keys: &[plain(KeyCode::BackTab)], action: Action::PreviousPanel, modes: PANELS, keys_text: "", label: "",
        help: "", applies: ALWAYS },
    Binding { keys: &[ch(Panel::Tasks.number())], action: Action::Focus(Panel::Tasks), modes: PANELS, keys_text: "1 … 5", label: "",
        help: "go to the panel with this number", applies: ALWAYS },
    Binding { keys: &[ch(Panel::Pipeline.number())], action: Action::Focus(Panel::Pipeline), modes: PANELS, keys_text: "", label: "",
        help: "", applies: ALWAYS },
    Binding { keys: &[ch(Panel::Latency.number())], action: Action::Focus(Panel::Latency), modes: PANELS, keys_text: "", label: "",
        help: "", applies: ALWAYS },
    Binding { keys: &[ch(Panel::Results.number())], action: Action::Focus(Panel::Results), modes: PANELS, keys_text: "", label: "",
        help: "", applies: ALWAYS },
    Binding { keys: &[ch(Panel::Events.number())], action: Action::Focus(Panel::Events), modes: PANELS, keys_text: "", label: "",
        help: "", applies: ALWAYS },
    Binding { keys: &[ch('+'), ch('=')], action: Action::ZoomIn, modes: PANELS, keys_text: "+ - [ ] f", label: "",
        help: "show less or more of the run's time, go back or on in it, follow it again", applies: has_timeline },
    Binding { keys: &[ch('-')], action: Action::ZoomOut, modes: PANELS, keys_text: "", label: "",
        help: "", applies: has_timeline },
    Binding { keys: &[ch('[')], action: Action::PanLeft, modes: PANELS, keys_text: "", label: "",
        help: "", applies: has_timeline },
    Binding { keys: &[ch(']')], action: Action::PanRight, modes: PANELS, keys_text: "", label: "",
        help: "", applies: has_timeline },
    Binding { keys: &[ch('f')], action: Action::Follow, modes: PANELS, keys_text: "", label: "",
        help: "", applies: has_timeline },
    Binding { keys: &[ch('w')], action: Action::ToggleTimeline, modes: PANELS, keys_text: "w", label: "",
        help: "show the tasks' other columns in place of the run's time, or the time again", applies: has_run },
    Binding { keys: &[plain(KeyCode::Right)], action: Action::NextChunk, modes: PANELS, keys_text: "← →", label: "",
        help: "in the pipeline: go to the chunk beside the selected one", applies: can_step_chunk },
    Binding { keys: &[plain(KeyCode::Left)], action: Action::PreviousChunk, modes: PANELS, keys_text: "", label: "",
        help: "", applies: can_step_chunk },
    Binding { keys: &[plain(KeyCode::Enter)], action: Action::Open, modes: PANELS, keys_text: "Enter", label: "",
        help: "zoom the panel to the whole screen", applies: ALWAYS },
    Binding { keys: &[plain(KeyCode::Esc)], action: Action::Back, modes: ANYWHERE, keys_text: "Esc", label: "",
        help: "go back: close what is open, clear the filter", applies: ALWAYS },
    Binding { keys: &[ch('j'), plain(KeyCode::Down)], action: Action::Down, modes: MOVING, keys_text: "j k ↓ ↑", label: "",
        help: "down, up", applies: ALWAYS },
    Binding { keys: &[ch('k'), plain(KeyCode::Up)], action: Action::Up, modes: MOVING, keys_text: "", label: "",
        help: "", applies: ALWAYS },
    Binding { keys: &[ch('g'), plain(KeyCode::Home)], action: Action::First, modes: MOVING, keys_text: "g G", label: "",
        help: "go to the first line, to the last one (Home, End)", applies: ALWAYS },
    Binding { keys: &[ch('G'), plain(KeyCode::End)], action: Action::Last, modes: MOVING, keys_text: "", label: "",
        help: "", applies: ALWAYS },
    Binding { keys: &[plain(KeyCode::PageDown)], action: Action::PageDown, modes: MOVING, keys_text: "PgDn", label: "",
        help: "go a page down (PgUp: up)", applies: ALWAYS },
    Binding { keys: &[plain(KeyCode::PageUp)], action: Action::PageUp, modes: MOVING, keys_text: "", label: "",
        help: "", applies: ALWAYS },
    Binding { keys: &[ch('y'), ch('Y')], action: Action::Confirm, modes: &[Mode::Asking], keys_text: "", label: "",
        help: "", applies: ALWAYS },
    Binding { keys: &[ch('n'), ch('N'), ch('q'), plain(KeyCode::Enter)], action: Action::Back, modes: &[Mode::Asking],
        keys_text: "", label: "", help: "", applies: ALWAYS },
    Binding { keys: &[ch('q'), ch('?'), plain(KeyCode::Enter)], action: Action::Back, modes: READING, keys_text: "", label: "",
        help: "", applies: ALWAYS },
    Binding { keys: &[ch('q')], action: Action::Back, modes: BROWSING, keys_text: "", label: "", help: "", applies: ALWAYS },
    Binding { keys: &[ch('?')], action: Action::Help, modes: LISTS, keys_text: "?", label: "help",
        help: "show or close this help", applies: ALWAYS },
    Binding { keys: &[ch('q')], action: Action::Quit, modes: PANELS, keys_text: "q", label: "quit",
        help: "quit (amid a run: asks; in a view: close it)", applies: ALWAYS },
    Binding { keys: &[ctrl('z')], action: Action::Suspend, modes: EVERYWHERE, keys_text: "ctrl-z", label: "",
        help: "go back to the shell for a while; its command fg comes back here", applies: ALWAYS },
    Binding { keys: &[ctrl('c')], action: Action::QuitNow, modes: EVERYWHERE, keys_text: "ctrl-c", label: "",
        help: "quit from anywhere, without a question", applies: ALWAYS },
];

fn pressed(event: &KeyEvent) -> Option<Key> {
    let is_alt = event.modifiers.contains(KeyModifiers::ALT);
    let key = Key {
        code: event.code,
        ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
    };
    (!is_alt).then_some(key)
}

/// Why a row does nothing now: `--read-only` refuses it, or there is nothing for it to act on.
fn refusal(row: &Binding, model: &Model, selected: &Selected) -> Option<(Level, String)> {
    let permitted = if row.action.is_change() {
        model.access().permit(row.help)
    } else {
        Ok(())
    };
    match (permitted, (row.applies)(model, selected)) {
        (Err(refused), _) => Some((Level::Warning, refused.to_string())),
        (Ok(()), Err(reason)) => Some((Level::Info, reason.to_owned())),
        (Ok(()), Ok(())) => None,
    }
}

/// Returns what a key press means now; `None` for a key that means nothing here.
pub fn message(model: &Model, event: &KeyEvent) -> Option<Msg> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let mode = model.mode();
    let pressed = pressed(event);
    let selected = model.rows().selected();
    let mut rows = BINDINGS.iter().filter(|row| {
        row.modes.contains(&mode) && pressed.is_some_and(|key| row.keys.contains(&key))
    });
    let refused = |row: &Binding| refusal(row, model, &selected);
    match rows.clone().find(|row| refused(row).is_none()) {
        Some(row) => Some(Msg::Act(row.action)),
        None if mode == Mode::Typing => Some(Msg::Type(*event)),
        None => {
            let (level, reason) = refused(rows.next()?)?;
            Some(Msg::Refused(level, reason))
        }
    }
}

/// Returns the rows for the footer: those that would do something now.
pub fn footer(model: &Model, selected: &Selected) -> impl Iterator<Item = &'static Binding> {
    let mode = model.mode();
    BINDINGS.iter().filter(move |row| {
        !row.label.is_empty()
            && row.modes.contains(&mode)
            && refusal(row, model, selected).is_none()
    })
}

/// Returns the rows for the help screen.
pub fn help() -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(|row| !row.keys_text.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]

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

    /// Returns the rows of the table that lists keys.
    fn documented(text: &str) -> Vec<&str> {
        let (_, table) = text
            .split_once("| key | does |\n|---|---|\n")
            .expect("a table of keys");
        table.lines().take_while(|line| !line.is_empty()).collect()
    }

    #[test]
    fn the_manual_lists_the_same_keys() {
        let rows: Vec<String> = help()
            .map(|row| format!("| `{}` | {} |", row.keys_text, row.help))
            .collect();
        let manual = documented(include_str!("../../../README.md"));
        assert_eq!(manual, rows, "the table in tui/README.md");
        let readme = documented(include_str!("../../../../README.md"));
        assert!(!readme.is_empty());
        for row in readme {
            assert!(manual.contains(&row), "in README.md only: {row}");
        }
    }

    #[test]
    fn ctrl_d_does_nothing() {
        assert!(BINDINGS.iter().all(|row| !row.keys.contains(&ctrl('d'))));
    }
}
