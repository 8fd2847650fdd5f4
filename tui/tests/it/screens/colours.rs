//! The colours carry the meanings they are said to; with `NO_COLOR` there are none.

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use super::draw;
use super::fixtures::Scene;

const SIZE: (u16, u16) = (120, 40);

/// The style of every place where `what` is on the screen.
fn styles(buffer: &Buffer, what: &str) -> Vec<Style> {
    let mut found = Vec::new();
    for row in buffer.area.rows() {
        let symbols: Vec<&str> = row.columns().map(|cell| buffer[cell].symbol()).collect();
        for x in 0..symbols.len() {
            if symbols[x..].concat().starts_with(what) {
                found.push(buffer[(u16::try_from(x).unwrap(), row.y)].style());
            }
        }
    }
    assert!(!found.is_empty(), "'{what}' is on the screen");
    found
}

fn all(buffer: &Buffer, what: &str, colour: Color) {
    for style in styles(buffer, what) {
        assert_eq!(style.fg, Some(colour), "{what}");
    }
}

fn coloured(scene: &Scene) -> Buffer {
    draw(&scene.state, SIZE, false)
}

#[test]
fn a_running_task_is_green_and_an_unreachable_one_red() {
    // The selected line of the focused panel has a look of its own.
    let mut scene = Scene::new().connected().tabs(1);
    all(&coloured(&scene), "RUNNING", Color::Green);
    let mut tasks = scene.state.session.tasks().tasks.to_vec();
    tasks[0].probe = mrdeck_core::task::Probe::Unreachable(vec![mrdeck_core::task::FailedProbe {
        at: tasks[0].base.clone(),
        reason: mrdeck_core::unreachable::Unreachable::TimedOut(2),
    }]);
    tasks[1].last_status = mrdeck_core::task::TaskStatus::Stopped;
    scene.list(tasks);
    all(&coloured(&scene), "timed out", Color::Red);
    all(&coloured(&scene), "STOPPED", Color::DarkGray);
}

#[test]
fn each_state_of_a_chunk_has_its_colour() {
    let mapping = coloured(&Scene::new().connected().mapping());
    all(&mapping, "✓ done", Color::Green);
    all(&mapping, "↻ retrying", Color::Yellow);
    all(&mapping, "▸ running", Color::Cyan);
    let failed = coloured(&Scene::new().connected().failed());
    all(&failed, "✗ failed", Color::Red);
    all(&failed, "✗ 1 failed", Color::Red);
}

#[test]
fn how_a_run_ended_has_its_colour() {
    let done = coloured(&Scene::new().connected().verified());
    all(&done, "done in", Color::Green);
    all(&done, "✓ verified", Color::Green);
    let failed = coloured(&Scene::new().connected().failed());
    let header = failed[(SIZE.0 - 3, 0)].style();
    assert_eq!(header.fg, Some(Color::Red), "failed, in the header");
    all(&failed, "1 of 3 chunks could not be mapped", Color::Red);
    let wrong = coloured(&Scene::new().connected().found_wrong());
    all(&wrong, "✗ wrong", Color::Red);
    let cancelled = coloured(&Scene::new().connected().cancelled());
    let header = cancelled[(SIZE.0 - 3, 0)].style();
    assert_eq!(header.fg, Some(Color::Yellow), "cancelled, in the header");
}

#[test]
fn the_focus_is_cyan_and_moves_with_tab() {
    let corner = |buffer: &Buffer| buffer[(0, 1)].style().fg;
    let scene = Scene::new().connected();
    let first = coloured(&scene);
    assert_eq!(corner(&first), Some(Color::Cyan));
    all(&first, "Tasks", Color::Cyan);
    let moved = coloured(&scene.tabs(1));
    assert_ne!(corner(&moved), Some(Color::Cyan));
    all(&moved, "Pipeline", Color::Cyan);
}

#[test]
fn each_phase_has_the_colour_of_its_state() {
    let mapping = coloured(&Scene::new().connected().mapping().tabs(1));
    all(&mapping, "37.9 ms ✓", Color::Green);
    all(&mapping, "1/3 33 %", Color::Cyan);
    all(&mapping, "┄┄┄┄┄┄┄┄", Color::DarkGray);
    let failed = coloured(&Scene::new().connected().failed().tabs(1));
    all(&failed, "2/3 66 % ✗", Color::Red);
    // What is said on the right colours nothing on the left.
    let preparing = coloured(&Scene::new().connected().pressed("s"));
    all(&preparing, "preparing …", Color::Cyan);
    all(&preparing, "liber-primus.txt", Color::DarkGray);
}

#[test]
fn the_selected_line_has_one_look_from_end_to_end() {
    for is_colourless in [false, true] {
        let scenes = [
            Scene::new().connected(),
            Scene::new().connected().failed().tabs(1),
            Scene::new().connected().done().tabs(3),
        ];
        for scene in scenes {
            let buffer = draw(&scene.state, SIZE, is_colourless);
            let is_selected = |x, y| -> bool {
                let style: Style = buffer[(x, y)].style();
                style.add_modifier.contains(Modifier::REVERSED)
            };
            let lines = buffer.area.rows().filter_map(|row| {
                let cells: Vec<u16> = (0..SIZE.0).filter(|x| is_selected(*x, row.y)).collect();
                (!cells.is_empty()).then_some((row.y, cells))
            });
            let lines: Vec<_> = lines.collect();
            let [(y, cells)] = &lines[..] else {
                panic!("one line is selected: {lines:?}");
            };
            let looks: std::collections::HashSet<_> =
                cells.iter().map(|x| buffer[(*x, *y)].style()).collect();
            assert_eq!(looks.len(), 1, "{looks:?}");
            let (first, last) = (cells[0], cells[cells.len() - 1]);
            assert_eq!(usize::from(last - first) + 1, cells.len(), "no gaps");
        }
    }
}

#[test]
fn without_colour_the_focus_and_the_selection_still_show() {
    let buffer = draw(&Scene::new().connected().state, SIZE, true);
    let corner = buffer[(0, 1)].style();
    assert!(corner.add_modifier.contains(Modifier::BOLD), "the focus");
    let other = styles(&buffer, "╭ ²Pipeline")[0];
    assert!(!other.add_modifier.contains(Modifier::BOLD));
    let selected = styles(&buffer, "splitter")[0];
    assert!(selected.add_modifier.contains(Modifier::REVERSED));
}

#[test]
fn with_no_color_no_cell_has_one() {
    let mut zoomed = Scene::new().connected().verified();
    zoomed.key(KeyCode::Enter);
    let mut refused = Scene::new().connected().pressed(":dance");
    refused.key(KeyCode::Enter);
    let scenes = vec![
        Scene::new(),
        Scene::new().connected(),
        Scene::new().connected().mapping(),
        Scene::new().connected().failed(),
        Scene::new().connected().cancelled(),
        Scene::new().connected().found_wrong(),
        Scene::new().connected().pressed("?"),
        Scene::new().connected().pressed("jd"),
        Scene::new().connected().pressed("jl"),
        Scene::new().connected().pressed("jS"),
        Scene::new().connected().done().tabs(1).pressed("jjjd"),
        Scene::read_only().connected(),
        zoomed,
        refused,
    ];
    for scene in scenes {
        let buffer = draw(&scene.state, SIZE, true);
        for cell in &buffer.content {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{cell:?}");
        }
        let with = draw(&scene.state, SIZE, false);
        let coloured = with.content.iter().any(|cell| cell.fg != Color::Reset);
        assert!(coloured, "the same screen has colours otherwise");
    }
}
