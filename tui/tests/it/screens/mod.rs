//! What the dashboard draws and what its keys do, without a terminal: `Model`, `Msg` and `view::draw` alone.

mod browse;
mod cleaning;
mod colours;
mod completion;
mod effects;
mod fixtures;
mod hostile;
mod keys;
mod navigation;
mod overlays;
mod panels;
mod scaling;
mod switching;

use std::panic::Location;
use std::path::Path;

use jiff::tz::TimeZone;
use mrdeck::dashboard::model::Model;
use mrdeck::dashboard::view::{self, Look};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

/// The sizes every screen is looked at: the smallest that is drawn, and a roomy one.
const SIZES: [(u16, u16); 2] = [(80, 24), ROOMY];
const ROOMY: (u16, u16) = (120, 40);
/// The sizes that the panels are designed for.
const PANEL_SIZES: [(u16, u16); 4] = [(80, 24), (100, 30), ROOMY, (200, 60)];

fn draw(state: &Model, size: (u16, u16), is_colourless: bool) -> Buffer {
    let look = Look::new(TimeZone::UTC, is_colourless);
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    terminal
        .draw(|frame| {
            view::draw(state, &look, frame);
        })
        .unwrap();
    terminal.backend().buffer().clone()
}

/// The text of a screen, a line each, without the blanks at the lines' ends.
fn text(buffer: &Buffer) -> String {
    let rows = buffer.area.rows().map(|row| {
        let mut line = String::new();
        let mut x = row.x;
        while x < row.right() {
            let symbol = buffer[(x, row.y)].symbol();
            line.push_str(symbol);
            // A wide character hides the cell after it.
            x += u16::try_from(symbol.width().max(1)).unwrap();
        }
        line.trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}

fn screen(state: &Model, size: (u16, u16)) -> String {
    text(&draw(state, size, true))
}

/// Compares the screen at both sizes with the accepted ones, in `snapshots/` in a folder of the calling file's name.
#[track_caller]
fn check(name: &str, state: &Model) {
    for size in SIZES {
        check_at(name, state, size);
    }
}

/// The same at every size that the panels are designed for.
#[track_caller]
fn check_panels(name: &str, state: &Model) {
    for size in PANEL_SIZES {
        check_at(name, state, size);
    }
}

#[track_caller]
fn check_at(name: &str, state: &Model, size: (u16, u16)) {
    let file = Path::new(Location::caller().file());
    let folder = Path::new("snapshots").join(file.file_stem().unwrap());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        let name = format!("{name}@{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, screen(state, size));
    });
}
